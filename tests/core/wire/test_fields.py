"""Reading field by field: types, and errors that name the path."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from gateway.core.errors import BadRequest
from gateway.core.wire.fields import Fields, body, item_fields, kind, short


def refusal(take: Callable[[Fields], object], value: object) -> str:
    with pytest.raises(BadRequest) as caught:
        take(Fields({"key": value}, "at[2]"))
    assert caught.value.problem.param == "at[2].key"
    return caught.value.problem.message


def test_what_is_not_taken_is_the_rest() -> None:
    fields = Fields({"a": "x", "b": None, "c": 3})
    assert (fields.text("a"), fields.text("b", "none"), fields.text("z")) == ("x", "none", "")
    assert fields.rest == {"c": 3}


@pytest.mark.parametrize(
    ("take", "value", "wanted"),
    [
        (lambda fields: fields.text("key"), 5, "is a number; send a string"),
        (lambda fields: fields.integer("key"), "5", "is a string; send an integer"),
        (lambda fields: fields.integer("key"), True, "is true or false; send an integer"),
        (lambda fields: fields.integer("key"), 1.5, "is no integer of 64 bits; send one"),
        (lambda fields: fields.integer("key"), Decimal("1E+400"), "is no integer of 64 bits; send one"),
        (lambda fields: fields.integer("key"), Decimal("1E-400"), "is no integer of 64 bits; send one"),
        (lambda fields: fields.number("key"), False, "is true or false; send a number"),
        (lambda fields: fields.number("key"), 10**400, "is larger than any float; send a smaller number"),
        (lambda fields: fields.number("key"), Decimal("-1E+400"), "is larger than any float; send a smaller number"),
        (lambda fields: fields.flag("key", default=False), "yes", "is a string; send true or false"),
        (lambda fields: fields.items("key"), {}, "is an object; send an array"),
        (lambda fields: fields.fields("key"), [], "is an array; send an object"),
        (lambda fields: fields.texts("key"), ["a", None], "is an array; send a string or an array of strings"),
    ],
)
def test_wrong_types(take: Callable[[Fields], object], value: object, wanted: str) -> None:
    assert refusal(take, value) == f"`at[2].key` {wanted}"


def test_right_types() -> None:
    fields = Fields({"i": 3.0, "d": Decimal("5"), "n": 2, "f": True, "t": "x", "ts": ["x", "y"], "o": {"p": 1}})
    assert (fields.integer("i"), fields.integer("d"), fields.number("n"), fields.flag("f", default=False)) == (
        3,
        5,
        2.0,
        True,
    )
    assert (fields.texts("t"), fields.texts("ts")) == (("x",), ("x", "y"))
    inner = fields.fields("o")
    assert inner is not None
    assert (inner.at, inner.rest) == ("o", {"p": 1})


def test_items_of_an_array_are_named_by_their_place() -> None:
    with pytest.raises(BadRequest, match=r"`a\.key\[1\]` is a number; send an object"):
        list(Fields({"key": [{}, 5]}, "a").objects("key"))
    assert item_fields({"x": 1}, "a[0]").path("x") == "a[0].x"


def test_a_body_is_one_object() -> None:
    assert body(b' {"a": 1} ').rest == {"a": 1}
    assert body(b'{"a": "\\ud83d"}').repaired
    assert not body(b'{"a": "\\ud83d\\ude00"}').repaired


def test_a_clients_word_is_quoted_short() -> None:
    assert short("x") == "'x'"
    assert len(short("x" * 10_000)) < 50


def test_kinds_in_words() -> None:
    values: list[object] = [None, True, 1, 1.5, Decimal(1), "x", [], {}]
    said = [kind(value) for value in values]
    assert said == ["null", "true or false", *["a number"] * 3, "a string", "an array", "an object"]
