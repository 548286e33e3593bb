"""Scripts choose turns from what was asked, and from nothing else."""

from __future__ import annotations

from dataclasses import replace

from gateway.testing.ask import Ask
from gateway.testing.script import always, by_answers, by_tool_results, first_match, in_order, one_of, says

ONE, TWO, THREE = says("one"), says("two"), says("three")


def ask(*roles: str, **more: object) -> Ask:
    messages = tuple({"role": role, "content": role} for role in roles)
    return replace(Ask(surface="chat", model="m", messages=messages), **more)  # type: ignore[arg-type]


def test_always() -> None:
    assert always("one")(ask("user")) == ONE


def test_tool_results_move_a_task_on_and_its_last_turn_stays() -> None:
    script = by_tool_results(ONE, TWO)
    assert script(ask("user")) == ONE
    assert script(ask("user", "assistant", "tool")) == TWO
    assert script(ask("user", *["assistant", "tool"] * 5)) == TWO


def test_answers_move_a_conversation_on_but_a_prefill_is_no_answer() -> None:
    script = by_answers(ONE, TWO)
    assert script(ask("user", "assistant")) == ONE
    assert script(ask("user", "assistant", "user")) == TWO


def test_in_order_counts_generations() -> None:
    script = in_order(ONE, TWO)
    assert [script(ask("user", generation=n)) for n in (1, 2, 3)] == [ONE, TWO, TWO]


def test_a_sampled_answer_varies_with_the_seed_and_is_fixed_at_temperature_zero() -> None:
    script = one_of(ONE, TWO, THREE)
    drawn = {script(ask("user", options={"seed": n})).text for n in range(30)}
    assert drawn == {"one", "two", "three"}
    assert script(ask("user", options={"seed": 7})) == script(ask("user", options={"seed": 7}))
    assert all(script(ask("user", options={"temperature": 0}, generation=n)) == ONE for n in range(10))


def test_the_first_condition_that_holds_speaks() -> None:
    script = first_match((lambda ask: not ask.tools, always(ONE)), otherwise=always(TWO))
    assert script(ask("user")) == ONE
    assert script(ask("user", tools=({"type": "function"},))) == TWO
