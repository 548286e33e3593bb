"""Findings that need no server to be planted: each from the smallest set-up that has it, and none from a set-up without it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import jsontext
from gateway.core.diagnosis import Severity, diagnose
from gateway.core.diagnosis.clients import right_url
from gateway.core.diagnosis.report import report
from gateway.core.diagnosis.setup import Claim, Endpoint, Model, Server, Setup, Surface
from gateway.core.diagnosis.windows import advised
from gateway.core.memory import CACHE_TYPES, Context, NotKnown
from gateway.core.plan import Loaded

GIB = 1 << 30
SERVER = Server(name="ollama", url="http://127.0.0.1:11434", version="0.33.3", generation="new")
MODEL = Model(
    server="ollama",
    name="coder:30b",
    trained=262_144,
    configured=32_768,
    weights=17 * GIB,
    layers=48,
    context=Context(whole=48 * 4 * 256, whole_layers=48),
    dialect="qwen3-coder",
    parser="qwen3-coder",
)
HOLDFAST = "http://127.0.0.1:8484"
FINE = Setup(servers=(SERVER,), models=(MODEL,), gateway=HOLDFAST)


def with_model(**changes: object) -> Setup:
    return replace(FINE, models=(replace(MODEL, **changes),))  # type: ignore[arg-type]


def claim(tokens: int, *, agent: str = "Crush", model: str = "coder:30b") -> Claim:
    return Claim(
        agent=agent, file="crush.json", key="context_window", model=model, tokens=tokens, lines=("window {tokens}",)
    )


def codes(setup: Setup) -> list[str]:
    return [finding.code for finding in diagnose(setup)]


def endpoint(
    url: str, *, surface: Surface = "openai", agent: str = "OpenCode", timeout: float | None = None
) -> Endpoint:
    return Endpoint(agent=agent, file="file", surface=surface, url=url, lines=("{url}",), timeout=timeout)


@pytest.mark.parametrize(
    ("setup", "found"),
    [
        (FINE, []),
        (Setup(), []),
        (replace(FINE, servers=(replace(SERVER, trouble="nobody"),), models=()), ["unreachable"]),
        (replace(FINE, models=()), ["no_models"]),
        (replace(FINE, models=(), wanted="coder"), ["model_missing"]),
        (with_model(chats=False, trouble="no such file"), ["model_broken"]),
        (with_model(chats=False, configured=2048), []),  # an embedding model needs no window
        (with_model(configured=None), ["window_unset"]),
        (replace(with_model(configured=None), environment={"OLLAMA_CONTEXT_LENGTH": "65536"}), []),
        (with_model(configured=None, chosen=16_384), []),
        (with_model(configured=16_384), []),
        (with_model(configured=14_999), ["window_small"]),
        (with_model(trained=8192, configured=8192), ["window_small"]),
        (with_model(name="coder:128k"), ["window_label"]),
        (with_model(name="coder:32k"), []),
        (with_model(name="coder:30b-a3b-q4k"), []),
        (with_model(parser="gemma4", dialect="gemma4"), ["parser_damages_calls"]),
        (with_model(parser="lfm2"), ["parser_damages_calls"]),
        (with_model(loaded=Loaded(name="coder:30b", window=32_768, size_bytes=1000, vram_bytes=999)), []),
        (with_model(loaded=Loaded(name="coder:30b", window=32_768, size_bytes=1000, vram_bytes=0)), ["not_on_gpu"]),
        (replace(FINE, memory=24 * GIB), []),
        (replace(FINE, memory=20 * GIB), ["memory_short"]),
        (replace(FINE, memory=16 * GIB), ["memory_short"]),
        (replace(FINE, environment={"OLLAMA_KV_CACHE_TYPE": "q8"}), ["ollama_setting"]),
        (replace(FINE, environment={"OLLAMA_KV_CACHE_TYPE": "q8_0", "OLLAMA_FLASH_ATTENTION": "1"}), []),
        (replace(FINE, environment={"OLLAMA_KV_CACHE_TYPE": "q8_0", "OLLAMA_FLASH_ATTENTION": "0"}), ["ollama_setting"]),
        (replace(FINE, environment={"OLLAMA_CONTEXT_LENGTH": "4096"}), ["ollama_setting"]),
        (replace(FINE, unreadable={"crush.json": "line 3: what?"}), ["config_unreadable"]),
        (replace(FINE, claims=(claim(32_768),)), []),
        (replace(FINE, claims=(claim(30_000),)), []),  # a little less than there is, for safety
        (replace(FINE, claims=(claim(24_000),)), ["client_window_below"]),
        (replace(FINE, claims=(claim(9000),)), ["client_window_small"]),
        (replace(FINE, claims=(claim(9000, agent="Aider"),)), ["client_window_below"]),  # its 2.2k fit
        (replace(FINE, claims=(claim(65_536),)), ["client_window_above_effective"]),
        (replace(FINE, claims=(claim(300_000),)), ["client_window_above_trained"]),
        (replace(FINE, claims=(claim(300_000, model="other"),)), []),
        (replace(FINE, claims=(claim(300_000, model="fast"),), aliases={"fast": "coder:30b"}), ["client_window_above_trained"]),
        (replace(with_model(configured=None), claims=(claim(32_768),)), ["window_unset"]),
        (replace(with_model(speed=100.0), endpoints=()), ["prefill_slow"]),  # 328 s: no file tells which agent asks
        (replace(with_model(speed=100.0), endpoints=(endpoint(f"{HOLDFAST}/v1"),)), []),
        (replace(with_model(speed=100.0), endpoints=(endpoint(f"{SERVER.url}/v1"),)), ["prefill_slow"]),
        (replace(with_model(speed=100.0), endpoints=(endpoint(f"{SERVER.url}/v1", agent="Crush"),)), []),  # it waits
        (replace(with_model(speed=100.0), endpoints=(endpoint(f"{SERVER.url}/v1", timeout=400.0),)), []),
        (replace(with_model(speed=100.0), endpoints=(endpoint(f"{SERVER.url}/v1", timeout=300.0),)), ["timeout_short"]),
    ],
)  # fmt: skip
def test_what_is_found(setup: Setup, found: list[str]) -> None:
    assert codes(setup) == found


def test_no_gpu_at_all_is_no_matter_of_size() -> None:
    loaded = Loaded(name="coder:30b", window=32_768, size_bytes=1000, vram_bytes=0)
    (none,) = diagnose(with_model(loaded=loaded))
    (some,) = diagnose(with_model(loaded=replace(loaded, vram_bytes=500)))
    assert (none.lines, "smaller" in none.change) == ((), False)
    assert "about 24 of 48 layers" in some.found
    assert "OLLAMA_KV_CACHE_TYPE=q8_0" in some.lines


def test_the_worst_comes_first() -> None:
    setup = replace(with_model(parser="gemma4", configured=65_536), environment={"OLLAMA_KV_CACHE_TYPE": "?"})
    setup = replace(setup, claims=(claim(300_000),))
    severities = [finding.severity for finding in diagnose(setup)]
    assert severities == [Severity.FAULT, Severity.WARNING, Severity.NOTE]


def test_a_note_alone_is_fine_and_anything_else_is_not() -> None:
    noted, warned = with_model(parser="gemma4"), with_model(configured=None)
    assert report(noted, diagnose(noted))["ok"] is True
    assert report(warned, diagnose(warned))["ok"] is False


def test_every_finding_says_what_to_change_and_about_what() -> None:
    setup = Setup(
        servers=(SERVER, Server(name="gone", url="http://127.0.0.1:1", trouble="nobody")),
        models=(
            replace(MODEL, configured=8192, loaded=Loaded(name="", window=4096, size_bytes=9, vram_bytes=3), speed=9.0),
            replace(MODEL, name="coder:128k", configured=None, parser="gemma4"),
            replace(MODEL, name="bad", chats=False, trouble="?"),
        ),
        endpoints=(endpoint("http://127.0.0.1:11434/"), endpoint("http://h/api", surface="ollama", timeout=1.0)),
        claims=(claim(300_000), claim(10_000)),
        unreadable={"a": "b"},
        environment={"OLLAMA_KV_CACHE_TYPE": "q8"},
        memory=17 * GIB,
    )
    found = diagnose(setup)
    assert len({each.code for each in found}) >= 12
    for each in found:
        assert each.about
        assert each.found
        assert each.change.endswith((".", "?")) or ": " in each.change
        assert not any("{tokens}" in line or "{url}" in line for line in each.lines)


WINDOWS = st.none() | st.integers(1, 1 << 21)
MODELS = st.builds(
    Model,
    server=st.just("ollama"),
    name=st.sampled_from(["m", "m:latest", "m:128k", "n-32k", "k"]),
    trained=WINDOWS,
    configured=WINDOWS,
    chosen=WINDOWS,
    loaded=st.none()
    | st.builds(Loaded, name=st.just("m"), window=WINDOWS, size_bytes=st.integers(0, 9), vram_bytes=st.just(3)),
    weights=st.integers(0, 1 << 36),
    blob=st.sampled_from(["", "a", "b"]),
    layers=st.integers(0, 99),
    context=st.just(NotKnown("all")) | st.builds(Context, whole=st.integers(0, 1 << 18), state=st.integers(0, 1 << 20)),
    parser=st.sampled_from(["", "gemma4", "lfm2", "qwen3", "new one"]),
    speed=st.sampled_from([0.0, 1.0, 400.0, 1e6]),
    chats=st.booleans(),
    cache=st.sampled_from(CACHE_TYPES),
    parallel=st.integers(1, 8),
)
SETUPS = st.builds(
    Setup,
    servers=st.just((SERVER,)),
    models=st.lists(MODELS, max_size=4).map(tuple),
    endpoints=st.lists(st.builds(endpoint, st.sampled_from(["", "http://h/", "x", HOLDFAST]), timeout=st.none() | st.floats(0)), max_size=2).map(tuple),
    claims=st.lists(st.builds(claim, st.integers(1, 1 << 21), agent=st.sampled_from(["Crush", "?"]), model=st.sampled_from(["m", "x"])), max_size=2).map(tuple),
    environment=st.dictionaries(st.sampled_from(["OLLAMA_CONTEXT_LENGTH", "OLLAMA_KV_CACHE_TYPE", "OLLAMA_FLASH_ATTENTION"]), st.text(max_size=4)),
    memory=st.none() | st.integers(0, 1 << 37),
    gateway=st.sampled_from(["", HOLDFAST]),
)  # fmt: skip


@given(SETUPS)
def test_whatever_a_set_up_is_like_it_is_judged_and_told(setup: Setup) -> None:
    found = diagnose(setup)
    told = report(setup, found)
    assert told["ok"] == all(each.severity is Severity.NOTE for each in found)
    assert json.loads(jsontext.dumps(told))["findings"] == told["findings"]
    for each in found:
        assert each.about
        assert not any("{" in line and "tokens}" in line for line in each.lines)


@given(SETUPS)
def test_a_window_that_is_advised_is_not_found_fault_with(setup: Setup) -> None:
    for model in setup.models:
        window = advised(model, setup)
        assert model.trained is None or window <= model.trained
        if setup.memory is None and (model.trained or 0) >= 32_768:
            mended = replace(
                setup, models=(replace(model, chosen=window, loaded=None, speed=0.0),), claims=(), endpoints=()
            )
            assert {"window_small", "window_unset", "window_above_trained"}.isdisjoint(codes(mended))


@pytest.mark.parametrize(
    ("url", "surface", "right"),
    [
        ("http://h:1", "openai", "http://h:1/v1"),
        ("http://h:1/", "openai", "http://h:1/v1"),
        ("http://h:1/v1/", "openai", "http://h:1/v1"),
        ("http://h:1/api", "openai", "http://h:1/v1"),
        ("http://h:1/v1", "ollama", "http://h:1"),
        ("http://h:1/api/", "ollama", "http://h:1"),
        ("http://h:1//", "ollama", "http://h:1"),
        ("http://h:1/ollama/v1", "openai", "http://h:1/ollama/v1"),
    ],
)
def test_the_right_address(url: str, surface: Surface, right: str) -> None:
    assert right_url(url, surface) == right
    assert right_url(right, surface) == right


def test_146_760_tokens_at_400_a_second_are_367_seconds() -> None:
    setup = with_model(configured=146_760, speed=400.0)
    (finding,) = diagnose(setup)
    assert "takes 367 s" in finding.found
    models = report(setup, ())["models"]
    assert isinstance(models, list)
    assert round(models[0]["seconds_to_read"]) == 367


def test_what_the_report_says_of_a_model() -> None:
    setup = replace(FINE, memory=24 * GIB)
    models = report(setup, ())["models"]
    assert isinstance(models, list)
    (model,) = models
    assert model["context"] == {
        "type": "f16",
        "parallel": 1,
        "bytes": 3 * GIB,
        "whole_layers": 48,
        "sliding_layers": 0,
        "recurrent_layers": 0,
    }
    assert model["fits"] == {"f16": 65_536, "q8_0": 123_136, "q4_0": 232_960}
    assert (model["dialect"], model["cut_calls"], model["window_source"]) == ("qwen3-coder", "dropped", "configured")
