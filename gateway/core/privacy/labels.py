"""Labels, from the strictest to the widest, and how several become one: the strictest wins, and what is unknown is local."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from gateway.core.policy.privacy import Label

_WIDTH: dict[Label, int] = {"local": 0, "cloud-ok": 1, "redact": 2}


def strictest(labels: Iterable[Label]) -> Label:
    """The strictest of the labels; of none, local."""
    return min(labels, key=_WIDTH.__getitem__, default="local")


def tightened(label: Label, header: str | None) -> Label:
    """The label after what a request's header asks for. A header only tightens; one that is not understood means local."""
    if header is None:
        return label
    asked = header.strip().lower()
    return strictest((label, next((each for each in get_args(Label) if each == asked), "local")))
