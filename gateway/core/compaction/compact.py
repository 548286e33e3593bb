"""compact(): the messages of a request, made to fit a budget. Pure; the same history always gives the same prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.core.compaction.chain import chain
from gateway.core.compaction.layout import Layout, laid_out
from gateway.core.compaction.memo import Known, Memo
from gateway.core.compaction.replay import DIGEST, Replay, Room, block_starts
from gateway.core.compaction.rules import CompactionRules
from gateway.core.conversation import Message

_GRAIN = 32  # the frame is taken in steps of this part of the budget, so that a new date in it does not move the plan


@dataclass(frozen=True, slots=True, kw_only=True)
class StageReport:
    """What a stage made of the messages (indices of the input) that now stand as it left them."""

    stage: str
    tokens_before: int
    tokens_after: int
    messages: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compaction:
    """The messages to send. `origin[i]` are the indices of the input that `messages[i]` stands for; tokens are of the whole prompt.

    `irreducible` is what no stage may make smaller; `fits` is false where even that is too large. `epochs` counts the
    compactions so far, `requests` the requests: where both grow together, the window is too small for the work.
    """

    messages: tuple[Message, ...]
    origin: tuple[tuple[int, ...], ...]
    stages: tuple[StageReport, ...]
    tokens_before: int
    tokens_after: int
    irreducible: int
    fits: bool
    epochs: int = 0


def compact(
    messages: Sequence[Message],
    *,
    budget: int,
    fixed: int,
    size: Callable[[Message], int],
    rules: CompactionRules,
    memo: Memo | None = None,
) -> Compaction:
    """`messages` within `budget` tokens of prompt, by `rules`.

    `fixed` are the tokens that no message takes (tools, the template's own); `size` gives those of one message as the template
    renders it: they must add up. What fits is returned as it came.
    """
    plan = laid_out(messages)
    frame = fixed + sum(size(messages[i]) for i in plan.frame)
    grain = max(1, budget // _GRAIN)
    room = Room(budget=budget, base=-(-frame // grain) * grain, rules=rules, size=size)
    replay = _replayed([messages[i] for i in plan.thread], room, plan.current, memo)
    return _told(messages, plan, replay, frame)


def _replayed(thread: Sequence[Message], room: Room, current: int | None, memo: Memo | None) -> Replay:
    links = list(chain(thread, repr((room.budget, room.base, room.rules)).encode())) if memo else []
    known = memo.find(links, len(links)) if memo else None
    replay = Replay.start(room)
    if known:
        asked = known.after.read < len(thread) and _asks(thread, known.after.read)
        replay = (known.after if asked else known.before).copy()
    for place in range(replay.read, len(thread)):
        if _asks(thread, place):
            replay.check()
        replay.take(thread[place])
    before = replay.copy()
    changed = replay.check(current)
    if memo and links:
        memo.keep(links[-1], Known(before if changed else replay, replay))
    return replay


def _asks(thread: Sequence[Message], place: int) -> bool:
    """Whether a request was sent before the message at `place`: it is an answer."""
    return place > 0 and thread[place].role == "assistant" and thread[place - 1].role != "assistant"


def _told(messages: Sequence[Message], plan: Layout, replay: Replay, frame: int) -> Compaction:
    out: list[Message] = []
    origin: list[tuple[int, ...]] = []
    places = {index: place for place, index in enumerate(plan.thread)}
    for index, message in enumerate(messages):
        place = places.get(index)
        if place is None:
            out.append(message)
            origin.append((index,))
        elif place >= replay.folded:
            out.append(replay.live[place - replay.folded].message)
            origin.append((index,))
        elif place == 0 and replay.head:
            out.append(replay.head.message)
            origin.append(plan.thread[: replay.folded])
    after = replay.tokens - replay.room.base + frame
    fits = after <= replay.room.budget
    return Compaction(
        messages=tuple(out),
        origin=tuple(origin),
        stages=_reports(plan, replay),
        tokens_before=frame + replay.was,
        tokens_after=after,
        irreducible=min(after, _least(replay, frame)) if fits else after,
        fits=fits,
        epochs=replay.epochs,
    )


def _reports(plan: Layout, replay: Replay) -> tuple[StageReport, ...]:
    reports = []
    if head := replay.head:
        whole = {entry.place for entry in head.verbatim}
        gone = tuple(plan.thread[place] for place in range(replay.folded) if place not in whole)
        kept = sum(entry.was for entry in head.verbatim)
        before = replay.was - sum(entry.was for entry in replay.live) - kept
        reports.append(StageReport(stage=DIGEST, tokens_before=before, tokens_after=head.tokens - kept, messages=gone))
    for name in dict.fromkeys(entry.stage for entry in replay.live if entry.stage):
        touched = [entry for entry in replay.live if entry.stage == name]
        reports.append(
            StageReport(
                stage=name,
                tokens_before=sum(entry.was for entry in touched),
                tokens_after=sum(entry.tokens for entry in touched),
                messages=tuple(plan.thread[entry.place] for entry in touched),
            )
        )
    return tuple(reports)


def _least(replay: Replay, frame: int) -> int:
    """Frame, task, latest request and last block, as they stand."""
    last = list(block_starts(replay.live))[-1] if replay.live else 0
    users = [entry for entry in replay.live if entry.source.role == "user"][-1:]
    whole = [replay.task, *users, *(replay.head.verbatim if replay.head else ())]
    kept = {entry.place: entry.was for entry in whole if entry} | {e.place: e.tokens for e in replay.live[last:]}
    return frame + sum(kept.values())
