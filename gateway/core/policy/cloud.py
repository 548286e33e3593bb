"""Policy: work that is too heavy for the machine, and the clouds that may take it where the privacy gate lets it out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import field
from urllib.parse import urlsplit

from gateway.core.policy.section import section

KEY_ENVS: Mapping[str, str] = {
    "gemini": "GEMINI_API_KEY",
    "mistral": "MISTRAL_API_KEY",
    "openrouter": "OPENROUTER_API_KEY",
}
_DEAREST = 1_000_000.0  # dollars for a million tokens; infinities and what is no number are above or beside it


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
    """One model of a provider. Its name in `targets` is `provider/model`, where the provider is gemini, mistral or openrouter, or an upstream of this policy that is not at home, or that has models which run elsewhere (Ollama's cloud models)."""

    accepts_terms: bool = False
    """You have read the provider's terms for this model and your account is on its paid tier, where prompts do not train models. Without this it is never used."""

    key_env: str = ""
    """The name of the environment variable that holds the API key. Empty: GEMINI_API_KEY, MISTRAL_API_KEY or OPENROUTER_API_KEY, after the provider."""

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

    def by_provider(self) -> dict[str, dict[str, CloudTarget]]:
        """The targets that are in use, as provider and model."""
        found: dict[str, dict[str, CloudTarget]] = {}
        for name in self.heavy:
            provider, _, model = name.partition("/")
            if name in self.targets:
                found.setdefault(provider, {})[model] = self.targets[name]
        return found


def complaints(rules: CloudRules, upstreams: Collection[str] = ()) -> Iterator[str]:
    """What is wrong with it, in words that name the path, what was found and what would be right. `upstreams`: their names."""
    for place, name in enumerate(rules.heavy):
        if name not in rules.targets:
            known = ", ".join(rules.targets) or "none"
            yield f"cloud.heavy[{place}]: {name!r} is not among cloud.targets; known are: {known}"
    for name, target in rules.targets.items():
        yield from _wrong(name, target, used=name in rules.heavy, providers=(*KEY_ENVS, *upstreams))
    for name in ("per_day", "per_key_per_day", "total"):
        amount = getattr(rules.budgets, name)
        if amount is not None and amount < 0:
            yield f"cloud.budgets.{name}: {amount} is below 0; write dollars, 0 for nothing at all, or leave it out"
    if not 0 < rules.heavy_when.share_of_timeout <= 1:
        yield f"cloud.heavy_when.share_of_timeout: {rules.heavy_when.share_of_timeout} is no share; write 0.6 for 60 %"
    if rules.slots < 1:
        yield f"cloud.slots: {rules.slots} serves nobody; write 1 or more"


def _wrong(name: str, target: CloudTarget, *, used: bool, providers: Collection[str]) -> Iterator[str]:
    at = f"cloud.targets.{name}"
    provider, _, model = name.partition("/")
    if provider not in providers or not model:
        yield f"{at}: is no name of a model here; write it like gemini/gemini-3.8-flash, with one of {', '.join(providers)}"
    if target.window < 8192:
        yield f"{at}.window: {target.window} is too small; write the model's context window in tokens"
    if target.answer < 1:
        yield f"{at}.answer: {target.answer} leaves no room for an answer; write 4096 or more"
    if target.url and not _is_guarded(target.url):
        yield f"{at}.url: would carry the key in the open; write an https address"
    if target.key_env and not target.key_env.replace("_", "").isalnum():
        yield f"{at}.key_env: is no variable's name; write the name, never the key"
    for key in ("input", "output", "cached", "long_input", "long_output"):
        amount = getattr(target.price, key)
        if amount is not None and not 0 <= amount < _DEAREST:
            yield f"{at}.price.{key}: {amount} is no price; write dollars for a million tokens"
    if used and (target.price.input is None or target.price.output is None):
        yield f"{at}.price: is not known, so that nothing would ever be sent; write input and output, dollars for a million tokens"
    if used and not target.accepts_terms:
        yield f"{at}.accepts_terms: is not set; read the provider's terms, then write true, or take the target out of cloud.heavy"


def _is_guarded(url: str) -> bool:
    """Whether nobody on the way can read the key."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and (parts.scheme == "https" or parts.hostname in ("127.0.0.1", "::1", "localhost"))
