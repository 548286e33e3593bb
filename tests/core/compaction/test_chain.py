from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.compaction.chain import chain
from gateway.core.conversation import Image, Message, Prose, ToolCall

ONE = Message(role="user", content=(Prose("a"),))
TWO = Message(role="assistant", thinking="t", calls=(ToolCall(id="1", name="read", arguments="{}"),))
THREE = Message(role="tool", answers="1", content=(Prose("x"), Image("aGk=", "image/png")))


def last(*messages: Message) -> bytes:
    return list(chain(messages))[-1]


def test_a_chain_goes_on_from_its_beginning() -> None:
    assert list(chain([ONE, TWO, THREE]))[:2] == list(chain([ONE, TWO]))


def test_every_part_of_a_prompt_counts() -> None:
    assert TWO.calls
    others = [
        (ONE, TWO),
        (ONE, TWO, replace(THREE, answers="2")),
        (ONE, TWO, replace(THREE, content=(Prose("x"),))),
        (ONE, TWO, replace(THREE, content=(Prose("x"), Image("aGk=", "image/gif")))),
        (ONE, replace(TWO, thinking=""), THREE),
        (ONE, replace(TWO, calls=(replace(TWO.calls[0], arguments="[]"),)), THREE),
        (ONE, replace(TWO, role="user"), THREE),
        (TWO, ONE, THREE),
    ]
    assert len({last(ONE, TWO, THREE), *(last(*other) for other in others)}) == 1 + len(others)


def test_what_a_client_adds_for_its_caches_does_not_count() -> None:
    assert last(replace(ONE, extra={"cache_control": {}}, content=(Prose("a", {"x": 1}),))) == last(ONE)


def test_seeds_keep_chains_apart() -> None:
    assert list(chain([ONE], b"a")) != list(chain([ONE], b"b"))


def test_the_chain_is_the_same_in_every_process() -> None:
    code = (
        "from gateway.core.compaction.chain import chain; from gateway.core.conversation import Message, Prose;"
        "print(list(chain([Message(role='user', content=(Prose('a'),))]))[0].hex())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert said == {last(ONE).hex()}


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_seams_between_texts_count(first: list[str], second: list[str]) -> None:
    a = Message(role="user", content=tuple(map(Prose, first)))
    b = Message(role="user", content=tuple(map(Prose, second)))
    assert (last(a) == last(b)) == (first == second)


def test_half_an_emoji_is_survived() -> None:
    assert last(Message(role="user", content=(Prose("\ud83d"),)))
