"""A scan finds the same whatever it knows already, however many it looks at together, and in whichever turn."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.conversation import Conversation, Message, Prose, ToolCall
from gateway.core.privacy.finding import Scan
from gateway.core.privacy.rule import Matcher
from gateway.core.privacy.scan import ScanMemo, Scanner
from gateway.core.privacy.units import REST, TOOLS, contents
from tests.core.privacy.issued import FORMS, issued

TOKEN = issued(FORMS["github classic"], random.Random(3))
PASSWORD = 'password = "Kj8sdf2mQ"'
TEXTS = st.sampled_from(
    ["", "hello", "def f(x):\n    return x\n", TOKEN, f"it is {TOKEN}", TOKEN[:20], TOKEN[20:], PASSWORD, "a\\nb \\u0041", "x" * 200]
)  # fmt: skip
ROLES = st.sampled_from(["system", "user", "assistant", "tool"])
MESSAGES = st.lists(st.tuples(ROLES, TEXTS), max_size=8).map(
    lambda said: [Message(role=role, content=(Prose(text),)) for role, text in said]  # type: ignore[arg-type]
)


def scanned(matcher: Matcher, messages: Sequence[Message], memo: ScanMemo | None = None, *, limit: int = 10**6) -> Scan:
    scanner = Scanner(matcher=matcher, memo=memo or ScanMemo(), limit=limit, now=lambda: 0.0, key=bytes(32))
    return scanner.scan(contents(Conversation(model="m", messages=tuple(messages))).units, until=1.0)


@settings(max_examples=25, deadline=None)
@given(messages=MESSAGES, before=MESSAGES)
def test_what_is_known_already_changes_nothing(engine: Matcher, messages: list[Message], before: list[Message]) -> None:
    fresh = scanned(engine, messages)
    memo = ScanMemo()
    for known in (before, before + messages, messages[:3], messages):
        scanned(engine, known, memo)
    again = scanned(engine, messages, memo)
    assert Counter(again.findings) == Counter(fresh.findings)
    assert again.size == fresh.size


@settings(max_examples=25, deadline=None)
@given(messages=MESSAGES)
def test_turn_by_turn_it_finds_what_it_finds_at_once(engine: Matcher, messages: list[Message]) -> None:
    memo = ScanMemo()
    for turn in range(len(messages)):
        assert {each.unit for each in scanned(engine, messages[:turn], memo).findings} == {
            each.unit for each in scanned(engine, messages[:turn]).findings
        }


@settings(max_examples=15, deadline=None)
@given(place=st.integers(0, 30), end=st.sampled_from(["", "\n", " ", "."]))
def test_one_secret_among_many_messages_is_found_in_its_own(engine: Matcher, place: int, end: str) -> None:
    said = [f"line {number}\n" * 20 for number in range(31)]
    said[place] += f"take {TOKEN}{end}"
    findings = scanned(engine, [Message(role="user", content=(Prose(text),)) for text in said]).findings
    exact = [each for each in findings if each.rule == "github-token" and each.exact]
    assert [each.unit for each in exact] == [place]
    assert said[place][exact[0].start : exact[0].end] == TOKEN


def test_forms_are_found_among_other_messages_as_they_are_alone(engine: Matcher) -> None:
    for name, form in list(FORMS.items())[::4]:
        secret = issued(form, random.Random(f"among {name} 1"))
        messages = [Message(role="user", content=(Prose(text),)) for text in ("before", secret, "Then go on.")]
        alone = scanned(engine, messages[1:2]).findings
        together = {each.rule for each in scanned(engine, messages).findings}
        assert {each.rule for each in alone} <= together, name


def test_ids_are_random_by_nature_unless_they_are_tokens(engine: Matcher) -> None:
    def calling(name: str) -> Message:
        return Message(role="assistant", calls=(ToolCall(id=name, name="read", arguments="{}"),))

    ids = ["toolu_01HAQyW7jViZrT1PftSyE1zM", "call_9fKq2LxYbN7vTz4mWc8Rd1Ph", "key_sess_x8Kq2LxYbN7vTz4mWc8Rd1Ph"]
    assert not scanned(engine, [calling(each) for each in ids]).findings
    assert scanned(engine, [calling(TOKEN)]).findings


def test_the_cap_holds_for_what_is_known_as_well(engine: Matcher) -> None:
    memo = ScanMemo()
    long = [Message(role="user", content=(Prose("word " * 30),)), Message(role="user", content=(Prose("other " * 30),))]
    assert not scanned(engine, long, memo).unknown
    assert scanned(engine, [*long, *long], memo, limit=500).unknown
    assert scanned(engine, long, ScanMemo(), limit=200).unknown
    assert not scanned(engine, long, ScanMemo(), limit=400).unknown


def test_what_was_found_before_the_cap_is_told(engine: Matcher) -> None:
    said = [f"it is {TOKEN}", "word " * 100]
    scan = scanned(engine, [Message(role="user", content=(Prose(text),)) for text in said], limit=300)
    assert scan.unknown
    assert "github-token" in {each.rule for each in scan.findings}


def test_the_memo_does_not_grow_without_end(engine: Matcher) -> None:
    memo = ScanMemo(most=10)
    for number in range(30):
        scanned(engine, [Message(role="user", content=(Prose(f"message {number}"),))], memo)
    assert len(memo.units) <= 10


def test_whatever_differs_has_another_digest() -> None:
    base = Conversation(model="m", messages=(Message(role="user", content=(Prose("ab"), Prose("c"))),))
    other = Conversation(model="m", messages=(Message(role="user", content=(Prose("a"), Prose("bc"))),))
    assert contents(base).units[0].digest != contents(other).units[0].digest
    assert contents(base).units[0].digest == contents(Conversation(model="x", messages=base.messages)).units[0].digest
    extra = contents(Conversation(model="m", extra={"a": 1})).units
    assert [each.index for each in extra] == [REST]
    assert extra[0].digest != contents(Conversation(model="m", extra={"a": 2})).units[0].digest
    assert TOOLS != REST
