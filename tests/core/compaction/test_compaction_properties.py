"""Whatever the history: within the budget, valid, the same every time, the same again, never larger, nothing of the client's ids lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.compaction import Compaction, CompactionRules, Memo, compact
from gateway.core.compaction.marks import marked
from gateway.core.conversation import Content, Image, Message, Prose, ToolCall

TEXT = st.text(st.sampled_from("ab é漢😀\n\t\r \x1b[31m\\\"'{}<>`"), max_size=60)
WORDS = st.sampled_from(
    [
        "Fix the parser, please.",
        "ok",
        "Traceback (most recent call last):\n  File 'a.py'\nValueError: no\n",
        "<returncode>0</returncode>\n<output>\nall is well\n</output>",
        "OBSERVATION:\n" + "line of a log 0x1f\n" * 40,
        "I will look at it.\n```bash\ncat src/a.py\n```",
        "src/a.py\n```python\n<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n```",
        "<think>hm, let me see what that is about</think>It is done.",
        "def function(argument):\n    return argument + 1\n" * 30,
        "漢字かな交じり文のとても長い行です。" * 40,
    ]
)
SAID = st.one_of(TEXT, WORDS, st.builds(lambda text, times: text * times, WORDS, st.integers(1, 12)))
PATHS = st.sampled_from(["src/a.py", "src/b.py", "/tmp/x [1].ts", "漢.md"])
CALLS = st.one_of(
    st.builds(lambda path: ("read", {"path": path}), PATHS),
    st.builds(lambda path, at: ("view", {"file_path": path, "offset": at, "limit": 10}), PATHS, st.integers(0, 50)),
    st.builds(lambda path, text: ("write", {"filePath": path, "content": text}), PATHS, SAID),
    st.builds(lambda path, text: ("edit", {"path": path, "edits": [{"oldText": text, "newText": text}]}), PATHS, SAID),
    st.builds(lambda text: ("bash", {"command": text}), SAID),
    st.builds(lambda text: ("strange", {"deep": [{"a": [text, 1, None]}]}), SAID),
)


def prose(text: str) -> tuple[Content, ...]:
    return (Prose(text),) if text else ()


CONTENTS: st.SearchStrategy[tuple[Content, ...]] = st.one_of(
    st.builds(prose, SAID),
    st.builds(lambda a, b: (Prose(a), Prose(b, {"cache_control": {}})), SAID, SAID),
    st.builds(lambda text: (Prose(text), Image("aGk=", "image/png")), SAID),
)


@st.composite
def rounds(draw: st.DrawFn, number: int) -> list[Message]:
    """One answer of the assistant and what follows it: results of its calls, or the user."""
    made = draw(st.lists(CALLS, max_size=3))
    calls = tuple(
        ToolCall(id=f"call{number}x{i}", name=name, arguments=json.dumps(arguments, ensure_ascii=False))
        for i, (name, arguments) in enumerate(made)
    )
    text = draw(SAID)
    thinking = draw(st.one_of(st.just(""), SAID))
    if not calls and not text.strip():
        text = "Done."
    answer = Message(role="assistant", content=prose(text), thinking=thinking, calls=calls)
    results = [Message(role="tool", answers=call.id, content=draw(CONTENTS)) for call in calls]
    asked = (
        [Message(role="user", content=prose(draw(SAID).strip() or "go on"))] if not calls or draw(st.booleans()) else []
    )
    return [answer, *results, *asked]


@st.composite
def histories(draw: st.DrawFn) -> list[Message]:
    """A history as an agent sends it, up to the point where the model must answer."""
    system = [Message(role="system", content=prose("You are an agent."))] if draw(st.booleans()) else []
    task = draw(st.one_of(st.just((Prose("Write a parser for the format."),)), CONTENTS))
    task = task if any(isinstance(part, Prose) and part.text.strip() for part in task) else (Prose("Write it."),)
    count = draw(st.integers(0, 14))
    return [*system, Message(role="user", content=task), *(m for i in range(count) for m in draw(rounds(i)))]


def size(message: Message) -> int:
    """Four bytes a token and a little for the template: additive, as the real thing."""
    inside = [message.text, message.thinking, *(f"{call.name}{call.arguments}" for call in message.calls)]
    return 5 + sum(-(-len(text.encode()) // 4) for text in inside) + 300 * len(message.images)


def shrunk(messages: Sequence[Message], budget: int, rules: CompactionRules, memo: Memo | None = None) -> Compaction:
    return compact(messages, budget=budget, fixed=20, size=size, rules=rules, memo=memo)


RULES = st.builds(
    CompactionRules,
    hi=st.sampled_from([0.8, 0.9, 1.0]),
    lo=st.sampled_from([0.3, 0.55, 0.7]),
    tail=st.sampled_from([0.0, 0.25, 0.5]),
    digest_share=st.sampled_from([0.05, 0.3]),
    output_chars=st.sampled_from([200, 2000]),
    tidy=st.booleans(),
    stale=st.booleans(),
    middle=st.booleans(),
    masked=st.booleans(),
    arguments=st.booleans(),
    digest=st.booleans(),
    newest=st.booleans(),
    summary=st.booleans(),
)
MANY = settings(max_examples=40, deadline=None)


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Message], int]:
    """A history and a budget that is smaller than it, mostly, and large enough for a part of it."""
    history = draw(histories())
    share = draw(st.sampled_from([0.2, 0.35, 0.5, 0.65, 0.8, 1.0, 1.5]))
    return history, max(60, int(share * sum(map(size, history))))


def broken(messages: Sequence[Message]) -> list[str]:
    """What a strict template would refuse."""
    found = []
    waiting: list[str] = []
    for message in messages:
        if message.role == "tool":
            if message.answers in waiting:
                waiting.remove(message.answers)
            else:
                found.append("a result without its call")
        elif waiting:
            found.append("a call without its result")
            waiting = []
        for call in message.calls:
            waiting.append(call.id)
            if not isinstance(json.loads(call.arguments), dict):
                found.append("arguments that are no object")
        if message.role == "user" and not message.text.strip() and not message.images:
            found.append("an empty user message")
    return found


def neighbours(messages: Sequence[Message], role: str) -> int:
    return sum(a.role == b.role == role for a, b in pairwise(messages))


@MANY
@given(cases(), RULES)
def test_what_is_sent_is_valid_and_no_larger(case: tuple[list[Message], int], rules: CompactionRules) -> None:
    history, budget = case
    done = shrunk(history, budget, rules)
    sent = done.messages
    assert broken(sent) == []
    assert neighbours(sent, "user") <= neighbours(history, "user")
    assert neighbours(sent, "assistant") <= neighbours(history, "assistant")
    assert done.tokens_before == 20 + sum(map(size, history))
    assert done.tokens_after == 20 + sum(map(size, sent)) <= done.tokens_before
    assert done.fits == (done.tokens_after <= budget)
    assert [m for m in sent if m.role == "system"] == [m for m in history if m.role == "system"]
    assert sent[-1].role == history[-1].role


@MANY
@given(cases(), RULES)
def test_first_and_latest_request_stand_verbatim(case: tuple[list[Message], int], rules: CompactionRules) -> None:
    history, budget = case
    users = [m.text for m in history if m.role == "user"]
    sent = [m.text for m in shrunk(history, budget, rules).messages if m.role == "user"]
    assert any(users[0] in text for text in sent)
    assert any(users[-1] in text for text in sent)


@MANY
@given(cases(), RULES)
def test_compacting_again_changes_nothing(case: tuple[list[Message], int], rules: CompactionRules) -> None:
    history, budget = case
    once = shrunk(history, budget, rules)
    if once.fits:
        assert shrunk(once.messages, budget, rules).messages == once.messages


@MANY
@given(cases(), RULES)
def test_a_memo_changes_nothing(case: tuple[list[Message], int], rules: CompactionRules) -> None:
    history, budget = case
    memo = Memo(most=4)
    for end in range(1, len(history) + 1):
        assert shrunk(history[:end], budget, rules, memo) == shrunk(history[:end], budget, rules)


@MANY
@given(cases(), RULES)
def test_between_compactions_each_prompt_begins_with_the_one_before(
    case: tuple[list[Message], int], rules: CompactionRules
) -> None:
    history, budget = case
    ends = [i for i, m in enumerate(history) if i and m.role == "assistant" and history[i - 1].role != "assistant"]
    before: Compaction | None = None
    for end in [*ends, len(history)]:
        now = shrunk(history[:end], budget, rules)
        if before and now.epochs == before.epochs:
            assert now.messages[: len(before.messages)] == before.messages
        before = now


@MANY
@given(cases(), RULES)
def test_the_report_tells_all_that_changed(case: tuple[list[Message], int], rules: CompactionRules) -> None:
    history, budget = case
    done = shrunk(history, budget, rules)
    told = {index for stage in done.stages for index in stage.messages}
    changed = {
        index
        for message, indices in zip(done.messages, done.origin, strict=True)
        for index in indices
        if message != history[index] and history[index].text not in message.text
    }
    assert changed <= told
    assert sorted(index for indices in done.origin for index in indices) == list(range(len(history)))
    assert sum(s.tokens_before - s.tokens_after for s in done.stages) == done.tokens_before - done.tokens_after
    assert bool(done.stages) == (list(done.messages) != history)


@MANY
@given(cases(), RULES)
def test_what_fits_is_not_touched_and_what_is_not_old_stays(
    case: tuple[list[Message], int], rules: CompactionRules
) -> None:
    history, budget = case
    done = shrunk(history, budget, rules)
    if done.tokens_before <= 0.8 * budget:
        assert list(done.messages) == history
    if not done.cut_newest:
        assert done.messages[-1] == history[-1] or history[-1].text in done.messages[-1].text


@MANY
@given(cases())
def test_marks_stand_in_nobody_elses_voice(case: tuple[list[Message], int]) -> None:
    history, budget = case
    for message in shrunk(history, budget, CompactionRules()).messages:
        if message.role == "assistant":
            assert not marked(message.text)
            assert not marked(message.thinking)
