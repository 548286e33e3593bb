"""A request's record in plain words: what happened, when, why. Law: an event that this does not know is told as it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from gateway.cli.printing import duration
from gateway.core.wire.fields import is_object


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


def _words(event: Mapping[str, object]) -> Iterator[str]:
    match event.get("event"):
        case "Came":
            yield _came(event)
        case "JoinedOther":
            yield f"the same question as request {event.get('other')}: shares its answer (holdfast show {event.get('other')})"
        case "Fitted":
            yield from _fitted(event)
        case "Began":
            yield _began(event)
        case "FirstPart":
            yield f"the first part came, {duration(_number(event, 'seconds'))} after the attempt began"
        case "Broke":
            yield _broke(event)
        case "Moved":
            yield f"goes on with {event.get('target')}: {event.get('why')}"
        case "Noticed":
            yield f"noticed: {event.get('words')}"
        case "Ended":
            yield from _ended(event)
        case name:
            yield f"{name}: {_plainly(event)}"


def _came(event: Mapping[str, object]) -> str:
    said = [f"asks for {event.get('model')}", f"by the {event.get('surface')} API"]
    said += ["streamed"] if event.get("stream") else []
    said += [f"from {event['agent']}"] if event.get("agent") else []
    said += [f"as {event['caller']}"] if event.get("caller") else []
    said += [f"session {event['session']}"] if event.get("session") else []
    return ", ".join(said)


def _fitted(event: Mapping[str, object]) -> Iterator[str]:
    count = event.get("count")
    count = count if is_object(count) else {}
    tokens, method = _number(count, "tokens"), count.get("method", "")
    margin = f", {_number(count, 'margin'):,.0f} more at most" if count.get("margin") else ""
    window = f"window {_number(event, 'window'):,.0f}" if event.get("window") else "window not known"
    yield f"the prompt for {event.get('target')} has {tokens:,.0f} tokens ({method}{margin}), {window}"
    for stage in _objects(event.get("stages")):
        messages = stage.get("messages")
        touched = f", {len(messages)} messages" if isinstance(messages, Sequence) else ""
        before, after = _number(stage, "tokens_before"), _number(stage, "tokens_after")
        yield f"compacted ({stage.get('stage')}): {before:,.0f} → {after:,.0f} tokens{touched}"
    notes = event.get("notes")
    for note in notes if isinstance(notes, list) else ():
        yield f"history mended: {note}"


def _began(event: Mapping[str, object]) -> str:
    mode = str(event.get("mode"))
    said = f"attempt {event.get('number')} at {event.get('target')}, {_MODES.get(mode, mode)}"
    if after := _number(event, "after"):
        said += f", after waiting {duration(after)}"
    if expected := _number(event, "expected"):
        said += f"; its first part is expected after {duration(expected)}"
    return said


def _broke(event: Mapping[str, object]) -> str:
    kind, received = str(event.get("kind")), _number(event, "received")
    said = f"attempt {event.get('number')} broke: {_CAUSES.get(kind, kind)}"
    if detail := event.get("detail"):
        said += f" ({detail})"
    return said + (f"; {received:,.0f} characters had come" if received else "; nothing had come")


def _ended(event: Mapping[str, object]) -> Iterator[str]:
    how, tries = str(event.get("how")), _number(event, "tries")
    said = _ENDS.get(how, f"an error went to the client: {how}")
    said += f" after {duration(_number(event, 'seconds'))}"
    if tries:
        said += f" and {tries:.0f} {'attempt' if tries == 1 else 'attempts'}"
    said += f": {_number(event, 'prompt_tokens'):,.0f} tokens in, {_number(event, 'completion_tokens'):,.0f} out"
    yield said
    did = event.get("did")
    if isinstance(did, list) and did:
        yield f"what was done for it: {', '.join(str(each) for each in did)}"
    if detail := event.get("detail"):
        yield str(detail)


def _plainly(event: Mapping[str, object]) -> str:
    return ", ".join(f"{key}={value}" for key, value in event.items() if key not in ("at", "event"))


def _number(fields: Mapping[str, object], key: str) -> float:
    value = fields.get(key)
    return float(value) if isinstance(value, int | float) else 0.0


def _objects(value: object) -> list[Mapping[str, object]]:
    return [each for each in value if is_object(each)] if isinstance(value, list) else []
