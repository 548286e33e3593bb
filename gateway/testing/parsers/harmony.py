"""The parser of gpt-oss: messages with a header that names channel and recipient. The only one whose errors carry the raw text."""

from __future__ import annotations

from gateway.testing.ask import Ask
from gateway.testing.parsers.go_syntax import ParserError, go_object
from gateway.testing.parsers.parsed import Parsed, overlap
from gateway.testing.script import ToolUse


class Harmony:
    """One turn of gpt-oss. A call is read when the turn is over, as Ollama does."""

    def __init__(self, ask: Ask) -> None:
        self._buffer = "<|start|>assistant"
        last = ask.messages[-1] if ask.prefilled else {}
        if last.get("content"):
            self._buffer += "<|channel|>final<|message|>"
        elif last.get("thinking"):
            self._buffer += "<|channel|>analysis<|message|>"
        self._header: str | None = None
        self._name = ""
        self._arguments = ""

    def feed(self, text: str) -> Parsed:
        self._buffer += text
        parsed = Parsed()
        while self._next(parsed):
            pass
        return parsed

    def close(self) -> Parsed:
        if not self._name:
            return Parsed()
        try:
            return Parsed(calls=[ToolUse(self._name, go_object(self._arguments))])
        except ParserError as error:
            raise ParserError(f"error parsing tool call: raw='{self._arguments}', err={error.text}") from None

    def _next(self, parsed: Parsed) -> bool:
        if self._header is None:
            header, found, rest = self._buffer.partition("<|message|>")
            if not found:
                return False
            self._begin(header)
            self._buffer = rest
            return True
        text, found, rest = self._buffer.partition("<|end|>")
        if found:
            self._take(parsed, text)
            self._header, self._buffer = None, rest
            return True
        held = overlap(text, "<|end|>")
        self._take(parsed, text[: len(text) - held])
        self._buffer = text[len(text) - held :]
        return False

    def _begin(self, header: str) -> None:
        self._header = header
        _, found, recipient = header.partition(" to=")
        if found:
            self._name = recipient.split()[0].split("<")[0].removeprefix("functions.")

    def _take(self, parsed: Parsed, text: str) -> None:
        header = self._header or ""
        if " to=" in header:
            self._arguments += text
        elif "<|channel|>analysis" in header:
            parsed.thinking += text
        else:
            parsed.content += text
