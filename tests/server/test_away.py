"""What leaves the house, through a running gateway: nothing by default, what is permitted by label, never what holds a secret."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import aiohttp
import pytest

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

pytestmark = pytest.mark.skipif(
    find_spec("litellm") is None or find_spec("re2") is None, reason="needs the extra [cloud]"
)

HOME = SimModel(name="sim", script=always("From home."), parameters={"num_ctx": 32768})
SECRET = "AKIA" + "QWERTZUIOP234567"
KEYS = {
    "oss": ClientKey(sha256=hash_of("hf-oss"), label="cloud-ok", root="/home/me/oss"),
    "tidy": ClientKey(sha256=hash_of("hf-tidy"), label="redact", root="/home/me/oss"),
    "work": ClientKey(sha256=hash_of("hf-work"), label="local", root="/home/me/oss"),
}
AT = "You are a coding agent.\nWorking directory: /home/me/oss/shop"
MODEL, OTHER = "mistral/mistral-medium-3-5", "mistral/mistral-large-4"


@dataclass(frozen=True, slots=True)
class House:
    """A gateway, the cloud that it may use, and what stands behind it."""

    session: aiohttp.ClientSession
    cloud: FakeCloud
    ollama: SimulatedOllama
    state: Path

    async def ask(self, text: str, *, key: str = "hf-oss", model: str = "heavy", **headers: str) -> Said:
        body = {"model": model, "messages": [{"role": "system", "content": AT}, {"role": "user", "content": text}]}
        sent = {"x-api-key": key, **{name.replace("_", "-"): value for name, value in headers.items()}}
        async with self.session.post("/v1/chat/completions", json=body, headers=sent) as response:
            answer = await response.json()
            return Said(response.status, answer, dict(response.headers))


@dataclass(frozen=True, slots=True)
class Said:
    status: int
    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def text(self) -> str:
        found: str = self.body["choices"][0]["message"]["content"]
        return found


def policy_for(cloud: FakeCloud, *, budgets: Budgets | None = None, **changes: Any) -> Policy:
    target = CloudTarget(
        accepts_terms=True, url=cloud.url, window=131072, price=Price(input=1.0, output=2.0), answer=1000
    )
    rules = CloudRules(heavy=(MODEL, OTHER), targets={MODEL: target, OTHER: target}, budgets=budgets or Budgets())
    privacy = PrivacyRules(leave=True, roots={"/home/me/oss": "redact"})
    return replace(Policy(privacy=privacy, cloud=rules, keys=KEYS), **changes)


@asynccontextmanager
async def house(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cloud: FakeCloud | None = None,
    *,
    models: Sequence[SimModel] = (HOME,),
    cloud_rules: CloudRules | None = None,
    **changes: Any,
) -> AsyncIterator[House]:
    monkeypatch.setenv("MISTRAL_API_KEY", "key-of-the-house")
    async with SimulatedOllama(list(models)) as ollama, cloud or FakeCloud() as cloud:
        policy = policy_for(cloud, **changes)
        policy = with_upstreams(replace(policy, cloud=cloud_rules or policy.cloud), ollama=ollama.url, openai=None)
        policy = replace(policy, server=replace(policy.server, port=0))
        assembly = assemble(policy, state=tmp_path / "state")
        running = Running(assembly.front, policy, close=assembly.close)
        await running.start()
        try:
            async with aiohttp.ClientSession(running.url) as session:
                yield House(session, cloud, ollama, tmp_path / "state")
        finally:
            await running.stop()


TASK = "Change src/shop.py so that it adds the tax."


async def test_what_is_permitted_goes_and_is_paid_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house(tmp_path, monkeypatch) as it:
        said = await it.ask(TASK)
        assert said.text == "From the cloud.", said.headers["x-holdfast-route"]
        assert said.headers["x-holdfast-upstream"] == "mistral"
        assert "sent_away" in said.headers["x-holdfast-did"]
        record = await (await it.session.get(f"/holdfast/requests/{said.headers['x-holdfast-request']}")).json()
        ended = record["events"][-1]
        assert (ended["event"], ended["cost"]) == ("Ended", 1000 * 1 + 100 * 2)
        assert len(it.cloud.received) == 1
        assert b"Bearer key-of-the-house" in it.cloud.received[0]
        assert b"hf-oss" not in it.cloud.received[0]
    lines = [json.loads(line) for line in (it.state / "audit.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["away", "back"]
    assert TASK not in str(lines)


@pytest.mark.parametrize(
    ("key", "model", "headers"),
    [
        ("hf-work", "heavy", {}),
        ("hf-oss", "heavy", {"x_holdfast_privacy": "local"}),
        ("hf-oss", "heavy", {"x_holdfast_privacy": "nonsense"}),
        ("hf-oss", "heavy", {"x_holdfast_route": "local"}),
        ("", "heavy", {}),
        ("hf-oss", "sim", {}),
    ],
)
async def test_what_is_not_permitted_or_not_heavy_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, model: str, headers: dict[str, str]
) -> None:
    async with house(tmp_path, monkeypatch) as it:
        said = await it.ask(TASK, key=key, model=model, **headers)
        assert said.text == "From home."
        assert said.headers["x-holdfast-route"].startswith("home; ")
        assert not it.cloud.received


@pytest.mark.parametrize(
    "changes",
    [
        {"privacy": PrivacyRules(leave=False, roots={"/home/me/oss": "redact"})},
        {"privacy": PrivacyRules(leave=True)},
        {"privacy": PrivacyRules(leave=True, roots={"/home/me/oss": "redact"}, rules=("/nowhere/rules.yaml",))},
    ],
    ids=["switched off", "no roots", "rules missing"],
)
async def test_a_policy_that_does_not_say_so_lets_nothing_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    async with house(tmp_path, monkeypatch, **changes) as it:
        assert (await it.ask(TASK)).text == "From home."
        assert not it.cloud.received


async def test_a_secret_stays_and_so_does_what_follows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house(tmp_path, monkeypatch) as it:
        assert (await it.ask(f"{TASK} The key is {SECRET}", x_holdfast_session="s1")).text == "From home."
        assert (await it.ask(TASK, x_holdfast_session="s1")).text == "From home."
        assert not it.cloud.received
        assert (await it.ask(TASK, x_holdfast_session="s2")).text == "From the cloud."
    assert SECRET not in (it.state / "audit.jsonl").read_text()


async def test_a_tainted_session_stays_tainted_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house(tmp_path, monkeypatch) as it:
        await it.ask(f"{TASK} The key is {SECRET}", x_holdfast_session="s1")
    async with house(tmp_path, monkeypatch) as it:
        assert (await it.ask(TASK, x_holdfast_session="s1")).text == "From home."
        assert not it.cloud.received


async def test_a_replaced_secret_goes_out_as_a_placeholder_and_comes_back_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def repeats(body: str) -> str:
        asked = json.loads(body)["messages"][-1]["content"]
        return f"You said: {asked}"

    async with house(tmp_path, monkeypatch, FakeCloud(says=repeats)) as it:
        said = await it.ask(f"{TASK} The key is {SECRET}", key="hf-tidy")
        assert said.text == f"You said: {TASK} The key is {SECRET}"
        assert len(it.cloud.received) == 1
        assert SECRET.encode() not in it.cloud.received[0]


async def test_no_budget_no_cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house(tmp_path, monkeypatch, budgets=Budgets(per_day=0.0001)) as it:
        said = await it.ask(TASK)
        assert said.text == "From home."
        assert "budget of this day" in said.headers["x-holdfast-route"]
        assert not it.cloud.received


async def test_a_model_that_is_gone_gives_way_to_the_next_and_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path, monkeypatch, FakeCloud(gone=frozenset({"mistral-medium-3-5"}))) as it:
        said = await it.ask(TASK)
        assert said.text == "From the cloud.", said.headers["x-holdfast-route"]
        assert said.headers["x-holdfast-model"] == "mistral-large-4"
        await it.ask(TASK + " Now.")
        models = [json.loads(body)["model"] for body in it.cloud.bodies]
        assert models == ["mistral-medium-3-5", "mistral-large-4", "mistral-large-4"]
        notices = (await (await it.session.get("/readyz", headers={"x-api-key": "hf-oss"})).json())["notices"]
        assert "mistral/mistral-medium-3-5 is gone" in str(notices)


async def test_what_fails_away_comes_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house(tmp_path, monkeypatch, FakeCloud(status=401, refusal="Unauthorized")) as it:
        said = await it.ask(TASK)
        assert said.text == "From home."
        assert "rerouted" in said.headers["x-holdfast-did"]


AFAR = SimModel(name="big:480b-cloud", script=always("From afar."), parameters={"num_ctx": 131072}, window=131072)
FREE = CloudTarget(accepts_terms=True, window=131072, price=Price(input=0.0, output=0.0))


@pytest.mark.parametrize(("key", "text"), [("hf-oss", "From afar."), ("hf-work", "From home."), ("", "From home.")])
async def test_ollamas_own_cloud_models_stand_behind_the_same_gate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, text: str
) -> None:
    rules = CloudRules(heavy=("ollama/big:480b-cloud",), targets={"ollama/big:480b-cloud": FREE})
    async with house(tmp_path, monkeypatch, models=[HOME, AFAR], cloud_rules=rules) as it:
        listed = await (await it.session.get("/v1/models", headers={"x-api-key": "hf-oss"})).json()
        assert [each["id"] for each in listed["data"]] == ["sim:latest"]
        assert (await it.ask(TASK, key=key)).text == text
        asked = [each for each in it.ollama.requests if "big" in str(each.model)]
        assert len(asked) == (1 if text == "From afar." else 0)


async def test_a_cloud_model_is_not_to_be_had_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house(tmp_path, monkeypatch, models=[HOME, AFAR]) as it:
        assert (await it.ask(TASK, model="big:480b-cloud")).status == 404
        assert not any("big" in str(each.model) for each in it.ollama.requests)


async def test_the_status_tells_what_was_spent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house(tmp_path, monkeypatch) as it:
        await it.ask(TASK)
        told = await (await it.session.get("/holdfast/status")).json()
    assert told["spent"] == {"day": 0.0012, "total": 0.0012, "open": 0.0, "day_by_key": {"oss": 0.0012}}
