"""The doctor against a simulated Ollama: each planted fault is found, by its code, and nothing else; a healthy set-up is fine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from gateway.testing.models.model import SimModel
from gateway.testing.ollama import SimulatedOllama
from tests.cli.house import House, Ran, load, planted

GATEWAY = "http://127.0.0.1:8484"
NATIVE = 262_144
INFO = {"block_count": 48, "attention.head_count": 32, "attention.head_count_kv": 4, "attention.key_length": 128,
        "attention.value_length": 128, "embedding_length": 2048}  # fmt: skip


def coder(name: str = "coder:30b", *, num_ctx: int | None = 32_768, trained: int = NATIVE, blob: str = "") -> SimModel:
    parameters = {"num_ctx": num_ctx} if num_ctx else {}
    return SimModel(name=name, window=trained, parameters=parameters, size_gib=17.3, blob=blob)


def crush(window: int, *, url: str = f"{GATEWAY}/v1") -> Mapping[str, object]:
    models = [{"id": "coder:30b", "name": "Coder", "context_window": window, "default_max_tokens": 4096}]
    return {"providers": {"holdfast": {"type": "openai-compat", "base_url": url, "api_key": "x", "models": models}}}


def opencode(window: int, *, url: str = f"{GATEWAY}/v1", **options: object) -> Mapping[str, object]:
    models = {"coder:30b": {"name": "Coder", "limit": {"context": window, "output": 4096}}}
    return {"provider": {"holdfast": {"options": {"baseURL": url, **options}, "models": models}}}


def aider(num_ctx: int) -> str:
    return f"- name: ollama_chat/coder:30b\n  extra_params:\n    num_ctx: {num_ctx}\n"


def codes(ran: Ran) -> list[str]:
    findings = ran.json["findings"]
    assert isinstance(findings, list)
    return [each["code"] for each in findings]


def finding(ran: Ran, code: str) -> Mapping[str, object]:
    findings = ran.json["findings"]
    assert isinstance(findings, list)
    found = [each for each in findings if each["code"] == code]
    assert len(found) == 1, findings
    assert isinstance(found[0], dict)
    return found[0]


async def doctor(house: House, sim: SimulatedOllama, *flags: str) -> Ran:
    return await house.run("doctor", "--json", "--ollama", sim.url, *flags)


async def test_nothing_is_found_on_a_healthy_set_up(house: House) -> None:
    house.write("crush.json", crush(32_768))
    house.write("opencode.json", opencode(32_768))
    house.write(".aider.model.settings.yml", aider(32_768))
    house.write(".aider.conf.yml", f"openai-api-base: {GATEWAY}/v1\nset-env: OLLAMA_API_BASE={GATEWAY}\n")
    async with planted([coder(), coder("same-file:30b", blob="coder:30b")], info={"coder:30b": INFO}) as sim:
        await load(sim, "coder:30b", window=32_768)
        ran = await doctor(house, sim, "--memory", "24GiB", "--speed", "400")
    assert (ran.status, codes(ran), ran.err) == (0, [], "")
    assert ran.json["ok"] is True
    assert len(ran.json["clients"]) == 4  # type: ignore[arg-type]  # all four files were read


async def test_a_label_of_128k_where_the_model_has_262k(house: House) -> None:
    house.write("crush.json", crush(131_072))
    async with planted([coder(num_ctx=NATIVE)]) as sim:
        ran = await doctor(house, sim)
    assert (ran.status, codes(ran)) == (1, ["client_window_below"])
    assert "131,072" in str(finding(ran, "client_window_below")["found"])
    assert '"context_window": 262144' in finding(ran, "client_window_below")["lines"]  # type: ignore[operator]


async def test_a_label_in_the_models_own_name(house: House) -> None:
    async with planted([coder("coder:30b-128k", num_ctx=NATIVE)]) as sim:
        ran = await doctor(house, sim)
    assert (ran.status, codes(ran)) == (1, ["window_label"])


async def test_a_label_where_nothing_sets_the_window(house: House) -> None:
    house.write("crush.json", crush(131_072))
    async with planted([coder(num_ctx=None)]) as sim:
        ran = await doctor(house, sim)
    assert (ran.status, codes(ran)) == (1, ["window_unset", "client_window_label"])


async def test_65_576_asked_of_32_768_by_a_modelfile(house: House) -> None:
    async with planted([coder(num_ctx=65_576, trained=32_768)]) as sim:
        ran = await doctor(house, sim)
    assert (ran.status, codes(ran)) == (1, ["window_above_trained"])
    found = finding(ran, "window_above_trained")
    assert "65,576" in str(found["found"])
    assert found["lines"] == ["FROM coder:30b", "PARAMETER num_ctx 32768"]


async def test_65_576_asked_of_32_768_by_aider(house: House) -> None:
    house.write(".aider.model.settings.yml", aider(65_576))
    async with planted([coder(trained=32_768)]) as sim:
        ran = await doctor(house, sim)
    assert (ran.status, codes(ran)) == (1, ["client_window_above_trained"])
    assert finding(ran, "client_window_above_trained")["lines"] == aider(32_768).splitlines()


async def test_65_576_asked_of_32_768_by_the_policy(house: House) -> None:
    house.write("policy.yaml", "models:\n  - match: coder*\n    window: 65576\n")
    async with planted([coder(num_ctx=None, trained=32_768)]) as sim:
        ran = await doctor(house, sim)
    assert (ran.status, codes(ran)) == (1, ["window_above_trained"])
    assert finding(ran, "window_above_trained")["lines"] == ["models:", '  - match: "coder:30b"', "    window: 32768"]


async def test_4_096_is_loaded_since_nothing_sets_it(house: House) -> None:
    async with planted([coder(num_ctx=None)]) as sim:
        await load(sim, "coder:30b")
        ran = await doctor(house, sim)
    assert (ran.status, codes(ran)) == (1, ["window_small"])
    found = finding(ran, "window_small")
    assert found["severity"] == "fault"
    for words in ("4,096 (as loaded)", "Crush (9.1k)", "OpenCode (7.2k)", "qwen-code (18.3k)"):
        assert words in str(found["found"])
    assert "Aider" not in str(found["found"])  # its 2.2k fit


async def test_4_096_is_loaded_although_32_768_is_configured(house: House) -> None:
    async with planted([coder()]) as sim:
        await load(sim, "coder:30b", window=4096)
        ran = await doctor(house, sim)
    assert (ran.status, codes(ran)) == (1, ["window_loaded_differs"])


async def test_39_of_48_layers_on_the_gpu(house: House) -> None:
    async with planted([coder()], info={"coder:30b": INFO}, on_gpu={"coder:30b": 39 / 48}) as sim:
        await load(sim, "coder:30b", window=32_768)
        ran = await doctor(house, sim)
    assert (ran.status, codes(ran)) == (1, ["not_on_gpu"])
    assert "only 81% of it is on the GPU, about 39 of 48 layers" in str(finding(ran, "not_on_gpu")["found"])


async def test_a_timeout_of_300_s_where_reading_takes_367_s(house: House) -> None:
    async with planted([coder(num_ctx=146_760)]) as sim:
        house.write("opencode.json", opencode(146_760, url=f"{sim.url}/v1", timeout=300_000))
        ran = await doctor(house, sim, "--speed", "400")
    assert ran.status == 1
    assert codes(ran) == ["prefill_slow", "timeout_short"]
    assert "at 400 tokens/s takes 367 s" in str(finding(ran, "timeout_short")["found"])
    assert "the 300 s set here" in str(finding(ran, "timeout_short")["found"])
    assert "OpenCode after 300 s" in str(finding(ran, "prefill_slow")["found"])


async def test_heartbeats_keep_a_client_whose_timeout_is_for_silence_alone(house: House) -> None:
    async with planted([coder(num_ctx=146_760)]) as sim:
        house.write("opencode.json", opencode(146_760, headerTimeout=300_000))
        silent = await doctor(house, sim, "--speed", "400")
        house.write("opencode.json", opencode(146_760, timeout=300_000))
        whole = await doctor(house, sim, "--speed", "400")
    assert (silent.status, codes(silent)) == (0, [])
    assert (whole.status, codes(whole)) == (1, ["timeout_short"])


@pytest.mark.parametrize(
    ("line", "code", "mended"),
    [
        ("OLLAMA_API_BASE={url}/", "base_url_trailing_slash", "OLLAMA_API_BASE={url}"),
        ("OLLAMA_API_BASE={url}/v1", "base_url_with_path", "OLLAMA_API_BASE={url}"),
        ("OPENAI_API_BASE={url}", "base_url_without_v1", "OPENAI_API_BASE={url}/v1"),
    ],
)
async def test_addresses_that_are_not_quite_right(house: House, line: str, code: str, mended: str) -> None:
    async with planted([coder()]) as sim:
        house.write(".aider.conf.yml", f"set-env:\n  - {line.replace('{url}', sim.url)}\n")
        ran = await doctor(house, sim)
        assert (ran.status, codes(ran)) == (1, [code])
        assert finding(ran, code)["lines"] == ["set-env:", f"  - {mended.replace('{url}', sim.url)}"]
        house.write(".aider.conf.yml", "\n".join(_lines(finding(ran, code))))
        again = await doctor(house, sim)
    assert (again.status, codes(again)) == (0, [])


def _lines(found: Mapping[str, object]) -> Sequence[str]:
    lines = found["lines"]
    assert isinstance(lines, list)
    return lines


async def test_a_window_of_8k_for_crush(house: House) -> None:
    house.write("crush.json", crush(8192))
    async with planted([coder()]) as sim:
        ran = await doctor(house, sim)
    assert (ran.status, codes(ran)) == (1, ["client_window_small"])
    assert "the first request of Crush alone takes 9.1k" in str(finding(ran, "client_window_small")["found"])


async def test_a_model_with_8k(house: House) -> None:
    house.write("crush.json", crush(8192))
    async with planted([coder(num_ctx=8192)]) as sim:
        ran = await doctor(house, sim)
        assert (ran.status, codes(ran)) == (1, ["window_small"])
        house.write("policy.yaml", "\n".join(_lines(finding(ran, "window_small"))))
        house.write("crush.json", crush(32_768))
        again = await doctor(house, sim)
    assert (again.status, codes(again)) == (0, [])


async def test_two_tags_of_one_file_with_different_windows(house: House) -> None:
    models = [coder(), coder("long:30b", num_ctx=65_536, blob="coder:30b"), coder("other:30b", num_ctx=65_536)]
    async with planted(models) as sim:
        ran = await doctor(house, sim)
        assert (ran.status, codes(ran)) == (1, ["same_file_two_windows"])
        found = finding(ran, "same_file_two_windows")
        assert found["about"] == "ollama/coder:30b, ollama/long:30b"
        house.write("policy.yaml", "\n".join(_lines(found)))
        again = await doctor(house, sim)
    assert (again.status, codes(again)) == (0, [])
