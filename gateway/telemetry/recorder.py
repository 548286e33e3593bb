"""The record of each request: its events in order, bounded, and one log line when it ends."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from traceback import extract_tb

import structlog

from gateway.core.events import Came, Ended, Event, Fitted, JoinedOther, Noticed
from gateway.core.kept import Kept
from gateway.core.spending import MICRO
from gateway.telemetry.contents import Contents

log = structlog.get_logger()
_LONGEST_NAME = 200


@dataclass(slots=True)
class Record:
    """All that is known of one request."""

    id: str
    began: float
    events: list[tuple[float, Event]] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        return any(isinstance(event, Ended | JoinedOther) for _, event in self.events)


class Recorder:
    """Keeps the last records and writes the log. `wall` tells seconds since 1970."""

    def __init__(self, *, keep: int, wall: Callable[[], float]) -> None:
        self._keep = keep
        self._wall = wall
        self._records: OrderedDict[str, Record] = OrderedDict()
        self._contents = Contents(wall)

    def note(self, event: Event) -> None:
        """One event. One that belongs to no request is for the log alone."""
        if isinstance(event, Noticed):
            log.warning("notice", request=event.request, words=event.words)
            if not event.request:
                return
        if isinstance(event, Came):
            event = replace(event, model=_name(event.model), agent=_name(event.agent), session=_name(event.session))
        now = self._wall()
        record = self._records.get(event.request)
        if record is None:
            record = self._records[event.request] = Record(event.request, now)
            while len(self._records) > self._keep:
                self._records.popitem(last=False)
        record.events.append((now, event))
        if isinstance(event, Ended):
            log.info("answered", **_line(record, event))

    def failed(self, request: str, error: BaseException) -> None:
        where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(error.__traceback__)]
        log.error("the gateway itself failed", request=request, error=type(error).__name__, where=where)

    def keep(self, request: str, kept: Kept) -> None:
        self._contents.keep(request, kept)

    def show(self, request: str) -> Mapping[str, object] | None:
        """The record as plain data, for people and scripts."""
        record = self._records.get(request)
        return None if record is None else _plain(record) | {"contents": self._contents.of(request)}

    def latest(self, count: int) -> list[Mapping[str, object]]:
        return [_plain(record) for record in list(self._records.values())[-count:]]


def _name(text: str) -> str:
    """A name that a client chose, fit for a log: bounded, and without what would steer a terminal."""
    return "".join(char if char.isprintable() else "?" for char in text[:_LONGEST_NAME])


def _line(record: Record, ended: Ended) -> dict[str, object]:
    """The fields of the one line that a request leaves in the log."""
    came = next((event for _, event in record.events if isinstance(event, Came)), None)
    fitted = next((event for _, event in reversed(record.events) if isinstance(event, Fitted)), None)
    said: dict[str, object] = {
        "request": record.id,
        "agent": came.agent if came else "",
        "model": came.model if came else "",
        "target": fitted.target if fitted else "",
        "how": ended.how,
        "tokens_in": ended.prompt_tokens,
        "tokens_out": ended.completion_tokens,
        "first_part_s": None if ended.first_part is None else round(ended.first_part, 3),
        "seconds": round(ended.seconds, 3),
        "tries": ended.tries,
    }
    if ended.did:
        said["did"] = ", ".join(ended.did)
    if ended.cost:
        said["dollars"] = ended.cost / MICRO
    if ended.detail:
        said["detail"] = ended.detail[:300]
    return said


def _plain(record: Record) -> dict[str, object]:
    events = [
        {"at": round(at - record.began, 4), "event": type(event).__name__, **_fields(event)}
        for at, event in record.events
    ]
    caller = next((event.caller for _, event in record.events if isinstance(event, Came)), "")
    return {"id": record.id, "caller": caller, "began": record.began, "ended": record.ended, "events": events}


def _fields(event: Event) -> dict[str, object]:
    return {key: value for key, value in asdict(event).items() if key != "request" and value not in ((), "", None)}
