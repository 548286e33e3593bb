from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.compaction.chain import chain
from gateway.core.compaction.memo import Known, Memo
from gateway.core.compaction.replay import Replay, Room
from gateway.core.compaction.rules import CompactionRules
from gateway.core.compaction.summary import no_summary
from gateway.core.conversation import Message, Prose

ROOM = Room(budget=1000, base=0, rules=CompactionRules(), size=lambda _: 1, summary_of=no_summary)


def known() -> Known:
    replay = Replay.start(ROOM)
    return Known(replay, replay)


def test_the_longest_beginning_is_found() -> None:
    memo, short, long = Memo(), known(), known()
    memo.keep(b"a", short)
    memo.keep(b"b", long)
    assert memo.find([b"a", b"b", b"c"]) is long
    assert memo.find([b"a", b"x"]) is short
    assert memo.find([b"x"]) is None
    assert memo.find([]) is None


def test_the_longest_unused_is_forgotten() -> None:
    memo = Memo(most=2)
    for link in (b"a", b"b"):
        memo.keep(link, known())
    assert memo.find([b"a"])
    memo.keep(b"c", known())
    assert len(memo) == 2
    assert (memo.find([b"a"]) is None, memo.find([b"b"]) is None) == (False, True)


def test_rooms_have_seeds_of_their_own() -> None:
    other = Room(budget=2000, base=0, rules=ROOM.rules, size=ROOM.size, summary_of=no_summary)
    stricter = Room(budget=1000, base=0, rules=CompactionRules(lo=0.3), size=ROOM.size, summary_of=no_summary)
    assert len({ROOM.seed, other.seed, stricter.seed}) == 3


THREADS = st.lists(st.sampled_from("abc"), max_size=6).map(
    lambda texts: [Message(role="user", content=(Prose(text),)) for text in texts]
)


@given(st.lists(st.tuples(THREADS, st.sampled_from([b"", b"x"])), max_size=24))
def test_chains_are_the_same_whatever_was_chained_before(asked: list[tuple[list[Message], bytes]]) -> None:
    memo = Memo()
    for thread, seed in asked:
        assert memo.chained(thread, seed) == tuple(chain(thread, seed))


def test_only_what_is_new_is_hashed() -> None:
    class Once(str):
        """A text that may be hashed once."""

        hashed = 0

        def __format__(self, how: str) -> str:
            Once.hashed += 1
            return str(self)

    memo, thread = Memo(), [Message(role="user", name=Once("a"))]
    for _ in range(5):
        memo.chained(thread, b"")
        thread = [*thread, Message(role="user")]
    assert Once.hashed == 1
