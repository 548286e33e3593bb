"""What models get wrong is put right where its meaning is certain, and the mend has a name; else nothing is guessed."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from gateway.core.stream import Call, Part, Proof, Reasoning, Text, Unreadable


def coder(*arguments: str) -> str:
    return "<tool_call>\n<function=read_file>\n" + "".join(arguments) + "</function>\n</tool_call>"


PATH = "<parameter=path>\na.py\n</parameter>\n"
LIMIT = "<parameter=limit>\n3\n</parameter>\n"
BOTH = {"path": "a.py", "limit": 3}
ARGUMENTS = '{"path": "a.py", "limit": 3}'
STRING = json.dumps(ARGUMENTS)
OBJECT = f'{{"name": "read_file", "arguments": {ARGUMENTS}}}'


@pytest.mark.parametrize(
    ("dialect", "text", "mends"),
    [
        ("qwen3-coder", coder(PATH, LIMIT).removeprefix("<tool_call>\n"), ("missing_opener",)),
        ("qwen3-coder", coder(PATH.removesuffix("</parameter>\n"), LIMIT), ("missing_argument_closer",)),
        ("qwen3-coder", coder(PATH, LIMIT.removesuffix("</parameter>\n")), ("missing_argument_closer",)),
        ("qwen3-coder", coder(PATH, LIMIT).replace("</function>\n", ""), ("missing_closer",)),
        ("qwen3-coder", coder(PATH, LIMIT).replace("</function>", "</function>\n</function>"), ("extra_closers",)),
        ("qwen3-coder", coder(PATH, LIMIT) + "\n</function>\n</tool_call>", ("extra_closers",)),
        ("qwen3-coder", coder(PATH, LIMIT).replace("</function>", "</function>\n</function_invocation>"), ("extra_closers",)),
        ("qwen3-coder", "<tool_call>\n" + coder(PATH, LIMIT), ("doubled_tag",)),
        ("qwen3-coder", coder(PATH, LIMIT).replace("read_file>", "read_file"), ("unclosed_tag",)),
        ("qwen3-coder", coder(PATH, LIMIT).replace("limit>", "limit"), ("unclosed_tag",)),
        ("qwen3-coder", coder(PATH, LIMIT).replace("read_file", '"read_file"'), ()),
        ("qwen3-coder", coder(PATH, LIMIT).replace("read_file", "ReadFile"), ("tool_name_case",)),
        ("qwen3-coder", coder(PATH, LIMIT).replace("\n", " "), ()),
        ("qwen3-coder", coder('{"path": "a.py", "limit": 3}\n'), ()),
        ("qwen3-coder", f"<tool_call>\n{OBJECT}\n</tool_call>", ("other_dialect",)),
        ("hermes", f"<tool_call>\n{OBJECT[:-1]}\n</tool_call>", ("missing_brace",)),
        ("hermes", f"<tool_call>\n{OBJECT}}}\n</tool_call>", ("extra_closers",)),
        ("hermes", f"<tool_call>\n```json\n{OBJECT}\n```\n</tool_call>", ()),
        ("hermes", f"<tools>\n{OBJECT}\n</tools>", ("wrong_wrapper",)),
        ("hermes", f"<response>\n{OBJECT}\n</response>", ("other_dialect", "wrong_wrapper")),
        ("hermes", OBJECT, ("other_dialect",)),
        ("hermes", f"```json\n{OBJECT}\n```", ("other_dialect",)),
        ("hermes", f"<tool_call>\n{OBJECT.replace('3', chr(34) + '3' + chr(34))}\n</tool_call>", ("string_to_integer",)),
        ("hermes", f"<tool_call>\n{OBJECT.replace('{', '{{', 1)[1:]}\n</tool_call>", ()),
        ("glm-4.7", "<tool_call>read_file path</arg_key><arg_value>a.py</arg_value><arg_key>limit</arg_key><arg_value>3</arg_value></tool_call>", ("glued_key",)),
        ("glm-4.7", "<tool_call>read_file<arg_key>path</arg_key><arg_value>a.py</arg_value>limit</arg_key><arg_value>3</arg_value></tool_call>", ("missing_key_opener",)),
        ("glm-4.7", "<tool_call>read_file<arg_key>path</arg_key><arg_value>a.py<arg_key>limit</arg_key><arg_value>3</arg_value></tool_call>", ("missing_argument_closer",)),
        ("glm-4.5", "<tool_call>read_file\n<arg_key>path</arg_key>\na.py</arg_value>\n<arg_key>limit</arg_key>\n3</arg_value>\n</tool_call>", ("missing_value_opener",)),
        ("mistral-args", 'read_file{"path": "a.py", "limit": 3}', ("missing_opener", "stripped_token")),
        ("mistral-args", '[TOOL_CALLS]read_file{"path": "a.py", "limit": 3}', ("stripped_token",)),
        ("kimi-k2", 'read_file:0<|tool_call_argument_begin|>{"path": "a.py", "limit": 3}', ("stripped_token", "missing_closer")),
        ("kimi-k2", '<|tool_call_begin|>functions.read_file:0<|tool_call_argument_begin|>{"path": "a.py", "limit": 3<|tool_call_end|>', ("missing_brace",)),
        ("deepseek-v3", '<｜tool▁calls▁begin｜>function<｜tool▁sep｜>read_file\n```json\n{"path": "a.py", "limit": 3}\n```<｜tool▁calls▁end｜>', ()),
        ("deepseek-dsml", '<｜DSML｜function_calls>\n<｜DSML｜invoke name="read_file">\n<｜DSML｜parameter name="arguments" string="false">{"path": "a.py", "limit": 3}</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>', ("wrapped_arguments",)),
        ("llama3-json", '<|python_tag|>read_file.call(path="a.py", limit=3)', ()),
        ("kimi-k2", f"<|tool_call_begin|>functions.read_file:0<|tool_call_argument_begin|>{STRING}<|tool_call_end|>", ("arguments_as_string",)),
        ("kimi-k2", f"<|tool_call_begin|>functions.read_file:0<|tool_call_argument_begin|>{ARGUMENTS}}}<|tool_call_end|>", ("extra_closers",)),
        ("kimi-k2", f"<|tool_call_begin|>functions.read_file:0<|tool_call_argument_begin|>```json\n{ARGUMENTS}\n```<|tool_call_end|>", ()),
        ("deepseek-v3", f"<｜tool▁calls▁begin｜><｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>read_file\n```json\n{ARGUMENTS}\n```<｜tool▁call▁end｜>", ("doubled_tag",)),
        ("deepseek-v3", f"<｜tool▁call▁begin｜>function<｜tool▁sep｜>read_file\n```json\n{ARGUMENTS[:-1]}\n```<｜tool▁call▁end｜>", ("missing_brace",)),
        ("deepseek-v3", f"functionread_file\n```json\n{ARGUMENTS}\n```", ("stripped_token", "missing_closer")),
        ("deepseek-v3.1", f"read_file{ARGUMENTS}", ("stripped_token", "missing_closer")),
        ("mistral-args", f"[TOOL_CALLS]read_file[ARGS]{STRING}", ("arguments_as_string",)),
        ("mistral-args", f"[TOOL_CALLS]read_file[ARGS]{ARGUMENTS}}}", ("extra_closers",)),
        ("mistral-args", f"[TOOL_CALLS]read_file[ARGS]```json\n{ARGUMENTS}\n```", ()),
        ("mistral-array", f"[TOOL_CALLS] [{OBJECT[:-1]}]", ("missing_brace",)),
        ("functionary", f"<function=read_file>{STRING}</function>", ("arguments_as_string",)),
        ("functionary", f"<function=read_file>{ARGUMENTS[:-1]}</function>", ("missing_brace",)),
        ("functionary", f"<function=read_file>{ARGUMENTS}}}</function>", ("extra_closers",)),
        ("harmony", f"commentary to=functions.read_file json{ARGUMENTS}", ("stripped_token",)),
        ("harmony", f"assistantcommentary to=functions.read_file json{ARGUMENTS}<|call|>", ("stripped_token",)),
        ("gemma4", '<|tool_call>:call:read_file{path:<|"|>a.py<|"|>,limit:3}<turn|>', ()),
        ("gemma4", 'call:read_file{path:<|"|>a.py<|"|>,limit:3}<tool_call|>', ("missing_opener",)),
        ("glm-4.7", "read_file<arg_key>path</arg_key><arg_value>a.py</arg_value><arg_key>limit</arg_key><arg_value>3</arg_value></tool_call>", ("missing_opener",)),
        ("glm-4.7", f"<tool_call>read_file{ARGUMENTS}</tool_call>", ()),
        ("apertus", f'[{{"read_file": {ARGUMENTS}}}]', ("stripped_token",)),
        ("cline", "<read_file>\n<path>a.py</path>\n<limit>3</limit>\n</read_file>\n</read_file>", ("extra_closers",)),
        ("cline", "<think>\nhm\n<read_file>\n<path>a.py</path>\n<limit>3</limit>\n</read_file>", ("unclosed_thought",)),
        ("minicpm5", '<function name="read_file"><arguments><param name="path"><![CDATA[a.py]]></param><param name="limit">3</param></arguments></function>', ()),
        ("cohere-fence", f'Action: ```\n[{{"tool_name": "read_file", "parameters": {ARGUMENTS}}}]\n```', ()),
        ("hermes", f'{{"tool_calls": [{OBJECT}]}}', ("other_dialect",)),
        ("granite3", f"<|tool_call|><|tool_call|>[{OBJECT}]", ("doubled_tag",)),
        ("apertus", f'<|tools_prefix|><|tools_prefix|>[{{"read_file": {ARGUMENTS}}}]<|tools_suffix|><|tools_suffix|>', ("doubled_tag",)),
        ("minimax-m2", '<invoke name="read_file">\n<parameter name="path">a.py</parameter>\n<parameter name="limit">3</parameter>\n</invoke>\n</minimax:tool_call>', ()),
        ("cline", "<read_file>\n<args><file><path>a.py</path><limit>3</limit></file></args>\n</read_file>", ("string_to_integer",)),
    ],
)  # fmt: skip
def test_certain_mends(dialect: str, text: str, mends: tuple[str, ...], read: Callable[..., list[Part]]) -> None:
    for size in (0, 1, 3, 7, 64):
        [call] = [part for part in read(dialect, text, size=size) if not isinstance(part, Reasoning)]
        assert isinstance(call, Call)
        assert (call.name, json.loads(call.arguments), call.proof) == (
            "read_file",
            BOTH_IN.get(text, BOTH),
            Proof.COMPLETE,
        )
        assert tuple(sorted(set(call.mends))) == tuple(sorted(mends))


BOTH_IN = {coder(PATH, LIMIT).replace("\n", " "): {"path": " a.py ", "limit": 3}}
"""Blanks on one line are the value's, since the template sets values off by line ends."""


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("hermes", '<tool_call>\n{"name": "read_file", "arguments": {"path": "say "hi" now"}}\n</tool_call>'),
        ("hermes", '<tool_call>\n{"name": "read_file", "arguments": {"path": 15:30}}\n</tool_call>'),
        ("hermes", '<tool_call>\n{"name": "read_file", "arguments": {"path": "C:\\Users\\new"}}\n</tool_call>'),
        ("hermes", '<tool_call>\n{"name": "read_file", "arguments": {"path": "a", "path": "b"}}\n</tool_call>'),
        ("hermes", '<tool_call>\n{"name": "read_file", "arguments": {"limit": 3}}\n</tool_call>'),
        ("hermes", '<tool_call>\n{"name": "read_file", "arguments": {"path":\n</tool_call>'),
        ("hermes", '<tool_call>\n{"name": "erase_disk", "arguments": {}}\n</tool_call>'),
        ("qwen3-coder", coder(LIMIT)),
        ("qwen3-coder", coder(PATH, LIMIT.replace("3", "many"))),
        ("glm-4.7", "<tool_call>erase_disk<arg_key>path</arg_key><arg_value>/</arg_value></tool_call>"),
        ("glm-4.7", "<tool_call>read_file</arg_key><arg_value>a.py</arg_value></tool_call>"),
        ("pythonic", '<|tool_call_start|>[read_file("a.py")]<|tool_call_end|>'),
        ("gemma4", "<|tool_call>call:read_file{path:unquoted words}<tool_call|>"),
        ("harmony", "<|channel|>commentary to=python code<|message|>print(1)<|call|>"),
        ("harmony", f"<|channel|>commentary togo=functions.read_file <|constrain|>json<|message|>{ARGUMENTS}<|call|>"),
        ("cohere-action", '<|START_ACTION|>[{"tool_name": "read_file", "parameters": {"path": 15:30}}]<|END_ACTION|>'),
        ("cohere-action", "<|START_ACTION|>[!!!]<|END_ACTION|>"),
        ("hermes", "<tool_call>\nread a.py\n</tool_call>"),
        ("hermes", '<tool_call>\n{"name": "read_file", "arguments": {"path": "a.py"}, "limit": 3}}\n</tool_call>'),
        ("mistral-args", '[TOOL_CALLS]read_file[ARGS]{"path": "a.py"}, "limit": 3}'),
        (
            "kimi-k2",
            '<|tool_call_begin|>read_file:0<|tool_call_argument_begin|>{"path": "a.py"}, "limit": 3}<|tool_call_end|>',
        ),
        ("qwen3-coder", coder("<parameter=path>\na.py\n</parameter>\n</parameter>\n")),
        ("qwen3-coder", coder("<parameter=path>\na.py\n</para\n", LIMIT)),
        ("qwen3-coder", coder(PATH, LIMIT.replace("<parameter", "<parameters"))),
        ("qwen3-coder", coder("<parameter=path>\n<parameter=path>\na.py\n</parameter>\n")),
        (
            "invoke",
            '<function_calls><invoke name="read_file"><parameter name="path" a > b</parameter></invoke></function_calls>',
        ),
        ("glm-4.7", "<tool_call>read_file<arg_key>path</arg_key><arg_valu>a.py</arg_value></tool_call>"),
        (
            "hermes",
            '<tool_call>\n{"name": "read_file", "arguments": {"path": "a", "o": {"b": 1, "limit": 2}}\n</tool_call>',
        ),
        (
            "kimi-k2",
            '<|tool_call_begin|>read_file:0<|tool_call_argument_begin|>{"path": "a", "o": {"b": 1, "c": 2}<|tool_call_end|>',
        ),
    ],
)
def test_what_is_not_certain_is_refused(dialect: str, text: str, read: Callable[..., list[Part]]) -> None:
    for size in (0, 1, 7):
        [part] = read(dialect, text, size=size)
        assert isinstance(part, Unreadable) or (isinstance(part, Call) and part.proof is Proof.UNPROVEN)
        assert isinstance(part, Call) or part.reason


def test_text_among_the_arguments_is_neither_value_nor_layout(read: Callable[..., list[Part]]) -> None:
    for text in (coder(PATH, "and then\n"), coder(PATH, "and then\n", LIMIT)):
        for part in read("qwen3-coder", text):
            assert isinstance(part, Unreadable) or (isinstance(part, Call) and part.proof is Proof.UNPROVEN)


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("qwen3-coder", "<tool_call>\n</tool_call>"),
        ("hermes", "<tool_call></tool_call>"),
        ("granite3", "<|tool_call|>[]"),
        ("mistral-array", "[TOOL_CALLS] []"),
        ("kimi-k2", "<|tool_calls_section_begin|><|tool_calls_section_end|>"),
        ("deepseek-v3", "<｜tool▁calls▁begin｜><｜tool▁calls▁end｜>"),
        ("pythonic", "<|tool_call_start|>[]<|tool_call_end|>"),
        ("qwen3-coder", "</tool_call>"),
        ("cohere-action", "<|END_THINKING|>"),
    ],
)
def test_markers_around_nothing_are_nothing(dialect: str, text: str, read: Callable[..., list[Part]]) -> None:
    assert read(dialect, text) == []
    assert read(dialect, text, size=1) == []


@pytest.mark.parametrize("end", ["close", "cut"])
def test_a_name_alone_is_no_call_where_something_is_required(end: str, read: Callable[..., list[Part]]) -> None:
    for dialect, text in (
        ("qwen3-coder", "<tool_call>\n<function=read_file>\n"),
        ("hermes", '<tool_call>\n{"name": "read_file", "arguments": {'),
        ("glm-4.7", "<tool_call>read_file"),
        ("mistral-args", "[TOOL_CALLS]read_file[ARGS]{"),
    ):
        [call] = read(dialect, text, end=end)
        assert isinstance(call, Call)
        assert call.proof is Proof.UNPROVEN


def test_a_mention_before_the_real_call(read: Callable[..., list[Part]]) -> None:
    text = "Use <tool_call>\n<function=some_name\nNo, with <tool_call>:\n" + coder(PATH, LIMIT)
    for size in (0, 1, 5):
        said, call = read("qwen3-coder", text, size=size)
        assert isinstance(said, Text)
        assert isinstance(call, Call)
        assert json.loads(call.arguments) == BOTH


def test_of_several_calls_those_that_can_be_read_come_out(read: Callable[..., list[Part]]) -> None:
    bad = '{"tool_name": "read_file", "parameters": {"path": 15:30}}'
    good = '{"tool_name": "read_file", "parameters": {"path": "a.py", "limit": 3}}'
    for calls in ((bad, good), (good, bad)):
        parts = read("cohere-action", f"<|START_ACTION|>[{', '.join(calls)}]<|END_ACTION|>")
        assert {type(part) for part in parts} == {Call, Unreadable}


def test_markers_with_no_call_between_them_are_text_in_the_middle_of_a_line(read: Callable[..., list[Part]]) -> None:
    for dialect, text in (
        ("hermes", "Write <tool_call>your call</tool_call> so."),
        ("mistral-args", "Use [TOOL_CALLS] so."),
    ):
        assert read(dialect, text) == [Text(text)]


def test_control_tokens_of_no_call_are_no_text(read: Callable[..., list[Part]]) -> None:
    """The model meant a call: it is asked for again, whatever of it was shown."""
    for dialect, text in (
        ("mistral-array", '[TOOL_CALLS] [read_file", "arguments": {"path": "a.py"}}]'),
        ("deepseek-v3.1", 'read_file<｜tool▁sep｜>{"path": "a.py"}<｜tool▁call▁end｜>'),
    ):
        assert any(isinstance(part, Unreadable) for part in read(dialect, text))
        assert "TOOL_CALLS" not in "".join(part.text for part in read(dialect, text) if isinstance(part, Text))


def test_that_no_tool_is_wanted_is_no_call(read: Callable[..., list[Part]]) -> None:
    """Command-R says so by a tool that nobody declared."""
    assert read("cohere-fence", 'Action: ```json\n[{"tool_name": "directly-answer", "parameters": {}}]\n```') == []


def test_a_call_that_lacks_its_closer_ends_where_the_next_one_begins(read: Callable[..., list[Part]]) -> None:
    text = "<read_file>\n<path>a.py</path>\n<write_file>\n<path>b.py</path>\n<content>x</content>\n</write_file>"
    first, second = read("cline", text)
    assert isinstance(first, Call)
    assert isinstance(second, Call)
    assert (first.name, first.arguments, first.mends) == ("read_file", '{"path": "a.py"}', ("missing_closer",))
    assert (second.name, second.arguments) == ("write_file", '{"path": "b.py", "content": "x"}')
