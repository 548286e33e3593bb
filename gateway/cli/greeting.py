"""What `holdfast serve` says to a person at its start: what it found, and how to point each agent at it."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.service.gateway import Served


def greeting(url: str, served: Iterable[Served], troubles: Iterable[str], *, demo: bool) -> str:
    """The words, for a terminal."""
    models = list(served)
    name = models[0].name if models else "MODEL"
    lines = ["", f"  Holdfast listens on {url}", ""]
    if demo:
        lines += [
            "  No Ollama answers on this machine, so a simulated one is served under the model name `demo`.",
            "  Start Ollama (or give --ollama URL) and start Holdfast again for real answers.",
            "",
        ]
    lines += [f"  ! {trouble}" for trouble in troubles]
    if not models:
        lines.append("  There are no models yet: ollama pull qwen3-coder:30b (or a smaller one) gets one.")
    lines += [f"  {each.name:<40} window {each.window or 'not known until it is loaded'}" for each in models[:12]]
    if len(models) > 12:
        lines.append(f"  … and {len(models) - 12} more (GET {url}/v1/models)")
    return "\n".join([*lines, *_agents(url, name), ""])


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
        f"    ollama     OLLAMA_HOST={url} ollama run {model}",
    ]
