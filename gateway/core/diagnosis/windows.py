"""Findings about windows: what a model was trained for, what it is asked for, what is loaded, and what agents need."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.core.budget import SMALL_WINDOW
from gateway.core.diagnosis.agents import AGENTS
from gateway.core.diagnosis.finding import Finding, Severity
from gateway.core.diagnosis.setup import Model, Setup
from gateway.core.errors import thousands
from gateway.core.memory import NotKnown, largest_window

_USUAL = 32_768  # tokens; what is advised where nothing tells better
_CLOSE = 0.05  # 128,000 and 131,072 are the same label
_DECIDED = {"policy": "the policy", "configured": "its own setting"}
_LABEL = re.compile(r"(?<![\w.])(\d{1,4})k(?!\w)", re.IGNORECASE)


def findings(setup: Setup) -> Iterator[Finding]:
    models = [model for model in setup.models if model.chats]
    for model in models:
        yield from _above_trained(model, setup)
        yield from _loaded_otherwise(model)
        yield from _too_small(model, setup)
        yield from _labelled(model, setup)
    yield from _unset(models, setup)
    yield from _evicting(models)


def advised(model: Model, setup: Setup) -> int:
    """A window to recommend: what fits the memory that was told, else 32,768; never above the trained maximum."""
    most = model.trained or _USUAL
    if setup.memory is None or isinstance(model.context, NotKnown):
        return min(most, max(_USUAL, model.window or 0))
    fits = largest_window(
        model.context,
        memory=setup.memory,
        weights=model.weights,
        kind=model.cache,
        parallel=model.parallel,
        most=most,
    )
    return fits or min(most, _USUAL)


def policy_lines(tokens: int, *models: Model) -> tuple[str, ...]:
    """The part of a policy that gives these models a window."""
    rules = [line for model in models for line in (f'  - match: "{model.name}"', f"    window: {tokens}")]
    return ("models:", *rules)


def named(model: Model) -> str:
    return f"{model.server}/{model.name}"


def _above_trained(model: Model, setup: Setup) -> Iterator[Finding]:
    if model.trained is None or model.asked is None or model.asked <= model.trained:
        return
    where, how, lines = "the policy", "", policy_lines(model.trained, model)
    if not model.chosen and setup.server_of(model).driver == "ollama":
        where, how = "its Modelfile", f" (write these lines to a file and run: ollama create {model.name} -f FILE)"
        lines = (f"FROM {model.name}", f"PARAMETER num_ctx {model.trained}")
    elif not model.chosen:
        where, lines = "its server", ()
    yield Finding(
        code="window_above_trained",
        severity=Severity.WARNING,
        about=named(model),
        found=f"{where} asks for a window of {model.asked:,}; the model is trained to {model.trained:,}, and gets no more",
        change=f"Ask for {model.trained:,} or less in {where}, so that every client believes what is true{how}.",
        lines=lines,
    )


def _loaded_otherwise(model: Model) -> Iterator[Finding]:
    loaded = model.loaded.window if model.loaded else None
    if loaded is None or model.asked is None or loaded == model.window:
        return
    yield Finding(
        code="window_loaded_differs",
        severity=Severity.WARNING,
        about=named(model),
        found=f"it is loaded with {loaded:,}, although {_DECIDED[model.source]} says {model.window:,}: another program asked for that, or memory was short",
        change="Let all programs reach it through Holdfast, which pins one window; each change loads the model anew.",
    )


def _too_small(model: Model, setup: Setup) -> Iterator[Finding]:
    if model.window is None or model.window >= SMALL_WINDOW:
        return
    short = [agent for agent in AGENTS if not agent.fits(model.window, model.reserve)]
    whom = ", ".join(f"{agent.name} ({thousands(agent.prompt)})" for agent in short)
    better = advised(model, setup)
    yield Finding(
        code="window_small",
        severity=Severity.FAULT if len(short) > 1 else Severity.WARNING,
        about=named(model),
        found=f"its window is {model.window:,} ({model.source})"
        + (f", too small for the first request of {whom}" if short else ", less than coding agents work well with"),
        change=f"Give it {better:,} or more in the policy."
        if better > model.window
        else "Take another model for coding agents.",
        lines=policy_lines(better, model) if better > model.window else (),
    )


def _labelled(model: Model, setup: Setup) -> Iterator[Finding]:
    """A name like `…-128k` that is not true."""
    label = _LABEL.search(model.name.rpartition(":")[2]) or _LABEL.search(model.name)
    known = [window for window in (model.window, model.trained) if window]
    if label is None or not known:
        return
    said = int(label[1]) * 1024
    if any(abs(window - said) <= _CLOSE * said for window in known):
        return
    yield Finding(
        code="window_label",
        severity=Severity.WARNING,
        about=named(model),
        found=f"its name says {label[1]}k, "
        + " and ".join(
            words
            for words in (
                f"its window is {model.window:,}" if model.window else "",
                f"the model is trained to {model.trained:,}" if model.trained else "",
            )
            if words
        ),
        change="Don't go by the name; say in the policy which window it shall have.",
        lines=policy_lines(advised(model, setup), model),
    )


def _unset(models: list[Model], setup: Setup) -> Iterator[Finding]:
    """Ollama models whose window nobody decided on and that are not loaded."""
    native = {server.name for server in setup.servers if server.driver == "ollama"}
    unset = [model for model in models if model.server in native and model.window is None]
    if not unset or setup.environment.get("OLLAMA_CONTEXT_LENGTH"):
        return
    yield Finding(
        code="window_unset",
        severity=Severity.WARNING,
        about=", ".join(named(model) for model in unset),
        found="nothing sets the window; Ollama takes 4,096 below 23 GiB of graphics memory, 32,768 below 47, else 262,144",
        change="Set it in the policy.",
        lines=policy_lines(min(advised(model, setup) for model in unset), *unset),
    )


def _evicting(models: list[Model]) -> Iterator[Finding]:
    """Two names for one file with two windows: Ollama runs a file once, so that each name throws the other out."""
    files: dict[tuple[str, str], list[Model]] = {}
    for model in models:
        if model.blob:
            files.setdefault((model.server, model.blob), []).append(model)
    for same in files.values():
        if len({model.window if model.asked else None for model in same}) < 2:
            continue
        asked = ", ".join(
            f"{model.name} {model.window:,}" if model.asked and model.window else f"{model.name} unset"
            for model in same
        )
        tokens = max(model.window or 0 for model in same if model.asked)
        yield Finding(
            code="same_file_two_windows",
            severity=Severity.WARNING,
            about=", ".join(named(model) for model in same),
            found=f"these are one file with different windows ({asked}): each request for one unloads the other",
            change="Give them one window in the policy, or use one of the names only.",
            lines=policy_lines(tokens, *same),
        )
