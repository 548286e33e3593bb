"""The server's own reading of what its model writes: content, thoughts, tool calls. What is cut is dropped, damaged or an error.

Which of the three depends on the model's parser; a new parser is one row in MARKUPS, or a class of its own like Harmony.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, TypeAlias

from gateway.testing.ask import Ask, Messages
from gateway.testing.parsers import call_reading as reading
from gateway.testing.parsers.harmony import Harmony
from gateway.testing.parsers.parsed import Parsed, overlap
from gateway.testing.script import ToolUse

Read: TypeAlias = Callable[[str, Messages], list[ToolUse]]


class OutputParser(Protocol):
    """Takes the model's text piece by piece. Both methods raise ParserError."""

    def feed(self, text: str) -> Parsed: ...

    def close(self) -> Parsed: ...


class End(Protocol):
    """Finds where a call ends in a text that grows; looks at each character once."""

    def find(self, text: str) -> tuple[int, int] | None:
        """Where the call's own text ends and where what follows begins."""
        ...


class ClosedBy:
    """The call ends with a tag."""

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self._from = 0

    def find(self, text: str) -> tuple[int, int] | None:
        at = text.find(self._tag, self._from)
        self._from = max(0, len(text) - len(self._tag) + 1)
        return None if at < 0 else (at, at + len(self._tag))


class Balanced:
    """The call ends with the brace that closes its first JSON object."""

    def __init__(self) -> None:
        self._from = 0
        self._depth = 0
        self._quoted = self._escaped = False

    def find(self, text: str) -> tuple[int, int] | None:
        begin, self._from = self._from, len(text)
        for at in range(begin, len(text)):
            if self._closes(text[at]):
                return at + 1, at + 1
        return None

    def _closes(self, character: str) -> bool:
        if self._quoted:
            self._quoted = self._escaped or character != '"'
            self._escaped = character == "\\" and not self._escaped
        elif character == '"':
            self._quoted = True
        elif character == "{" or (character == "[" and self._depth):
            self._depth += 1
        elif character in "}]" and self._depth:
            self._depth -= 1
            return self._depth == 0
        return False


def _dropped(_: str, __: Messages) -> list[ToolUse]:
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Markup:
    """Where calls and thoughts begin and end, and what becomes of a call that is cut."""

    opener: str = "<tool_call>"
    closer: str = "</tool_call>"  # empty: the call ends with its JSON object
    read: Read
    cut: Read = _dropped
    group_end: str = ""  # several calls stand in one group, which this ends
    thinks: bool = False
    think: tuple[str, str] = ("<think>", "</think>")
    call_ends_thought: bool = True
    thought_is_marked: bool = False  # no thought without its opening tag
    trims: bool = True  # white space before a call, and at the end, is withheld
    swallows: bool = False  # nothing after the first call is shown
    flushes: bool = False  # an opener that was cut is shown at the end

    def end(self) -> End:
        return ClosedBy(self.closer) if self.closer else Balanced()


class MarkupParser:
    """One turn read by its markup."""

    def __init__(self, markup: Markup, tools: Messages, *, thinking: bool) -> None:
        self._markup = markup
        self._tools = tools
        self._end = markup.end()
        self._step: Callable[[Parsed], bool] = self._in_thought if thinking else self._in_content
        self._buffer = ""
        self._fresh = True  # nothing of the thought was seen: a redundant opening tag may come
        self._eats = False  # white space after a tag is not shown, however late it comes

    def feed(self, text: str) -> Parsed:
        self._buffer += text
        parsed = Parsed()
        while self._step(parsed):
            pass
        return parsed

    def close(self) -> Parsed:
        parsed = Parsed()
        if self._step == self._in_call:
            parsed.calls = self._markup.cut(self._buffer, self._tools)
        elif self._markup.flushes and self._step == self._in_content:
            parsed.content = self._buffer
        self._buffer = ""
        return parsed

    def _in_thought(self, parsed: Parsed) -> bool:
        opener, closer = self._markup.think
        if self._fresh:
            start = self._buffer.lstrip()
            if opener.startswith(start) and start != opener:
                return False  # empty, or perhaps the beginning of the tag
            self._fresh = False
            if start.startswith(opener):
                self._buffer, self._eats = start.removeprefix(opener), True
            elif self._markup.thought_is_marked:
                self._step = self._in_content
                return True
        self._eat()
        ends = [closer, self._markup.opener] if self._markup.call_ends_thought else [closer]
        found = min((end for end in ends if end in self._buffer), key=self._buffer.find, default="")
        if not found:
            parsed.thinking += self._certain(*ends)
            return False
        before, _, after = self._buffer.partition(found)
        parsed.thinking += before.rstrip()
        self._buffer, self._eats = after.lstrip(), True
        self._step = self._in_content if found == closer else self._in_call
        return True

    def _in_content(self, parsed: Parsed) -> bool:
        self._eat()
        before, found, after = self._buffer.partition(self._markup.opener)
        if not found:
            parsed.content += self._certain(self._markup.opener)
            return False
        parsed.content += before.rstrip() if self._markup.trims else before
        self._buffer = after
        self._step = self._in_call
        return True

    def _in_call(self, parsed: Parsed) -> bool:
        group_end = self._markup.group_end
        if group_end and self._buffer.startswith(group_end):
            self._buffer = self._buffer.removeprefix(group_end).lstrip()
            self._step = self._in_content
            return True
        found = self._end.find(self._buffer)
        if found is None:
            return False
        parsed.calls += self._markup.read(self._buffer[: found[0]], self._tools)
        self._buffer = self._buffer[found[1] :].lstrip()
        self._end = self._markup.end()
        if self._markup.swallows:
            self._step = self._in_silence
        elif not group_end:
            self._step = self._in_content
        return True

    def _in_silence(self, _: Parsed) -> bool:
        self._buffer = ""
        return False

    def _eat(self) -> None:
        if self._eats:
            self._buffer = self._buffer.lstrip()
            self._eats = not self._buffer

    def _certain(self, *markers: str) -> str:
        """What can be no marker's beginning; the rest is withheld."""
        held = max(overlap(self._buffer, marker) for marker in markers)
        certain = self._buffer[: len(self._buffer) - held]
        certain = certain.rstrip() if self._markup.trims else certain
        self._buffer = self._buffer[len(certain) :]
        return certain


class Passthrough:
    """No parser: the text is the content, markup and all."""

    def feed(self, text: str) -> Parsed:
        return Parsed(content=text)

    def close(self) -> Parsed:
        return Parsed()


MARKUPS: Mapping[str, Markup] = MappingProxyType(
    {
        "qwen3-coder": Markup(read=reading.read_qwen_xml),
        "qwen3.5": Markup(read=reading.read_qwen_xml, thinks=True),
        "nemotron-3-nano": Markup(read=reading.read_qwen_xml, thinks=True),
        "qwen3": Markup(read=reading.read_hermes),
        "qwen3-thinking": Markup(read=reading.read_hermes, thinks=True),
        "glm-4.7": Markup(read=reading.read_glm, cut=reading.read_cut_glm, thinks=True, call_ends_thought=False),
        "laguna": Markup(read=reading.read_glm, cut=reading.read_cut_laguna, thinks=True, flushes=True),
        "gemma4": Markup(
            opener="<|tool_call>",
            closer="<tool_call|>",
            read=reading.read_gemma,
            cut=reading.read_cut_gemma,
            thinks=True,
            think=("<|channel>thought\n", "<channel|>"),
            thought_is_marked=True,
            flushes=True,
        ),
        "ministral": Markup(opener="[TOOL_CALLS]", closer="", read=reading.read_mistral),
        "deepseek3": Markup(
            opener="<｜tool▁calls▁begin｜>",
            closer="<｜tool▁call▁end｜>",
            group_end="<｜tool▁calls▁end｜>",
            read=reading.read_deepseek,
            thinks=True,
            call_ends_thought=False,
            flushes=True,
        ),
        "template": Markup(closer="", read=reading.read_anything, trims=False, swallows=True),
    }
)


def parser_for(name: str, ask: Ask, *, thinking: bool) -> OutputParser:
    """The parser of a model, at the start of a turn. `thinking`: the model was asked to think, or does so by default."""
    if name == "harmony":
        return Harmony(ask)
    markup = MARKUPS.get(name)
    if markup is None or (name == "template" and not ask.tools):
        return Passthrough()
    begun = ask.prefilled and bool(ask.messages[-1].get("content"))
    return MarkupParser(markup, ask.tools, thinking=markup.thinks and thinking and not begun)
