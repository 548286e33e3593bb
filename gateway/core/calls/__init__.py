"""The gate for tool calls. Law: what passes is a JSON object that its tool's schema takes, whole."""

from gateway.core.calls.gate import Fault, Refusal, judge, proof_of, resolve
from gateway.core.calls.kinds import writes

__all__ = ["Fault", "Refusal", "judge", "proof_of", "resolve", "writes"]
