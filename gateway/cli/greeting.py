"""What `holdfast serve` says to a person at its start: what it found, and how to point each agent at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.core.budget import SMALL_WINDOW
from gateway.service.front.gateway import Served

_MOST = 12  # models shown


@dataclass(frozen=True, slots=True)
class Silent:
    """A model server that does not answer."""

    name: str
    url: str


def greeting(url: str, served: Sequence[Served], silent: Sequence[Silent], *, demo: bool) -> str:
    """The words, for a terminal."""
    chatting = [each for each in served if each.facts is None or _chats(each.facts.capabilities)]
    lines = ["", f"  Holdfast listens on {url}", ""]
    if demo:
        lines += [
            "  No Ollama answers on this machine, so a simulated one is served under the model name `demo`.",
            "  Start Ollama (or give --ollama URL) and start Holdfast again for real answers.",
            "",
        ]
    lines += [f"  ! {each.name} at {each.url} does not answer." for each in silent]
    if silent:
        lines.append("    Start it, or say where it is (--ollama URL); Holdfast finds it as soon as it answers.")
        lines += [""] if served else []
    elif not served:
        lines.append("  There are no models yet: ollama pull qwen3-coder:30b (or a smaller one) gets one.")
    lines += [f"  {each.name:<40} {_window(each.window)}" for each in served[:_MOST]]
    if len(served) > _MOST:
        lines.append(f"  … and {len(served) - _MOST} more (GET {url}/v1/models)")
    return "\n".join([*lines, *_agents(url, chatting[0].name if chatting else "MODEL"), *_MORE, ""])


def _chats(capabilities: Sequence[str]) -> bool:
    return "completion" in capabilities or "embedding" not in capabilities


def _window(window: int | None) -> str:
    if window is None:
        return "window not known until it is loaded"
    return f"window {window}" + ("" if window >= SMALL_WINDOW else " (small for a coding agent: see `holdfast doctor`)")


def _agents(url: str, model: str) -> list[str]:
    return [
        "",
        "  Try it:",
        f"    curl {url}/v1/chat/completions -H 'Content-Type: application/json' \\",
        f'      -d \'{{"model":"{model}","messages":[{{"role":"user","content":"Say hello"}}]}}\'',
        "",
        "  Point an agent at it:",
        f"    Aider      OPENAI_API_BASE={url}/v1 OPENAI_API_KEY=holdfast aider --model openai/{model}",
        f"               OLLAMA_API_BASE={url} aider --model ollama_chat/{model}",
        f'    OpenCode   provider "@ai-sdk/openai-compatible" with options.baseURL {url}/v1  (README: OpenCode)',
        f"    Crush      provider of type openai-compat with base_url {url}/v1  (README: Crush)",
        f"    qwen-code  OPENAI_BASE_URL={url}/v1 OPENAI_API_KEY=holdfast OPENAI_MODEL={model} qwen --auth-type openai",
        f"    ollama     OLLAMA_HOST={url} ollama run {model}",
    ]


_MORE = (
    "",
    "  In another terminal: `holdfast doctor` says what is wrong with this set-up, `holdfast status` what runs now.",
    "  Ctrl-C stops Holdfast.",
)
