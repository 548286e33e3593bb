"""Labels, from the strictest to the widest, and how several become one: the strictest wins, and what is unknown is local."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from gateway.core.policy.privacy import Label

_WIDTH: dict[Label, int] = {"local": 0, "cloud-ok": 1, "redact": 2}


def strictest(labels: Iterable[Label]) -> Label:
    """The strictest of the labels; of none, local."""
    return min(labels, key=_WIDTH.__getitem__, default="local")


def asked_for(header: str) -> Label:
    """The label that a request's header asks for; one that is not understood means local."""
    said = header.strip().lower()
    return next((each for each in get_args(Label) if each == said), "local")
