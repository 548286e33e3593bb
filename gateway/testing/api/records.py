"""Ollama's own records: the events of an answer as the JSON objects of `/api/chat` and `/api/generate`, keys in Ollama's order."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from gateway.testing import gojson
from gateway.testing.ask import Ask
from gateway.testing.generations import Generation
from gateway.testing.gojson import Json
from gateway.testing.models.model import SimModel
from gateway.testing.runtime.engine import Event, Finished, Loaded, Rendered, Said
from gateway.testing.script import ToolUse

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_OPENING = ("model", "created_at", "message", "response", "thinking", "logprobs")
Now: TypeAlias = Callable[[], float]


@dataclass(slots=True)
class Records:
    """Writes the records of one answer. `now` is the time of day in seconds, `dice` gives ids and probabilities."""

    ask: Ask
    model: SimModel
    generation: Generation
    now: Now
    dice: random.Random
    calls: int = 0

    def of(self, event: Event) -> Json:
        """The record of an event of the answer."""
        match event:
            case Loaded(reason):
                return {**self._head(), **self._message(), "done": True, "done_reason": reason}
            case Rendered(prompt, images):
                info: Json = {"rendered_template": prompt} | ({"image_count": images} if images else {})
                return {**self._head(), **self._message(role=""), "done": False, "_debug_info": info}
            case Said():
                return self._said(event)
            case Finished():
                return self._finished(event)
            case _:
                raise AssertionError(event)

    def together(self, events: Sequence[Event]) -> Json:
        """The one record of an answer that is not streamed: the last one, with all that was said before it."""
        if not events:
            return {"model": "", "created_at": gojson.ZERO_TIME, **self._message(role=""), "done": False}
        said = [event for event in events if isinstance(event, Said)]
        parsed = [event.parsed for event in events if isinstance(event, Said | Finished)]
        content, thinking = "".join(part.content for part in parsed), "".join(part.thinking for part in parsed)
        calls = [call for part in parsed for call in self._calls(part.calls)]
        ending = {key: value for key, value in self.of(events[-1]).items() if key not in _OPENING}
        probabilities = [entry for event in said for entry in self._logprobs(event)]
        if (
            probabilities and self.ask.surface == "chat"
        ):  # Go's struct has them before the durations there, behind them here
            done: Json = {key: ending.pop(key) for key in ("done", "done_reason") if key in ending}
            ending = {**done, "logprobs": probabilities, **ending}
        elif probabilities:
            ending["logprobs"] = probabilities
        return {**self._head(), **self._message(content, thinking, calls), **ending}

    def _said(self, event: Said) -> Json:
        parsed = event.parsed
        record = {
            **self._head(),
            **self._message(parsed.content, parsed.thinking, self._calls(parsed.calls)),
            "done": False,
        }
        probabilities = self._logprobs(event)
        return {**record, "logprobs": probabilities} if probabilities else record

    def _finished(self, event: Finished) -> Json:
        total = event.load_seconds + event.prompt_seconds + event.seconds
        cached: Json = {"prompt_eval_cached_count": event.cached_tokens} if self.generation.reports_cached else {}
        metrics: Json = {
            "total_duration": gojson.nanoseconds(total),
            "load_duration": gojson.nanoseconds(event.load_seconds),
            "prompt_eval_count": event.prompt_tokens,
            **cached,
            "prompt_eval_duration": gojson.nanoseconds(event.prompt_seconds),
            "eval_count": event.tokens,
            "eval_duration": gojson.nanoseconds(event.seconds),
        }
        known = {key: value for key, value in metrics.items() if value or key == "prompt_eval_cached_count"}
        context: Json = {"context": list(event.context)} if event.context else {}
        last = self._message(event.parsed.content, event.parsed.thinking, self._calls(event.parsed.calls))
        return {**self._head(), **last, "done": True, "done_reason": event.reason, **context, **known}

    def _head(self) -> Json:
        return {"model": self.ask.model, "created_at": gojson.moment(self.now())}

    def _message(
        self, content: str = "", thinking: str = "", calls: Iterable[Json] = (), role: str = "assistant"
    ) -> Json:
        thought: Json = {"thinking": thinking} if thinking else {}
        if self.ask.surface == "generate":
            return {"response": content, **thought}
        called: Json = {"tool_calls": list(calls)} if calls else {}
        return {"message": {"role": role, "content": content, **thought, **called}}

    def _calls(self, uses: Iterable[ToolUse]) -> list[Json]:
        return [self._call(use) for use in uses]

    def _call(self, use: ToolUse) -> Json:
        name = "".join(self.dice.choices(_LETTERS, k=8))
        index, self.calls = self.calls, self.calls + 1
        return {"id": f"call_{name}", "function": {"index": index, "name": use.name, "arguments": dict(use.arguments)}}

    def _logprobs(self, event: Said) -> list[Json]:
        if not self.ask.logprobs:
            return []
        return [self._logprob(token, event) for token in event.tokens]

    def _logprob(self, token: int, event: Said) -> Json:
        entry = self._token(token, hidden=not event.text, logprob=-round(self.dice.random() / 4, 6))
        if self.ask.top_logprobs:
            others = [
                self._token(self.dice.randrange(256, 4000), logprob=-9.0 - n) for n in range(self.ask.top_logprobs - 1)
            ]
            entry["top_logprobs"] = [dict(entry), *others]
        return entry

    def _token(self, token: int, *, logprob: float, hidden: bool = False) -> Json:
        data = b"" if hidden else self.model.family.vocabulary.bytes_of(token)
        text = data.decode("utf-8", "replace")
        return {"token": text, "logprob": logprob} | ({"bytes": list(data)} if data else {})
