"""The leak test's second half: planted secrets sent through a running gateway to a fake cloud that records every byte."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import aiohttp
import structlog

from gateway.app import assemble
from gateway.config.load import with_upstreams
from gateway.core.access import hash_of
from gateway.core.policy import Policy
from gateway.core.policy.cloud import Budgets, CloudRules, CloudTarget, Price
from gateway.core.policy.keys import ClientKey
from gateway.core.policy.privacy import PrivacyRules
from gateway.server.running import Running
from gateway.testing.cloud import FakeCloud
from gateway.testing.models.model import SimModel
from gateway.testing.ollama import SimulatedOllama
from gateway.testing.script import always

Body: TypeAlias = dict[str, object]
Place: TypeAlias = Callable[[Sequence[str]], Body]
Encoding: TypeAlias = Callable[[str], Sequence[str]]

MODEL = "mistral/mistral-medium-3-5"
OPEN, REDACT, LOCAL = "hf-open", "hf-redact", "hf-local"
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class House:
    """A running gateway, by its session, and the cloud that it may use."""

    session: aiohttp.ClientSession
    cloud: FakeCloud

    async def sent(self, body: Body, *, key: str) -> bool:
        """Whether a request made the cloud receive anything."""
        before = len(self.cloud.received)
        headers = {"x-api-key": key} if key else {}
        async with self.session.post("/v1/chat/completions", json=body, headers=headers) as response:
            await response.read()
        return len(self.cloud.received) > before


@asynccontextmanager
async def house(root: str) -> AsyncIterator[House]:
    os.environ.setdefault("MISTRAL_API_KEY", "key-of-the-leak-test")
    home = SimModel(name="sim", script=always("From home."), parameters={"num_ctx": 131072})
    with tempfile.TemporaryDirectory() as state:
        async with SimulatedOllama([home]) as ollama, FakeCloud() as cloud:
            policy = with_upstreams(policy_for(cloud, root), ollama=ollama.url, openai=None)
            policy = replace(policy, server=replace(policy.server, port=0))
            assembly = assemble(policy, state=Path(state))
            running = Running(assembly.front, policy, close=assembly.close)
            await running.start()
            try:
                async with aiohttp.ClientSession(running.url) as session:
                    yield House(session, cloud)
            finally:
                await running.stop()


def policy_for(cloud: FakeCloud, root: str) -> Policy:
    target = CloudTarget(accepts_terms=True, url=cloud.url, window=131072, price=Price(input=1.0, output=1.0))
    keys = {
        "open": ClientKey(sha256=hash_of(OPEN), label="cloud-ok", root=root),
        "redact": ClientKey(sha256=hash_of(REDACT), label="redact", root=root),
        "local": ClientKey(sha256=hash_of(LOCAL), label="local", root=root),
    }
    return Policy(
        privacy=PrivacyRules(leave=True, roots={root: "redact"}),
        cloud=CloudRules(heavy=(MODEL,), targets={MODEL: target}, budgets=Budgets(per_day=1e6)),
        keys=keys,
    )


async def through_the_gateway(
    secrets: Sequence[str], *, root: str, harmless: str, places: Mapping[str, Place], encodings: Mapping[str, Encoding]
) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    async with house(root) as it:
        await it.sent(places["user"]([harmless]), key=OPEN)  # the cloud's library is loaded by the first request
        left = [await it.sent(place([harmless]), key=key) for place in places.values() for key in ("", LOCAL)]
        open_ = [await it.sent(place([harmless]), key=OPEN) for name, place in places.items() if name != "image url"]
        print("\nthrough a running gateway, the bytes that a fake cloud received")
        print(f"without a key, or under `local`: {sum(left)} of {len(left)} harmless requests leave")
        print(f"under `cloud-ok`: {sum(open_)} of {len(open_)} harmless requests leave")
        if sum(left) or not all(open_):
            sys.exit("nothing can be told of secrets where harmless requests don't go where they may")
        for key, label in ((REDACT, "redact"), (OPEN, "cloud-ok")):  # what stayed once is tainted, and stays
            await _planted(it, secrets, key=key, label=label, places=places, encodings=encodings)


async def _planted(
    it: House,
    secrets: Sequence[str],
    *,
    key: str,
    label: str,
    places: Mapping[str, Place],
    encodings: Mapping[str, Encoding],
) -> None:
    out: Counter[str] = Counter()
    asked = 0
    it.cloud.received.clear()
    for name, encode in encodings.items():
        for place in places.values():
            for start in range(0, len(secrets), _AT_ONCE):
                some = [encode(text) for text in secrets[start : start + _AT_ONCE]]
                before = len(it.cloud.received)
                await asyncio.gather(*(it.sent(place(texts), key=key) for texts in some))
                new = b"\n".join(it.cloud.received[before:])
                out[name] += sum(all(_bare(each) in _bare_bytes(new) for each in texts) for texts in some)
                asked += len(some)
    told = ", ".join(f"{name} {count}" for name, count in out.items() if count) or "none"
    print(f"under `{label}`: {sum(out.values())} of {asked} secrets reached the cloud ({told});", end=" ")
    print(f"{len(it.cloud.received)} of these requests left", flush=True)


def _bare(text: str) -> bytes:
    """The text without what JSON writes in more than one way."""
    return _bare_bytes(text.encode("unicode_escape"))


def _bare_bytes(data: bytes) -> bytes:
    return bytes(each for each in data if chr(each).isalnum() or each in b"-_.")
