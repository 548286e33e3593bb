"""Budget arithmetic: what is kept free, what may be sent, how speed is learnt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.budget import Speed, learnt, output_room, plan_budget, prompt_budget


@pytest.mark.parametrize(
    ("window", "max_tokens", "reserve", "room"),
    [
        (32768, None, 4096, 4096),
        (32768, 1024, 4096, 1024),
        (32768, 20000, 4096, 8192),
        (8192, None, 4096, 2048),
        (8192, 8192, 4096, 2048),
    ],
    ids=["reserve", "client", "client-at-most-a-quarter", "reserve-at-most-a-quarter", "opencode-on-8k"],
)
def test_room_for_the_answer(window: int, max_tokens: int | None, reserve: int, room: int) -> None:
    assert output_room(window, max_tokens=max_tokens, reserve=reserve) == room


@given(
    window=st.integers(1024, 1 << 20),
    max_tokens=st.none() | st.integers(1, 1 << 21),
    reserve=st.integers(1, 1 << 16),
    margin=st.integers(0, 1 << 20),
)
def test_prompt_and_answer_never_pass_the_window(
    window: int, max_tokens: int | None, reserve: int, margin: int
) -> None:
    budget = prompt_budget(window, max_tokens=max_tokens, reserve=reserve, margin=margin)
    assert 0 <= budget <= window
    assert budget + margin + output_room(window, max_tokens=max_tokens, reserve=reserve) <= window or budget == 0


def test_planning_moves_in_steps() -> None:
    assert plan_budget(31744) == 31744
    assert plan_budget(31743) == 30720
    assert plan_budget(900) == 900


def test_a_long_prompt_is_predicted_from_the_speed() -> None:
    """146,760 tokens at 400 a second are 367 seconds: longer than most clients wait."""
    assert Speed(prompt=400.0).seconds_to_first_token(146_760) == pytest.approx(366.9)
    assert Speed().seconds_to_first_token(146_760) is None


def test_speed_is_learnt_from_what_was_really_read() -> None:
    speed = learnt(Speed(), fresh_tokens=8000, prompt_seconds=20.0, made=200, made_seconds=10.0)
    assert (speed.prompt, speed.answer) == (400.0, 20.0)
    again = learnt(speed, fresh_tokens=8000, prompt_seconds=40.0, made=3, made_seconds=1.0)
    assert 200.0 < again.prompt < 400.0
    assert again.answer == 20.0, "three tokens measure nothing"
    cached = learnt(speed, fresh_tokens=12, prompt_seconds=1.0, made=0, made_seconds=0.0)
    assert cached.prompt == 400.0, "a cached prompt measures nothing"
