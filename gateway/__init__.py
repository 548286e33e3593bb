"""Holdfast: a gateway that keeps coding agents alive on local models."""

__version__ = "0.1.0"
