"""A raw value is literal, and ends where its call goes on as the template writes it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from gateway.core.dialects import DIALECTS
from gateway.core.stream import Call, Part, Proof, Unreadable

RAW = ["qwen3-coder", "seed-oss", "glm-4.5", "glm-4.7", "minimax-m2", "invoke", "minicpm5", "deepseek-dsml", "cline"]
NAMED = {dialect.name: dialect for dialect in DIALECTS}
VALUES = [
    "",
    "\n",
    "\n\n",
    "  indented\n",
    "a\r\nb",
    "a < b && b > c",
    "&lt; &amp; &#39;",
    "<![CDATA[x]]>",
    '<a href="x">y</a>',
    "</parameter>",
    "</parameter> inside",
    "x = '</parameter>'\ny = 1",
    "<x>\n</parameter>\n</x>",
    "<parameter=path>",
    "<function=f>",
    "</function>",
    "</arg_value> and <arg_key>path</arg_key>",
    "</content>\n<path>x</path>",
    "<think>hm</think>",
    "```\ncode\n```",
    '{"a": 1}',
    "null",
    "42",
    "\x00\x0b\u2028",
    "格" * 3,
]


MARKUP = [  # that an agent writes who edits such files
    '<parameter name="a">1</parameter>',
    '<parameter name="a">1</parameter>\n<parameter name="b">2</parameter>\n',
    "<parameters>\n  <parameter>x</parameter>\n</parameters>\n",
    "  <parameter>\n    <name>x</name>\n  </parameter>\n  <parameter>\n  </parameter>\n",
    "<arg_value>x</arg_value>",
    "<tool_call>\n<function=f>\n<parameter=a>\n1\n</parameter>\n</function>\n</tool_call>\n",
    "<content>x</content>",
    'x = "</parameter>"',
]


def spoken(dialect: str, content: str) -> str:
    arguments = json.dumps({"path": "p", "content": content})
    return NAMED[dialect].render(Call(id="", name="write_file", arguments=arguments))


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("dialect", RAW)
def test_a_value_comes_back_as_it_is_or_not_at_all(dialect: str, value: str, read: Callable[..., list[Part]]) -> None:
    for size in (0, 1, 5):
        [part] = read(dialect, spoken(dialect, value), size=size)
        if isinstance(part, Call) and part.proof is not Proof.UNPROVEN:
            assert json.loads(part.arguments) == {"path": "p", "content": value}
        else:
            assert isinstance(part, Call | Unreadable)


@pytest.mark.parametrize("value", MARKUP)
@pytest.mark.parametrize("dialect", RAW)
def test_balanced_markup_comes_back(dialect: str, value: str, read: Callable[..., list[Part]]) -> None:
    [part] = read(dialect, spoken(dialect, value), size=7)
    assert isinstance(part, Call)
    assert json.loads(part.arguments) == {"path": "p", "content": value}


@pytest.mark.parametrize("dialect", RAW)
def test_a_whole_example_of_a_call_inside_a_value(dialect: str, read: Callable[..., list[Part]]) -> None:
    example = "So:\n" + spoken(dialect, "x") + "\nThat is all.\n"
    [part] = read(dialect, spoken(dialect, example))
    if isinstance(part, Call):
        assert json.loads(part.arguments)["content"] == example
    else:
        assert isinstance(part, Unreadable)


def test_an_example_that_is_balanced_is_read(read: Callable[..., list[Part]]) -> None:
    example = "<tool_call>\n<function=f>\n<parameter=x>\n1\n</parameter>\n</function>\n</tool_call>\n"
    [part] = read("qwen3-coder", spoken("qwen3-coder", example))
    assert isinstance(part, Call)
    assert json.loads(part.arguments)["content"] == example


@pytest.mark.parametrize("dialect", ["qwen3-coder", "seed-oss", "minimax-m2", "glm-4.7"])
def test_half_a_file_never_goes_out(dialect: str, read: Callable[..., list[Part]]) -> None:
    """The closers of a call stand in the middle of a file, without their opener."""
    closers = spoken(dialect, "HERE").partition("HERE")[2]
    for part in read(dialect, spoken(dialect, f"first half{closers}\nsecond half\n")):
        assert not isinstance(part, Call)


def test_one_line_end_on_each_side_belongs_to_the_template(read: Callable[..., list[Part]]) -> None:
    text = "<tool_call>\n<function=write_file>\n<parameter=path>\np\n</parameter>\n<parameter=content>{}</parameter>\n</function>\n</tool_call>"
    for inside, value in [
        ("\na\n", "a"),
        ("\n\na\n\n", "\na\n"),
        ("a", "a"),
        ("\r\na\r\n", "a"),
        ("\n", ""),
        (" a ", " a "),
    ]:
        [part] = read("qwen3-coder", text.replace("{}", inside))
        assert isinstance(part, Call)
        assert json.loads(part.arguments)["content"] == value


@pytest.mark.parametrize("dialect", RAW)
def test_a_cut_value_proves_nothing(dialect: str, read: Callable[..., list[Part]]) -> None:
    text = spoken(dialect, "unmistakable")
    for end in range(text.index("unmistakable"), text.index("unmistakable") + len("unmistakable")):
        [part] = read(dialect, text[:end], end="cut")
        assert isinstance(part, Call)
        assert part.proof is Proof.UNPROVEN
        assert json.loads(part.arguments) == {"path": "p"}
