"""`demo` shows whole tool calls behind Holdfast and none alone; `policy` checks, shows and describes."""

from __future__ import annotations

import json

from gateway.config.load import parse
from gateway.core.policy import Policy
from tests.cli.house import House


async def test_the_demo_tells_what_holdfast_is_for(house: House) -> None:
    ran = await house.run("demo", "--json")
    scenes = ran.json["scenes"]
    assert isinstance(scenes, list)
    assert (ran.status, ran.err, len(scenes)) == (0, "", 6)
    assert all("tool call write: whole" in each["behind"] for each in scenes)
    assert ["tool call write: whole" in each["alone"] for each in scenes] == [True] + [False] * 5


async def test_the_demo_for_people(house: House) -> None:
    ran = await house.run("demo")
    assert ran.status == 0
    assert ran.out.count("tool call write: whole") == 7
    assert "the same client" in ran.out


async def test_a_policy_is_checked(house: House) -> None:
    house.write("good.yaml", "server: {port: 1234}\n")
    house.write("bad.yaml", "server: {port: [1], hots: x}\nmodels: [{}]\n")
    good, bad = (
        await house.run("policy", "check", "good.yaml"),
        await house.run("policy", "check", "bad.yaml", "--json"),
    )
    gone = await house.run("policy", "check", "gone.yaml")
    assert (good.status, good.out) == (0, "good.yaml: fine\n")
    assert (bad.status, bad.json["ok"]) == (1, False)
    errors = str(bad.json["errors"])
    assert "server.port" in errors
    assert "server.hots: this key is not known" in errors
    assert "models[0].match: is missing" in errors
    assert gone.status == 1
    assert "gone.yaml: can't be read" in gone.out


async def test_the_effective_policy_is_a_policy(house: House) -> None:
    house.write("policy.yaml", "server: {port: 1234}\n")
    shown = await house.run("policy", "show", "--ollama", "http://127.0.0.1:9")
    policy = parse(shown.out, name="shown")
    assert (policy.server.port, policy.upstreams["ollama"].url) == (1234, "http://127.0.0.1:9")
    defaults = await house.run("policy", "show", "--defaults")
    assert parse(defaults.out, name="defaults") == Policy()
    raw = await house.run("policy", "show", "--json")
    server = raw.json["server"]
    assert isinstance(server, dict)
    assert server["port"] == 1234
    schema = json.loads((await house.run("policy", "schema")).out)
    assert "models" in schema["properties"]
