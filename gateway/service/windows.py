"""The one place that says how long a model's window is: picked once, pinned, and never changed but by decision."""

from __future__ import annotations

from gateway.core.plan import ModelFacts, Target
from gateway.core.policy.models import ModelRule
from gateway.service.upstreams import Live


async def window_of(live: Live, target: Target, facts: ModelFacts, rule: ModelRule, *, load: bool = True) -> int | None:
    """The pinned window in tokens: policy's, else the Modelfile's, else what is loaded, else what the server then loads.

    None where nobody can tell, or where it would have to be loaded for that and `load` is off.
    """
    if target.model in live.pinned:
        return live.pinned[target.model]
    window = rule.window or facts.configured or await _loaded(live, target.model)
    if window is None and load:
        await live.driver.load(target.model, window=None)
        window = await _loaded(live, target.model)
    if window is not None and facts.trained is not None:
        window = min(window, facts.trained)
    if window is not None:
        live.pinned[target.model] = window
    return window


async def _loaded(live: Live, model: str) -> int | None:
    for each in await live.driver.loaded():
        if each.name in (model, f"{model}:latest"):
            return each.window
    return None
