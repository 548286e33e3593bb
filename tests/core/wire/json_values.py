"""Strategies for JSON as it comes in: every kind of value, numbers with any digits, text with anything that UTF-8 carries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

from hypothesis import strategies as st

from gateway.core import jsontext

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
broken_texts = st.text(st.characters(), max_size=12)  # halves of characters too

whole_numbers = st.integers() | st.integers(10**18, 10**60)
decimals = st.builds("{}{}.{}{}".format, st.sampled_from(["", "-"]), st.integers(0, 10**25), st.text("0123456789", min_size=1, max_size=25), st.sampled_from(["", "e5", "E-7", "e+400"]))  # fmt: skip
numbers = whole_numbers | decimals.map(jsontext.loads)

values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(texts, values, max_size=3)


def extras(known: Iterable[str], least: int = 0) -> st.SearchStrategy[Mapping[str, object]]:
    """Fields that no code here models: any name but the `known` ones."""
    taken = {name.casefold() for name in known}
    free = (names | st.sampled_from(["cache_control", "metadata", "user", "x"])).filter(
        lambda name: name.casefold() not in taken
    )
    return st.dictionaries(free, values, min_size=least, max_size=2)


def chunked(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """`data` in pieces, cut at the places that fall into it."""
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


cuts = st.lists(st.integers(0, 1 << 16), max_size=12)
