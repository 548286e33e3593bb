"""Behind an unmistakable opener there is a call or none at all, but never text; a marker that is only mentioned is text."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.conversation import ToolSpec
from gateway.core.dialects import AUTOMATIC, DIALECTS, ToolReader
from gateway.core.stream import Call, Part, Proof, Reasoning, Text, Unreadable
from tests.core.dialects.seams import seamless

RUN = ToolSpec(
    name="run",
    parameters={
        "type": "object",
        "properties": {"command": {"type": "string"}, "limit": {"type": "integer"}},
        "required": ["command"],
    },
)
OBJECT = '{"name": "run", "arguments": '
# What the models of a dialect write up to a call's arguments, and into them.
OPENERS = [
    ("seed-oss", "<seed:tool_call>\n<function=run>\n"),
    ("seed-oss", "<seed:tool_call>\n<function=run>\n<parameter=command>"),
    ("minimax-m2", '<minimax:tool_call>\n<invoke name="run">\n'),
    ("minimax-m2", '<minimax:tool_call>\n<invoke name="run">\n<parameter name="command">'),
    ("deepseek-dsml", '<｜DSML｜function_calls>\n<｜DSML｜invoke name="run">\n'),
    ("deepseek-v3", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>run\n"),
    ("deepseek-v3", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>run\n```json\n"),
    ("deepseek-v3.1", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>run<｜tool▁sep｜>"),
    ("kimi-k2", "<|tool_calls_section_begin|><|tool_call_begin|>functions.run:0<|tool_call_argument_begin|>"),
    ("kimi-k2", "<|tool_call_begin|>run<|tool_call_argument_begin|>"),
    ("harmony", "<|channel|>commentary to=functions.run <|constrain|>json<|message|>"),
    ("glimmer", '<|start|>assistant to=run<|message|><atem:function_calls>\n<atem:invoke name="run">\n'),
    ("glimmer", "<|start|>assistant to=run<|message|>"),
    ("glimmer", '<atem:function_calls>\n<atem:invoke name="run">\n<atem:parameter name="command">'),
    ("gemma4", "<|tool_call>call:run{"),
    ("gemma4", "<|tool_call>call:run "),
    ("cohere-action", '<|START_ACTION|>[{"tool_name": "run", "parameters": '),
    ("pythonic", "<|tool_call_start|>[run(command="),
    ("pythonic", "<|tool_call_start|>[run "),
    ("apertus", '<|tools_prefix|>[{"run": '),
    ("nemotron-nano-v2", f"<TOOLCALL>[{OBJECT}"),
    ("minicpm5", '<function name="run">'),
    ("minicpm5", '<function name="run"><param name="command">'),
    ("qwen3-coder", "<tool_call>\n<function=run>\n"),
    ("qwen3-coder", "<tool_call>\n<function=run>\n<parameter=command>\n"),
    ("qwen3-coder", "<function=run>\n"),
    ("glm-4.5", "<tool_call>run\n"),
    ("glm-4.5", "<tool_call>run\n<arg_key>command</arg_key>\n<arg_value>"),
    ("glm-4.7", "<tool_call>run<arg_key>"),
    ("glm-4.7", "<tool_call>run<arg_key>command</arg_key>"),
    ("mistral-args", "[TOOL_CALLS]run[ARGS]"),
    ("mistral-args", "[TOOL_CALLS]run "),
    ("mistral-args", "[TOOL_CALLS]run[CALL_ID]"),
    ("mistral-array", f"[TOOL_CALLS] [{OBJECT}"),
    ("phi4-functools", f"functools[{OBJECT}"),
    ("granite3", f"<|tool_call|>[{OBJECT}"),
    ("granite-20b", f"<function_call> {OBJECT}"),
    ("functionary", "<function=run>"),
    ("invoke", '<function_calls>\n<invoke name="run">\n'),
    ("invoke", '<invoke name="run">\n<parameter name="command">'),
    ("cline", "<run>\n<command>\n"),
    ("apriel", f"<tool_calls>[{OBJECT}"),
    ("cohere-fence", 'Action: ```json\n[{"tool_name": "run", "parameters": '),
    ("hermes", f"<tool_call>\n{OBJECT}"),
    ("hermes", "<tool_call>run "),
    ("llama3-json", '<|python_tag|>{"name": "run", "parameters": '),
    ("llama3-json", "<|python_tag|>run.call("),
    ("json-fence", f"```json\n{OBJECT}"),
    ("bare-json", OBJECT),
]
ORDINARY = {"<function=run>", "<function=run>\n", '<function name="run">', "<tool_call>run ", "<tool_call>run\n"}
FIRST_ONLY = {"json-fence", "bare-json"}  # what these begin with is ordinary behind a text
NAMED = {dialect.name: dialect for dialect in (*DIALECTS, AUTOMATIC)}
SIZES = (1, 3, 7, 64)

table = pytest.mark.parametrize(("name", "opener"), OPENERS, ids=[f"{name}: {text!r}" for name, text in OPENERS])


def read(name: str, text: str, *, size: int = 0, cut: bool = False) -> list[Part]:
    reader = ToolReader(NAMED[name], (RUN,))
    size = size or len(text) or 1
    parts: list[Part] = []
    for at in range(0, len(text), size):
        parts += reader.feed(text[at : at + size])
    return seamless([*parts, *(reader.cut() if cut else reader.close())])


def befores(speaker: str, name: str, opener: str) -> tuple[str, ...]:
    """What may stand before a call that was certainly meant: in the middle of a line a mere name tells that only behind a
    control token of the dialect spoken; all else may be prose.
    """
    if name in FIRST_ONLY:
        return ("",)
    told = OBJECT in opener or (speaker == name and opener not in ORDINARY)
    return ("", "So.\n", "So it goes: ", "Done.") if told else ("", "So.\n", "So.\n \n")


def foreign(name: str) -> list[str]:
    """What ends a call or an argument in other dialects."""
    own = {*NAMED[name].closers, *NAMED[name].inner, *NAMED[name].noise, "</command>"}
    return sorted({mark for dialect in DIALECTS for mark in (*dialect.closers, *dialect.inner)} - own)


LETTERS = st.text("abcdefghijklmnopqrstuvwxyzäß 0123456789.,;!?'-\n", min_size=1, max_size=40)
HALF_JSON = (
    '{"command": "ls -',
    '{"command": "ls -la", "lim',
    '"command": ls}}, 3',
    "{command: 'ls",
    '{"command": [1, ',
    "gogo}}",
)


def garbage(name: str) -> st.SearchStrategy[str]:
    """Endless repetition, prose, half JSON, the closers of other dialects, nothing."""
    endless = st.builds(lambda unit, times: unit * times, LETTERS, st.integers(2, 60))
    closing = st.lists(st.sampled_from(foreign(name)) | LETTERS, min_size=1, max_size=4).map("".join)
    return st.one_of(endless, LETTERS, st.sampled_from(HALF_JSON), closing, st.just(""))


def test_every_dialect_is_in_the_table() -> None:
    assert {name for name, _ in OPENERS} == {dialect.name for dialect in DIALECTS}


@table
@pytest.mark.parametrize("cut", [False, True], ids=["ended", "cut"])
@settings(max_examples=12)
@given(data=st.data())
def test_what_follows_an_opener_is_no_text(name: str, opener: str, cut: bool, data: st.DataObject) -> None:
    rest = data.draw(garbage(name))
    for speaker in (name, "automatic") if not any(mark in rest for mark in foreign(name)) else (name,):
        for before in befores(speaker, name, opener):
            whole = before + opener + rest
            parts = read(speaker, whole, cut=cut)
            assert refused(parts[bool(before) :]), parts
            assert parts[: bool(before)] == [Text(before)] * bool(before)
            for size in SIZES:
                assert read(speaker, whole, size=size, cut=cut) == parts


def refused(parts: Sequence[Part]) -> bool:
    """Whether there is nothing but calls that cannot be read, or are not proven."""
    unproven = [isinstance(part, Call) and part.proof is Proof.UNPROVEN for part in parts]
    return bool(parts) and all(
        isinstance(part, Unreadable) or is_open for part, is_open in zip(parts, unproven, strict=True)
    )


@table
def test_however_long_it_is(name: str, opener: str) -> None:
    for speaker in (name, "automatic"):
        for before in befores(speaker, name, opener)[1:] or ("",):
            for rest in ("go" * 5_000, "and so on, \n" * 800):
                for cut in (False, True):
                    parts = read(speaker, before + opener + rest, size=16, cut=cut)
                    assert parts[: bool(before)] == [Text(before)] * bool(before)
                    assert refused(parts[bool(before) :])


@table
def test_wherever_it_is_cut(name: str, opener: str) -> None:
    whole = opener + "go" * 60
    for end in range(len(opener), len(whole)):
        assert refused(read(name, whole[:end], cut=True))


@pytest.mark.parametrize(
    ("name", "garbled", "behind"),
    [
        ("hermes", "<tool_call>\nrun ls\n</tool_call>", "\nSo."),
        ("glm-4.7", "<tool_call>run the tests</tool_call>", "\nSo."),
        ("kimi-k2", "<|tool_call_begin|>functions.run:0<|tool_call_argument_begin|>gogo<|tool_call_end|>", "So."),
        ("mistral-args", "[TOOL_CALLS]run[ARGS]gogo[/TOOL_CALLS]", "So."),
        ("cohere-action", '<|START_ACTION|>[{"tool_name": "run", "parameters": ls}]<|END_ACTION|>', "So."),
        ("functionary", "<function=run>ls</function>", "So."),
    ],
)
def test_its_closer_ends_it(name: str, garbled: str, behind: str) -> None:
    for size in (0, *SIZES):
        before, refusal, after = read(name, f"So:\n{garbled}{behind}", size=size)
        assert (before, after) == (Text("So:\n"), Text(behind))
        assert isinstance(refusal, Unreadable)
        assert garbled.startswith(refusal.raw.strip())


@pytest.mark.parametrize(
    ("name", "garbled", "call"),
    [
        ("mistral-args", "[TOOL_CALLS]run[ARGS]gogo", '[TOOL_CALLS]run[ARGS]{"command": "ls"}'),
        ("hermes", f"<tool_call>\n{OBJECT}ls}}}}, 3", f'<tool_call>\n{OBJECT}{{"command": "ls"}}}}\n</tool_call>'),
        ("kimi-k2", "<|tool_call_begin|>functions.run:0<|tool_call_argument_begin|>gogo",
         '<|tool_call_begin|>functions.run:1<|tool_call_argument_begin|>{"command": "ls"}<|tool_call_end|>'),
    ],
)  # fmt: skip
def test_the_call_beside_it_is_kept(name: str, garbled: str, call: str) -> None:
    for size in (0, *SIZES):
        refusal, kept = read(name, garbled + call, size=size)
        assert (type(refusal), type(kept)) == (Unreadable, Call)
        kept, refusal = read(name, call + garbled, size=size)
        assert (type(kept), type(refusal)) == (Call, Unreadable)


MARKS = sorted({opener.token for dialect in DIALECTS for opener in dialect.openers if not opener.plain})


@table
def test_in_a_block_or_a_closed_thought_it_is_mentioned(name: str, opener: str) -> None:
    block = f"So:\n````text\n{opener.replace('```json', '')} go on\n````\nDone."
    thought = f"Not {opener} now."
    for speaker in (name, "automatic"):
        for size in (0, *SIZES):
            assert read(speaker, block, size=size) == [Text(block)]
            assert read(speaker, f"<seed:think>{thought}</seed:think>Done.", size=size) == [
                Reasoning(thought),
                Text("Done."),
            ]


@pytest.mark.parametrize("speaker", sorted(NAMED))
def test_in_a_sentence_that_names_no_tool_it_is_mentioned(speaker: str) -> None:
    for mark in MARKS:
        for text in (f"Do not write {mark} here.", f"Do not write {mark}walk here.", f"A run of {mark}, or `{mark}`."):
            for size in (0, *SIZES):
                assert read(speaker, text, size=size) == [Text(text)], mark


@pytest.mark.parametrize(
    "text",
    [
        "Write `<function=run>` so.",
        'Write `<invoke name="run">` so.',
        'Write `<function name="run">` so.',
        "Write `<tool_call>run` so.",
        "Write `[TOOL_CALLS]run[ARGS]` so.",
        "Write `<｜tool▁call▁begin｜>run<｜tool▁sep｜>` so.",
        "Write `<|tool_call_begin|>functions.run:0<|tool_call_argument_begin|>` so.",
        "Write `<|tool_call>call:run` so.",
        "Write `<|tool_call_start|>[run` so.",
    ],
)
@pytest.mark.parametrize("speaker", sorted(NAMED))
def test_between_backticks_it_is_mentioned(speaker: str, text: str) -> None:
    for size in (0, *SIZES):
        assert read(speaker, text, size=size) == [Text(text)]


# What a mention of a call looks like, in one dialect or another.
MENTIONS = (
    "<function=run>",
    '<invoke name="run">',
    '<function name="run">',
    "<tool_call>run",
    "[TOOL_CALLS]run",
    "<|tool_call>call:run",
    "<|tool_call_begin|>functions.run:0",
)


@pytest.mark.parametrize("mention", MENTIONS)
@pytest.mark.parametrize("speaker", sorted(NAMED.keys() - FIRST_ONLY))
def test_a_mention_takes_no_call_along(speaker: str, mention: str) -> None:
    """Whether it is told or refused: what can be read behind it is."""
    call = NAMED[speaker].render(Call(id="", name="run", arguments='{"command": "ls"}'))
    for before in ("The log shows ", "The log shows\n", ""):
        for between in (" and no more.\n", " and <|tool_call> too, or <function=x or <tools>.\n"):
            for size in (0, *SIZES):
                first, *_, last = read(speaker, f"{before}{mention}{between}{call}", size=size)
                assert isinstance(first, Text) or not before
                assert isinstance(last, Call)
                assert (json.loads(last.arguments), last.proof) == ({"command": "ls"}, Proof.COMPLETE)


@pytest.mark.parametrize(
    "foreign", ["<function=", "<tool_call>", "[TOOL_CALLS]", '<invoke name="walk">', "<tool_call>go"]
)
def test_markers_in_what_is_refused_are_refused_with_it(foreign: str) -> None:
    opener = "<|tool_call_begin|>functions.run:0<|tool_call_argument_begin|>"
    for size in (0, *SIZES):
        *garbled, said = read("kimi-k2", f"{opener}gogo {foreign} gogo <|tool_call_end|>So.", size=size)
        assert refused(garbled)
        assert said == Text("So.")


@pytest.mark.parametrize(
    "text",
    [
        'In the .gir file there is <function name="run" c:identifier="g_run"> which is deprecated.',
        'I changed <invoke name="run" /> into a component.',
        "The line <function=run> was missing its closing tag.",
        "+<tool_call>run\n-foo\nDone.",
        "- <tool_call>run is what GLM writes\n- so it is",
        "Look for `x <function=run>` in it.",
        "| opener | `x <tool_call>run` |\n|--|--|\n",
        "Write `` <tool_call>run `` so.",
        "Write `[TOOL_CALLS] and [TOOL_CALLS]run[ARGS]` so.",
        "Write ``a ` and <|tool_call>call:run`` so.",
        "[run(command) for command in commands] is slow.\n\nUse a generator.",
        "[run(command)\n for command in commands]",
    ],
)
@pytest.mark.parametrize("speaker", sorted(NAMED))
def test_a_name_in_prose_makes_no_call(speaker: str, text: str) -> None:
    for size in (0, *SIZES):
        assert read(speaker, text, size=size) == [Text(text)]


@pytest.mark.parametrize(
    ("lead", "indent"), [("1. ", "   "), ("- ", "  "), ("* ", "  "), ("10) - ", "      "), ("> ", "> "), (">", ">")]
)
def test_a_block_in_a_list_or_a_quote_holds_examples(lead: str, indent: str) -> None:
    for body in ("<function=run>\n<x>1</x>", "<tool_call>run go", f"<tool_call>\n{OBJECT}{{}}}}\n</tool_call>"):
        lines = body.replace("\n", "\n" + indent)
        for mark in ("```xml", "```"):
            text = f"So:\n\n{lead}{mark}\n{indent}{lines}\n{indent}```\n\nDone."
            for speaker in ("automatic", "qwen3-coder", "hermes", "glm-4.7"):
                for size in (0, *SIZES):
                    assert read(speaker, text, size=size) == [Text(text)]


def test_behind_such_a_block_there_may_be_a_call() -> None:
    call = f'<tool_call>\n{OBJECT}{{"command": "ls"}}}}\n</tool_call>'
    for block in (
        "1. ```\n   x\n   ```\n",
        "> ```\n> - ```\n> ```\n",
        "```\n> ```\n- ```\n```\n",
        "- ```x``` is it.\n",
        "```x``` is it.\n",
    ):
        for size in (0, *SIZES):
            said, found, behind = read("hermes", f"{block}{call}\n```\ny\n```", size=size)
            assert (said, behind) == (Text(block), Text("\n```\ny\n```"))
            assert isinstance(found, Call)
            assert found.mends == ()
