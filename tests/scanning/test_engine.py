"""The engine finds every match where it is, gives up loudly, and refuses rules that it can't compile."""

from __future__ import annotations

import builtins
import random
import re
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.secret_rules import rules_under
from gateway.core.policy.privacy import PrivacyRules
from gateway.core.privacy.rule import Rule, Unusable
from gateway.scanning.engine import Engine, ScanBroken, Together, Worded, compiled
from tests.core.privacy.issued import FORMS, issued

pytest.importorskip("re2")

SOME_WORDS = "password token https://host.local:80/ auth login AgE 10.0.0.1 +49 30 901820"
# Rules with a word of their own, in either case, in parts, in letters that are not ASCII; and without one.
PATTERNS = (
    r"\btok_\d{3}",
    "(?i:secret)=[a-z]+",
    r"(?:ab|cd)\.(?:ef|gh)",
    "[0-9]{4}",
    r"(?m:^)x+(?m:$)",
    r"\xc3\xbcb",
    "p.?q",
    "page",
)
WORDS = (
    "tok_",
    "123",
    "4",
    "Secret=",
    "SECRET=",
    "ab.",
    "cd",
    ".",
    "ef",
    "gh",
    "\n",
    "x",
    " ",
    "\u00fcb",
    "\u00dcB",
    "pq",
    "p-q",
    "page",
)


@pytest.fixture(scope="module")
def shipped() -> Engine:
    return engine(*rules_under(PrivacyRules()))


@pytest.fixture(scope="module")
def alone() -> Mapping[str, Engine]:
    return {each.id: engine(each) for each in rules_under(PrivacyRules())}


def rule(name: str, pattern: str, *, common: bool = False) -> Rule:
    return Rule(id=name, kind="test", description="", pattern=pattern, common=common)


def engine(*rules: Rule) -> Engine:
    made = compiled(rules)
    assert isinstance(made, Engine), made
    return made


def found(made: Engine, text: str) -> list[tuple[str, str]]:
    return [(each.rule.id, text[each.value_start : each.value_end]) for each in made.candidates(text)]


def test_a_value_is_given_where_the_rule_names_one() -> None:
    made = engine(
        rule("named", r"key=(?P<value>\w+)"), rule("whole", r"tok_\d+"), rule("either", r"a(?P<value>1)|b(?P<value2>2)")
    )
    assert sorted(found(made, "key=abc tok_12 b2")) == [("either", "2"), ("named", "abc"), ("whole", "tok_12")]


def test_values_next_to_each_other_are_all_found() -> None:
    made = engine(rule("assigned", r"(\w+) = (?P<value>\w+)"))
    assert ("assigned", "secret") in found(made, "a = b = secret")
    assert [value for _, value in found(made, "tok = one\ntok = two")] == ["one", "two"]


@given(st.text("ab é\U0001f600\n", max_size=300), st.integers(0, 300))
def test_offsets_are_in_characters(around: str, place: int) -> None:
    text = f"{around[:place]}tok_4711{around[place:]}"
    assert ("token", "tok_4711") in found(engine(rule("token", r"tok_\d{4}")), text)


@pytest.mark.parametrize("common", [False, True])
@pytest.mark.parametrize("before", [0, 1000, (128 << 10) - 4, 128 << 10, (136 << 10) - 2, 300_000])
def test_where_a_window_ends_nothing_is_lost_and_nothing_comes_twice(before: int, common: bool) -> None:
    text = "x " * (before // 2) + "tok_4711 " + "y " * 100_000
    assert found(engine(rule("token", r"tok_\d{4}", common=common)), text) == [("token", "tok_4711")]


def test_many_rules_are_all_asked() -> None:
    rules = [rule(f"r{number}", rf"\bword{number}\b", common=number % 7 == 0) for number in range(200)]
    text = " ".join(f"word{number}" for number in range(200))
    assert {name for name, _ in found(engine(*rules), text)} == {each.id for each in rules}


@given(st.text("abk=1_ \n", max_size=60))
def test_it_finds_what_the_standard_library_finds(text: str) -> None:
    pattern = r"k=(?P<value>[ab1]{2,3})"
    expected = [match["value"] for match in re.finditer(pattern, text)]
    assert [value for _, value in found(engine(rule("k", pattern)), text)] == expected


@pytest.mark.parametrize("pattern", ["(unclosed", r"(?=ahead)x", r"(a)\1", "schlüssel"])
def test_a_rule_that_does_not_compile_disables_all(pattern: str) -> None:
    made = compiled([rule("good", "x"), rule("bad", pattern)])
    assert isinstance(made, Unusable)
    assert "bad" in made.reason


def test_without_the_engine_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = builtins.__import__

    def without(
        name: str,
        scope: Mapping[str, object] | None = None,
        local: Mapping[str, object] | None = None,
        wanted: Sequence[str] | None = (),
        level: int = 0,
    ) -> object:
        if name == "re2":
            raise ImportError(name)
        return honest(name, scope, local, wanted or (), level)

    monkeypatch.setattr(builtins, "__import__", without)
    made = compiled([rule("x", "x")])
    assert isinstance(made, Unusable)
    assert "holdfast[cloud]" in made.reason


@pytest.mark.parametrize("name", sorted(FORMS))
def test_all_rules_together_find_what_each_finds_alone(name: str, shipped: Engine, alone: Mapping[str, Engine]) -> None:
    text = f'config = {{\n  "key": "{issued(FORMS[name], random.Random(name))}", // page {SOME_WORDS}\n}}\n'
    apart = {each for made in alone.values() for each in made.candidates(text)}
    assert set(shipped.candidates(text)) == apart


@given(st.lists(st.sampled_from(WORDS), max_size=40).map("".join))
def test_no_word_hides_a_rule(text: str) -> None:
    rules = [rule(f"r{number}", pattern) for number, pattern in enumerate(PATTERNS)]
    apart = {(each.id, value) for each in rules for _, value in found(engine(each), text)}
    assert set(found(engine(*rules), text)) == apart


class Blind:
    """An automaton that ran out of memory: it says that nothing matches."""

    def Match(self, text: bytes, potential: bool = False) -> None:  # noqa: N802 - google-re2's name
        return None


@pytest.mark.parametrize("pass_", [Together((), Blind(), canary=0), Worded((), Blind())])
def test_a_pass_that_gave_up_is_an_error(pass_: Together | Worded) -> None:
    with pytest.raises(ScanBroken):
        Engine([], [pass_]).candidates("text")
