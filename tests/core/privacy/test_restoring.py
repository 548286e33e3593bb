"""Placeholders come back as what they stand for, however the stream is cut; what is not ours, or altered, passes as it came."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.core.privacy.placeholder import BODY, HEAD, LENGTH, OURS, placeholder
from gateway.core.privacy.restoring import Restorer
from gateway.core.privacy.stand_ins import is_ours
from gateway.core.stream import Call, CallPiece, Part, Reasoning, Stop, StopReason, Text, Usage

KEY = bytes(range(32))
VALUES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
SECRETS = st.lists(VALUES, min_size=1, max_size=4, unique=True)
NOISE = st.sampled_from(
    [HEAD, HEAD[:4], HEAD.lower(), "W", f"{HEAD}{'A' * BODY}", f"{HEAD}ABC", "x", " ", "\n", '"', "\\", "é"]
)


def minted(values: Sequence[str]) -> dict[str, str]:
    return {placeholder(value, KEY): value for value in values}


def cut(text: str, places: Sequence[int]) -> list[str]:
    edges = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


def text_of(parts: Sequence[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Text | Reasoning))


def arguments_of(parts: Sequence[Part]) -> str:
    return "".join(part.arguments for part in parts if isinstance(part, CallPiece | Call))


def run(restorer: Restorer, items: Sequence[Part]) -> list[Part]:
    return [part for item in items for part in restorer.feed(item)] + list(restorer.close())


@given(SECRETS, st.data())
def test_any_chunking_of_text_restores_exactly(values: Sequence[str], data: st.DataObject) -> None:
    known = minted(values)
    pieces = data.draw(st.lists(st.one_of(NOISE, st.sampled_from(sorted(known))), max_size=12))
    said = "".join(pieces)
    whole = re.sub("|".join(known), lambda found: known[found[0]], said)
    places = data.draw(st.lists(st.integers(0, 400), max_size=20))
    for kind in (Text, Reasoning):
        restorer = Restorer(known)
        assert text_of(run(restorer, [kind(piece) for piece in cut(said, places)])) == whole
        every = Restorer(known)
        assert text_of(run(every, [kind(letter) for letter in said])) == whole
        assert every.did == restorer.did


@given(SECRETS, st.data())
def test_any_chunking_of_arguments_restores_the_json_that_was_meant(values: Sequence[str], data: st.DataObject) -> None:
    known = minted(values)
    tokens = st.sampled_from(sorted(known))
    meant = data.draw(
        st.dictionaries(tokens | st.text(max_size=5), tokens | st.lists(tokens | st.integers(), max_size=3), max_size=4)
    )
    sent = json.dumps(meant)
    places = data.draw(st.lists(st.integers(0, 400), max_size=20))

    def put(value: object) -> object:
        if isinstance(value, list):
            return [put(each) for each in value]
        return known.get(value, value) if isinstance(value, str) else value

    expected = {known.get(key, key): put(value) for key, value in meant.items()}
    pieces = [CallPiece(index=0, arguments=piece) for piece in cut(sent, places)]
    assert json.loads(arguments_of(run(Restorer(known), pieces))) == expected
    whole = run(Restorer(known), [Call(id="c", name="write", arguments=sent)])
    assert json.loads(arguments_of(whole)) == expected


@given(
    SECRETS,
    st.lists(st.tuples(st.sampled_from(["text", "thought", "first", "second"]), st.text(max_size=8)), max_size=20),
)
def test_channels_do_not_mix(values: Sequence[str], said: Sequence[tuple[str, str]]) -> None:
    known = minted(values)
    token = sorted(known)[0]
    items: list[Part] = []
    for number, (channel, text) in enumerate(said):
        half = (token[: LENGTH // 2], token[LENGTH // 2 :])[number % 2]
        match channel:
            case "text":
                items.append(Text(text))
            case "thought":
                items.append(Reasoning(text))
            case _:
                items.append(CallPiece(index=channel == "second", arguments=half))
    parts = run(Restorer(known), [*items, Stop(StopReason.STOP)])
    assert text_of([part for part in parts if isinstance(part, Text)]) == "".join(t for c, t in said if c == "text")
    assert isinstance(parts[-1], Stop)


@pytest.mark.parametrize(
    "altered",
    [
        placeholder("s", KEY)[:-1],
        placeholder("s", KEY).lower(),
        placeholder("other", KEY),
        HEAD,
    ],
)
def test_what_the_model_altered_or_nobody_minted_passes_and_is_noted(altered: str) -> None:
    restorer = Restorer(minted(["s"]))
    assert text_of(run(restorer, [Text(f"a {altered} b")])) == f"a {altered} b"
    assert restorer.did == ("placeholder_lost",)


def test_what_came_back_whole_is_not_noted() -> None:
    restorer = Restorer(minted(["s"]))
    assert text_of(run(restorer, [Text(f"a {placeholder('s', KEY)}.")])) == "a s."
    assert restorer.did == ()


def test_what_is_no_beginning_of_a_placeholder_is_not_held_back() -> None:
    restorer = Restorer(minted(["s"]))
    assert text_of(list(restorer.feed(Text("the quick brown fox")))) == "the quick brown fox"
    assert text_of(list(restorer.feed(Text("and WITH")))) == "and "
    assert text_of(list(restorer.feed(Usage(prompt_tokens=1)))) == ""
    assert text_of(list(restorer.feed(Text("OUT")))) == "WITHOUT"


@given(VALUES, VALUES)
@example("a", "b")
def test_a_placeholder_is_an_identifier_that_is_the_same_for_the_same_value(value: str, other: str) -> None:
    token = placeholder(value, KEY)
    assert token.isidentifier()
    assert OURS.fullmatch(token)
    assert placeholder(value, KEY) == token
    assert placeholder(value, bytes(32)) != token
    assert (placeholder(other, KEY) == token) == (other == value)


@given(VALUES)
def test_a_placeholder_and_any_part_of_it_is_known_for_ours(value: str) -> None:
    text = f'api_key = "{placeholder(value, KEY)}"'
    start = text.index(HEAD)
    assert is_ours(text, start, start + LENGTH)
    assert is_ours(text, start + len(HEAD), start + LENGTH)
    assert not is_ours(text, 0, 7)
    assert not is_ours(f"{text}k9Xw2PqL7vTzR4mN8sYb", start, len(text) + 20)
