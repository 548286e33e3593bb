"""What of a policy holds for as long as a gateway runs, however its file is edited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from gateway.core.policy import Policy

_FIXED: Mapping[str, tuple[str, ...]] = {
    "server": ("host", "port"),
    "limits": ("connections", "header_bytes", "records"),
}


def held(edited: Policy, running: Policy) -> tuple[Policy, tuple[str, ...]]:
    """The edited policy as a gateway that runs can take it over, and the keys whose new values wait for its next start."""
    waiting: list[str] = []
    kept: dict[str, Any] = {}
    for section, keys in _FIXED.items():
        new, old = getattr(edited, section), asdict(getattr(running, section))
        waiting += [f"{section}.{key}" for key in keys if getattr(new, key) != old[key]]
        kept[section] = replace(new, **{key: old[key] for key in keys})
    return replace(edited, **kept), tuple(waiting)
