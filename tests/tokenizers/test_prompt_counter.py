"""A prompt that grows costs what is new in it, and never a token more or less than counted whole."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.tokenizers.prompt_counter import PromptCounter
from gateway.tokenizers.vocabulary import Vocabulary, vocabulary

contents = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["the tokens of the prompt", "<|stop|>", "<tool><tool>", "\n\n  ", "<|start|>" * 6, ""]),
)
turns = st.lists(st.tuples(contents, contents), max_size=12)


class Watched(Vocabulary):
    """Remembers what it was asked to count."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.__dict__ |= vocabulary.__dict__
        self.asked: list[str] = []

    def plain(self, stretch: str, *, surely: bool = False) -> int:
        self.asked.append(stretch)
        return super().plain(stretch, surely=surely)


def rendered(turns: list[tuple[str, str]]) -> str:
    return "".join(f"<|start|>user\n{ask}<|stop|>\n<|start|>assistant\n{answer}<|stop|>\n" for ask, answer in turns)


@pytest.fixture(scope="module", name="found")
def found_fixture(byte_info: Mapping[str, object]) -> Vocabulary:
    made = vocabulary({**byte_info, "tokenizer.ggml.add_bos_token": True})
    assert isinstance(made, Vocabulary)
    return made


@given(turns=turns, kept=st.integers(1, 40))
def test_the_sum_is_the_whole(found: Vocabulary, turns: list[tuple[str, str]], kept: int) -> None:
    counter = PromptCounter(found, kept=kept)
    for upto in range(len(turns) + 1):
        prompt = rendered(turns[:upto]) + "<|start|>assistant\n"
        assert counter.count(prompt) == found.count(prompt)


@given(prompts=st.lists(st.lists(st.sampled_from(["<|start|>", "<|stop|>", "<tool>", "the ", "x"]), max_size=30)))
def test_whatever_marks_the_turns(found: Vocabulary, prompts: list[list[str]]) -> None:
    counter = PromptCounter(found)
    for prompt in map("".join, prompts):
        assert counter.count(prompt) == found.count(prompt)


def test_what_is_known_of_a_prompt_is_what_it_begins_with(found: Vocabulary) -> None:
    counter = PromptCounter(found)
    first = rendered([("one", "two"), ("three", "four")])
    assert counter.known(first) == 0
    counter.count(first)
    assert counter.known(first + "five") == first.rindex("<|start|>") + len("<|start|>")
    assert counter.known(f"x{first}") == 0


def test_a_turn_costs_what_is_new_in_it(found: Vocabulary) -> None:
    watched = Watched(found)
    counter = PromptCounter(watched)
    turns = [(f"ask {n} " + "the tokens " * 50, f"answer {n}") for n in range(40)]
    counter.count(rendered(turns))
    watched.asked.clear()
    counter.count(rendered(turns))
    assert watched.asked == []
    counter.count(rendered([*turns, ("new", "newer")]))
    assert sum(map(len, watched.asked)) < 60
    watched.asked.clear()
    counter.count(rendered([*turns[:20], ("changed", "past"), *turns[21:]]))
    assert sum(map(len, watched.asked)) < 60


def test_another_template_gets_another_mark(found: Vocabulary) -> None:
    watched = Watched(found)
    counter = PromptCounter(watched)
    counter.count(rendered([("ask", "answer")] * 20))
    others = "".join(f"<tool>{n} the tokens of the prompt" for n in range(200))
    assert counter.count(others) == found.count(others)
    watched.asked.clear()
    counter.count(others + "<tool>more")
    assert watched.asked == ["more"]


def test_the_memory_is_bounded(found: Vocabulary) -> None:
    counter = PromptCounter(found, kept=10)
    for n in range(50):
        counter.count(rendered([(f"{n} {m}", "x") for m in range(10)]))
    assert len(counter._counts) == 10


def test_several_threads_at_once(found: Vocabulary) -> None:
    counter = PromptCounter(found, kept=50)
    prompts = [rendered([(f"{n} the tokens {m}", "<tool>") for m in range(30)]) for n in range(40)]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(counter.count, prompts)) == [found.count(prompt) for prompt in prompts]
