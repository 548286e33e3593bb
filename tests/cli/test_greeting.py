"""The greeting: what was found, what is wrong with it, and lines that work as they stand."""

from __future__ import annotations

from gateway.cli.greeting import Silent, greeting
from gateway.core.plan import ModelFacts
from gateway.service.front.gateway import Served

URL = "http://127.0.0.1:8484"


def served(name: str, window: int | None = 32_768, *, capabilities: tuple[str, ...] = ("completion",)) -> Served:
    return Served(name, "ollama", {}, ModelFacts(name=name, capabilities=capabilities), window)


def test_a_model_that_only_embeds_is_shown_and_not_recommended() -> None:
    said = greeting(
        URL, [served("nomic:latest", 8192, capabilities=("embedding",)), served("coder:30b")], [], demo=False
    )
    assert "nomic:latest" in said
    assert '"model":"coder:30b"' in said
    assert "aider --model ollama_chat/coder:30b" in said


def test_windows_in_words() -> None:
    said = greeting(URL, [served("a"), served("b", 4096), served("c", None)], [], demo=False)
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert "a window 32768" in lines
    assert "b window 4096 (small for a coding agent: see `holdfast doctor`)" in lines
    assert "c window not known until it is loaded" in lines


def test_a_server_that_is_silent_is_not_one_without_models() -> None:
    silent = greeting(URL, [], [Silent("ollama", "http://127.0.0.1:11434")], demo=False)
    empty = greeting(URL, [], [], demo=False)
    assert "! ollama at http://127.0.0.1:11434 does not answer." in silent
    assert "ollama pull" not in silent
    assert "There are no models yet: ollama pull" in empty


def test_many_models_and_the_demo() -> None:
    said = greeting(URL, [served(f"m{number}") for number in range(15)], [], demo=True)
    assert f"… and 3 more (GET {URL}/v1/models)" in said
    assert "a simulated one is served under the model name `demo`" in said
