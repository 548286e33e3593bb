"""Policy: the door that clients come in by."""

from __future__ import annotations

from typing import Literal

from gateway.core.policy.section import section


@section
class ServerRules:
    """Address, names and manners of the gateway itself."""

    host: str = "127.0.0.1"
    """The address to listen on. Anything but loopback needs API keys, or --keyless."""

    port: int = 8484
    """The port to listen on."""

    hosts: tuple[str, ...] = ()
    """Names that a `Host` header may carry besides loopback names and this machine's addresses (a page elsewhere must not reach us by a name of its own)."""

    origins: tuple[str, ...] = ()
    """Web origins that may call us, like "http://localhost:3000". None by default: browsers are kept out."""

    trusted_networks: tuple[str, ...] = ()
    """Networks whose callers count as this machine, like "172.16.0.0/12" for a compose bridge."""

    management: tuple[Literal["pull", "push", "create", "copy", "delete"], ...] = ()
    """Ollama's management verbs that clients may use. They can delete or fetch models, so none by default."""

    reasoning_field: Literal["reasoning_content", "reasoning"] = "reasoning_content"
    """The field that a model's thought goes out in on the OpenAI surface."""

    early_json: bool = False
    """Send white space while a non-streaming answer is being made. Keeps impatient proxies alive, but the status is then always 200."""
