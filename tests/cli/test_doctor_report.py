"""The doctor as people and scripts meet it: its report in words, its flags, and what it asks of servers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gateway.testing.client import Client
from gateway.testing.models.model import FAMILIES, SimModel
from gateway.testing.record import Kind
from gateway.testing.script import always
from tests.cli.house import House, planted, serving
from tests.cli.test_doctor import INFO, aider, coder, codes, crush, doctor, opencode


async def test_the_report_for_people_says_what_the_json_says(house: House) -> None:
    house.write("crush.json", crush(8192))
    house.write(".aider.model.settings.yml", aider(65_576))
    models = [coder(trained=32_768), SimModel(name="gemma:27b", family=FAMILIES["gemma4"], window=131_072)]
    async with planted(models, info={"coder:30b": INFO}) as sim:
        raw = await doctor(house, sim, "--memory", "24GiB", "--speed", "400")
        ran = await house.run("doctor", "--ollama", sim.url, "--memory", "24GiB", "--speed", "400")
    assert (ran.status, ran.err) == (1, "")
    said = " ".join(ran.out.split())
    findings = raw.json["findings"]
    assert isinstance(findings, list)
    for number, each in enumerate(findings, 1):
        assert f"{number}. {each['severity']} {each['about']}" in said
        assert f"{each['found']}. {each['change']}" in said
        for line in each["lines"]:
            assert f"\n{line}\n" in ran.out  # from the first column, as it is pasted
    for words in (
        f"ollama {sim.url} answers: ollama 0.33.3 new",
        "coder:30b 32,768 configured 32,768 – – 3.0 GiB 1 min 22 s qwen3-coder, drops cut ones",
        "gemma4, damages cut ones",
        "what fits 24.0 GiB",
        "17.3 GiB 32,768 32,768 32,768",
        "things to mend.",
    ):
        assert words in said, words


async def test_a_healthy_set_up_in_words(house: House) -> None:
    async with planted([coder()], info={"coder:30b": INFO}) as sim:
        ran = await house.run("doctor", "--ollama", sim.url)
    assert ran.status == 0
    assert ran.out.rstrip().endswith("Nothing is wrong.")
    assert "How long reading a full window takes is not known yet" in ran.out


async def test_it_reads_and_changes_nothing(house: House) -> None:
    async with planted([coder(), coder("other:7b")]) as sim:
        await doctor(house, sim)
        assert {asked.kind for asked in sim.requests} == {Kind.OTHER}
        assert sim.loads == 0
    assert list(house.home.rglob("*")) == [house.project]


async def test_a_server_that_does_not_answer(house: House) -> None:
    ran = await house.run("doctor", "--json", "--ollama", "http://127.0.0.1:1")
    assert (ran.status, codes(ran)) == (1, ["unreachable"])
    assert ran.json["ok"] is False
    words = await house.run("doctor", "--ollama", "http://127.0.0.1:1")
    assert "does not answer" in words.out
    assert "ssl" not in words.out


async def test_one_server_that_is_gone_hides_no_other(house: House) -> None:
    async with planted([coder()]) as sim:
        house.write(
            "policy.yaml",
            f"upstreams:\n  gone: {{url: 'http://127.0.0.1:1'}}\n  here: {{url: '{sim.url}'}}\n",
        )
        ran = await house.run("doctor", "--json")
    assert codes(ran) == ["unreachable"]
    models = ran.json["models"]
    assert isinstance(models, list)
    assert [(each["upstream"], each["name"]) for each in models] == [("here", "coder:30b")]


async def test_a_server_that_is_no_ollama(house: House) -> None:
    async with planted([coder()]) as sim:
        ran = await house.run("doctor", "--json", "--openai", f"{sim.url}/v1")
        words = await house.run("doctor", "--openai", f"{sim.url}/v1")
    assert (ran.status, codes(ran)) == (0, [])
    assert "answers: openai" in words.out
    assert "can't be told" in words.out


async def test_one_model_alone(house: House) -> None:
    async with planted([coder(), coder("bad:30b", num_ctx=2048)]) as sim:
        good = await doctor(house, sim, "--model", "coder:30b")
        bad = await doctor(house, sim, "--model", "bad:30b")
        none = await doctor(house, sim, "--model", "nosuch")
        house.write("policy.yaml", "models:\n  - {match: fast, upstream: ollama, model: 'coder:30b'}\n")
        alias = await doctor(house, sim, "--model", "fast")
    assert (good.status, codes(good)) == (0, [])
    assert (bad.status, codes(bad)) == (1, ["window_small"])
    assert (none.status, codes(none)) == (1, ["model_missing"])
    assert (alias.status, codes(alias)) == (0, [])
    assert len(alias.json["models"]) == 1  # type: ignore[arg-type]


async def test_lists_that_ollama_keeps_back_are_asked_for(house: House) -> None:
    """`head_count_kv` of gemma4 is a list, null in the short answer: 5 of 6 layers see 1,024 tokens."""
    info = {
        "block_count": 12,
        "attention.head_count": 8,
        "attention.head_count_kv": [4, 4, 4, 4, 4, 1] * 2,
        "attention.sliding_window": 1024,
        "attention.sliding_window_pattern": [True, True, True, True, True, False] * 2,
        "attention.key_length": 512,
        "attention.value_length": 512,
        "embedding_length": 2816,
    }
    model = SimModel(name="gemma:27b", family=FAMILIES["gemma4"], window=131_072, parameters={"num_ctx": 32_768})
    async with planted([model], info={"gemma:27b": info}) as sim:
        ran = await doctor(house, sim)
        asked = [json.dumps(dict(each.body)) for each in sim.requests if each.path == "/api/show"]
    models = ran.json["models"]
    assert isinstance(models, list)
    context = models[0]["context"]
    assert (context["whole_layers"], context["sliding_layers"]) == (2, 10)
    assert context["bytes"] == 2 * 1024 * (2 * 1 * 32_768 + 10 * 4 * 1536)
    assert sum('"verbose": true' in body for body in asked) == 1


async def test_policy_says_how_much_memory_a_model_may_take(house: House) -> None:
    house.write("policy.yaml", "models:\n  - {match: 'coder*', memory: 24GiB}\n")
    async with planted([coder(num_ctx=None)], info={"coder:30b": INFO}) as sim:
        ran = await doctor(house, sim)
    models = ran.json["models"]
    assert isinstance(models, list)
    assert (ran.status, codes(ran)) == (0, [])
    assert (models[0]["window"], models[0]["window_source"]) == (62_208, "policy")


async def test_models_that_run_elsewhere_are_not_looked_at(house: House) -> None:
    away = SimModel(name="big:480b-cloud", remote_host="https://ollama.com", remote_model="big:480b")
    async with planted([coder(), away]) as sim:
        ran = await doctor(house, sim)
    assert len(ran.json["models"]) == 1  # type: ignore[arg-type]


async def test_settings_are_shown_and_secrets_are_not(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_KV_CACHE_TYPE", "q8_0")
    monkeypatch.setenv("OLLAMA_NUM_PARALLEL", "2")
    monkeypatch.setenv("OLLAMA_API_KEY", "sesame")
    async with planted([coder()], info={"coder:30b": INFO}) as sim:
        ran = await doctor(house, sim)
    assert ran.json["environment"] == {"OLLAMA_KV_CACHE_TYPE": "q8_0", "OLLAMA_NUM_PARALLEL": "2"}
    assert "sesame" not in ran.out
    models = ran.json["models"]
    assert isinstance(models, list)
    assert models[0]["context"]["bytes"] == 2 * 3 * (1 << 30) * 34 // 64


async def test_the_speed_is_that_which_a_running_gateway_has_measured(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = SimModel(
        name="coder:30b", parameters={"num_ctx": 146_760}, window=262_144, script=always("Yes."), prompt_speed=4000.0
    )
    chat = {"model": "coder:30b", "messages": [{"role": "user", "content": "Count these words. " * 400}]}
    async with planted([model]) as sim, serving(sim, tmp_path) as running:
        async with Client(running.url) as client:
            assert (await client.post("/v1/chat/completions", chat)).status == 200
        monkeypatch.setenv("HOLDFAST_PORT", str(running.port))
        house.write("opencode.json", opencode(146_760, url=f"{sim.url}/v1", headerTimeout=1000))
        ran = await doctor(house, sim)
    models = ran.json["models"]
    assert isinstance(models, list)
    assert codes(ran) == ["timeout_short"]
    assert 1000 < models[0]["tokens_per_second"] < 8000


def test_the_page_about_the_doctor_has_every_code() -> None:
    root = Path(__file__).resolve().parents[2]
    sources = "".join(file.read_text() for file in (root / "gateway/core/diagnosis").glob("*.py"))
    made = set(re.findall(r'code="(\w+)"', sources)) | set(
        re.findall(r'"((?:base_url|client_window|no)_\w+)"', sources)
    )
    table = [
        line.split("|")[1] for line in (root / "docs/doctor.md").read_text().splitlines() if line.startswith("| `")
    ]
    assert set(re.findall(r"`(\w+)`", "".join(table))) == made
    assert len(made) > 20
