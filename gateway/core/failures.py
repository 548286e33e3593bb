"""What can go wrong upstream, as data: every decision about recovery is a table over these kinds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FailureKind(StrEnum):
    """Classes of failure; which text or status of which server belongs where stands in the drivers' tables."""

    UNREACHABLE = "unreachable"  # nothing answers at the address
    OVERLOADED = "overloaded"  # its queue is full
    LOADING = "loading"  # the model is not loaded yet, or was loaded too slowly
    REFUSED = "refused"  # it says no to this request, and will again
    UNAUTHORIZED = "unauthorized"  # it does not know our key
    MODEL_MISSING = "model_missing"  # it has no such model
    OVERFLOW = "overflow"  # the prompt is longer than the window
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"  # the runner died, before or during the answer
    STALLED = "stalled"  # no byte came within our patience
    CUT = "cut"  # the stream ended without its true terminal event
    PARSER = "parser"  # the server could not read what its own model wrote
    LOOPING = "looping"  # the model goes round in circles
    INVALID = "invalid"  # bytes that are not the protocol
    WINDOW_FULL = "window_full"  # the answer was cut where prompt and answer fill the window
    CAPPED = "capped"  # the answer was cut by a limit that is neither the client's nor the window
    OPEN_CALL = "open_call"  # the client's own limit fell inside a tool call
    UNREADABLE = "unreadable"  # a tool call is whole, but what it says is not certain or not valid
    CHOICE_IGNORED = "choice_ignored"  # the client required a tool call and none came
    OUTPUT_BROKEN = "output_broken"  # structured output was asked for and is not whole


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure. `detail` is for the log and the record; `raw` is what the model wrote, where the error text carries it.

    `limit` and `size` are tokens (window and prompt) where an overflow names them; `retry_after` is in seconds.
    """

    kind: FailureKind
    detail: str = ""
    status: int = 0
    raw: str = ""
    limit: int = 0
    size: int = 0
    retry_after: float | None = None
