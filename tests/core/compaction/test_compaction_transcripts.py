"""Real histories of coding agents, where they are at hand (HOLDFAST_DATA): the same laws, at boundaries that nobody made up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from bench.data import DATA
from gateway.core.compaction import Compaction, CompactionRules, Memo, compact
from gateway.core.conversation import Conversation, Message
from gateway.core.wire import openai_request

Size = Callable[[Message], int]
ROOT = Path(__file__).resolve().parents[3]
FOLDER = DATA / "transcripts"
FILES = sorted(FOLDER.glob("*.json"))
WINDOWS = (8192, 16384, 32768)
STEP = 7  # every so many requests, with the one after it

pytestmark = pytest.mark.skipif(not FILES, reason="no transcripts at hand")


def history(file: Path) -> tuple[Message, ...]:
    messages = json.loads(file.read_text())["messages"]
    body = json.dumps({"model": "m", "messages": messages}).encode()
    conversation: Conversation = openai_request.decode(body)[0]
    return conversation.messages


def requests(messages: tuple[Message, ...]) -> Iterator[tuple[int, int]]:
    """Where requests were sent, each with the one after it."""
    ends = [i for i, m in enumerate(messages) if i and m.role == "assistant" and messages[i - 1].role != "assistant"]
    return ((a, b) for n, (a, b) in enumerate(pairwise(ends)) if n % STEP == 0)


def shrunk(messages: tuple[Message, ...], window: int, size: Size, memo: Memo | None = None) -> Compaction:
    return compact(messages, budget=window - 1024, fixed=8, size=size, rules=CompactionRules(), memo=memo)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_real_histories_fit_and_keep_their_prefix(file: Path, window: int, size: Size) -> None:
    messages, memo = history(file), Memo()
    for one, two in requests(messages):
        now, then = shrunk(messages[:one], window, size, memo), shrunk(messages[:two], window, size, memo)
        assert now.fits
        assert now.tokens_after == 8 + sum(map(size, now.messages)) <= window - 1024
        assert then.messages[: len(now.messages)] == now.messages or then.epochs > now.epochs
        assert shrunk(now.messages, window, size).messages == now.messages
        assert now.cut_newest or messages[one - 1].text in now.messages[-1].text


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_memo_changes_nothing_in_them(file: Path, size: Size) -> None:
    messages, memo = history(file), Memo()
    for one, two in requests(messages):
        shrunk(messages[:one], 16384, size, memo)
        if two % 5 == 0:
            assert shrunk(messages[:two], 16384, size, memo) == shrunk(messages[:two], 16384, size)
