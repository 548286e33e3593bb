"""The shipped rules, compiled once, and conversations in one line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.config.secret_rules import rules_under
from gateway.core.conversation import Conversation
from gateway.core.policy.privacy import PrivacyRules
from gateway.core.privacy.finding import Scan
from gateway.core.privacy.rule import Matcher
from gateway.core.privacy.scan import ScanMemo, Scanner
from gateway.core.privacy.units import contents
from gateway.scanning.engine import Engine, compiled

pytest.importorskip("re2")

KEY = bytes(32)


@pytest.fixture(scope="session")
def engine() -> Matcher:
    policy = PrivacyRules(also=("email", "us-ssn", "uk-nino", "es-dni", "fr-nir", "de-idnr", "ch-ahv", "br-cpf"))
    made = compiled(rules_under(policy))
    assert isinstance(made, Engine), made
    return made


@pytest.fixture
def scan(engine: Matcher) -> Callable[[Conversation], Scan]:
    """Scans with a memo of its own and no hurry."""

    def once(conversation: Conversation) -> Scan:
        scanner = Scanner(matcher=engine, memo=ScanMemo(), limit=10_000_000, now=lambda: 0.0, key=KEY)
        return scanner.scan(contents(conversation).units, until=1.0)

    return once
