"""One fetch and one build for all who want a vocabulary; what was refused is not asked for again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.tokenizers.model_info import Unsupported
from gateway.tokenizers.prompt_counter import PromptCounter
from gateway.tokenizers.shelf import VocabularyShelf

ModelInfo = Mapping[str, object]


class Server:
    """Gives `model_info` when it is let go on, and counts how often it was asked."""

    def __init__(self, info: ModelInfo) -> None:
        self.info = info
        self.asked = 0
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.broken = False

    async def load(self) -> ModelInfo:
        self.asked += 1
        await self.goes_on.wait()
        if self.broken:
            raise ConnectionError("gone")
        return self.info


async def test_it_counts(byte_info: ModelInfo, tmp_path: Path) -> None:
    found = await VocabularyShelf(tmp_path).get("sha256:1", Server(byte_info).load)
    assert isinstance(found, PromptCounter)
    assert found.count("<|start|>the tokens") == found.vocabulary.count("<|start|>the tokens")


async def test_one_fetch_for_all(byte_info: ModelInfo, tmp_path: Path) -> None:
    shelf, server = VocabularyShelf(tmp_path), Server(byte_info)
    server.goes_on.clear()
    waiting = [asyncio.create_task(shelf.get("sha256:1", server.load)) for _ in range(5)]
    await asyncio.sleep(0.05)
    waiting.pop().cancel()  # a client that leaves
    server.goes_on.set()
    first, *others = await asyncio.gather(*waiting)
    assert all(other is first for other in others)
    assert await shelf.get("sha256:1", server.load) is first
    assert server.asked == 1


async def test_a_restart_reads_the_disk(byte_info: ModelInfo, tmp_path: Path) -> None:
    server = Server(byte_info)
    await VocabularyShelf(tmp_path).get("sha256:1", server.load)
    found = await VocabularyShelf(tmp_path).get("sha256:1", server.load)
    assert isinstance(found, PromptCounter)
    assert server.asked == 1


async def test_generations_do_not_share(byte_info: ModelInfo, tmp_path: Path) -> None:
    shelf = VocabularyShelf(tmp_path)
    info = {**byte_info, "tokenizer.ggml.add_bos_token": True}
    new = await shelf.get("sha256:1", Server(info).load)
    old = await shelf.get("sha256:1", Server(info).load, generation="old")
    assert isinstance(new, PromptCounter)
    assert isinstance(old, PromptCounter)
    assert old.count("<|begin|>x") == new.count("<|begin|>x") + 1


async def test_the_longest_unused_leaves_memory(byte_info: ModelInfo, tmp_path: Path) -> None:
    shelf, server = VocabularyShelf(tmp_path, kept=2), Server(byte_info)
    one = await shelf.get("1", server.load)
    await shelf.get("2", server.load)
    assert await shelf.get("1", server.load) is one
    await shelf.get("3", server.load)
    assert await shelf.get("1", server.load) is one
    assert server.asked == 3
    again = await shelf.get("2", server.load)  # from disk
    assert isinstance(again, PromptCounter)
    assert server.asked == 3


async def test_a_refusal_is_remembered(tmp_path: Path) -> None:
    shelf, server = VocabularyShelf(tmp_path), Server({})
    for _ in range(3):
        assert isinstance(await shelf.get("sha256:1", server.load), Unsupported)
    assert server.asked == 1
    for other in range(100):
        await shelf.get(str(other), server.load)
    assert len(shelf._refused) == 64


async def test_a_failed_fetch_is_not(byte_info: ModelInfo, tmp_path: Path) -> None:
    shelf, server = VocabularyShelf(tmp_path), Server(byte_info)
    server.broken = True
    for result in await asyncio.gather(*(shelf.get("1", server.load) for _ in range(3)), return_exceptions=True):
        assert isinstance(result, ConnectionError)
    server.broken = False
    assert isinstance(await shelf.get("1", server.load), PromptCounter)
    assert server.asked == 2


async def test_nobody_waits_for_a_failure(
    byte_info: ModelInfo, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shelf, server = VocabularyShelf(tmp_path), Server(byte_info)
    server.broken = True
    server.goes_on.clear()
    waiting = asyncio.create_task(shelf.get("1", server.load))
    await asyncio.sleep(0.05)
    waiting.cancel()
    server.goes_on.set()
    await asyncio.sleep(0.05)
    assert not caplog.records
