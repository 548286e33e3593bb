"""A model goes on exactly where its prompt ends, whatever the prompt holds of the turn already."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.testing.ask import Think
from gateway.testing.models.model import FAMILIES, Family
from gateway.testing.models.utterance import CIRCLE, remainder
from gateway.testing.script import ToolUse, Turn

TURN = Turn(text="First this.", thinking="Let me see.", calls=(ToolUse("run", {"command": "ls <b> & 'c'"}),))
USER = {"role": "user", "content": "hi"}


def prompt(family: Family, *messages: object, think: Think) -> str:
    return family.shape.render((USER, *messages), (), think, family.dialect)  # type: ignore[arg-type]


def rest(family: Family, text: str, turn: Turn = TURN, think: Think = True) -> str:
    return remainder(text, turn, family.shape, family.dialect, think if family.thinks else None)


@pytest.mark.parametrize("name", FAMILIES)
@given(data=st.data())
def test_raw_text_is_continued_at_every_place(name: str, data: st.DataObject) -> None:
    family = FAMILIES[name]
    begun = prompt(family, think=True if family.thinks else None)
    said = rest(family, begun)
    at = data.draw(st.integers(0, len(said)))
    assert rest(family, begun + said[:at]) == said[at:]


@pytest.mark.parametrize("name", FAMILIES)
@given(data=st.data(), rounds=st.integers(1, 12))
def test_a_model_finds_out_of_a_circle_where_it_went_into_it(name: str, data: st.DataObject, rounds: int) -> None:
    family = FAMILIES[name]
    begun = prompt(family, think=True if family.thinks else None)
    said = rest(family, begun)
    at = data.draw(st.integers(1, len(said)))
    assert rest(family, begun + said[:at] + CIRCLE * rounds) == said[at:]


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if not family.shape.open_thought])
def test_behind_nothing_but_a_circle_no_thought_begins(name: str) -> None:
    family = FAMILIES[name]
    begun = prompt(family, think=True if family.thinks else None)
    assert TURN.thinking not in rest(family, begun + CIRCLE * 5)


@pytest.mark.parametrize(
    ("name", "thinks"), [("qwen3-coder", None), ("raw-hermes", None), ("qwen3.5", False), ("native", None)]
)
@given(at=st.integers(1, len(TURN.text)))
def test_an_open_prefill_is_continued(name: str, thinks: Think, at: int) -> None:
    family = FAMILIES[name]
    begun = TURN.text[:at].rstrip() if name == "qwen3.5" else TURN.text[:at]
    text = prompt(family, {"role": "assistant", "content": begun}, think=thinks)
    assert rest(family, text, think=thinks).startswith(TURN.text[len(begun) :])


def test_a_prefill_into_a_closed_template_starts_the_turn_anew() -> None:
    family = FAMILIES["qwen2.5-coder"]
    text = prompt(family, {"role": "assistant", "content": "First"}, think=None)
    assert rest(family, text).startswith("First this.")


def test_told_not_to_think_it_does_not() -> None:
    family = FAMILIES["qwen3.5"]
    assert rest(family, prompt(family, think=False), think=False).startswith("First this.")


def test_an_opened_thought_without_a_thought_is_closed_first() -> None:
    family = FAMILIES["qwen3.5"]
    assert rest(family, prompt(family, think=True), Turn(text="4")) == "\n</think>\n\n4"


def test_after_a_thought_that_is_not_its_own_it_says_what_it_means() -> None:
    family = FAMILIES["qwen3.5"]
    foreign = prompt(family, {"role": "assistant", "content": "First", "thinking": "Somebody else's."}, think=True)
    assert rest(family, foreign).startswith(" this.")


def test_foreign_text_is_answered_with_the_whole_turn() -> None:
    family = FAMILIES["qwen3-coder"]
    text = prompt(family, {"role": "assistant", "content": "Something else"}, think=None)
    assert rest(family, text).startswith("First this.")


def test_a_raw_turn_is_said_verbatim_and_continued() -> None:
    family, broken = FAMILIES["qwen3-coder"], Turn(raw="<function=x>\n</tool_call>")
    begun = prompt(family, think=None)
    assert rest(family, begun, broken) == broken.raw
    assert rest(family, begun + "<function=", broken) == "x>\n</tool_call>"


def test_a_prompt_without_an_opener_gets_the_turn() -> None:
    assert rest(FAMILIES["qwen3-coder"], "once upon a time", Turn(text="there was")) == "there was"
