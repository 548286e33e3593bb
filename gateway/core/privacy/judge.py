"""Says of a candidate whether it is a finding: how its value was made, its check, what stands in for secrets."""

from __future__ import annotations

from typing import assert_never

from gateway.core.privacy import assigned, passwords
from gateway.core.privacy.checks import CHECKS, Proof
from gateway.core.privacy.machine_made import entropy, mixed, random
from gateway.core.privacy.public_keys import is_public
from gateway.core.privacy.rule import Candidate
from gateway.core.privacy.stand_ins import is_ours, stands_in

_CLOSES = frozenset("'\"`@")  # what ends a value that was written as one: a quote, the host of an address


def convicts(candidate: Candidate, text: str) -> bool:
    """Whether what the rule found in `text` is what the rule is about."""
    rule = candidate.rule
    if rule.judge == "certain":
        return not any(each.search(text[candidate.value_start : candidate.value_end]) for each in rule.allow)
    value = text[candidate.value_start : candidate.value_end]
    if rule.check:
        match CHECKS[rule.check](value):
            case Proof.PROVEN:
                return True
            case Proof.WRONG:
                return False
            case Proof.OPEN:
                pass
    return (
        _likely(candidate, text, value)
        and not (rule.entropy and entropy(value) < rule.entropy)
        and not any(each.search(value) for each in rule.allow)
        and not stands_in(value)
        and not is_ours(text, candidate.value_start, candidate.value_end)
        and not is_public(text, candidate.value_start, candidate.value_end)
    )


def _likely(candidate: Candidate, text: str, value: str) -> bool:
    match candidate.rule.judge:
        case "token" | "certain":
            return True
        case "mixed":
            return mixed(value) and not assigned.names_type(candidate, text)
        case "random":
            return random(value)
        case "assigned":
            return assigned.likely(value) and assigned.is_secret(assigned.found(candidate, text))
        case "vendor":
            return assigned.likely(value) and assigned.is_vendors(assigned.found(candidate, text))
        case "password":
            closed = text[candidate.value_end : candidate.value_end + 1] in _CLOSES
            return passwords.is_password(value, closed=closed) and not assigned.names_type(candidate, text)
        case other:
            assert_never(other)
