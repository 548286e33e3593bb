"""Every way of writing tool calls for which a real Ollama has a parser: how its prompt ends, and how its calls look."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tests.real.saying import Model
from tests.real.script import Line, Script, write_script
from tests.real.spelling import CONTENT, PATH, TOOL, VISIBLE, Place, Spelling, cut_scripts

Generation = Literal["old", "new"]

_BOTH: tuple[Generation, ...] = ("old", "new")
_OLD: tuple[Generation, ...] = ("old",)
_NEW: tuple[Generation, ...] = ("new",)


@dataclass(frozen=True, slots=True)
class Dialect:
    """A parser of Ollama's with the renderer or template before it.

    `cue` is the tail of its prompts, `lead` is said before the call. `markers` are single tokens; where they are
    control tokens, the new generation prints them only for its parser. `think` goes with the request.
    """

    parser: str
    spelling: Spelling
    markers: tuple[str, ...]
    cue: str = "<|im_start|>assistant\n"
    lead: str = f"{VISIBLE}\n\n"
    renderer: str = ""
    template: str = ""
    ending: str = "<|im_end|>"
    control: bool = False
    think: bool | None = None
    generations: tuple[Generation, ...] = _BOTH

    @property
    def name(self) -> str:
        return self.parser or "template"

    @property
    def model(self) -> Model:
        return Model(ending=self.ending, hidden=self.markers if self.control else ())

    def fields(self) -> dict[str, object]:
        """The fields of /api/create."""
        named = {"parser": self.parser, "renderer": self.renderer, "template": self.template}
        return {key: value for key, value in named.items() if value}

    def says(self, call: str) -> Script:
        """A script that says the lead and this call; tokens end where the text does, so that the call can be made again."""
        for ends in self._ends:
            with contextlib.suppress(ValueError):
                return write_script(Line((self.cue,), self.lead + call, ends), markers=self.markers)
        return write_script(Line((self.cue,), self.lead + call), markers=self.markers)

    def cut(self) -> Iterator[tuple[Script, dict[Place, int]]]:
        """Scripts that say the lead and the good call, with a `num_predict` for each class of place."""
        cuts = {place: len(self.lead) + cut for place, cut in self.spelling.cuts(self.markers).items()}
        line = Line((self.cue,), self.lead + self.spelling.whole)
        return cut_scripts(line, cuts, markers=self.markers, ends=self._ends)

    @property
    def _ends(self) -> tuple[tuple[int, ...], ...]:
        """Where the visible text may end for a server, best first: as it trims it and as it is, or one of them."""
        trimmed, whole = self.lead.index(VISIBLE) + len(VISIBLE), len(self.lead)
        single = ((whole,), (trimmed,)) if self.lead.endswith("\n") else ((trimmed,), (whole,))
        return ((trimmed, whole), *single) if trimmed < whole else ((whole,),)


def _json(before: str, between: str, after: str) -> Spelling:
    """Arguments as a JSON object, in which a quotation mark must be escaped."""
    last = CONTENT.replace("\n", "\\n")
    return Spelling((before, TOOL, between, PATH, '", "content": "', last, f'"{after}'), 'print("hi")')


def _pythonic(opener: str, closer: str) -> Spelling:
    """Arguments as those of a call in Python."""
    last = CONTENT.replace("\n", "\\n")
    return Spelling((opener, TOOL, '(path="', PATH, '", content="', last, f'"){closer}'), 'print("hi")')


def _tagged(opener: str, named: str, argument: str, after: str, closers: str) -> Spelling:
    """Arguments between tags, raw: `named` follows the name, `argument` opens one, `after` closes it."""
    between = after + argument.format("content")
    parts = (opener, TOOL, named + argument.format("path"), PATH, between, CONTENT, after + closers)
    return Spelling(parts, f"tag = '{after.strip()}'")


def _chatml(*, tool_calls: str = "") -> str:
    """A Go template; `tool_calls` shows Ollama's generic parser how a call begins."""
    return (
        "{{ if .Tools }}<|im_start|>system\n{{ range .Tools }}{{ . }}\n{{ end }}<|im_end|>\n{{ end }}"
        "{{ range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}" + tool_calls + "<|im_end|>\n{{ end }}"
        "<|im_start|>assistant\n"
    )


_GENERIC = (
    '{{ if .ToolCalls }}{{ range .ToolCalls }}<tool_call>\n{"name": "{{ .Function.Name }}", "arguments": {{ .Function.Arguments }}}\n'
    "</tool_call>{{ end }}{{ end }}"
)
_MISTRAL = (
    "{{ range .Tools }}[AVAILABLE_TOOLS]{{ . }}[/AVAILABLE_TOOLS]{{ end }}"
    '{{ range .Messages }}{{ if eq .Role "user" }}[INST]{{ .Content }}[/INST]{{ else }}{{ .Content }}</s>{{ end }}{{ end }}'
)
_HARMONY = (
    "{{ range .Tools }}<|start|>developer<|message|>{{ . }}<|end|>{{ end }}"
    "{{ range .Messages }}<|start|>{{ .Role }}<|message|>{{ .Content }}<|end|>{{ end }}<|start|>assistant"
)

_TAGS = ("<tool_call>", "</tool_call>", "<think>", "</think>")
_GLM_TAGS = (*_TAGS, "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>")
_DEEPSEEK_TAGS = (
    "<｜tool▁calls▁begin｜>",
    "<｜tool▁call▁begin｜>",
    "<｜tool▁sep｜>",
    "<｜tool▁call▁end｜>",
    "<｜tool▁calls▁end｜>",
    "</think>",
)
_COHERE_TAGS = tuple(f"<|{end}_{part}|>" for end in ("START", "END") for part in ("THINKING", "TEXT", "ACTION"))

_QWEN_XML = _tagged(
    "<tool_call>\n<function=", ">\n", "<parameter={}>\n", "\n</parameter>\n", "</function>\n</tool_call>"
)
_HERMES = _json('<tool_call>\n{"name": "', '", "arguments": {"path": "', "}}\n</tool_call>")
_GLM = _tagged("<tool_call>", "", "<arg_key>{}</arg_key><arg_value>", "</arg_value>", "</tool_call>")
_LAGUNA = _tagged("<tool_call>", "\n", "<arg_key>{}</arg_key>\n<arg_value>", "</arg_value>\n", "</tool_call>")
_MINISTRAL = _json("[TOOL_CALLS]", '[ARGS]{"path": "', "}")
_GPT_OSS = _json(
    "<|start|>assistant<|channel|>commentary to=functions.", ' <|constrain|>json<|message|>{"path": "', "}"
)
_DEEPSEEK = _json(
    "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>",
    '<｜tool▁sep｜>{"path": "',
    "}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
)
_COGITO = _json(
    "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>",
    '\n```json\n{"path": "',
    "}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
)
_COHERE = _json(
    '<|START_ACTION|>[\n    {"tool_call_id": "0", "tool_name": "', '", "parameters": {"path": "', "}}\n]<|END_ACTION|>"
)
_OLMO = _pythonic("<function_calls>", "</function_calls>")
_LFM2 = _pythonic("<|tool_call_start|>[", "]<|tool_call_end|>")
_FUNCTIONGEMMA = Spelling(
    (
        "<start_function_call>call:",
        TOOL,
        "{path:<escape>",
        PATH,
        "<escape>,content:<escape>",
        CONTENT,
        "<escape>}<end_function_call>",
    ),
    "tag = '<escape>'",
)
_GEMMA4 = Spelling(
    ("<|tool_call>call:", TOOL, '{path:<|"|>', PATH, '<|"|>,content:<|"|>', CONTENT, '<|"|>}<tool_call|>'),
    "tag = '<|\"|>'",
)
_GLIMMER = _tagged(
    '<|start|>assistant to=write_file<|message|><atem:function_calls>\n<atem:invoke name="',
    '">\n',
    '<atem:parameter name="{}">',
    "</atem:parameter>\n",
    "</atem:invoke>\n</atem:function_calls>",
)

_THINKING = "<|im_start|>assistant\n<think>\n"
_THOUGHT = f"A file is wanted.\n</think>\n\n{VISIBLE}\n\n"
_TIGHT = f"A file is wanted.</think>{VISIBLE}"

DIALECTS: tuple[Dialect, ...] = (
    Dialect("qwen3-coder", _QWEN_XML, _TAGS, renderer="qwen3-coder"),
    Dialect("qwen3.5", _QWEN_XML, _TAGS, _THINKING, _THOUGHT, renderer="qwen3.5"),
    Dialect("ornith", _QWEN_XML, _TAGS, _THINKING, _THOUGHT, renderer="ornith", generations=_NEW),
    Dialect("nemotron-3-nano", _QWEN_XML, _TAGS, _THINKING, _THOUGHT, renderer="nemotron-3-nano"),
    Dialect("nemotron-3.5-nano", _QWEN_XML, _TAGS, _THINKING, _THOUGHT, renderer="nemotron-3.5-nano", generations=_NEW),
    Dialect("qwen3", _HERMES, _TAGS, template=_chatml()),
    Dialect("qwen3-thinking", _HERMES, _TAGS, lead=f"<think>\n{_THOUGHT}", template=_chatml()),
    Dialect("qwen3-vl-instruct", _HERMES, _TAGS, renderer="qwen3-vl-instruct"),
    Dialect("qwen3-vl-thinking", _HERMES, _TAGS, _THINKING, _THOUGHT, renderer="qwen3-vl-thinking"),
    Dialect("", _HERMES, _TAGS, template=_chatml(tool_calls=_GENERIC)),
    Dialect("glm-4.7", _GLM, _GLM_TAGS, "<|assistant|><think>", _TIGHT, renderer="glm-4.7", ending="<|user|>"),
    Dialect("glm-ocr", _GLM, _GLM_TAGS, "<|assistant|>\n", renderer="glm-ocr", ending="<|user|>"),
    Dialect("laguna", _LAGUNA, _GLM_TAGS, "<assistant>\n", renderer="laguna", ending="</assistant>", generations=_OLD),
    Dialect(
        "laguna",
        _LAGUNA,
        _GLM_TAGS,
        "<assistant>\n<think>",
        _TIGHT,
        renderer="laguna",
        ending="</assistant>",
        generations=_NEW,
    ),
    Dialect(
        "poolside-v1",
        _LAGUNA,
        _GLM_TAGS,
        "<think>",
        _TIGHT,
        renderer="poolside-v1",
        ending="</assistant>",
        generations=_NEW,
    ),
    Dialect("olmo3", _OLMO, ("<function_calls>", "</function_calls>"), renderer="olmo3"),
    Dialect("lfm2", _LFM2, ("<|tool_call_start|>", "<|tool_call_end|>"), renderer="lfm2", control=True),
    Dialect(
        "lfm2-thinking",
        _LFM2,
        ("<|tool_call_start|>", "<|tool_call_end|>"),
        lead=f"<think>{_THOUGHT}",
        renderer="lfm2-thinking",
        control=True,
    ),
    Dialect(
        "ministral",
        _MINISTRAL,
        ("[TOOL_CALLS]", "[ARGS]"),
        "[/INST]",
        VISIBLE,
        template=_MISTRAL,
        ending="</s>",
        control=True,
    ),
    Dialect(
        "harmony",
        _GPT_OSS,
        ("<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|constrain|>"),
        "<|start|>assistant",
        "<|channel|>analysis<|message|>A file is wanted.<|end|>"
        f"<|start|>assistant<|channel|>commentary<|message|>{VISIBLE}<|end|>",
        template=_HARMONY,
        ending="<|call|>",
        control=True,
    ),
    Dialect(
        "deepseek3",
        _DEEPSEEK,
        _DEEPSEEK_TAGS,
        "<｜Assistant｜><think>",
        _TIGHT,
        renderer="deepseek3.1",
        ending="<｜end▁of▁sentence｜>",
        control=True,
    ),
    Dialect(
        "cogito",
        _COGITO,
        _DEEPSEEK_TAGS,
        "<｜Assistant｜>",
        VISIBLE,
        renderer="cogito",
        ending="<｜end▁of▁sentence｜>",
        control=True,
        think=False,
    ),
    Dialect(
        "functiongemma",
        _FUNCTIONGEMMA,
        ("<start_function_call>", "<end_function_call>"),
        "<start_of_turn>model\n",
        renderer="functiongemma",
        ending="<end_of_turn>",
        control=True,
    ),
    Dialect(
        "gemma4",
        _GEMMA4,
        ("<|channel>", "<channel|>", "<|tool_call>", "<tool_call|>", '<|"|>'),
        "<|turn>model\n",
        f"<|channel>thought\nA file is wanted.<channel|>{VISIBLE}",
        renderer="gemma4",
        ending="<turn|>",
        control=True,
        think=True,
    ),
    Dialect(
        "cohere",
        _COHERE,
        _COHERE_TAGS,
        "<|CHATBOT_TOKEN|><|START_THINKING|>",
        f"A file is wanted.<|END_THINKING|><|START_TEXT|>{VISIBLE}<|END_TEXT|>",
        renderer="cohere",
        ending="<|END_OF_TURN_TOKEN|>",
        control=True,
        generations=_NEW,
    ),
    Dialect(
        "glimmer",
        _GLIMMER,
        ("<|start|>", "<|message|>", "<|eom|>"),
        "<|start|>assistant",
        f" to=user<|message|>{VISIBLE}<|eom|>",
        renderer="glimmer",
        ending="<|eot|>",
        control=True,
        generations=_NEW,
    ),
)
