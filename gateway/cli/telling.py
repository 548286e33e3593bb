"""A request's record in plain words: what happened, when, why. Law: an event that this does not know is told as it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from gateway.cli.printing import duration
from gateway.core.spending import dollars
from gateway.core.wire.fields import is_object

Event: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened, so many seconds after the request came."""

    at: float
    words: str


_MODES = MappingProxyType(
    {
        "fresh": "from the start",
        "prefill": "goes on from the text received, which the template leaves open",
        "raw": "goes on from the rendered prompt and all that was received, without a template",
        "replay": "the whole answer anew, compared with what was sent",
        "remake": "makes the tool calls again, and reads them itself",
        "schema": "makes the tool call again, held to its tool's schema",
    }
)
_CAUSES = MappingProxyType(
    {
        "unreachable": "nothing answers there",
        "overloaded": "the server's queue is full",
        "loading": "the model is not loaded",
        "refused": "the server refuses this request",
        "unauthorized": "the server does not know our key",
        "model_missing": "the server has no such model",
        "overflow": "the prompt is longer than the window",
        "out_of_memory": "the server ran out of memory",
        "crashed": "the model's runner died",
        "stalled": "nothing came any more",
        "cut": "the stream ended before its end",
        "parser": "the server could not read what its model wrote",
        "looping": "the model went round in circles",
        "invalid": "what came is not the protocol",
        "window_full": "prompt and answer filled the window",
        "capped": "a limit of the server cut the answer",
        "open_call": "the client's own limit fell into a tool call",
        "unreadable": "a tool call came whole, but is not valid",
        "choice_ignored": "a tool call was required and none came",
        "output_broken": "the structured output is not whole",
    }
)
_ENDS = MappingProxyType({"answered": "answered", "left": "the client left", "failed": "the gateway itself failed"})


def story(record: Mapping[str, object]) -> list[Line]:
    """All lines of a record as `GET /holdfast/requests/ID` gives it, in order."""
    return [Line(_number(event, "at"), words) for event in events_of(record) for words in _words(event)]


def events_of(record: Mapping[str, object]) -> list[Mapping[str, object]]:
    events = record.get("events")
    return [each for each in events if is_object(each)] if isinstance(events, list) else []


def _words(event: Event) -> Iterable[str]:
    name = str(event.get("event"))
    teller = _TELLERS.get(name)
    return teller(event) if teller else [f"{name}: {_plainly(event)}"]


def _came(event: Event) -> Iterator[str]:
    said = [f"asks for {event.get('model')}", f"by the {event.get('surface')} API"]
    said += ["streamed"] if event.get("stream") else []
    said += [f"from {event['agent']}"] if event.get("agent") else []
    said += [f"as {event['caller']}"] if event.get("caller") else []
    said += [f"session {event['session']}"] if event.get("session") else []
    yield ", ".join(said)


def _joined(event: Event) -> Iterator[str]:
    other = event.get("other")
    yield f"the same question as request {other}: shares its answer (holdfast show {other})"


def _fitted(event: Event) -> Iterator[str]:
    count = event.get("count")
    count = count if is_object(count) else {}
    tokens, method = _number(count, "tokens"), count.get("method", "")
    margin = f", {_number(count, 'margin'):,.0f} more at most" if count.get("margin") else ""
    window = f"window {_number(event, 'window'):,.0f}" if event.get("window") else "window not known"
    before = _number(event, "before")
    longer = f"; it came with {before:,.0f}" if before > tokens else ""
    yield f"the prompt for {event.get('target')} has {tokens:,.0f} tokens ({method}{margin}), {window}{longer}"
    for stage in _objects(event.get("stages")):
        messages = stage.get("messages")
        touched = f", {len(messages)} messages" if isinstance(messages, Sequence) else ""
        before, after = _number(stage, "tokens_before"), _number(stage, "tokens_after")
        yield f"compacted ({stage.get('stage')}): {before:,.0f} → {after:,.0f} tokens{touched}"
    for note in _texts(event.get("notes")):
        yield f"history mended: {note}"


def _routed(event: Event) -> Iterator[str]:
    yield f"goes to {', then '.join(_texts(event.get('targets'))) or 'nobody'}{_because(event.get('reasons'))}"


def _began(event: Event) -> Iterator[str]:
    mode = str(event.get("mode"))
    said = f"attempt {event.get('number')} at {event.get('target')}, {_MODES.get(mode, mode)}"
    if after := _number(event, "after"):
        said += f", after waiting {duration(after)}"
    if fresh := _number(event, "fresh"):
        said += f"; {fresh:,.0f} tokens of its prompt are new to the model"
    if expected := _number(event, "expected"):
        said += f"; its first part is expected after {duration(expected)}"
    yield said


def _first_part(event: Event) -> Iterator[str]:
    yield f"the first part came, {duration(_number(event, 'seconds'))} after the attempt began"


def _broke(event: Event) -> Iterator[str]:
    kind, received = str(event.get("kind")), _number(event, "received")
    said = f"attempt {event.get('number')} broke: {_CAUSES.get(kind, kind)}"
    if detail := event.get("detail"):
        said += f" ({detail})"
    yield said + (f"; {received:,.0f} characters had come" if received else "; nothing had come")


def _moved(event: Event) -> Iterator[str]:
    yield f"goes on with {event.get('target')}: {event.get('why')}"


def _mended(event: Event) -> Iterator[str]:
    what = ", ".join(_texts(event.get("mends"))) or "the markup that ends it"
    yield f"the call of {event.get('tool')} was {event.get('proof')} and is whole now; put right: {what}"


def _noticed(event: Event) -> Iterator[str]:
    yield f"noticed: {event.get('words')}"


def _ended(event: Event) -> Iterator[str]:
    how, tries = str(event.get("how")), _number(event, "tries")
    said = _ENDS.get(how, f"an error went to the client: {how}")
    said += f" after {duration(_number(event, 'seconds'))}"
    if tries:
        said += f" and {tries:.0f} {'attempt' if tries == 1 else 'attempts'}"
    said += f": {_number(event, 'prompt_tokens'):,.0f} tokens in, {_number(event, 'completion_tokens'):,.0f} out"
    if cost := _number(event, "cost"):
        said += f", for {dollars(round(cost))}"
    yield said
    if did := _texts(event.get("did")):
        yield f"what was done for it: {', '.join(did)}"
    if detail := event.get("detail"):
        yield str(detail)


_TELLERS: Mapping[str, Callable[[Event], Iterator[str]]] = MappingProxyType(
    {
        "Came": _came,
        "JoinedOther": _joined,
        "Fitted": _fitted,
        "Routed": _routed,
        "Began": _began,
        "FirstPart": _first_part,
        "Broke": _broke,
        "Mended": _mended,
        "Moved": _moved,
        "Noticed": _noticed,
        "Ended": _ended,
    }
)


def _plainly(event: Event) -> str:
    return ", ".join(f"{key}={value}" for key, value in event.items() if key not in ("at", "event"))


def _number(fields: Mapping[str, object], key: str) -> float:
    value = fields.get(key)
    return float(value) if isinstance(value, int | float) else 0.0


def _because(reasons: object) -> str:
    said = "; ".join(_texts(reasons))
    return f", since {said}" if said else ""


def _texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


def _objects(value: object) -> list[Mapping[str, object]]:
    return [each for each in value if is_object(each)] if isinstance(value, list) else []
