"""For every dialect: what is rendered is read again, no prefix gives a wrong call, and no text raises, is lost or depends on its pieces."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.core.conversation import ToolSpec
from gateway.core.dialects import AUTOMATIC, DIALECTS, Dialect, ToolReader
from gateway.core.stream import Call, Part, Proof, Text, Unreadable
from tests.core.dialects.seams import seamless

MARKERS = sorted(
    {
        mark
        for dialect in DIALECTS
        for mark in (
            *(o.token for o in (*dialect.openers, *dialect.bare)),
            *dialect.closers,
            *dialect.inner,
            *dialect.noise,
        )
    }
)
FRAGMENTS = [
    *MARKERS, "<parameter=path>", '<parameter name="x">', "<arg_key>a</arg_key>", "<arg_value>", "\n", " ", "a < b && c", "word", '"', "'", "\\", "{", "}",
    "[", "]", ",", ":", '"name": "do_it"', '"arguments": {', "do_it", "do_it(a=", "functions.do_it:0", "[ARGS]", "<do_it>", "<a>", "</a>", "&lt;", "```",
    "<think>", "</think>", '<|"|>', "格", "😀", "\r\n", "\x00", "null", "12", "commentary to=functions.do_it",
]  # fmt: skip
HOSTILE = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=4), max_size=14).map("".join)
VALUES = {
    "string": st.text(max_size=20) | HOSTILE,
    "integer": st.integers(-(10**20), 10**20),
    "number": st.floats(allow_nan=False, allow_infinity=False, width=32),
    "boolean": st.booleans(),
    "array": st.lists(st.text(max_size=8) | st.integers() | st.booleans(), max_size=3),
    "object": st.dictionaries(st.sampled_from(["x", "y", "key"]), st.text(max_size=8) | st.none(), max_size=2),
}
NAMES = st.from_regex(r"[a-zA-Z格][\w]{0,12}", fullmatch=True)
KEYS = st.from_regex(r"[a-z][a-z]{0,6}", fullmatch=True)
RAW = {dialect.name for dialect in DIALECTS if dialect.inner} | {"gemma4", "cline"}


@st.composite
def called(draw: st.DrawFn) -> tuple[ToolSpec, Call]:
    """A tool, and a call of it with at least what it requires."""
    kinds = draw(st.dictionaries(KEYS, st.sampled_from(sorted(VALUES)), max_size=4))
    required = [key for key in kinds if draw(st.booleans())]
    arguments = {key: draw(VALUES[kind]) for key, kind in kinds.items() if key in required or draw(st.booleans())}
    schema = {
        "type": "object",
        "properties": {key: {"type": kind} for key, kind in kinds.items()},
        "required": required,
    }
    name = draw(NAMES)
    return ToolSpec(name=name, parameters=schema), Call(id="", name=name, arguments=json.dumps(arguments))


def read(
    dialect: Dialect, tools: Sequence[ToolSpec], text: str, *, sizes: Sequence[int] = (), cut: bool = False
) -> list[Part]:
    reader = ToolReader(dialect, tools)
    parts: list[Part] = []
    at = 0
    for size in sizes:
        parts += reader.feed(text[at : at + size])
        at += size
    parts += reader.feed(text[at:])
    return [*parts, *(reader.cut() if cut else reader.close())]


def delivered(parts: Sequence[Part]) -> list[tuple[str, object]]:
    good = (Proof.COMPLETE, Proof.CLOSERS_ONLY)
    return [(part.name, json.loads(part.arguments)) for part in parts if isinstance(part, Call) and part.proof in good]


def said(parts: Sequence[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Text))


def may_be_cut(dialect: Dialect, call: Call) -> bool:
    """Whether a cut in the call can be told: behind a closer in a raw value it looks like the value's end.

    Behind an opener there the value's own closer looks like that of an example.
    """
    openers = (closer.replace("</", "<").rstrip(">") for closer in dialect.inner)
    own = (*dialect.inner, *openers, "<arg_key>", '<|"|>', *(f"</{key}>" for key in json.loads(call.arguments)))
    values = json.loads(call.arguments).values()
    return dialect.name not in RAW or not any(mark in str(value) for mark in own for value in values)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: str(dialect.name))
@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(pair=called())
def test_no_prefix_gives_a_wrong_call(dialect: Dialect, pair: tuple[ToolSpec, Call]) -> None:
    tool, call = pair
    wanted = json.loads(call.arguments)
    assume(may_be_cut(dialect, call))
    prose = "So.\n" if dialect.name != "bare-json" else ""
    text = prose + dialect.render(call)
    for end in range(min(len(text), 500)):
        reader = ToolReader(dialect, [tool])
        parts = [*reader.feed(text[:end])]
        open_call = reader.open_call
        parts += reader.cut()
        assert all(found == (call.name, wanted) for found in delivered(parts))
        assert said(parts).startswith(text[:end][: len(prose)])
        for part in parts:
            if isinstance(part, Call) and part.proof is not Proof.UNPROVEN:
                assert json.loads(part.arguments).items() <= wanted.items()
        last = parts[-1] if parts else None
        half = last if isinstance(last, Call) and last.proof is not Proof.COMPLETE else None
        assert (
            (open_call.name, open_call.proof) == (half.name, half.proof)
            if half and open_call
            else not (half or open_call)
        )


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: str(dialect.name))
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(pair=called(), data=st.data())
def test_a_cut_takes_no_earlier_call_along(dialect: Dialect, pair: tuple[ToolSpec, Call], data: st.DataObject) -> None:
    tool, call = pair
    assume(may_be_cut(dialect, call))
    one = dialect.render(call)
    text = f"{one}\n{one}"
    wanted = (call.name, json.loads(call.arguments))
    assume(delivered(read(dialect, [tool], one)) == [wanted])
    assume(not any(call.name in opener.token for opener in dialect.openers))  # a cut marker might end with that name
    end = data.draw(st.integers(len(one), len(text)))
    parts = read(dialect, [tool], text[:end], cut=True)
    assert delivered(parts) in ([wanted], [wanted, wanted])
    rest = said(parts).strip()
    # What begins a call may begin a text, too.
    ordinary = any(opener.plain for opener in dialect.openers) or dialect.bare
    assert one.startswith(rest)
    assert ordinary or len(rest) < 4


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: str(dialect.name))
def test_cuts_beyond_a_long_value(dialect: Dialect) -> None:
    """In the value, at its end, in each closer, behind each of them."""
    tool = ToolSpec(
        name="do_it",
        parameters={
            "type": "object",
            "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
            "required": ["a"],
        },
    )
    value = "".join(f'if a < {n} and "b" in c:\n    d = "<p>" + "{{}}" # \\d+ </p>\n' for n in range(40))
    text = dialect.render(Call(id="", name="do_it", arguments=json.dumps({"a": value})))
    for end in (*range(600, len(text) - 80, 97), *range(len(text) - 80, len(text) + 1)):
        parts = read(dialect, [tool], text[:end], cut=True)
        calls = delivered(parts)
        assert calls in ([], [("do_it", {"a": value})])
        assert calls or [part.name for part in parts if isinstance(part, Call)] == ["do_it"]
        assert said(parts) == ""


@pytest.mark.parametrize("dialect", [*DIALECTS, AUTOMATIC], ids=lambda dialect: str(dialect.name))
@settings(max_examples=60)
@given(text=HOSTILE, sizes=st.lists(st.integers(1, 6), max_size=60), cut=st.booleans(), offered=st.booleans())
def test_pieces_do_not_matter_and_nothing_raises(
    dialect: Dialect, text: str, sizes: list[int], cut: bool, offered: bool
) -> None:
    tool = ToolSpec(
        name="do_it", parameters={"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer"}}}
    )
    tools = [tool] if offered else []
    whole = seamless(read(dialect, tools, text, cut=cut))
    assert seamless(read(dialect, tools, text, sizes=sizes, cut=cut)) == whole
    assert seamless(read(dialect, tools, text, sizes=[1] * len(text), cut=cut)) == whole


NOTE = "this is a note that goes on and says something about the work to do next, in many words, so long it is. "
CALLS = ('{"name": "do_it", "arguments": {"a": "x"}}', '[{"name": "do_it", "arguments": {"a": "x"}}]')
LINES = (
    f"[x] {NOTE}",
    f"{{y}} {NOTE}",
    f'{{"name": "it", {NOTE}',
    f"```json\n{{{NOTE}",
    NOTE,
    NOTE * 7,
    "[do_it",
    "<tool_call> so",
    *CALLS,
)
THOUGHTS = st.lists(st.sampled_from(LINES) | HOSTILE, max_size=24).map("\n".join)


@pytest.mark.parametrize("dialect", [*DIALECTS, AUTOMATIC], ids=lambda dialect: str(dialect.name))
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(
    text=THOUGHTS,
    call=st.sampled_from(("", *CALLS)),
    closed=st.booleans(),
    sizes=st.lists(st.integers(1, 300), max_size=30),
    cut=st.booleans(),
)
def test_pieces_of_a_thought_do_not_matter(
    dialect: Dialect, text: str, call: str, closed: bool, sizes: list[int], cut: bool
) -> None:
    tools = [ToolSpec(name="do_it", parameters={"type": "object", "properties": {"a": {"type": "string"}}})]
    opener, closer = dialect.thinks[0].opener, dialect.thinks[0].closer
    text = f"{opener}{text}\n{call}{closer if closed else ''}"
    whole = seamless(read(dialect, tools, text, cut=cut))
    for pieces in (sizes, [40] * (len(text) // 40), [1] * len(text)):
        assert seamless(read(dialect, tools, text, sizes=pieces, cut=cut)) == whole


@pytest.mark.parametrize("dialect", [*DIALECTS, AUTOMATIC], ids=lambda dialect: str(dialect.name))
def test_a_call_behind_many_notes_is_found_in_all_pieces_alike(dialect: Dialect) -> None:
    tools = [ToolSpec(name="do_it", parameters={"type": "object", "properties": {"a": {"type": "string"}}})]
    for count in (9, 30):
        text = dialect.thinks[0].opener + f"[x] {NOTE}\n" * count + NOTE * 7 + "\n" + CALLS[0]
        for size in (1, 7, 40, 200, len(text)):
            found = read(dialect, tools, text, sizes=[size] * (len(text) // size))
            assert delivered(found) == [("do_it", {"a": "x"})]


@pytest.mark.parametrize("dialect", [*DIALECTS, AUTOMATIC], ids=lambda dialect: str(dialect.name))
@settings(max_examples=30)
@given(said=st.sampled_from(("I need", "I need\n", "So:\n ", "- ", "`")), data=st.data(), cut=st.booleans())
def test_pieces_do_not_matter_where_a_marker_is_cut(
    dialect: Dialect, said: str, data: st.DataObject, cut: bool
) -> None:
    own = [opener.token for opener in (*dialect.openers, *dialect.bare, *dialect.named("do_it"))]
    mark = data.draw(st.sampled_from([*own, *MARKERS]))
    text = said + mark[: data.draw(st.integers(1, len(mark)))]
    tools = [ToolSpec(name="do_it")]
    assert seamless(read(dialect, tools, text, sizes=[1] * len(text), cut=cut)) == seamless(
        read(dialect, tools, text, cut=cut)
    )


@pytest.mark.parametrize(
    ("name", "text"), [("glimmer", "I need\nto"), ("harmony", "Hello\nto=functio"), ("hermes", "So\nfuncto")]
)
def test_what_begins_an_answer_is_text_behind_one(name: str, text: str) -> None:
    [dialect] = [dialect for dialect in DIALECTS if dialect.name == name]
    for sizes in ([], [1] * len(text)):
        assert seamless(read(dialect, [ToolSpec(name="do_it")], text, sizes=sizes, cut=True)) == [Text(text)]


@pytest.mark.parametrize("dialect", [*DIALECTS, AUTOMATIC], ids=lambda dialect: str(dialect.name))
@settings(max_examples=30)
@given(text=st.text(), sizes=st.lists(st.integers(1, 6), max_size=20), cut=st.booleans())
def test_text_without_markers_comes_back(dialect: Dialect, text: str, sizes: list[int], cut: bool) -> None:
    assume(not re.search(r"[<\[{`◁]|do_it|functools|Action|to=", text))
    parts = read(dialect, [ToolSpec(name="do_it")], text, sizes=sizes, cut=cut)
    assert said(parts) == (text if text.strip() else "")
    assert not any(isinstance(part, Call | Unreadable) for part in parts)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: str(dialect.name))
def test_visible_words_around_calls_are_kept(dialect: Dialect) -> None:
    tool = ToolSpec(name="do_it", parameters={"type": "object", "properties": {"a": {"type": "string"}}})
    call = dialect.render(Call(id="", name="do_it", arguments='{"a": "x"}'))
    text = f"\n{call}\n".join(("one", "two", "three")) if dialect.name not in ("bare-json", "json-fence") else call
    parts = read(dialect, [tool], text, sizes=[3] * len(text))
    assert said(parts).split() == [word for word in ("one", "two", "three") if word in text]
    assert delivered(parts) == [("do_it", {"a": "x"})] * text.count(call)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: str(dialect.name))
def test_a_value_of_100_kilobytes(dialect: Dialect) -> None:
    tool = ToolSpec(
        name="do_it", parameters={"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    )
    value = "".join(f'if a < {n} and "b{n}" in c:\n    return "<p>" + \'{n}\' # \\d+ </p>\n' for n in range(2_000))[
        :100_000
    ]
    text = dialect.render(Call(id="", name="do_it", arguments=json.dumps({"a": value})))
    assert delivered(read(dialect, [tool], text, sizes=[16] * (len(text) // 16))) == [("do_it", {"a": value})]
