"""Policy: work that is too heavy for the machine, and the clouds that may take it where the privacy gate lets it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from gateway.core.policy.section import section


@section
class Price:
    """Dollars for a million tokens. Without `input` and `output` nobody knows what an answer costs, and nothing is sent."""

    input: float | None = None
    """Of the prompt."""

    output: float | None = None
    """Of the answer, thoughts included."""

    cached: float | None = None
    """Of the part of a prompt that the provider had in its cache. Empty: the same as `input`."""

    long_above: int | None = None
    """Prompts of more tokens than this have the prices below."""

    long_input: float | None = None
    """Of a long prompt. Empty: the same."""

    long_output: float | None = None
    """Of the answer to a long prompt. Empty: the same."""


@section
class CloudTarget:
    """One model of a provider. Its name in `targets` is `provider/model`, where the provider is gemini, mistral or openrouter."""

    accepts_terms: bool = False
    """You have read the provider's terms for this model and your account is on its paid tier, where prompts do not train models. Without this it is never used."""

    key_env: str = ""
    """The name of the environment variable that holds the API key. Empty: GEMINI_API_KEY, MISTRAL_API_KEY or OPENROUTER_API_KEY."""

    url: str = ""
    """Another address of the provider (a region, a test). Empty: its usual one."""

    window: int = 0
    """The context window in tokens."""

    answer: int = 16384
    """The longest answer in tokens that is asked for where the client sets no `max_tokens`. It is paid for in advance."""

    price: Price = field(default_factory=Price)
    """What it costs."""

    capabilities: tuple[str, ...] = ("tools",)
    """What it can do: `tools`, `thinking`."""


@section
class HeavyRules:
    """What makes a request heavy. To be heavy, or to be asked for, is no permission: that is for `privacy` alone."""

    share_of_timeout: float = 0.6
    """Reading the part of the prompt that no cache holds would take more than this share of what the client waits."""

    client_timeout: float = 300.0
    """Seconds that a client waits for the first token, where it is not known by name."""

    beyond_window: bool = True
    """The prompt fits no window at home, even compacted."""

    files: int = 5
    """As many different files are being edited. 0: never for this reason."""

    on_request: bool = True
    """The client asks for it, by the model name `heavy` or the header `x-holdfast-route: heavy`."""


@section
class Budgets:
    """The most that may be spent, in dollars. The worst case of a request is set aside before it is sent. Empty: no cap."""

    per_day: float | None = 5.0
    """By all clients together in a day (UTC)."""

    per_key_per_day: float | None = None
    """By one client's key in a day."""

    total: float | None = None
    """Ever."""


@section
class CloudRules:
    """Models elsewhere for work that is too heavy for this machine. Off while `heavy` is empty or `privacy.leave` is off."""

    heavy: tuple[str, ...] = ()
    """The targets for heavy work, in order, by their names in `targets`."""

    targets: Mapping[str, CloudTarget] = field(default_factory=dict)
    """The models that may be used, by the exact name `provider/model`."""

    heavy_when: HeavyRules = field(default_factory=HeavyRules)
    """What makes a request heavy."""

    when_home_is_down: bool = False
    """Where nothing at home answers, let that go out which the gate lets out, heavy or not. The rest waits or fails."""

    answers_for_heavy: str = ""
    """The model at home that answers who asks for the model `heavy` and may not have it. Empty: the first one that is listed."""

    budgets: Budgets = field(default_factory=Budgets)
    """What may be spent."""

    slots: int = 4
    """Requests at once to each provider."""
