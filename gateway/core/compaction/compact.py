"""compact(): the messages of a request, made to fit a budget. Pure; the same history always gives the same prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.core.compaction.chain import chain
from gateway.core.compaction.entries import Entry
from gateway.core.compaction.layout import Layout, laid_out
from gateway.core.compaction.memo import Known, Memo
from gateway.core.compaction.replay import DIGEST, NEWEST, Replay, Room, block_starts
from gateway.core.compaction.rules import CompactionRules
from gateway.core.compaction.summary import SummaryOf, no_summary
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

    `irreducible` is what no stage may make smaller; `fits` is false where even that is too large. Where `cut_newest`, or where
    `epochs`, which counts the compactions so far, grows with every request, a larger window would serve better. Where
    `summary_key` is not empty, a summary of this history is due, and belongs under it; for those in `missed` none was in time.
    """

    messages: tuple[Message, ...]
    origin: tuple[tuple[int, ...], ...]
    stages: tuple[StageReport, ...]
    tokens_before: int
    tokens_after: int
    irreducible: int
    fits: bool
    cut_newest: bool
    epochs: int
    summary_key: str
    missed: tuple[str, ...]


def compact(
    messages: Sequence[Message],
    *,
    budget: int,
    fixed: int,
    size: Callable[[Message], int],
    rules: CompactionRules,
    memo: Memo | None = None,
    summary_of: SummaryOf = no_summary,
) -> Compaction:
    """`messages` within `budget` tokens of prompt, by `rules`. What fits is returned as it came.

    `fixed` are the tokens that no message takes (tools, the template's own); `size` gives those of one message as the template
    renders it: they must add up. `summary_of` tells the summaries that were made; it has a say at compactions only.
    """
    plan = laid_out(messages)
    thread = [messages[i] for i in plan.thread]
    frame = fixed + sum(size(messages[i]) for i in plan.frame)
    if plan.said:
        frame += size(thread[-1]) - size(plan.said)
        thread[-1] = plan.said
    grain = max(1, budget // _GRAIN)
    base = -(-frame // grain) * grain
    room = Room(budget=budget, base=base, fence=plan.current, rules=rules, size=size, summary_of=summary_of)
    replay = _replayed(thread, room, memo)
    return _told(messages, plan, replay, frame)


def _replayed(thread: Sequence[Message], room: Room, memo: Memo | None) -> Replay:
    links = memo.chained(thread, room.seed) if memo is not None else tuple(chain(thread, room.seed))
    replay = _begun(thread, links, room, memo)
    for place in range(replay.read, len(thread)):
        if _asks(thread, place):
            replay.check(links[place - 1])
        replay.take(thread[place])
    before = replay.copy(room)
    if links and replay.check(links[-1]) and memo is not None:
        memo.keep(links[-1], Known(before, replay))
    elif links and memo is not None:
        memo.keep(links[-1], Known(replay, replay))
    return replay


def _begun(thread: Sequence[Message], links: Sequence[bytes], room: Room, memo: Memo | None) -> Replay:
    """The replay of as much of the thread as is remembered.

    What was decided at the end of a request holds only where an answer to it follows: a client may have asked again otherwise.
    """
    known = memo.find(links) if memo is not None else None
    if known is None:
        return Replay.start(room)
    read = known.after.read
    return (known.after if read < len(thread) and _asks(thread, read) else known.before).copy(room)


def _asks(thread: Sequence[Message], place: int) -> bool:
    """Whether a request was sent before the message at `place`: it is an answer."""
    return place > 0 and thread[place].role == "assistant" and thread[place - 1].role != "assistant"


def _told(messages: Sequence[Message], plan: Layout, replay: Replay, frame: int) -> Compaction:
    out: list[Message] = []
    origin: list[tuple[int, ...]] = []
    places = {index: place for place, index in enumerate(plan.thread)}
    for index, message in enumerate(messages):
        place = places.get(index)
        if place is None or (plan.said and index == plan.thread[-1]):
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
    newest = replay.live[block_starts(replay.live)[-1] :] if replay.live else []
    return Compaction(
        messages=tuple(out),
        origin=tuple(origin),
        stages=_reports(plan, replay),
        tokens_before=frame + replay.was,
        tokens_after=after,
        irreducible=min(after, frame + _least(replay, newest)) if fits else after,
        fits=fits,
        cut_newest=any(entry.stage == NEWEST for entry in newest),
        epochs=replay.epochs,
        summary_key=replay.key if replay.keyed == replay.read else "",
        missed=replay.missed,
    )


def _reports(plan: Layout, replay: Replay) -> tuple[StageReport, ...]:
    reports = []
    if head := replay.head:
        whole = {entry.place for entry in head.whole}
        gone = tuple(plan.thread[place] for place in range(replay.folded) if place not in whole)
        before = replay.was - sum(entry.was for entry in (*replay.live, *head.whole))
        reports.append(StageReport(stage=DIGEST, tokens_before=before, tokens_after=head.record_tokens, messages=gone))
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


def _least(replay: Replay, newest: Sequence[Entry]) -> int:
    """Task, latest request and last block, as they stand."""
    users = [entry for entry in replay.live if entry.source.role == "user"][-1:]
    whole = [replay.task, *users, *(replay.head.whole if replay.head else ())]
    kept = {entry.place: entry.was for entry in whole if entry} | {entry.place: entry.tokens for entry in newest}
    return sum(kept.values())
