"""Policy: how often and how an answer is tried for."""

from __future__ import annotations

from gateway.core.policy.section import section


@section
class RecoveryRules:
    """Bounds on attempts. Probes, renders and loads are no attempts; a generation is one."""

    per_window: int = 3
    """Generations at most for one target and window."""

    per_request: int = 6
    """Generations at most for one request and its repeats by the same client."""

    backoff: float = 0.25
    """Seconds before a crashed or busy upstream is asked again; doubles each time, with jitter."""

    backoff_cap: float = 4.0
    """The longest such wait."""

    longest_retry_after: float = 60.0
    """The longest Retry-After of an upstream that is waited for; after a longer one the next target is asked."""

    retries: int = 60
    """Retries that an upstream has for requests which end in failure; one that ends well gives its own back."""

    retries_per_second: float = 0.5
    """How fast they come back by themselves."""

    breaker_after: int = 3
    """Requests that fail in a row before those waiting for the same model are told so without an attempt of their own."""

    breaker_rest: float = 30.0
    """Seconds for which other targets are then asked first."""

    reserve_times: int = 4
    """Continuations of one answer together make at most this many times the model's output reserve."""

    mend_reading_calls: bool = True
    """Hand over a cut call whose required arguments are all proven, if its tool only reads and asking again brought no better."""

    steps: bool = True
    """Where a tool call stays cut because it is too long, ask the model once to do its work in several smaller calls."""

    shrink_window: bool = True
    """After running out of memory twice, go on with the next smaller window (a reload), compacting to fit."""

    quiet: float = 21_600.0
    """Seconds before a larger window is tried again where one ran out of memory."""

    remember_failure: float = 60.0
    """Seconds for which a request that failed for good gets the same answer when it comes again."""

    linger: float = 0.0
    """Seconds for which an answer is still made after its client left. 0: its upstream is closed at once."""

    keep_unfinished: float = 180.0
    """Seconds for which an answer whose client left is kept, so that the same request goes on from there."""
