"""Histories as clients really send them, mended and then compacted: several systems, orphans, arrays, pictures, Aider's order of things."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.compaction import Compaction, CompactionRules, compact
from gateway.core.compaction.chain import chain
from gateway.core.compaction.marks import marked
from gateway.core.conversation import Content, Image, Message, Prose, ToolCall
from gateway.core.history import repair
from tests.core.compaction.test_compaction_properties import (
    CONTENTS,
    RULES,
    SAID,
    broken,
    neighbours,
    prose,
    rounds,
    size,
)

MANY = settings(max_examples=60, deadline=None)
PICTURE = Image("aGk=", "image/png")


def said(role: str, text: str) -> Message:
    return Message(role=role, content=prose(text))  # type: ignore[arg-type]


STRAY: st.SearchStrategy[Message] = st.one_of(
    st.builds(lambda text: said("system", text), SAID),
    st.builds(lambda text: said("developer", text), SAID),
    st.builds(lambda text: said("user", text), SAID),
    st.builds(lambda text: said("assistant", text), SAID),
    st.builds(lambda content: Message(role="user", content=(*content, PICTURE)), CONTENTS),
    st.builds(lambda content, at: Message(role="tool", answers=f"gone{at}", content=content), CONTENTS, st.integers()),
    st.builds(
        lambda text: Message(role="assistant", calls=(ToolCall(id="lost", name="bash", arguments=text),)),
        st.sampled_from(['{"command": "ls"}', "", "null", "[1]", '"{}"', '{"half', '{"a": 1e999}']),
    ),
    st.builds(lambda text: Message(role="assistant", thinking=text), SAID),
)


@st.composite
def sessions(draw: st.DrawFn) -> list[Message]:
    """Rounds of an agent with strays among them, and some results gone or out of their order."""
    lead = [said(draw(st.sampled_from(["system", "developer"])), draw(SAID)) for _ in range(draw(st.integers(0, 3)))]
    body = [m for i in range(draw(st.integers(0, 9))) for m in draw(rounds(i))]
    for _ in range(draw(st.integers(0, 4))):
        body.insert(draw(st.integers(0, len(body))), draw(STRAY))
    for _ in range(draw(st.integers(0, 2))):
        if body:
            body.pop(draw(st.integers(0, len(body) - 1)))
    return [*lead, said("user", draw(SAID).strip() or "Write it."), *body, *draw(st.lists(STRAY, max_size=1))]


@st.composite
def mended(draw: st.DrawFn) -> tuple[tuple[Message, ...], int, CompactionRules]:
    messages, _ = repair(draw(sessions()))
    share = draw(st.sampled_from([0.1, 0.25, 0.4, 0.6, 0.8, 1.0]))
    return messages, max(60, int(share * sum(map(size, messages)))), draw(RULES)


def shrunk(messages: Sequence[Message], budget: int, rules: CompactionRules) -> Compaction:
    return compact(messages, budget=budget, fixed=20, size=size, rules=rules)


def systems(messages: Sequence[Message]) -> list[int]:
    return [at for at, message in enumerate(messages) if message.role in ("system", "developer")]


@MANY
@given(mended())
def test_what_is_sent_is_valid_whatever_the_client_sent(
    case: tuple[tuple[Message, ...], int, CompactionRules],
) -> None:
    messages, budget, rules = case
    done = shrunk(messages, budget, rules)
    sent = done.messages
    assert broken(sent) == []
    assert systems(sent) in ([], [0])
    assert sent[:1] == messages[:1] or not systems(messages)
    assert repair(sent) == (sent, ())
    assert done.tokens_after == 20 + sum(map(size, sent)) <= done.tokens_before
    asked = [m for m in messages if m.role == "user"]
    for one in (*asked[:1], *asked[-1:]):
        assert any(m.role == "user" and one.text in m.text for m in sent)
    assert neighbours(sent, "assistant") <= neighbours(messages, "assistant")
    assert neighbours(sent, "user") <= neighbours(messages, "user")


@MANY
@given(mended())
def test_again_it_is_the_same_and_the_same_again(case: tuple[tuple[Message, ...], int, CompactionRules]) -> None:
    messages, budget, rules = case
    done = shrunk(messages, budget, rules)
    assert shrunk(messages, budget, rules) == done
    if done.fits:
        assert shrunk(done.messages, budget, rules).messages == done.messages


@MANY
@given(mended())
def test_ids_and_the_models_own_words_are_never_changed(
    case: tuple[tuple[Message, ...], int, CompactionRules],
) -> None:
    messages, budget, rules = case
    sent = shrunk(messages, budget, rules).messages
    order = [(call.id, call.name) for m in messages for call in m.calls]
    kept = [(call.id, call.name) for m in sent for call in m.calls]
    assert kept == order[len(order) - len(kept) :], "calls leave from the beginning only"
    words = {m.text for m in messages if m.role == "assistant"}
    for message in sent:
        if message.role == "assistant":
            assert message.text in words or any(one.endswith(message.text) for one in words)
            assert not marked(message.text)
            assert all(isinstance(json.loads(call.arguments), dict) for call in message.calls)


@MANY
@given(mended())
def test_the_newest_block_and_the_pictures_of_the_latest_request_stay(
    case: tuple[tuple[Message, ...], int, CompactionRules],
) -> None:
    messages, budget, rules = case
    done = shrunk(messages, budget, rules)
    start = next((at for at in range(len(messages) - 1, -1, -1) if messages[at].role != "tool"), 0)
    block = messages[start:]
    if block[0].role == "assistant" and not done.cut_newest:
        assert done.messages[-len(block) :] == block
    latest = [m for m in messages if m.role == "user"][-1]
    assert any(set(latest.images) <= set(m.images) and latest.text in m.text for m in done.messages)


# Aider


EXAMPLES = (
    said("user", "Change get_factorial()."),
    said("assistant", "a.py\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> R"),
)
SWITCH = (said("user", "I switched to a new code base. Forget the examples."), said("assistant", "Ok."))
MAP = said("user", "Here are summaries of some files present in my git repository.\n" + "def f\n" * 30)
READ_ONLY = said("user", "Here are some READ ONLY files, provided for your reference.\n" + "text\n" * 30)
FILES = said("user", "I have *added these files to the chat* so you can go ahead and edit them.\n" + "code\n" * 60)
AIDERS_RULES = "# *SEARCH/REPLACE block* Rules:\n\n" + "Every block must use this format.\n" * 12
OK = said("assistant", "Ok, I will use them as references.")


@st.composite
def aider(draw: st.DrawFn) -> tuple[list[Message], range, range]:
    """A request of Aider's; where its `done` is, and where what it may not lose begins and ends."""
    rules = draw(st.sampled_from(["", AIDERS_RULES]))
    lead = [said("system", f"Act as an expert software developer.\n{rules}")] if draw(st.booleans()) or rules else []
    lead += [*EXAMPLES, *SWITCH] if draw(st.booleans()) else []
    lead += [READ_ONLY, OK] if draw(st.booleans()) else []
    lead += [MAP, OK] if draw(st.booleans()) else []
    block = "b.py\n<<<<<<< SEARCH\n{0}\n=======\n{0}!\n>>>>>>> REPLACE"
    done = [
        m
        for _ in range(draw(st.integers(0, 12)))
        for m in (said("user", draw(SAID).strip() or "Next."), said("assistant", block.format(draw(SAID))))
    ]
    current: list[Message] = []
    for _ in range(draw(st.integers(0, 3))):
        current += [said("user", draw(SAID).strip() or "It failed."), said("assistant", block.format("lines\n" * 30))]
    now = draw(SAID).strip() or "Now rename g."
    current.append(said("user", f"{now}\n\n{rules}" if rules else now))
    tail = [FILES, OK, *current]
    return [*lead, *done, *tail], range(len(lead), len(lead) + len(done)), range(len(lead) + len(done), 999)


@MANY
@given(aider(), st.sampled_from([0.3, 0.5, 0.8]), RULES)
def test_of_aiders_request_only_what_is_done_shrinks(
    request_: tuple[list[Message], range, range], share: float, rules: CompactionRules
) -> None:
    history, past, present = request_
    budget = max(60, int(share * sum(map(size, history))))
    done = shrunk(history, budget, rules)
    assert list(done.messages[: past.start]) == history[: past.start]
    kept = history[present.start :]
    assert list(done.messages[-len(kept) :]) == kept
    touched = {index for stage in done.stages for index in stage.messages}
    assert touched <= set(past)


# Other processes


CODE = """if True:
    import sys
    from tests.core.compaction.test_client_histories import fingerprint
    print(fingerprint())
"""


def fingerprint() -> str:
    """The hash of what is sent of a history with everything in it, in many budgets."""
    words = ["error: no", "all is well", "漢字かな " * 40, "<think>hm</think>Yes.", "x" * 3000, "line\n" * 90]
    history: list[Message] = [said("system", "You are an agent."), said("user", "Write a parser.")]
    for i in range(60):
        content: tuple[Content, ...] = (Prose(words[i % 6]), *((PICTURE,) if i % 13 == 0 else ()))
        name, given_ = [
            ("read", {"path": f"{i % 4}.py"}),
            ("edit", {"path": f"{i % 5}.py", "newText": "y" * 900}),
            ("bash", {"command": f"make {i % 7}"}),
        ][i % 3]
        call = ToolCall(id=f"c{i}", name=str(name), arguments=json.dumps(given_))
        history += [
            Message(role="assistant", content=prose(words[(i + 3) % 6]), thinking="hm", calls=(call,)),
            Message(role="tool", answers=call.id, content=content),
        ]
        history += [said("user", f"And part {i}.")] if i % 7 == 0 else []
    rules = replace(CompactionRules(), summary=True)
    sent = [shrunk(history, budget, rules) for budget in range(600, 9000, 700)]
    told = b"".join(link for done in sent for link in chain(done.messages))
    return hashlib.sha256(told + repr([(done.stages, done.origin) for done in sent]).encode()).hexdigest()


@pytest.mark.parametrize("seed", ["0", "4711"])
def test_another_process_sends_the_same(seed: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", CODE],
        env=os.environ | {"PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == fingerprint()
