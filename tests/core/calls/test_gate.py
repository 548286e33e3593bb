"""The gate lets through what its tool takes, mends what is certain, and says why it refuses the rest."""

from __future__ import annotations

import json

import pytest

from gateway.core.calls import Fault, Refusal, judge, proof_of
from gateway.core.conversation import ToolSpec
from gateway.core.stream import Call, Proof

WRITE = ToolSpec(
    name="write_file",
    parameters={
        "type": "object",
        "properties": {
            "file_path": {"type": "string"},
            "content": {"type": "string"},
            "mode": {"type": "integer"},
            "tags": {"type": "array"},
        },
        "required": ["file_path", "content"],
    },
)
LIST = ToolSpec(name="list-files", parameters={"type": "object", "properties": {}})
FREE = ToolSpec(name="free")
TOOLS = (WRITE, LIST, FREE)
WHOLE = '{"file_path": "a",  "content": "b"}'


def judged(name: str, arguments: str, *, cut: bool = False) -> Call | Refusal:
    return judge(Call(id="c1", name=name, arguments=arguments), TOOLS, cut=cut)


def passed(name: str, arguments: str) -> Call:
    call = judged(name, arguments)
    assert isinstance(call, Call)
    return call


def test_a_good_call_passes_byte_for_byte() -> None:
    assert passed("write_file", WHOLE) == Call(id="c1", name="write_file", arguments=WHOLE)


@pytest.mark.parametrize(
    "arguments",
    [
        '{"file_path": "a", "content": "b", "more": {"x": 1.50}}',
        '{"file_path":"a","content":"b","mode":420}',
        '{"file_path": "a", "content": "b", "mode": 123456789012345678901234567890}',
        '{"file_path": "a", "content": "b", "mode": null}',
    ],
)
def test_further_keys_and_long_numbers_are_not_ours(arguments: str) -> None:
    assert passed("write_file", arguments).arguments == arguments


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("Write_File", "tool_name_case"),
        ("writeFile", "tool_name_case"),
        ("write-file", "tool_name_case"),
        ('"write_file"', "quoted_name"),
        ("functions.write_file", "tool_name_prefix"),
    ],
)
def test_a_name_that_can_only_mean_one_tool(name: str, mend: str) -> None:
    call = passed(name, WHOLE)
    assert (call.name, call.mends, call.arguments) == ("write_file", (mend,), WHOLE)


@pytest.mark.parametrize(
    ("arguments", "result", "mends"),
    [
        ('{"file_path": "a", "content": "b", "mode": "420"}', {"mode": 420}, ("string_to_integer",)),
        ('{"file_path": "a", "content": "b", "tags": "[1]"}', {"tags": [1]}, ("string_to_json",)),
        ('{"filePath": "a", "content": "b"}', {}, ("argument_name_case",)),
        (json.dumps(WHOLE), {}, ("arguments_as_string",)),
        ('{"arguments": ' + WHOLE + "}", {}, ("wrapped_arguments",)),
        ("{'file_path': 'a', 'content': 'b'}", {}, ("python_literal",)),
        ('{"file_path": "a", "content": "b", "content": "b"}', {}, ("duplicate_key",)),
    ],
)
def test_certain_mends_are_named(arguments: str, result: dict[str, object], mends: tuple[str, ...]) -> None:
    call = passed("write_file", arguments)
    assert json.loads(call.arguments) == {"file_path": "a", "content": "b", **result}
    assert call.mends == mends


def test_numbers_beside_a_mend_keep_their_digits() -> None:
    call = passed("write_file", '{"file_path": "a", "content": "b", "mode": "7", "x": 0.10000000000000000001}')
    assert '"mode": 7' in call.arguments
    assert '"x": 0.10000000000000000001' in call.arguments


@pytest.mark.parametrize("arguments", ["", "  ", "null", "{}"])
def test_nothing_is_an_empty_object_for_a_tool_that_needs_nothing(arguments: str) -> None:
    assert json.loads(passed("list-files", arguments).arguments) == {}


@pytest.mark.parametrize(
    ("name", "arguments", "fault"),
    [
        ("remove", "{}", Fault.UNDECLARED),
        ("", "{}", Fault.UNDECLARED),
        ("write_file", '{"file_path": "a", "content": "half', Fault.NOT_JSON),
        ("write_file", '{"file_path": "a", "content": "b"', Fault.NOT_JSON),
        ("write_file", '["a", "b"]', Fault.NOT_AN_OBJECT),
        ("write_file", '"a"', Fault.NOT_AN_OBJECT),
        ("write_file", "", Fault.MISSING),
        ("write_file", "{}", Fault.MISSING),
        ("write_file", '{"file_path": "a"}', Fault.MISSING),
        ("write_file", '{"file_path": "a", "content": null}', Fault.WRONG_TYPE),
        ("write_file", '{"file_path": "a", "content": {"b": 1}}', Fault.WRONG_TYPE),
        ("write_file", '{"file_path": "a", "content": "b", "mode": "high"}', Fault.WRONG_TYPE),
        ("write_file", '{"file_path": "a", "content": "b", "mode": NaN}', Fault.NOT_JSON),
    ],
)
def test_what_is_not_whole_and_valid_is_refused_with_its_reason(name: str, arguments: str, fault: Fault) -> None:
    refusal = judged(name, arguments)
    assert isinstance(refusal, Refusal)
    assert refusal.fault is fault
    assert refusal.reason


def test_two_tools_that_a_name_may_mean() -> None:
    tools = (ToolSpec(name="read_file"), ToolSpec(name="readFile"))
    verdict = judge(Call(id="", name="READFILE", arguments="{}"), tools, cut=False)
    assert isinstance(verdict, Refusal)


def test_a_cut_call_is_never_more_than_required_complete() -> None:
    verdict = judged("write_file", WHOLE, cut=True)
    assert isinstance(verdict, Call)
    assert verdict.proof is Proof.REQUIRED_COMPLETE
    assert isinstance(judged("write_file", '{"file_path": "a"}', cut=True), Refusal)
    assert isinstance(judged("free", "", cut=True), Refusal)


@pytest.mark.parametrize(
    ("tool", "given", "closed", "proof"),
    [
        (WRITE, {"file_path"}, False, Proof.UNPROVEN),
        (WRITE, {"file_path"}, True, Proof.UNPROVEN),
        (WRITE, {"file_path", "content"}, False, Proof.REQUIRED_COMPLETE),
        (WRITE, {"file_path", "content"}, True, Proof.CLOSERS_ONLY),
        (WRITE, {"file_path", "content", "mode", "tags"}, False, Proof.CLOSERS_ONLY),
        (LIST, set(), False, Proof.CLOSERS_ONLY),
        (FREE, set(), False, Proof.REQUIRED_COMPLETE),
    ],
)
def test_how_far_a_cut_list_of_arguments_is_proven(tool: ToolSpec, given: set[str], closed: bool, proof: Proof) -> None:
    assert proof_of(tool, given, closed=closed) is proof
