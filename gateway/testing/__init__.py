"""A simulated Ollama with a window, a clock and faults, and what else tests and `holdfast demo` play with.

from gateway.testing.ollama import SimulatedOllama      # the server
from gateway.testing.models.model import FAMILIES, SimModel    # what it serves
from gateway.testing.script import says, by_tool_results  # what a model says
from gateway.testing.faults import Fault, FaultKind     # what goes wrong
"""
