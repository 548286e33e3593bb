"""Findings about memory and time: what is not on the GPU, what does not fit, who gives up before a long prompt is read."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.core.budget import Speed
from gateway.core.diagnosis.agents import AGENTS
from gateway.core.diagnosis.finding import Finding, Severity
from gateway.core.diagnosis.setup import Model, Setup
from gateway.core.diagnosis.windows import named, policy_lines
from gateway.core.memory import CACHE_TYPES, OVERHEAD, CacheType, Context, NotKnown, gib, largest_window, layers_on_gpu

_ALL = 0.995  # of a model; Ollama's own sums differ by some megabytes


def findings(setup: Setup) -> Iterator[Finding]:
    for model in setup.models:
        yield from _beside_gpu(model, setup)
        if model.chats:
            yield from _too_large(model, setup)
            yield from _too_slow(model, setup)
    yield from _timeouts(setup)


def fitting(model: Model, memory: int, kind: CacheType) -> int | None:
    """The largest window that fits the memory beside the weights, 0 where none does, None where it can't be told."""
    if isinstance(model.context, NotKnown) or model.trained is None:
        return None
    return largest_window(
        model.context, memory=memory, weights=model.weights, kind=kind, parallel=model.parallel, most=model.trained
    )


def seconds_to_read(model: Model) -> float | None:
    """How long reading a prompt as long as the window takes, where window and speed are known."""
    return Speed(prompt=model.speed).seconds_to_first_token(model.window) if model.window else None


def _beside_gpu(model: Model, setup: Setup) -> Iterator[Finding]:
    if model.loaded is None or not model.loaded.size_bytes or model.loaded.share >= _ALL:
        return
    share, sizes = model.loaded.share, f"{gib(model.loaded.vram_bytes)} of {gib(model.loaded.size_bytes)}"
    layers = f", about {layers_on_gpu(share, model.layers)} of {model.layers} layers" if model.layers else ""
    found = f"only {share:.0%} of it is on the GPU{layers} ({sizes}); the CPU does the rest, and all waits for it"
    change = "Make it smaller: a quantised context (for the Ollama server), a smaller window, or a smaller model."
    hint = "" if setup.memory else " `holdfast doctor --memory 24GiB` says which window fits."
    lines = ("OLLAMA_FLASH_ATTENTION=1", "OLLAMA_KV_CACHE_TYPE=q8_0") if model.cache == "f16" else ()
    if not share:
        found, hint, lines = "none of it is on a GPU; the CPU does everything, slowly", "", ()
        change = "If this machine has a GPU, see in the log of the Ollama server why it is not used."
    yield Finding(
        code="not_on_gpu",
        severity=Severity.WARNING,
        about=named(model),
        found=found,
        change=change + hint,
        lines=lines,
    )


def _too_large(model: Model, setup: Setup) -> Iterator[Finding]:
    context = model.context
    if setup.memory is None or model.window is None or isinstance(context, NotKnown):
        return
    needed = _needed(model, context, model.window)
    if needed <= setup.memory:
        return
    sizes = {kind: fitting(model, setup.memory, kind) or 0 for kind in CACHE_TYPES}
    fits = ", ".join(f"{tokens:,} ({kind})" for kind, tokens in sizes.items() if tokens)
    best = sizes[model.cache]
    yield Finding(
        code="memory_short",
        severity=Severity.WARNING,
        about=named(model),
        found=f"a window of {model.window:,} needs {gib(needed)} (weights {gib(model.weights)}, context {gib(needed - model.weights - OVERHEAD)}, "
        f"{gib(OVERHEAD)} assumed for the rest); there are {gib(setup.memory)}",
        change=f"Windows that fit: {fits}." if fits else "No window fits beside its weights: take a smaller model.",
        lines=policy_lines(best, model) if best else (),
    )


def _needed(model: Model, context: Context, window: int) -> int:
    return model.weights + OVERHEAD + context.size(window, kind=model.cache, parallel=model.parallel)


def _too_slow(model: Model, setup: Setup) -> Iterator[Finding]:
    """Agents that speak to a server themselves give up by their own patience; every agent where no file tells."""
    seconds = seconds_to_read(model)
    if seconds is None:
        return
    direct = {each.agent for each in setup.endpoints if each.timeout is None and not each.leads_to(setup.gateway)}
    asking = [agent for agent in AGENTS if agent.name in direct or not setup.endpoints]
    impatient = [agent for agent in asking if agent.patience is not None and agent.patience < seconds]
    if impatient:
        whom = ", ".join(f"{agent.name} after {agent.patience:.0f} s" for agent in impatient)
        yield Finding(
            code="prefill_slow",
            severity=Severity.WARNING,
            about=named(model),
            found=f"{_reading(model, seconds)}; without an answer by then these give up: {whom}",
            change="Let them speak to Holdfast, which keeps them waiting with heartbeats, or give the model a smaller window.",
            lines=(f"{setup.gateway}/v1",) if setup.gateway else (),
        )


def _timeouts(setup: Setup) -> Iterator[Finding]:
    """Timeouts that a client's file sets itself, against the model that is read slowest."""
    timed = [(seconds, model) for model in setup.models if model.chats and (seconds := seconds_to_read(model))]
    if not timed:
        return
    seconds, model = max(timed, key=lambda each: each[0])
    for endpoint in setup.endpoints:
        patience = endpoint.patience(setup.gateway)
        if patience is not None and patience < seconds:
            yield Finding(
                code="timeout_short",
                severity=Severity.WARNING,
                about=endpoint.file,
                found=f"{model.name}: {_reading(model, seconds)}; {endpoint.agent} gives up after the {patience:.0f} s set here",
                change=f"Raise that timeout above {seconds:.0f} s, or leave it out.",
            )


def _reading(model: Model, seconds: float) -> str:
    return f"reading a full window of {model.window:,} at {model.speed:.0f} tokens/s takes {seconds:.0f} s"
