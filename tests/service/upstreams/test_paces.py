"""What a pace predicts: from the server's own times, for the part of a prompt that its cache does not hold."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.budget import Count
from gateway.core.stream import Usage
from gateway.service.upstreams.paces import Pace, shared_prefix


@dataclass(frozen=True, slots=True)
class Asked:
    rendered: str | None
    count: Count
    room: int = 1000


def asked(text: str) -> Asked:
    return Asked(text, Count(len(text), "exact"))


def test_a_long_prompt_at_a_known_speed() -> None:
    pace = Pace()
    pace.learn(asked("x" * 4000), Usage(prompt_tokens=4000, prompt_seconds=10.0))
    assert pace.seconds_to_first_token(Asked("y" * 10, Count(146_760, "exact"))) == pytest.approx(366.9)


def test_nothing_is_predicted_before_anything_is_known() -> None:
    assert Pace().seconds_to_first_token(asked("x" * 4000)) is None


def test_only_what_is_new_is_read() -> None:
    pace = Pace()
    pace.learn(asked("x" * 4000), Usage(prompt_tokens=4000, prompt_seconds=10.0))
    assert pace.seconds_to_first_token(asked("x" * 4000 + "y" * 400)) == pytest.approx(1.0)


def test_a_lost_cache_is_not_taken_for_a_slow_machine() -> None:
    pace = Pace()
    pace.learn(asked("x" * 4000), Usage(prompt_tokens=4000, prompt_seconds=10.0))
    pace.learn(asked("x" * 4000 + "y" * 100), Usage(prompt_tokens=4100, prompt_seconds=10.25))
    assert pace.speed.prompt == pytest.approx(400.0)


def test_a_loaded_model_has_an_empty_cache() -> None:
    pace = Pace(cached="x" * 4000)
    pace.learn(asked("x" * 4100), Usage(prompt_tokens=4100, prompt_seconds=10.25, load_seconds=9.0))
    assert pace.speed.prompt == pytest.approx(400.0)
    assert pace.speed.load_seconds == 9.0


def test_a_slot_is_held_for_reading_and_writing() -> None:
    pace = Pace()
    pace.learn(
        asked("x" * 4000),
        Usage(prompt_tokens=4000, prompt_seconds=10.0, completion_tokens=100, completion_seconds=5.0),
    )
    assert pace.seconds(asked("y" * 400)) == pytest.approx(1.0 + 400 / 20)


@given(st.text(alphabet="ab", max_size=30), st.text(alphabet="ab", max_size=30), st.text(alphabet="ab", max_size=30))
def test_the_shared_prefix_is_the_longest(start: str, one: str, other: str) -> None:
    size = shared_prefix(start + one, start + other)
    assert size >= len(start)
    assert (start + one)[:size] == (start + other)[:size]
    assert (start + one)[size : size + 1] != (start + other)[size : size + 1] or size in (
        len(start + one),
        len(start + other),
    )
