"""The doctor's judgement: what is known of a set-up to what is wrong with it, and what to change."""

from __future__ import annotations

from gateway.core.diagnosis import clients, hardware, servers, windows
from gateway.core.diagnosis.finding import Finding, Severity
from gateway.core.diagnosis.setup import Setup

__all__ = ["Finding", "Setup", "Severity", "diagnose"]

_ORDER = {severity: place for place, severity in enumerate(Severity)}


def diagnose(setup: Setup) -> tuple[Finding, ...]:
    """Everything found, the worst first; within a severity in the order of servers, models and files."""
    found = [*servers.findings(setup), *windows.findings(setup), *hardware.findings(setup), *clients.findings(setup)]
    return tuple(sorted(found, key=lambda each: _ORDER[each.severity]))
