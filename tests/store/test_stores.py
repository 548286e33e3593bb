"""What every store promises, whatever it keeps its things in."""

from __future__ import annotations

from gateway.core.plan import Target
from gateway.ports import WindowLearnt
from tests.store.conftest import SUMMARIES, Keeping

CODER = Target("ollama", "qwen3-coder")


async def test_a_summary_is_what_was_last_kept(store: Keeping) -> None:
    assert await store.summary(b"one") is None
    await store.keep_summary(b"one", "first")
    await store.keep_summary(b"one", "naïve\x00 🙂")
    assert await store.summary(b"one") == "naïve\x00 🙂"
    assert await store.summary(b"two") is None


async def test_the_newest_summaries_stay(store: Keeping) -> None:
    for number in range(SUMMARIES + 3):
        await store.keep_summary(number.to_bytes(4, "big"), str(number))
    kept = [await store.summary(number.to_bytes(4, "big")) for number in (0, 2, 3, SUMMARIES + 2)]
    assert kept == [None, None, "3", str(SUMMARIES + 2)]


async def test_a_taint_holds_until_its_time(store: Keeping) -> None:
    await store.taint([b"a", b"b"], until=100.0)
    assert await store.tainted([b"a", b"b", b"c"], 99.0) == {b"a", b"b"}
    assert await store.tainted([b"a", b"b", b"c"], 100.0) == frozenset()


async def test_a_taint_is_never_shortened(store: Keeping) -> None:
    await store.taint([b"a"], until=100.0)
    await store.taint([b"a"], until=50.0)
    assert await store.tainted([b"a"], 75.0) == {b"a"}
    await store.taint([b"a"], until=200.0)
    assert await store.tainted([b"a"], 150.0) == {b"a"}


async def test_any_number_of_keys_can_be_asked_for(store: Keeping) -> None:
    keys = [number.to_bytes(4, "big") for number in range(2_500)]
    await store.taint(keys[::2], until=10.0)
    assert await store.tainted(keys, 1.0) == frozenset(keys[::2])
    assert await store.tainted([], 1.0) == frozenset()


async def test_of_each_kind_the_last_window_is_learnt(store: Keeping) -> None:
    assert await store.windows() == {}
    await store.learn_window(CODER, 65536, held=False, at=1.0)
    await store.learn_window(CODER, 32768, held=True, at=2.0)
    await store.learn_window(CODER, 49152, held=False, at=3.0)
    await store.learn_window(Target("pod", "m"), 8192, held=True, at=4.0)
    assert await store.windows() == {
        CODER: WindowLearnt(held=32768, held_at=2.0, failed=49152, failed_at=3.0),
        Target("pod", "m"): WindowLearnt(held=8192, held_at=4.0),
    }


async def test_dead_models_are_remembered(store: Keeping) -> None:
    await store.learn_dead(CODER, at=1.0)
    await store.learn_dead(CODER, at=2.0)
    assert await store.dead() == {CODER: 2.0}
