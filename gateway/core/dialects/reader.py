"""Reads a model's raw text. Law: a call comes out when it is certain; what may still turn into one is held; no text is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from gateway.core.conversation import ToolSpec
from gateway.core.dialects.answer import Answer
from gateway.core.dialects.dialect import Dialect
from gateway.core.dialects.markers import Markers
from gateway.core.dialects.registry import AUTOMATIC, DIALECTS
from gateway.core.stream import Call, Part, Proof


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call that has begun: its name if that is known, the offset of its opener in the text fed, its proof so far."""

    name: str
    offset: int
    proof: Proof


class ToolReader:
    """A stage from a model's raw text to parts.

    `thinking`: the template has opened a thought already. `close` is for the model's own end, `cut` for every other one;
    after either the reader is spent. Until then it may be fed on, also across a seam.
    A call with raw values comes out when the next one begins or the text ends, since only then its end is certain.
    """

    def __init__(self, dialect: Dialect, tools: Sequence[ToolSpec], *, thinking: bool = False) -> None:
        spoken = None if dialect is AUTOMATIC else dialect
        self._answer = Answer(_markers(dialect, tuple(tool.name for tool in tools)), tools, spoken, thinking=thinking)
        self._scanner = self._answer.scanner
        self.feed: Callable[[str], Sequence[Part]] = self._answer.feed
        """Take the next piece, give what is certain now: not by a method of its own, since it is asked for every token."""

    def close(self) -> Sequence[Part]:
        """The model ended its answer itself."""
        return self._answer.end(cut=False)

    def cut(self) -> Sequence[Part]:
        """The answer was cut: by its length, a crash, a missing end."""
        return self._answer.end(cut=True)

    @property
    def open_call(self) -> OpenCall | None:
        """The call that is half open now, judged as if the text were cut here."""
        held = self._answer.held
        if held is None:
            return None
        trial = self._answer.trial()
        trial.feed(self._scanner.unread(held))
        last = [*trial.end(cut=True)][-1:]
        if last and isinstance(last[0], Call) and last[0].proof is not Proof.COMPLETE:
            return OpenCall(last[0].name, held + trial.reading.cut_at, last[0].proof)
        return None

    @property
    def looked(self) -> int:
        """Characters looked at so far: the measure of work, which grows with the text and no faster."""
        return self._scanner.looked


@lru_cache(maxsize=32)
def _markers(dialect: Dialect, names: tuple[str, ...]) -> Markers:
    """The same for every answer to a client, whose tools stay the same."""
    if dialect is AUTOMATIC:
        return Markers(DIALECTS, (), names)
    return Markers((dialect,), [other for other in DIALECTS if other is not dialect], names)
