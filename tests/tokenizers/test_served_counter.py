"""The port: exact, or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import pytest

from gateway.core.failures import Failure, FailureKind
from gateway.ports import Driver, UpstreamFailed
from gateway.tokenizers.served_counter import ServedCounter
from gateway.tokenizers.shelf import VocabularyShelf

PROMPT = "<|begin|>the tokens of the prompt"


class Upstream:
    """The two questions of a driver that counting asks."""

    def __init__(self, info: Mapping[str, object] | None, version: str = "0.33.3") -> None:
        self.info = info
        self.version = version
        self.asked = 0
        self.down = False

    async def alive(self) -> str:
        if self.down:
            raise UpstreamFailed(Failure(FailureKind.UNREACHABLE))
        self.asked += 1
        return self.version

    async def vocabulary(self, model: str) -> Mapping[str, object] | None:
        return self.info


async def exact(
    counter: ServedCounter, upstream: Upstream, prompt: str = PROMPT, digest: str = "sha256:1"
) -> int | None:
    return await counter.exact(prompt, model="m", digest=digest, driver=cast("Driver", upstream))


@pytest.fixture(name="counter")
def counter_fixture(tmp_path: Path) -> ServedCounter:
    return ServedCounter(VocabularyShelf(tmp_path))


async def test_exact(counter: ServedCounter, byte_info: Mapping[str, object]) -> None:
    upstream = Upstream(byte_info)
    short = await exact(counter, upstream)
    assert short
    assert await exact(counter, upstream, PROMPT * 3000) == 3000 * short
    assert upstream.asked == 1


async def test_only_much_that_is_new_leaves_the_event_loop(
    counter: ServedCounter, byte_info: Mapping[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[int] = []
    to_thread = asyncio.to_thread

    async def noted(work: Callable[..., object], *said: object, **how: object) -> object:
        if work.__name__ == "count":
            left.append(len(str(said[0])))
        return await to_thread(work, *said, **how)

    monkeypatch.setattr(asyncio, "to_thread", noted)
    upstream, long = Upstream(byte_info), PROMPT * 3000
    for prompt in (PROMPT, long, long + PROMPT, long + PROMPT * 3000):
        await exact(counter, upstream, prompt)
    assert left == [len(long), len(long + PROMPT * 3000)]


async def test_the_version_says_how(counter: ServedCounter, byte_info: Mapping[str, object]) -> None:
    info = {**byte_info, "tokenizer.ggml.add_bos_token": True}
    new, old = await exact(counter, Upstream(info)), await exact(counter, Upstream(info, "0.24.0"))
    assert new is not None
    assert old == new + 1


@pytest.mark.parametrize("pre", ["from-the-future", None])
async def test_what_is_not_exact_is_nothing(
    counter: ServedCounter, byte_info: Mapping[str, object], pre: str | None
) -> None:
    info = {**byte_info, "tokenizer.ggml.pre": pre} if pre else None
    assert await exact(counter, Upstream(info)) is None


async def test_what_takes_too_long_is_nothing(counter: ServedCounter, byte_info: Mapping[str, object]) -> None:
    info = {**byte_info, "general.architecture": "qwen3"}
    new, old = (Upstream(info, version) for version in ("0.33.3", "0.24.0"))
    runs = " ".join("-" * length for length in range(1, 700))
    assert await exact(counter, new, runs)
    assert await exact(counter, old, runs) is None
    assert await exact(counter, old, "-" * 700)


async def test_an_upstream_that_is_down(counter: ServedCounter, byte_info: Mapping[str, object]) -> None:
    upstream = Upstream(byte_info)
    upstream.down = True
    assert await exact(counter, upstream) is None
    upstream.down = False
    assert await exact(counter, upstream)


async def test_no_digest_no_count(counter: ServedCounter, byte_info: Mapping[str, object]) -> None:
    assert await exact(counter, Upstream(byte_info), digest="") is None
