"""A policy that is edited while the gateway runs: a good edit holds, any other leaves the old one, nothing stops and no key is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.config.load import BadPolicy, load, parse
from gateway.config.watch import watch
from gateway.core.policy import Policy

GOOD = "server: {hosts: [gateway]}\n"
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
BAD = {
    "half": "server: {hosts: [",
    "empty": "",
    "deep": "[" * 5000,
    "bomb": f"{BOMB}upstreams: *i\n",
    "circle": "upstreams: &a {x: *a}",
    "tag": "server: !!python/object/apply:os.system [id]",
    "date": "server: {host: 2024-99-99}",
    "digits": f"limits: {{records: {'9' * 5000}}}",
    "twice": f"keys: {{a: {{sha256: '{'0' * 64}'}}}}\nkeys: {{}}\n",
    "nan": "timeouts: {heartbeat: .nan}",
    "endless": "timeouts: {first_part: .inf}",
    "below": "timeouts: {drain: -1}",
    "no address": 'upstreams: {a: {url: "http://x y"}}',
    "no port": 'upstreams: {a: {url: "http://x:99999"}}',
    "two documents": "server: {}\n---\nserver: {}",
    "too large": "# " + "x" * (1 << 20),
    "not text": "\x00",
}


@dataclass
class Watched:
    """A policy file under watch, what was taken from it and what was complained of."""

    file: Path
    taken: list[Policy] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    fails: Exception | None = None

    def swap(self, policy: Policy) -> None:
        if self.fails is not None:
            raise self.fails
        self.taken.append(policy)

    async def told(self, count: int) -> str:
        """The last of so many complaints ("" for an edit that was taken)."""
        async with asyncio.timeout(10):
            while len(self.said) < count:  # noqa: ASYNC110  # nothing tells of it
                await asyncio.sleep(0.005)
        return self.said[-1]


@asynccontextmanager
async def watched(file: Path) -> AsyncIterator[Watched]:
    file.write_text(GOOD)
    it = Watched(file)
    task = asyncio.create_task(watch(file, swap=it.swap, complain=it.said.append, every=0.01))
    await asyncio.sleep(0.02)
    try:
        yield it
        assert not task.done(), "the watch must outlive whatever it reads"
    finally:
        task.cancel()


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
async def test_a_bad_edit_keeps_the_old_policy_and_is_told(tmp_path: Path, text: str) -> None:
    async with watched(tmp_path / "policy.yaml") as it:
        it.file.write_text(text)
        said = await it.told(1)
        assert said.startswith(f"the policy was changed, but not taken: {it.file}")
        assert len(said) < 1000
        assert it.taken == []
        it.file.write_text("server: {hosts: [other]}\n")
        assert await it.told(2) == ""
        assert it.taken[0].server.hosts == ("other",)


async def test_a_file_that_goes_away_or_becomes_something_else_changes_nothing(tmp_path: Path) -> None:
    async with watched(tmp_path / "policy.yaml") as it:
        it.file.unlink()
        assert "can't be read" in await it.told(1)
        it.file.mkdir()
        assert "can't be read" in await it.told(2)
        it.file.rmdir()
        it.file.write_bytes(b"\xff\xfe")
        assert "can't be read" in await it.told(3)
        other = tmp_path / "other"
        other.write_text("server: {hosts: [moved]}\n")
        other.replace(it.file)
        assert await it.told(4) == ""
        assert [policy.server.hosts for policy in it.taken] == [("moved",)]


async def test_a_policy_that_cannot_be_built_keeps_the_old_one(tmp_path: Path) -> None:
    async with watched(tmp_path / "policy.yaml") as it:
        it.fails = RuntimeError("sk-secret in the words of a library")
        it.file.write_text("server: {}\n")
        said = await it.told(1)
        assert "can't be used: RuntimeError" in said
        assert "sk-secret" not in said


async def test_a_file_is_read_only_once_it_rests(tmp_path: Path) -> None:
    """An editor that empties the file and then writes it in pieces must not take away the keys for a second."""
    async with watched(tmp_path / "policy.yaml") as it:
        with it.file.open("w") as file:
            for place in range(200):
                file.write(f"# {place}\n")
                file.flush()
                await asyncio.sleep(0.002)
            assert it.taken == []
            file.write("server: {hosts: [whole]}\n")
        assert await it.told(1) == ""
        assert [policy.server.hosts for policy in it.taken] == [("whole",)]


@pytest.mark.parametrize(
    "text",
    [
        "keys: {bob: sk-SECRET}",
        "keys: [sk-SECRET]",
        "keys: {bob: {sha256: sk-SECRET}}",
        "keys: {bob: {key_env: sk-SECRET}}",
        "keys: {bob: {sha256: !sk-SECRET x}}",
        "keys: {bob: {sha256: *sk-SECRET}}",
        "upstreams: {a: {url: 'http://x', key_env: sk-SECRET}}",
        "upstreams: {a: {url: 'http://x', key_env: [sk-SECRET]}}",
        "upstreams: {a: {url: 'http://x', key: sk-SECRET}}",
        "upstreams: {a: {url: 'ftp://me:SECRET@x'}}",
        "upstreams: {a: {url: 'http://me:SECRET@[x'}}",
        "upstreams: {a: 'http://me:SECRET@x'}",
    ],
)
def test_errors_never_repeat_what_may_be_a_key(text: str) -> None:
    """They go to the log and to /readyz."""
    with pytest.raises(BadPolicy) as caught:
        parse(text, name="policy.yaml")
    assert "SECRET" not in str(caught.value)


def test_aliases_that_stay_small_are_fine() -> None:
    policy = parse("models:\n- &one {match: a, window: 8192}\n- {<<: *one, match: b}\n", name="policy.yaml")
    assert [(rule.match, rule.window) for rule in policy.models] == [("a", 8192), ("b", 8192)]


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load(file).server.hosts == ("gateway",)
