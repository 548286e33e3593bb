"""Tool calls written as text: one file per dialect, over one scanner. Law: a call comes out whole and certain, or marked."""

from gateway.core.dialects.dialect import Dialect
from gateway.core.dialects.reader import OpenCall, ToolReader
from gateway.core.dialects.registry import AUTOMATIC, DIALECTS, choose

__all__ = ["AUTOMATIC", "DIALECTS", "Dialect", "OpenCall", "ToolReader", "choose"]
