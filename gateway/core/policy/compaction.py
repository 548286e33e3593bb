"""Policy: when a history is compacted, and by what. The defaults were chosen by `bench/compaction.py`."""

from __future__ import annotations

from typing import Literal

from gateway.core.policy.section import section


@section
class CompactionRules:
    """Switches and bounds of compaction. Shares are of the *room*: what the budget leaves beside system, tools and task."""

    hi: float = 1.0
    """Share of the room at which compaction starts. The reserve for the answer is no part of the budget, so 1.0 wastes nothing."""

    lo: float = 0.55
    """Share of the room down to which compaction goes. Lower: fewer prompts are read anew; higher: more stays verbatim."""

    tail: float = 0.25
    """Share of the room that the newest messages keep as they are, as long as that is enough to get half-way to `lo`."""

    report: Literal["sent", "before"] = "sent"
    """The prompt's length in `usage`: as it was sent, or as it came. Agents that compact by it themselves (Crush) may want the latter."""

    tidy: bool = True
    """Take terminal colours, progress bars, repeated and over-long lines out of old outputs."""

    line_chars: int = 2000
    """A line of an output longer than this, in characters, is cut by `tidy`."""

    superseded: bool = True
    """Replace what was read from a file by a note where the same lines are read again later."""

    stale: bool = True
    """Replace what was read from a file by a note where the file is changed later."""

    middle: bool = True
    """Cut the middle out of long old outputs; lines that tell of errors stay."""

    output_chars: int = 6000
    """What `middle` keeps of an output, in characters, half from its beginning and half from its end."""

    reasoning: bool = True
    """Leave out what the model thought before the latest user message."""

    masked: bool = True
    """Replace old outputs, but for their first characters, by a note."""

    head_chars: int = 240
    """What `masked` keeps of an output, in characters, from its beginning."""

    arguments: bool = True
    """Shorten big strings in the arguments of old calls; they stay valid JSON."""

    argument_chars: int = 400
    """A string in an argument longer than this, in characters, is shortened by `arguments`."""

    digest: bool = True
    """Replace the oldest turns by a record of what was asked, changed, read, run and found."""

    digest_share: float = 0.3
    """Share of the room that the record may take."""

    newest: bool = True
    """Cut the middle out of the newest outputs where nothing else makes the history fit; else the request is refused."""

    summary: bool = False
    """Let the same model write a summary that goes on top of the record at the next compaction."""

    summary_from: float = 0.8
    """Share of the room from which on the summary is asked for, once before each compaction. Higher: it tells more, but may be late."""

    summary_window: int = 24_576
    """No summary in a window below this many tokens: it can't pay there."""

    summary_tokens: int = 1500
    """The most that a summary may be long, in tokens."""
