"""Rules come from files and policy; whatever is wrong with them is said, all of it, and nothing is left out in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.secret_rules import BadRules, rules_under
from gateway.core.policy.privacy import PrivacyRules

GOOD = """
kind: own
rules:
  - id: acme-token
    description: token of Acme
    token: 'acme_[0-9a-f]{8}'
    allow: ['^acme_0+$']
"""


def write(folder: Path, text: str, name: str = "own.yaml") -> str:
    file = folder / name
    file.write_text(text)
    return str(file)


def test_rules_of_ones_own_stand_beside_those_that_are_shipped(tmp_path: Path) -> None:
    rules = {each.id: each for each in rules_under(PrivacyRules(rules=(write(tmp_path, GOOD),)))}
    assert rules["acme-token"].kind == "own"
    assert rules["acme-token"].pattern.endswith("(?P<value>acme_[0-9a-f]{8})")
    assert "github-token" in rules
    assert "internal-address" in rules


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: own\nrules: [", "can't be read"),
        ("rules: []", "kind"),
        (GOOD.replace("token:", "tokn:"), "tokn"),
        (GOOD.replace("    token: 'acme_[0-9a-f]{8}'\n", ""), "token"),
        (GOOD.replace("'^acme_0+$'", "'(unclosed'"), "does not compile"),
        (GOOD.replace("acme-token", "github-token"), "taken"),
        (GOOD + "    check: luna\n", "luna"),
        (GOOD + "    judge: harsh\n", "judge"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_name(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(BadRules) as raised:
        rules_under(PrivacyRules(rules=(write(tmp_path, text),)))
    assert words in str(raised.value)
    assert "own.yaml" in str(raised.value)


def test_a_missing_file_is_an_error() -> None:
    with pytest.raises(BadRules, match=r"missing\.yaml"):
        rules_under(PrivacyRules(rules=("/nowhere/missing.yaml",)))


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (PrivacyRules(also=("emial",)), "emial"),
        (PrivacyRules(ignore=("github-tokens",)), "github-tokens"),
        (PrivacyRules(redact=("clouds",)), "clouds"),
        (PrivacyRules(networks=("10.0.0.0/33",)), "10.0.0.0/33"),
    ],
)
def test_a_name_that_is_misspelt_leaves_no_hole(policy: PrivacyRules, words: str) -> None:
    with pytest.raises(BadRules, match=words):
        rules_under(policy)


def test_every_error_is_said_at_once(tmp_path: Path) -> None:
    bad = write(tmp_path, GOOD + "    check: luna\n")
    with pytest.raises(BadRules) as raised:
        rules_under(PrivacyRules(rules=(bad, "/nowhere/missing.yaml"), also=("emial",)))
    assert len(raised.value.errors) == 3
