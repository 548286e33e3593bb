"""One assistant turn as the client sees it, whatever attempts it takes. What was sent is a prefix of one turn, never taken back.

Text and thought flow at once; tool calls are held until the turn's end, so that a new attempt is free to make them anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from gateway.core.calls.by_schema import call_by_schema
from gateway.core.echo import Echo
from gateway.core.loops import GUARDED, TEXT, Bounds, Circles, ThoughtWatch, goes_round
from gateway.core.pieces import Pieces
from gateway.core.plan import Mode
from gateway.core.policy.circles import CircleRules
from gateway.core.stops import StopMatcher
from gateway.core.stream import Call, CallPiece, Part, Proof, Reasoning, Stop, Text, Unreadable, Usage, Verbatim
from gateway.core.transcript import ThinkTags, Transcript

_CALL_ROUNDS = 40
_TAIL = 400  # characters at the end of an answer in which its server's guard against circles would have struck


class Reader(Protocol):
    """Reads the model's own text: a dialect's parser. `open_call` tells what is half open now, None where nothing is."""

    @property
    def open_call(self) -> object | None: ...
    def feed(self, text: str) -> Iterable[Part]: ...
    def close(self) -> Iterable[Part]: ...
    def cut(self) -> Iterable[Part]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What a broken attempt left: what the client has, and what is missing."""

    sent: bool  # the client has some text or thought
    received: int  # characters that the model wrote and that a continuation can go on from
    joinable: bool  # nothing followed a call that the server parsed, so the text can be gone on from
    calls: int  # whole calls held
    open_call: bool
    diverged: bool  # a replay differed from what was sent: only its calls count


class Circling(Enum):
    """What of an answer goes round in circles."""

    THOUGHT = auto()
    TEXT = auto()
    CALL = auto()


class Turn:
    """The state of one turn. `reader` makes a parser of the model's text; its argument says that a thought is open.

    `opened`: the template has begun a thought; `thinks`: the server tells thoughts apart itself, so that its text holds
    none. `sends` is False where the client gets nothing before the end: then a new attempt need not repeat the last one.
    `tells_thoughts` is False where its form has no place for them. `circles` says what is done about a thought in circles.
    """

    def __init__(
        self,
        *,
        reader: Callable[[bool], Reader],
        stops: tuple[str, ...] = (),
        opened: bool = False,
        thinks: bool = False,
        sends: bool = True,
        tells_thoughts: bool = True,
        circles: CircleRules | None = None,
    ) -> None:
        self._make_reader = reader
        self._opened = opened
        self._thinks = thinks
        self._sends = sends
        self._tells_thoughts = tells_thoughts
        self._circles = circles or CircleRules()
        self.suspect = False  # its thought goes round in circles, and policy lets it
        self._stop_texts = stops
        self._sent_thought: list[str] = []
        self._sent_text: list[str] = []
        self._unsent: list[Part] = []
        self._out: list[Part] = []  # what this step lets through
        self._kept: list[Call] = []  # the most whole calls that an earlier attempt brought, should no other bring more
        self._kept_unsent: list[Part] = []
        self._usages: list[Usage] = []
        self._usages_before = 0
        self._thought_over = False
        self._restart()

    def _restart(self) -> None:
        """Forget what this attempt's predecessors wrote; what was sent stays sent."""
        self._schema = False
        self.transcript = Transcript()
        self.unreadable: list[Unreadable] = []
        self.stop: Stop | None = None
        self._reader: Reader | None = None
        self._stops = StopMatcher(self._stop_texts)
        self._echo = Echo("" if self._thought_over else "".join(self._sent_thought), "".join(self._sent_text))
        self._thought_watch = ThoughtWatch(self._circles.thought_tokens)
        self._text_circle = Circles(TEXT)
        self._call_circle = Circles(Bounds(rounds=_CALL_ROUNDS, characters=self._circles.call_characters))
        self.circling: Circling | None = None
        self._joined, self._before = 0, (0, 0)
        self._read_calls: list[Call] = []
        self._told_calls: list[Call] = []
        self._pieces = Pieces()
        self._text_after_told = False
        self._verbatim: bool | None = None

    def begin(self, mode: Mode, *, so_far: str = "") -> None:
        """A new attempt. RAW goes on after `so_far`, PREFILL after the text received; a raw one after nothing begins anew."""
        told = self.transcript.thought if not self.transcript.text else ""
        self._keep_calls()
        self._joined = 0 if mode is Mode.RAW and not so_far else self.joined_by(mode)
        self._usages_before = len(self._usages)
        if self.circling is Circling.THOUGHT:
            self._thought_over, self._reader, told = True, None, ""
            self._echo = Echo("", "".join(self._sent_text))
        match mode:
            case Mode.REMAKE | Mode.SCHEMA:
                self._restart()
                self._echo = Echo("", "")
                told = "" if self._sent_text else "".join(self._sent_thought)
            case Mode.PREFILL | Mode.RAW if so_far or mode is Mode.PREFILL:
                self.stop, self._told_calls, self._pieces, self._verbatim = None, [], Pieces(), None
                self.circling, self._text_after_told = None, False
            case _:
                if not self._sends:
                    self._sent_thought, self._sent_text, self._unsent = [], [], []
                self._restart()
                told = ""
        self._schema = mode is Mode.SCHEMA
        if mode in (Mode.RAW, Mode.REMAKE):
            self._read_on(so_far, told)
        self._before = self.transcript.pieces, self.transcript.size

    def joined_by(self, mode: Mode) -> int:
        """Tokens of this answer that an attempt in this mode goes on from; an estimate where a server has not told them."""
        match mode:
            case Mode.PREFILL | Mode.RAW:
                return self.tokens
            case Mode.REMAKE:
                return (len("".join(self._sent_thought)) + len(self.shown_text)) // 4
            case _:
                return 0

    def _keep_calls(self) -> None:
        """The last call that a server told of a broken attempt may be cut; ours carry their own proof."""
        read = [call for call in self._read_calls if call.proof is Proof.COMPLETE]
        whole = self._either(self.told_calls[:-1], read)
        if len(whole) > len(self._kept):
            self._kept, self._kept_unsent = whole, [*self._unsent]

    def _read_on(self, so_far: str, thought: str) -> None:
        """From here on nothing is parsed but by us: the reader is told the `thought` that it missed and that is still open."""
        self.transcript.continue_raw(so_far)
        self._verbatim = False
        if self._reader is None and thought:
            self._reader, self._echo = self._make_reader(True), Echo(thought.lstrip(), "")
            for part in self._reader.feed(thought.lstrip()):
                self._show(part)
            self._out = []
        elif self._reader is None:
            self._reader = self._make_reader(self._opened and not so_far)

    def receive(self, batch: Iterable[Part]) -> list[Part]:
        """A batch from upstream; gives what the client may have now."""
        parts = batch if isinstance(batch, list) else list(batch)
        if self._verbatim is None and parts:
            self._verbatim = any(isinstance(part, Verbatim) for part in parts)
        for part in parts:
            if isinstance(part, Text):
                self._take_text(part.text)
            else:
                self._take(part)
        return self._let_through()

    def _let_through(self) -> list[Part]:
        out, self._out = self._out, []
        return out

    def _take(self, part: Part) -> None:
        match part:
            case Reasoning(text) if not (self._schema or self._verbatim):
                self.transcript.add_thought(text)
                self._show(part)
            case Verbatim(text) if self._verbatim:
                self._written(text)
            case Call():
                self._told_calls.append(part)
            case CallPiece():
                self._pieces.add(part)
                self._watch_call(part.arguments)
            case Usage():
                self._usages.append(part)
            case Stop():
                self.stop = part
            case _:
                return

    def _take_text(self, text: str) -> None:
        if self._schema:
            self.transcript.add_text(text)
        elif not self._verbatim:
            if self._told_calls or self._pieces:
                self._text_after_told = True
            self._written(text)

    def _written(self, text: str) -> None:
        """The model's own text: remembered as it came, read for calls and thoughts."""
        if self._verbatim:
            self.transcript.add_raw(text)
        else:
            self.transcript.add_text(text)
        if self._reader is None:
            self._reader = self._make_reader(self._opened and (bool(self._verbatim) or not self._thinks))
        held = True
        for part in self._reader.feed(text):
            self._show(part)
            held = False
        if held:
            self._watch_call(text)

    def _show(self, part: Part) -> None:
        if isinstance(part, Text):
            self._show_text(part)
        else:
            self._show_other(part)

    def _show_text(self, part: Text) -> None:
        text = part.text
        if self._text_circle.feed(text):
            self.circling = Circling.TEXT
        if shown := self._echo.text(self._stops.feed(text)):
            self._sent_text.append(shown)
            self._send(part if shown is text else Text(shown))

    def _show_other(self, part: Part) -> None:
        match part:
            case Reasoning() if self._thought_over:
                return
            case Reasoning(text):
                self._watch(text)
                shown = self._echo.thought(text)
                if shown and self._tells_thoughts:
                    self._sent_thought.append(shown)
                    self._send(Reasoning(shown))
            case Call():
                self._read_calls.append(part)
            case Unreadable():
                self.unreadable.append(part)
            case _:
                return

    def _watch(self, thought: str) -> None:
        rule = self._circles.thought
        if rule == "off" or self.suspect or not self._thought_watch.feed(thought):
            return
        if rule == "act":
            self.circling = Circling.THOUGHT
        else:
            self.suspect = True

    def _watch_call(self, text: str) -> None:
        """What is held, and so most likely a call, may go round too: without end, where nothing bounds the answer."""
        if self._call_circle.feed(text) and self._circles.call_characters:
            self.circling = Circling.CALL

    def _send(self, part: Part) -> None:
        (self._out if self._sends else self._unsent).append(part)

    def finish(self, *, natural: bool) -> list[Part]:
        """The attempt has come to its end: what was held as a possible marker is text after all, or part of a cut call."""
        if self._schema and natural:
            self._take_schema_call(self.transcript.text)
        if self._reader is not None:
            for part in self._reader.close() if natural else self._reader.cut():
                self._show(part)
            self._reader = None
        self._show_rest()
        return self._let_through()

    def give_up(self) -> list[Part]:
        """No attempt could finish it: calls that are whole stay, but what could still have become one is not shown as text."""
        if self._reader is not None and not self._echo.diverged:
            for part in self._reader.cut():
                if isinstance(part, Call | Unreadable):
                    self._show(part)
            self._reader = None
        if len(self._kept) > len(self.calls):
            self._told_calls, self._pieces, self._read_calls, self._unsent = [], Pieces(), self._kept, self._kept_unsent
        if not self._echo.diverged:
            self._show_rest()
        return self._let_through()

    def _show_rest(self) -> None:
        if shown := self._echo.text(self._stops.close()):
            self._sent_text.append(shown)
            self._send(Text(shown))

    def _take_schema_call(self, text: str) -> None:
        """The call that a SCHEMA attempt wrote as one JSON object."""
        if (call := call_by_schema(text)) is not None:
            self._told_calls.append(call)
        else:
            self.unreadable.append(Unreadable(text, "what came was no call of the schema"))

    def release(self) -> list[Part]:
        """What was held back from a client that gets nothing before the end."""
        held, self._unsent = self._unsent, []
        return held

    @property
    def stopped(self) -> bool:
        """One of the client's stop sequences was met."""
        return self._stops.hit

    @property
    def calls(self) -> list[Call]:
        """Whole calls as far as this attempt shows: those read from the text, else those that the server parsed."""
        return self._either(self.told_calls, self._read_calls)

    def _either(self, told: list[Call], read: list[Call]) -> list[Call]:
        """Both, but for a server that also tells what the model wrote: then they are the same calls, and the text is the truth."""
        return read if self._verbatim and read else [*told, *read]

    @property
    def told_calls(self) -> list[Call]:
        """Those that the server parsed; a call that it streamed in pieces comes last."""
        return [*self._told_calls, *self._pieces.calls]

    @property
    def tokens(self) -> int:
        """Tokens that this answer is made of so far, those of the attempts that were gone on from included: as told, or seen."""
        return self._joined + (self.seen_tokens if self.made is None else self.made)

    @property
    def seen_tokens(self) -> int:
        """Tokens of this attempt that could be seen: servers send one piece for each, or tell larger ones."""
        pieces, size = self._before
        return max(0, self.transcript.pieces - pieces, (self.transcript.size - size) // 4)

    def cut_in_a_circle(self) -> None:
        """The server ended the answer without a word: perhaps by its own guard against circles."""
        thought, text = self.transcript.thought, self.transcript.text
        if goes_round((self.transcript.written or text or thought)[-_TAIL:], GUARDED):
            self.circling = Circling.THOUGHT if thought and not text else Circling.TEXT

    @property
    def usages(self) -> tuple[Usage, ...]:
        return tuple(self._usages)

    @property
    def usage(self) -> Usage | None:
        """What the server told of this attempt, None where it told nothing."""
        return self._usages[-1] if len(self._usages) > self._usages_before else None

    @property
    def made(self) -> int | None:
        """Tokens that the server says it made in this attempt; None where it does not say."""
        return None if self.usage is None else self.usage.completion_tokens

    def visible_raw(self, tags: ThinkTags) -> str:
        """What the client has of thought and text, as the model would have written it: where its calls begin anew."""
        seen = Transcript()
        seen.add_thought("".join(self._sent_thought))
        seen.add_text(self.shown_text)
        return seen.raw(tags, opened=self._opened)

    @property
    def named(self) -> str:
        """The tool that the last call was meant for, as far as it can be told."""
        calls = self.calls
        return calls[-1].name if calls else ""

    @property
    def shown_text(self) -> str:
        """The visible answer so far."""
        return "".join(self._sent_text)

    @property
    def delivered(self) -> bool:
        return bool(self._sent_text or self._sent_thought)

    def damage(self) -> Damage:
        return Damage(
            sent=self._sends and self.delivered,
            received=self.transcript.size,
            joinable=not self._text_after_told,
            calls=len(self.calls),
            open_call=bool(self._pieces) or (self._reader is not None and self._reader.open_call is not None),
            diverged=self._echo.diverged or (self.stop is not None and self._echo.short),
        )
