"""What Ollama answers, taken in whole: the status and each NDJSON line, with the readings that tests ask for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: its status, and its lines (one where it was not streamed)."""

    status: int
    lines: tuple[Json, ...]

    @property
    def last(self) -> Json:
        return self.lines[-1] if self.lines else {}

    @property
    def error(self) -> str | None:
        """The error text that ended it."""
        return str(self.last["error"]) if "error" in self.last else None

    @property
    def reason(self) -> str | None:
        """`done_reason`; None where it did not end with `done`."""
        return str(self.last.get("done_reason")) if self.last.get("done") else None

    @property
    def text(self) -> str:
        """The visible text, of a chat or of a generate."""
        return "".join(str(line.get("response") or message(line).get("content") or "") for line in self.lines)

    @property
    def thinking(self) -> str:
        return "".join(str(message(line).get("thinking") or "") for line in self.lines)

    @property
    def calls(self) -> list[tuple[str, Json]]:
        """The tool calls as (name, arguments)."""
        return [call for line in self.lines for call in _calls(line)]

    @property
    def raw(self) -> str:
        """What the logprobs spell: the model's output as no parser has touched it."""
        return "".join(str(entry["token"]) for line in self.lines for entry in _objects(line.get("logprobs")))

    def count(self, name: str) -> int:
        """A number of the last line, such as `eval_count`; 0 where it is absent."""
        found = self.last.get(name, 0)
        assert isinstance(found, int)
        return found


def message(line: Json) -> Json:
    """The `message` of a chat's line; empty where it has none."""
    found = line.get("message")
    return found if isinstance(found, dict) else {}


def _calls(line: Json) -> Iterator[tuple[str, Json]]:
    for call in _objects(message(line).get("tool_calls")):
        function = call["function"]
        assert isinstance(function, dict)
        yield str(function["name"]), function["arguments"]


def _objects(value: object) -> list[Json]:
    return value if isinstance(value, list) else []
