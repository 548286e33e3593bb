"""The shipped rules, compiled once, and conversations in one line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.config.secret_rules import load
from gateway.core.conversation import Conversation
from gateway.core.policy.privacy import PrivacyRules
from gateway.core.privacy.finding import Scan
from gateway.core.privacy.house import chosen, house_rules
from gateway.core.privacy.rule import Matcher
from gateway.core.privacy.scan import ScanMemo, Scanner
from gateway.core.privacy.units import units
from gateway.scanning.engine import Engine, compiled

pytest.importorskip("re2")


@pytest.fixture(scope="session")
def engine() -> Matcher:
    policy = PrivacyRules(also=("email", "us-ssn", "uk-nino", "es-dni", "fr-nir", "de-idnr", "ch-ahv", "br-cpf"))
    made = compiled([*chosen(load(), policy), *house_rules(policy)])
    assert isinstance(made, Engine), made
    return made


@pytest.fixture
def scan(engine: Matcher) -> Callable[[Conversation], Scan]:
    """Scans with a memo of its own and no hurry."""

    def once(conversation: Conversation) -> Scan:
        scanner = Scanner(matcher=engine, memo=ScanMemo(), limit=10_000_000, now=lambda: 0.0)
        return scanner.scan(units(conversation), until=1.0)

    return once
