"""JSON and times as Go writes them."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from gateway.testing import gojson


def test_html_is_escaped_and_nothing_is_spaced() -> None:
    assert gojson.dumps({"a": "<b>&", "c": [1, None, True]}) == '{"a":"\\u003cb\\u003e\\u0026","c":[1,null,true]}'


def test_what_is_no_ascii_stays() -> None:
    assert gojson.encode("Zürich\u2028") == '"Zürich\\u2028"'.encode()


def test_half_an_emoji_is_a_replacement_character() -> None:
    assert gojson.dumps("a\ud83d") == '"a\ufffd"'


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_it_is_json(value: object) -> None:
    assert json.loads(gojson.dumps(value)) == value


def test_moments_have_one_length_whatever_the_time() -> None:
    assert gojson.moment(1_795_240_000.5) == "2026-11-21T05:46:40.500000001Z"
    assert {len(gojson.moment(1_795_240_000 + n / 64)) for n in range(64)} == {30}
