"""Policy: the servers that answer."""

from __future__ import annotations

from typing import Literal

from gateway.core.policy.section import section


@section
class Upstream:
    """One server. `trusted` moves an address that is not this machine or its private network into the house (a rented pod)."""

    driver: Literal["ollama", "openai"] = "ollama"
    """What it speaks: `ollama` (native API), or `openai` (vLLM, llama.cpp server, LM Studio, OpenRouter, a pod)."""

    url: str = "http://127.0.0.1:11434"
    """Where it is. With or without /v1, with or without a slash at the end."""

    key_env: str = ""
    """The name of the environment variable that holds its API key. Keys never stand in this file."""

    trusted: bool = False
    """Treat it as home although its address is not loopback or private. Everything else that is away is refused."""

    kv_cache: Literal["f16", "q8_0", "q4_0"] = "f16"
    """The type of its KV cache (Ollama: OLLAMA_KV_CACHE_TYPE, which its API does not tell). For `memory` of its models."""

    slots: int = 1
    """How many requests it works on at once (Ollama: OLLAMA_NUM_PARALLEL, which its API does not tell)."""
