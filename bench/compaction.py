"""What compaction keeps and what it costs, on real agent histories, beside front truncation and a sliding mask.

Histories come from HOLDFAST_DATA/transcripts (or shared/data beside the project), tokens from its qwen2 vocabulary in ChatML.
Every request of every history is replayed in five windows and checked; `--every N` reads each Nth one again from its start, with
nothing known, and looks at what is kept of it (9 by default).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from bench.counting import VOCABULARIES, read
from bench.data import DATA
from bench.trimming import FIXED, Size, fresh, front, kept, sliding
from gateway.core.compaction import Compaction, CompactionRules, Memo, compact
from gateway.core.compaction.chain import chain
from gateway.core.conversation import Message
from gateway.core.wire import openai_request
from gateway.tokenizers.vocabulary import Vocabulary, vocabulary

WINDOWS = (8192, 12288, 16384, 32768, 65536)
ANSWER = 1024  # tokens that a client asks for
RULES = CompactionRules()
WAYS = ("ours", "front truncation", "sliding mask", "least")


@dataclass(frozen=True)
class History:
    """An agent's messages and the places at which it asked the model."""

    name: str
    messages: tuple[Message, ...]
    requests: tuple[int, ...]


@dataclass
class Score:
    """What was seen in one window: counts, tokens processed by way of trimming, and shares kept."""

    counts: Counter[str] = field(default_factory=Counter)
    processed: Counter[str] = field(default_factory=Counter)
    kept: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--every", type=int, default=9, metavar="N")
    options.add_argument("--only", default="", metavar="TEXT", help="histories whose name holds TEXT")
    options.add_argument("--prints", action="store_true", help="only the hash of all that is sent")
    chosen = options.parse_args()
    made = vocabulary(read("qwen2")) if VOCABULARIES.exists() else None
    histories = [one for one in loaded(DATA / "transcripts") if chosen.only in one.name]
    if not histories or not isinstance(made, Vocabulary):
        sys.exit(f"no histories below {DATA}; set HOLDFAST_DATA")
    size = sized(made)
    if chosen.prints:
        print(fingerprint(histories, size))
        return
    scores = {window: Score() for window in WINDOWS}
    for history in histories:
        for window in WINDOWS:
            run(history, window, size, scores[window], chosen.every)
        print(f"{history.name}: {len(history.requests)} requests", file=sys.stderr)
    report(scores)
    print(f"\nother hash seed sends the same: {fingerprint(histories, size) == elsewhere(chosen.only)}")
    times(max(histories, key=lambda one: len(one.messages)), size)


def loaded(folder: Path) -> Iterator[History]:
    for file in sorted(folder.glob("*.json")):
        body = {"model": "m", "messages": json.loads(file.read_text())["messages"]}
        messages = openai_request.decode(json.dumps(body).encode())[0].messages
        messages = tuple(replace(message, thinking="") for message in messages)  # ChatML has none
        ends = (i for i, (a, b) in enumerate(pairwise(messages), 1) if b.role == "assistant" != a.role)
        yield History(file.stem, messages, tuple(ends))


def sized(made: Vocabulary) -> Size:
    """Tokens of a message in ChatML, remembered."""
    known: dict[bytes, int] = {}

    def size(message: Message) -> int:
        key = next(chain([message]))
        if key not in known:
            calls = "".join(f"\n<tool_call>\n{call.name}{call.arguments}\n</tool_call>" for call in message.calls)
            known[key] = made.count(f"<|im_start|>{message.role}\n{message.text}{calls}<|im_end|>\n")
        return known[key]

    return size


def shrunk(messages: Sequence[Message], window: int, size: Size, memo: Memo | None = None) -> Compaction:
    budget = (window - ANSWER) // 1024 * 1024
    return compact(messages, budget=budget, fixed=FIXED, size=size, rules=RULES, memo=memo)


def run(history: History, window: int, size: Size, score: Score, every: int) -> None:
    memo, sizes = Memo(), [size(message) for message in history.messages]
    before: Compaction | None = None
    cut_before: list[Message] = []
    masked_before: list[Message] = []
    for number, end in enumerate(history.requests):
        messages = history.messages[:end]
        now = shrunk(messages, window, size, memo)
        check(now, before, score, window - ANSWER)
        cut = front(messages, sizes, window - ANSWER)
        masked = sliding(messages, size, window - ANSWER)
        if now.stages and before:
            score.processed["ours"] += fresh(before.messages, now.messages, size)
            score.processed["front truncation"] += fresh(cut_before, cut, size)
            score.processed["sliding mask"] += fresh(masked_before, masked, size)
            score.processed["least"] += sum(sizes[history.requests[number - 1] : end])
        if now.stages:
            score.counts["invalid"] += any(flaws(messages, now.messages))
            score.counts["not idempotent"] += shrunk(now.messages, window, size).messages != now.messages
        if now.stages and number % every == 0:
            score.counts["read anew from the start"] += 1
            score.counts["of these, not the same"] += shrunk(messages, window, size) != now
            retention(history, end, now, score, sizes)
        before, cut_before, masked_before = now, cut, masked


def check(now: Compaction, before: Compaction | None, score: Score, budget: int) -> None:
    score.counts["requests"] += 1
    score.counts["compacted"] += bool(now.stages)
    score.counts["refused"] += not now.fits
    score.counts["over budget"] += now.fits and now.tokens_after > budget
    score.counts["newest cut"] += now.cut_newest
    if before:
        broke = now.messages[: len(before.messages)] != before.messages
        score.counts["prefix breaks"] += broke
        event = now.epochs != before.epochs
        score.counts["events"] += event
        score.counts["of these, in new messages only"] += event and not broke
        score.counts["breaks without event"] += broke and not event


def flaws(messages: Sequence[Message], sent: Sequence[Message]) -> Iterator[str]:
    """What a strict template would refuse, or a user would miss."""
    waiting: list[str] = []
    for message in sent:
        if message.role == "tool":
            if message.answers not in waiting:
                yield "a result without its call"
            waiting = [call for call in waiting if call != message.answers]
        elif waiting:
            yield "a call without its result"
        waiting += [call.id for call in message.calls]
        if message.role == "user" and not message.text.strip():
            yield "an empty user message"
    neighbours = [[a.role == b.role == "user" for a, b in pairwise(some)].count(True) for some in (messages, sent)]
    if neighbours[1] > neighbours[0]:
        yield "two user messages in a row"
    asked = [message.text for message in messages if message.role == "user"]
    if not all(any(text in message.text for message in sent) for text in (*asked[:1], *asked[-1:])):
        yield "the first or the latest request is missing"


def retention(history: History, end: int, now: Compaction, score: Score, sizes: Sequence[int]) -> None:
    """What we keep, and what front truncation keeps at the same size."""
    messages, answer = history.messages[:end], history.messages[end]
    for way, sent in (("ours", now.messages), ("front", front(messages, sizes, now.tokens_after))):
        for name, share in kept(messages, answer, sent):
            score.kept[f"{name}, {way}"].append(share)


def report(scores: dict[int, Score]) -> None:
    print(f"{'window':36}" + "".join(f"{window // 1024:>9}k" for window in WINDOWS))
    for name in dict.fromkeys(name for score in scores.values() for name in score.counts):
        row(name, [f"{scores[window].counts[name]:,}" for window in WINDOWS])
    print("\ntokens processed, thousands")
    for way in WAYS:
        row(way, [f"{scores[window].processed[way] / 1000:,.0f}" for window in WINDOWS])
    row("ours to front truncation", [ratio(scores[window].processed) for window in WINDOWS])
    row("  in all windows", [ratio(sum((score.processed for score in scores.values()), Counter()))])
    print("\nkept, per cent, in what is sent (front truncation: at the same size)")
    for name in dict.fromkeys(name for score in scores.values() for name in score.kept):
        shares = (scores[window].kept[name] for window in WINDOWS)
        row(name, [f"{100 * sum(some) / len(some):.1f}" if some else "-" for some in shares])


def row(name: str, cells: Sequence[str]) -> None:
    print(f"{name:36}" + "".join(f"{cell:>10}" for cell in cells))


def ratio(processed: Counter[str]) -> str:
    return f"{processed['ours'] / max(1, processed['front truncation']):.3f}"


# Another process, and time


def fingerprint(histories: Sequence[History], size: Size) -> str:
    """The hash of what is sent at the end of every history in every window."""
    sent = [shrunk(history.messages, window, size).messages for history in histories for window in WINDOWS]
    return hashlib.sha256(b"".join(link for messages in sent for link in chain(messages))).hexdigest()


def elsewhere(only: str) -> str:
    command = [sys.executable, "-m", "bench.compaction", "--prints", "--only", only]
    seeded = os.environ | {"PYTHONHASHSEED": "1"}
    return subprocess.run(command, env=seeded, capture_output=True, text=True, check=True).stdout.strip()


def times(history: History, size: Size) -> None:
    """The cost of a request whose history is not known, and of one that is known but for its last turn."""
    print("\nmilliseconds of processor time beside the counting")
    for count in (400, len(history.messages)):
        before, end = [i for i in history.requests if i <= count][-2:]
        cold, warm = [], []
        for window in WINDOWS:
            shrunk(history.messages[:end], window, size)  # so that all is counted
            cold.append(min(timed(history.messages[:end], window, size, Memo()) for _ in range(5)))
            warm.append(
                min(
                    timed(history.messages[:end], window, size, known) for known in memos(history, before, window, size)
                )
            )
        row(f"{end} messages, nothing known", [f"{one * 1000:.1f}" for one in cold])
        row(f"{end} messages, all but a turn known", [f"{one * 1000:.1f}" for one in warm])


def memos(history: History, end: int, window: int, size: Size) -> Iterator[Memo]:
    for _ in range(5):
        memo = Memo()
        shrunk(history.messages[:end], window, size, memo)
        yield memo


def timed(messages: Sequence[Message], window: int, size: Size, memo: Memo) -> float:
    began = time.process_time()
    shrunk(messages, window, size, memo)
    return time.process_time() - began


if __name__ == "__main__":
    main()
