"""The reader tells text, thoughts and calls apart, holds what may still become a call, and can go on after a cut."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from gateway.core.conversation import ToolSpec
from gateway.core.dialects import AUTOMATIC, OpenCall, ToolReader, choose
from gateway.core.stream import Call, Part, Proof, Reasoning, Text, Unreadable

CODER = "<tool_call>\n<function=read_file>\n<parameter=path>\na.py\n</parameter>\n</function>\n</tool_call>"
HERMES = '<tool_call>\n{"name": "read_file", "arguments": {"path": "a.py"}}\n</tool_call>'
CALL = Call(id="", name="read_file", arguments='{"path": "a.py"}')


def reader(name: str, tools: Sequence[ToolSpec], *, thinking: bool = False) -> ToolReader:
    return ToolReader(choose(named=name, family="", model="", template=""), tools, thinking=thinking)


def open_call(reading: ToolReader) -> OpenCall | None:
    return reading.open_call


def test_text_flows_at_once_and_only_the_beginning_of_a_marker_is_held(offered: Sequence[ToolSpec]) -> None:
    held = reader("hermes", offered)
    assert [*held.feed("Look: a <")] == [Text("Look: a ")]
    assert [*held.feed(" b, <too")] == [Text("< b, ")]
    assert [*held.feed("ls or <tool_call")] == [Text("<tools or ")]
    assert [*held.feed(">")] == []
    assert [*held.feed(HERMES.removeprefix("<tool_call>"))] == [CALL]
    assert held.close() == []


def test_a_call_with_raw_values_comes_out_when_nothing_can_belong_to_it_any_more(offered: Sequence[ToolSpec]) -> None:
    held = reader("qwen3-coder", offered)
    assert held.feed(CODER) == []
    assert held.feed("\n" + CODER) == [CALL]
    assert held.close() == [CALL]


@pytest.mark.parametrize("name", ["qwen3-coder", "hermes", "automatic"])
@pytest.mark.parametrize(
    ("text", "thought", "said"),
    [
        ("<think>\nhm\n</think>\n\nYes.", "hm", "Yes."),
        ("<think></think>Yes.", "", "Yes."),
        ("I say <think> is a tag.", "", "I say <think> is a tag."),
        ("<think>a </thi b</think>c", "a </thi b", "c"),
        ("<think>no end", "no end", ""),
        ("[THINK]hm[/THINK]Yes.", "hm", "Yes."),
        ("<|START_THINKING|>hm<|END_THINKING|>Yes.", "hm", "Yes."),
        ("<seed:think>hm</seed:think>Yes.", "hm", "Yes."),
        ("<|channel>thought\nhm<channel|>Yes.", "hm", "Yes."),
    ],
)
def test_thoughts(name: str, text: str, thought: str, said: str, read: Callable[..., list[Part]]) -> None:
    wanted = [Reasoning(thought)] * bool(thought) + [Text(said)] * bool(said)
    for size in (0, 1, 4):
        assert read(name, text, size=size) == wanted
        assert read(name, text, size=size, tools=()) == wanted


def test_a_thought_may_be_open_at_the_start(read: Callable[..., list[Part]]) -> None:
    for size in (0, 1):
        assert read("hermes", "hm\n</think>\n\n" + HERMES, thinking=True, size=size) == [Reasoning("hm"), CALL]
        assert read("harmony", "hm<|end|>", thinking=True, size=size) == [Reasoning("hm")]


@pytest.mark.parametrize("call", [CODER, HERMES])
def test_a_call_in_a_thought_counts_if_the_thought_never_ends(call: str, read: Callable[..., list[Part]]) -> None:
    for size in (0, 1, 9):
        thought, found = read("automatic", f"<think>I need it.\n{call}", size=size)
        assert thought == Reasoning("I need it.")
        assert isinstance(found, Call)
        assert (found.name, found.mends) == ("read_file", ("unclosed_thought",))
        assert read("automatic", f"<think>As in {call}, say.</think>No.", size=size) == [
            Reasoning(f"As in {call}, say."),
            Text("No."),
        ]


OBJECT = '{"name": "read_file", "arguments": {"path": "a.py"}}'
ORDINARY = [
    ("automatic", OBJECT),
    ("qwen3-coder", OBJECT),
    ("hermes", f"[{OBJECT}]"),
    ("hermes", OBJECT.replace(", ", ",\n  ")),
    ("automatic", f"```json\n{OBJECT}\n```"),
    ("hermes", f"```json\n{OBJECT}"),
    ("llama3-json", OBJECT.replace("arguments", "parameters")),
    ("phi4-functools", f"functools[{OBJECT}]"),
    ("cohere-fence", f"Action: ```json\n[{OBJECT}]\n```"),
]


@pytest.mark.parametrize(("name", "call"), ORDINARY)
def test_json_at_the_end_of_a_thought_that_never_ends_is_a_call(
    name: str, call: str, read: Callable[..., list[Part]]
) -> None:
    """The meaning is certain: a declared tool, all that it requires, on lines of its own, and nothing behind it."""
    for size in (0, 1, 3, 7, 64):
        for behind in ("", "\n \n"):
            thought, found = read(name, f"<think>I need it.\n{call}{behind}", size=size)
            assert thought == Reasoning("I need it.")
            assert isinstance(found, Call)
            assert (found.name, found.arguments, found.proof) == ("read_file", CALL.arguments, Proof.COMPLETE)
            assert "unclosed_thought" in found.mends
            [found] = read(name, f"{call}{behind}", size=size, thinking=True)
            assert isinstance(found, Call)


@pytest.mark.parametrize(("name", "call"), ORDINARY)
def test_else_it_is_thought(name: str, call: str, read: Callable[..., list[Part]]) -> None:
    for text, end in (
        (f"I could say\n{call}\nor not.", "close"),
        (f"I could say {' '.join(call.split())}", "close"),
        (f"I could say\n{call}", "cut"),
        (f"I could say\n{call.replace('read_file', 'remove')}", "close"),
        (f"I could say\n{call.replace('path', 'limit')}", "close"),
        (f"I could say\n{call[:-30]}", "close"),
    ):
        for size in (0, 1, 3, 7, 64):
            assert read(name, f"<think>{text}", size=size, end=end) == [Reasoning(text.strip())]
            closed = read(name, f"<think>{text}</think>Yes.", size=size, end=end)
            assert closed == [Reasoning(text.strip()), Text("Yes.")]
        assert reader_holds_no_call(name, text)


def reader_holds_no_call(name: str, text: str) -> bool:
    held = reader(name, ())
    held.feed(f"<think>{text}")
    return open_call(held) is None


@pytest.mark.parametrize("call", [CODER, HERMES])
def test_a_call_in_a_fenced_block_is_an_example(call: str, read: Callable[..., list[Part]]) -> None:
    text = f"So:\n```xml\n{call}\n```\nDone."
    for size in (0, 1, 9):
        assert read("automatic", text, size=size) == [Text(text)]
        assert read("automatic", f"```\ncode\n```\n{call}", size=size) == [Text("```\ncode\n```\n"), CALL]
        block, found = read("automatic", f"```\ncode\n{call}", size=size)
        assert block == Text("```\ncode\n")
        assert isinstance(found, Call)
        assert found.mends == ("unclosed_fence",)


@pytest.mark.parametrize(
    "text",
    [
        "Use <tool_call> or <function=x> or [TOOL_CALLS] here.",
        "A brace { and a bracket [ and `<read_file>`.",
        '{"answer": {"name": "read_file"}}',
        '{"name": "Ada", "arguments": [1]}',
        "for { x() }",
        "functools are fine, so is Action: wait.",
        "```json\n{}\n```",
        "The marker is <tool_call>",
        "<html>\n<body>\n</body>\n</html>",
    ],
)
@pytest.mark.parametrize("name", ["automatic", "hermes", "qwen3-coder", "llama3-json", "cline"])
def test_text_stays_text(name: str, text: str, read: Callable[..., list[Part]]) -> None:
    for size in (0, 1, 5):
        assert read(name, text, size=size) == [Text(text)]


def test_without_tools_everything_is_text(read: Callable[..., list[Part]]) -> None:
    for text in (CODER, HERMES, '{"name": "read_file", "arguments": {}}'):
        assert read("automatic", text, tools=(), size=2) == [Text(text)]


def test_harmony_is_taken_out_of_its_frame_even_without_tools(read: Callable[..., list[Part]]) -> None:
    text = "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Yes.<|return|>"
    for size in (0, 1):
        assert read("harmony", text, tools=(), size=size) == [Reasoning("hm"), Text("Yes.")]


@pytest.mark.parametrize("channel", ["analysis", "commentary", "final"])
def test_a_recipient_makes_a_harmony_message_a_call_whatever_its_channel(
    channel: str, read: Callable[..., list[Part]]
) -> None:
    text = f"<|channel|>{channel} to=functions.read_file <|constrain|>json<|message|>{CALL.arguments}<|call|>"
    assert read("harmony", text) == [CALL]


def test_text_around_calls_keeps_its_place(read: Callable[..., list[Part]]) -> None:
    assert read("hermes", f"One.\n{HERMES}\nTwo.\n{HERMES}\n") == [Text("One.\n"), CALL, Text("\nTwo.\n"), CALL]
    assert read("qwen3-coder", f"One.\n{CODER}\nTwo.") == [Text("One.\n"), CALL, Text("\nTwo.")]


def test_a_broken_call_does_not_take_its_neighbours_along(read: Callable[..., list[Part]]) -> None:
    broken = HERMES.replace('"a.py"', '"say "a.py')
    first, unreadable, last = read("hermes", f"{HERMES}\n{broken}\n{HERMES}")
    assert (first, last) == (CALL, CALL)
    assert isinstance(unreadable, Unreadable)
    assert broken.startswith(unreadable.raw)


def test_an_undeclared_tool_is_not_guessed_at(read: Callable[..., list[Part]]) -> None:
    unreadable, call = read("qwen3-coder", CODER.replace("read_file", "rm_rf") + "\n" + CODER)
    assert isinstance(unreadable, Unreadable)
    assert "rm_rf" in unreadable.reason
    assert call == CALL


def test_another_dialect_is_read_and_marked(read: Callable[..., list[Part]]) -> None:
    [call] = read("hermes", CODER)
    assert isinstance(call, Call)
    assert call.mends == ("other_dialect",)
    assert read("automatic", CODER) == [CALL]


class TestOpenCall:
    """At any moment the reader says what is half open, and goes on when it is fed on."""

    def test_of_a_text_there_is_none(self, offered: Sequence[ToolSpec]) -> None:
        held = reader("qwen3-coder", offered)
        assert open_call(held) is None
        held.feed("Let me see")
        assert open_call(held) is None
        held.feed(CODER)
        assert open_call(held) is None

    def test_its_name_place_and_proof(self, offered: Sequence[ToolSpec]) -> None:
        held = reader("qwen3-coder", offered)
        told: list[tuple[str, int, Proof] | None] = []
        for piece in (
            "Look.\n<tool_",
            "call>\n<func",
            "tion=read_file>",
            "\n<parameter=path>\na.p",
            "y\n</parameter>",
            "\n</funct",
        ):
            held.feed(piece)
            now = open_call(held)
            told.append((now.name, now.offset, now.proof) if now else None)
        assert told == [
            ("", 6, Proof.UNPROVEN),
            ("", 6, Proof.UNPROVEN),
            ("read_file", 6, Proof.UNPROVEN),
            ("read_file", 6, Proof.UNPROVEN),
            ("read_file", 6, Proof.REQUIRED_COMPLETE),
            ("read_file", 6, Proof.CLOSERS_ONLY),
        ]
        assert held.feed("ion>\n</tool_call>") == []
        assert held.close() == [CALL]

    def test_the_second_of_a_list(self, offered: Sequence[ToolSpec]) -> None:
        held = reader("mistral-array", offered)
        first = '[TOOL_CALLS] [{"name": "list_tools", "arguments": {}}'
        held.feed(first)
        assert open_call(held) is None
        held.feed(', {"name": "read_file", "arguments": {"path": "')
        now = open_call(held)
        assert now is not None
        assert (now.name, now.offset) == ("read_file", len(first) + 2)

    def test_in_a_thought(self, offered: Sequence[ToolSpec]) -> None:
        held = reader("hermes", offered)
        held.feed("<think>hm ")
        assert open_call(held) is None
        held.feed('<tool_call>\n{"name": "read_file", "arguments": {"pa')
        now = open_call(held)
        assert now is not None
        assert (now.name, now.offset) == ("read_file", 10)
        assert held.feed("</think>") == [Reasoning(' <tool_call>\n{"name": "read_file", "arguments": {"pa')]
        assert open_call(held) is None

    def test_asking_changes_nothing(self, offered: Sequence[ToolSpec]) -> None:
        for name, text in (("qwen3-coder", CODER), ("hermes", HERMES), ("automatic", f"<think>x{CODER}")):
            asked, left = reader(name, offered), reader(name, offered)
            told: list[Part] = []
            for piece in text:
                told += asked.feed(piece)
                open_call(asked)
            assert [*told, *asked.close()] == [part for piece in text for part in left.feed(piece)] + [*left.close()]


def test_after_its_end_a_reader_gives_nothing_more(offered: Sequence[ToolSpec]) -> None:
    spent = ToolReader(AUTOMATIC, offered)
    assert spent.feed("x") == [Text("x")]
    assert spent.close() == []
    assert [*spent.feed("y"), *spent.cut(), *spent.close()] == []


@pytest.mark.parametrize(
    ("text", "proof"),
    [
        (CODER.removesuffix("</tool_call>"), Proof.COMPLETE),
        (CODER.removesuffix("</function>\n</tool_call>"), Proof.REQUIRED_COMPLETE),
        (HERMES.removesuffix("\n</tool_call>"), Proof.COMPLETE),
        (HERMES.removesuffix("}\n</tool_call>"), Proof.COMPLETE),
        (HERMES.removesuffix("}}\n</tool_call>"), Proof.REQUIRED_COMPLETE),
        (HERMES.removesuffix('"}}\n</tool_call>'), Proof.UNPROVEN),
    ],
)
def test_the_models_own_end_closes_what_is_proven(text: str, proof: Proof, read: Callable[..., list[Part]]) -> None:
    [call] = read("automatic", text)
    assert isinstance(call, Call)
    assert call.proof is proof


def test_a_full_list_is_closed_by_its_schema(read: Callable[..., list[Part]]) -> None:
    """Every argument that the schema knows is there, so that only closers can be missing."""
    both = HERMES.replace('"a.py"', '"a.py", "limit": 3')
    [call] = read("hermes", both.removesuffix("}}\n</tool_call>") + " ", end="cut")
    assert isinstance(call, Call)
    assert (json.loads(call.arguments), call.proof) == ({"path": "a.py"}, Proof.UNPROVEN)  # a number that may go on
    both = HERMES.replace('"path": "a.py"', '"limit": 3, "path": "a.py"')
    [call] = read("hermes", both.removesuffix("}}\n</tool_call>"), end="cut")
    assert isinstance(call, Call)
    assert (json.loads(call.arguments), call.proof) == ({"limit": 3, "path": "a.py"}, Proof.CLOSERS_ONLY)
