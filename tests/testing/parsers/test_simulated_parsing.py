"""The server's own parsers: what each makes of whole, cut and malformed calls.

The counts are those measured on Ollama's parsers (every prefix of one call), so they pin every place where a cut can fall.
"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.testing.ask import Ask
from gateway.testing.models.model import FAMILIES
from gateway.testing.parsers.go_syntax import ParserError
from gateway.testing.parsers.parsing import parser_for
from gateway.testing.script import ToolUse, says

WRITE_FILE = {
    "type": "function",
    "function": {
        "name": "write_file",
        "parameters": {
            "type": "object",
            "required": ["path", "content"],
            "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
        },
    },
}
CALL = ToolUse("write_file", {"path": "a.py", "content": "print(1)"})
_XML = (
    "<tool_call>\n<function=write_file>\n<parameter=path>\na.py\n</parameter>\n"
    "<parameter=content>\nprint(1)\n</parameter>\n</function>\n</tool_call>"
)
_JSON = '{"path": "a.py", "content": "print(1)"}'
_NAMED = f'{{"name": "write_file", "arguments": {_JSON}}}'
_GLM = (
    "<tool_call>write_file<arg_key>path</arg_key><arg_value>a.py</arg_value>"
    "<arg_key>content</arg_key><arg_value>print(1)</arg_value></tool_call>"
)
TEXTS = {
    "qwen3-coder": _XML,
    "qwen3.5": _XML,
    "nemotron-3-nano": _XML,
    "qwen3": f"<tool_call>\n{_NAMED}\n</tool_call>",
    "glm-4.7": _GLM,
    "laguna": _GLM.replace("<arg", "\n<arg").replace("</tool", "\n</tool").replace("\n<arg_value>", "\n<arg_value>"),
    "ministral": f"[TOOL_CALLS]write_file[ARGS]{_JSON}",
    "harmony": f"<|channel|>commentary to=functions.write_file <|constrain|>json<|message|>{_JSON}",
    "deepseek3": f"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>write_file<｜tool▁sep｜>{_JSON}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    "gemma4": '<|tool_call>call:write_file{path:<|"|>a.py<|"|>,content:<|"|>print(1)<|"|>}<tool_call|>',
    "template": f"<tool_call>\n{_NAMED}\n</tool_call>",
}
HEAD = {"harmony": "<|channel|>final<|message|>I will.<|end|><|start|>assistant"}


def parse(name: str, *pieces: str, thinking: bool = False) -> tuple[str, str, list[ToolUse]]:
    parser = parser_for(name, Ask(surface="chat", model="m", tools=(WRITE_FILE,)), thinking=thinking)
    parts = [*map(parser.feed, pieces), parser.close()]
    calls = [call for part in parts for call in part.calls]
    return "".join(part.content for part in parts), "".join(part.thinking for part in parts), calls


def outcome(name: str, text: str) -> str:
    try:
        _, _, calls = parse(name, text)
    except ParserError:
        return "error"
    return "whole" if calls == [CALL] else "damaged" if calls else "dropped"


@pytest.mark.parametrize("name", TEXTS)
def test_a_whole_call_is_read_and_the_text_before_it_kept(name: str) -> None:
    content, _, calls = parse(name, HEAD.get(name, "I will.") + TEXTS[name])
    assert (content, calls) == ("I will.", [CALL])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("qwen3-coder", {}),
        ("qwen3.5", {}),
        ("nemotron-3-nano", {}),
        ("qwen3", {}),
        ("ministral", {}),
        ("glm-4.7", {"error": 117, "whole": 12}),
        ("laguna", {"damaged": 120, "whole": 13}),
        ("harmony", {"error": 39}),
        ("deepseek3", {"whole": 18}),
        ("gemma4", {"damaged": 31, "whole": 2}),
    ],
)
def test_a_cut_call_is_dropped_except_where_it_is_an_error_or_worse(name: str, expected: dict[str, int]) -> None:
    text = TEXTS[name]
    counted = Counter(outcome(name, text[:cut]) for cut in range(1, len(text)))
    del counted["dropped"]
    assert counted == expected


MALFORMED = [
    (
        "qwen3-coder",
        "\n<function=write_file>\n<parameter=path>\na.py\n</function>\n",
        "XML syntax error on line 5: element <parameter> closed by </function>",
    ),
    (
        "qwen3-coder",
        "\n<parameter=path>\na.py\n</parameter>\n</function>\n",
        "expected element type <function> but have <parameter>",
    ),
    ("qwen3-coder", "\n<function=write_file>\n<parameter=path>\na.py\n", "XML syntax error on line 5: unexpected EOF"),
    ("qwen3-coder", "\n<function=f>\n<parameter=c>\nuse ", "XML syntax error on line 4: unexpected EOF"),
    ("qwen3-coder", "\n", "EOF"),
    ("qwen3-coder", '\n{"name":"write_file","arguments":{}}\n', "EOF"),
    (
        "qwen3-coder",
        "<function=f><parameter=p>\x19</parameter></function>",
        "XML syntax error on line 1: illegal character code U+0019",
    ),
    (
        "qwen3-coder",
        "\n<function=f>\n</parameter>\n</function>\n",
        "XML syntax error on line 3: element <function> closed by </parameter>",
    ),
    (
        "qwen3",
        '\n{"name": "write_file", "arguments": {"path": "a\nb"}}\n',
        "failed to parse JSON: invalid character '\\n' in string literal",
    ),
    (
        "qwen3",
        '\n{"name": "write_file", "arguments": {"path": "a.py"\n',
        "failed to parse JSON: unexpected end of JSON input",
    ),
    ("qwen3", "\n{}\n", "empty function name"),
    ("glm-4.7", "<arg_key>path</arg_key><arg_value>a.py</arg_value>", "empty function name"),
    (
        "glm-4.7",
        "f<arg_key>a</arg_key><arg_value>1</arg_value><arg_key>b</arg_key>",
        "mismatched arg_key and arg_value counts: 2 keys, 1 values",
    ),
]


@pytest.mark.parametrize(("name", "body", "text"), MALFORMED)
def test_a_malformed_call_fails_in_gos_words(name: str, body: str, text: str) -> None:
    with pytest.raises(ParserError) as failed:
        parse(name, f"<tool_call>{body}</tool_call>")
    assert (failed.value.status, failed.value.text) == (500, text)


def test_a_mistral_call_of_an_unknown_tool_fails() -> None:
    with pytest.raises(ParserError, match="tool 'nope' not found"):
        parse("ministral", '[TOOL_CALLS]nope[ARGS]{"a":1}')


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ('{"path": "a.py"}]', "invalid character ']' after top-level value"),
        ("ls -R\n", "invalid character 'l' looking for beginning of value"),
    ],
)
def test_harmony_tells_the_raw_text_in_its_error(arguments: str, error: str) -> None:
    with pytest.raises(ParserError) as failed:
        parse("harmony", f"<|channel|>commentary to=functions.bash <|constrain|>json<|message|>{arguments}")
    assert failed.value.text == f"error parsing tool call: raw='{arguments}', err={error}"


def test_a_cut_glm_call_must_be_declared_and_have_what_is_required() -> None:
    with pytest.raises(ParserError, match='incomplete GLM tool call: tool "f" is not declared'):
        parse("glm-4.7", "<tool_call>f<arg_key>a</arg_key><arg_value>1</arg_value>")
    with pytest.raises(ParserError, match='required argument "content" is missing for tool "write_file"'):
        parse("glm-4.7", "<tool_call>write_file<arg_key>path</arg_key><arg_value>1</arg_value>")


DAMAGED = [
    (
        "<function=f>\n<parameter=c>\n<x>&y</x> <parameter=foo> </parameter>\n</parameter>\n</function>",
        {"c": "<x>&y</x> "},
    ),
    ("<function=f>\n<path>a.py</path>\n</function>", {}),
    ('<function name="f">\n<parameter name="path">a.py</parameter>\n</function>', {"path": "a.py"}),
    (
        "<function=f>\n<parameter=path>\na.py\n</parameter>\n</function>\n</function>\n</function_invocation>",
        {"path": "a.py"},
    ),
]


@pytest.mark.parametrize(("body", "arguments"), DAMAGED)
def test_what_the_xml_reader_damages_or_lets_pass(body: str, arguments: dict[str, object]) -> None:
    assert parse("qwen3-coder", f"<tool_call>\n{body}\n</tool_call>")[2] == [ToolUse("f", arguments)]


def test_quotes_in_a_name_stay_in_it() -> None:
    assert parse("qwen3-coder", '<tool_call><function="f"></function></tool_call>')[2] == [ToolUse('"f"')]


@pytest.mark.parametrize(
    "body",
    [
        "f<arg_key>path</arg_key>a.py</arg_value>",
        "f path</arg_key><arg_value>a.py</arg_value>",
        "f<arg_key>path</arg_key></arg_key><arg_value>a.py</arg_value>",
    ],
)
def test_glm_puts_missing_tags_in(body: str) -> None:
    assert parse("glm-4.7", f"<tool_call>{body}</tool_call>")[2] == [ToolUse("f", {"path": "a.py"})]


def test_without_its_opener_a_call_is_content() -> None:
    text = "I will look.\n\n<function=write_file>\n</function>\n</tool_call>"
    assert parse("qwen3-coder", text) == (text, "", [])


def test_a_model_without_a_parser_hands_over_raw_text() -> None:
    assert parse("", "<think>a</think>", _XML) == (f"<think>a</think>{_XML}", "", [])


def test_white_space_at_the_end_is_withheld() -> None:
    assert parse("qwen3-coder", "Done. \n\n")[0] == "Done."


def test_thought_ends_with_its_closer_or_with_a_call() -> None:
    assert parse("qwen3.5", "<think>\nHm", "m.\n</thi", "nk>\n", "\nSo.", thinking=True) == ("So.", "Hmm.", [])
    assert parse("qwen3.5", f"Hm.\n{_XML}", thinking=True) == ("", "Hm.", [CALL])
    assert parse("glm-4.7", f"Hm {_GLM}</think>So.", thinking=True) == ("So.", f"Hm {_GLM}", [])
    assert parse("gemma4", "No thought.", thinking=True) == ("No thought.", "", [])
    assert parse("gemma4", "<|channel>thought\nHm.<channel|>So.", thinking=True) == ("So.", "Hm.", [])


def test_a_model_told_not_to_think_has_its_thought_shown() -> None:
    assert parse("qwen3.5", "Hm.</think>So.")[0] == "Hm.</think>So."


@pytest.mark.parametrize("name", FAMILIES)
@given(data=st.data())
def test_however_it_is_cut_in_pieces_the_result_is_the_same(name: str, data: st.DataObject) -> None:
    family = FAMILIES[name]
    text = family.dialect.write(says("I  will.", CALL, thinking="Hm. Hm."))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert parse(family.parser, *pieces, thinking=family.thinks) == parse(family.parser, text, thinking=family.thinks)


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if family.parser])
@given(
    path=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1),
    content=st.text(alphabet="ab\n {}\"'=/", min_size=1),
)
def test_what_is_written_is_read_back(name: str, path: str, content: str) -> None:
    family = FAMILIES[name]
    if (
        any(mark in path for mark in ("<", ">", "|", "["))
        or path.lower().strip() in ("null", "")
        or path != path.strip()
    ):
        return
    use = ToolUse("write_file", {"path": path, "content": f"x{content}x"})
    text = family.dialect.write(says("So.", use))
    assert parse(family.parser, text)[2] == [use]
