"""JSON as it crosses the wire: digits, halves of characters, depth, and nothing but NotJson for bad input."""

from __future__ import annotations

import json
from decimal import Decimal
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.jsontext import (
    DEPTH,
    NotJson,
    Written,
    dump,
    dumps,
    glance,
    line,
    loads,
    mended,
    mended_text,
    quoted,
    read,
)
from tests.core.wire.json_values import values

UNTIMED = settings(deadline=None)  # a busy machine is no failure


@UNTIMED
@given(values)
def test_values_come_back(value: object) -> None:
    assert loads(dump(value)) == value
    assert dumps(value) == dump(value).decode()


@UNTIMED
@given(values)
def test_a_glance_sees_the_same_but_for_the_digits(value: object) -> None:
    seen, known = glance(dump(value)), loads(dump(value))
    assert shape(seen) == shape(known)


def shape(value: object) -> object:
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return "number" if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else value


@pytest.mark.parametrize(
    "digits",
    ["0", "-1", "1.5", "1.10", "4.50", "-0.0", "0.00001", "123456789012345678901234567890", "0.1000000000000000055511151231257827",
     "1E+400", "1.0E+2", "1e-7", "9" * 4000, "0." + "1" * 5000],
)  # fmt: skip
def test_numbers_keep_their_digits(digits: str) -> None:
    assert dumps(loads(digits)) == digits
    assert dumps(loads(f'{{"a":[{digits}]}}')) == f'{{"a":[{digits}]}}'


@UNTIMED
@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_no_number_changes_its_value(number: Decimal) -> None:
    digits = f"{number}"
    assert Decimal(dumps(loads(digits))) == number


@UNTIMED
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_stays_a_float_as_others_spell_it(number: float) -> None:
    assert loads(repr(number)) == number
    assert isinstance(loads(repr(number)), float)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not valid JSON: Expecting value at line 1, column 1"),
        ('{"a":\n"b', "not valid JSON: Unterminated string starting at line 2, column 1"),
        ("NaN", "NaN is no JSON value; send a number or null"),
        ("[Infinity]", "Infinity is no JSON value; send a number or null"),
        ("9" * 5000, "a number in it has too many digits"),
        ("1e9999999999999999999", "a number in it has too many digits"),
        ("[" * 200_000, "nested too deeply"),
        ('{"a":' * 200_000, "nested too deeply"),
        ("[" * 200_000 + "]" * 200_000, "nested too deeply"),
        ("[" * 600 + "]" * 600, "nested too deeply"),
        ("01", "not valid JSON: Extra data at line 1, column 2"),
        ('"\t"', "not valid JSON: Invalid control character at line 1, column 2"),
    ],
)
def test_what_is_no_json_says_why(text: str, words: str) -> None:
    for look in (loads, lambda text: glance(text.encode())):
        with pytest.raises(NotJson, match=f"^{words.replace('(', '.')}$"):
            look(text)


@pytest.mark.parametrize(("opener", "closer"), [("[", "]"), ('{"k":', "}"), ('[{"k":', "}]")])
def test_depth_has_one_limit_and_what_is_within_can_be_written(opener: str, closer: str) -> None:
    levels = DEPTH // (opener.count("[") + opener.count("{"))
    padding = " " * 1000
    deepest = loads(f"{padding}{opener * levels}1{closer * levels}")
    wrapped = {"a": {"b": {"c": [deepest, Decimal("1.10")]}}}
    assert loads(opener * (levels - 5) + "1" + closer * (levels - 5)) is not None
    assert dumps(wrapped).endswith("1.10]}}}")
    for read_it in (loads, lambda text: glance(text.encode())):
        with pytest.raises(NotJson, match="nested too deeply"):
            read_it(f"{padding}{opener * (levels + 1)}1{closer * (levels + 1)}")


def test_halves_of_characters_are_told_and_replaced() -> None:
    assert read('"\\ud83e\\udd8a"') == ("🦊", False)
    assert read('{"\\ud83e":["\\uDD8A", 5, null]}') == ({"\ufffd": ["\ufffd", 5, None]}, True)
    assert read('"\\\\ud83e"') == ("\\ud83e", False)
    assert read(b'"caf\xe9"') == ("caf\ufffd", True)
    assert read(b'\xef\xbb\xbf"a"') == ("a", False)
    assert glance(b'"\\ud83e"') == "\ufffd"


@UNTIMED
@given(st.text(st.characters()))
def test_mended_text_is_utf_8_and_whole_text_is_untouched(text: str) -> None:
    whole = mended_text(text)
    whole.encode()
    if not any("\ud800" <= char <= "\udfff" for char in text):
        assert whole is text
    assert mended({"k": [text, 1]}) == {"k": [whole, 1]}
    assert json.loads(dump(text)) == json.loads(line(quoted(text))) == whole


@pytest.mark.parametrize("char", ["\n", "\r", "\x0b", "\x1c", "\x85", "\u2028", "\u2029"])
def test_a_line_holds_no_line_end(char: str) -> None:
    out = line(quoted(f"é{char}b")).decode()
    assert len(out.splitlines()) == 1
    assert json.loads(out) == f"é{char}b"


def test_mappings_of_any_kind_are_written_and_other_things_are_not() -> None:
    assert dump(MappingProxyType({"a": (1, Decimal("1.0"))})) == b'{"a":[1,1.0]}'
    with pytest.raises(TypeError):
        dump(object())


def test_what_was_written_stands_in_a_larger_value_as_it_is() -> None:
    rest = [Written(dump({"a": 1})), {"b": Written(b"[1.10]")}]
    assert dump(rest) == b'[{"a":1},{"b":[1.10]}]'
    assert dump([*rest, Decimal("2.50")]) == b'[{"a":1},{"b":[1.10]},2.50]'  # the slow road


@UNTIMED
@given(values)
def test_a_text_without_floats_reads_as_beside_one(value: object) -> None:
    """Whatever of a text is read the quick way is what the slow way makes of it, types and all."""
    alone, beside = loads(dumps([value])), loads(f"[{dumps([value])},1.10]")
    assert isinstance(beside, list)
    assert repr(alone) == repr(beside[0])


def test_digits_inside_text_are_text() -> None:
    """However odd the text is: no marker of ours could be forged in it."""
    value = {"\ue0001.5\ue000": "\ue0001.50\ue000", "n": Decimal("1.50")}
    assert loads(dump(value)) == value


def test_the_module_reads_nothing_with_orjson_that_must_be_exact() -> None:
    assert glance(b"123456789012345678901234567890") != loads(b"123456789012345678901234567890")
    assert loads(b"123456789012345678901234567890") == 123456789012345678901234567890
