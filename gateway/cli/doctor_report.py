"""The doctor's report for people: tables of what is there, then what is wrong, each with what to change and lines to paste."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from gateway.cli.printing import add_row, duration, plain, table
from gateway.core.memory import OVERHEAD, gib
from gateway.core.wire.fields import is_object

_STYLES = {"fault": "bold red", "warning": "yellow", "note": "cyan"}


def show(told: Mapping[str, object], out: Console) -> None:
    """Print a report as `gateway.core.diagnosis.report` makes it."""
    _upstreams(_objects(told, "upstreams"), out)
    _models(_objects(told, "models"), out)
    _fitting(_objects(told, "models"), told.get("memory_bytes"), out)
    _clients(_objects(told, "clients"), told.get("environment"), out)
    findings = _objects(told, "findings")
    for number, each in enumerate(findings, 1):
        _finding(number, each, out)
    out.print(Text(_summary(findings), style="bold green" if told.get("ok") else "bold"))


def _upstreams(servers: Sequence[Mapping[str, object]], out: Console) -> None:
    made = table("server", "address", "state")
    for each in servers:
        version = " ".join(str(each[key]) for key in ("version", "generation") if each.get(key))
        state = f"answers: {each['driver']} {version}" if each.get("ok") else f"does not answer: {each['trouble']}"
        add_row(made, (each["name"], each["url"], state))
    out.print(made, "")


def _models(models: Sequence[Mapping[str, object]], out: Console) -> None:
    if not models:
        return
    made = table(
        "model!", "window>", "told by", "trained to>", "loaded>", "on GPU>", "context>", "to read it>", "tool calls"
    )
    for each in models:
        context = each.get("context")
        size = context.get("bytes") if is_object(context) else None
        add_row(
            made,
            (
                each["name"],
                _tokens(each["window"]),
                each["window_source"],
                _tokens(each["trained"]),
                _tokens(each["loaded"]),
                f"{share:.0%}" if isinstance(share := each["gpu_share"], float) else "",
                gib(size) if isinstance(size, int) else "",
                duration(seconds) if isinstance(seconds := each["seconds_to_read"], float) else "",
                _calls(each),
            ),
        )
    out.print(made)
    if all(each["tokens_per_second"] is None for each in models):
        _aside(
            "How long reading a full window takes is not known yet: Holdfast learns it as it runs, or say --speed N.",
            out,
        )
    for each in models:
        context = each.get("context")
        if is_object(context) and (why := context.get("not_known")):
            _aside(f"{each['name']}: what its context takes can't be told, since its server does not say {why}.", out)
    out.print()


def _calls(model: Mapping[str, object]) -> str:
    """How it writes calls, and what its server's parser makes of one that is cut."""
    cut = {"dropped": "drops cut ones", "error": "fails on cut ones", "damaged": "damages cut ones"}
    said = [str(model["dialect"]), cut.get(str(model["cut_calls"]), "")]
    return ", ".join(each for each in said if each)


def _fitting(models: Sequence[Mapping[str, object]], memory: object, out: Console) -> None:
    """The windows that fit the memory that was told."""
    rows = [(each, fits) for each in models if is_object(fits := each.get("fits"))]
    if not rows or not isinstance(memory, int):
        return
    made = table(f"what fits {gib(memory)}", "weights>", *(f"window, {kind} context>" for kind in rows[0][1]))
    for each, fits in rows:
        weights = each["weights_bytes"]
        windows = (_tokens(tokens) or "none" for tokens in fits.values())
        add_row(made, (each["name"], gib(weights) if isinstance(weights, int) else "", *windows))
    out.print(made)
    _aside(f"Beside weights and context, {gib(OVERHEAD)} is assumed for buffers.", out)
    out.print()


def _clients(clients: Sequence[Mapping[str, object]], environment: object, out: Console) -> None:
    if clients:
        made = table("agent", "set up in", "to ask")
        for each in clients:
            add_row(made, (each["agent"], each["file"], each["url"]))
        out.print(made, "")
    if is_object(environment) and environment:
        settings = "  ".join(f"{name}={value}" for name, value in environment.items())
        _aside(f"Ollama's settings in this shell (its server may have others): {settings}", out)
        out.print()


def _finding(number: int, finding: Mapping[str, object], out: Console) -> None:
    severity = str(finding["severity"])
    title = Text.assemble(
        (f"{number}. {severity}  ", _STYLES.get(severity, "")), (plain(str(finding["about"])), "bold")
    )
    out.print(title)
    for words in (f"{finding['found']}.", str(finding["change"])):
        out.print(Padding(Text(plain(words)), (0, 0, 0, 3), expand=False))
    out.print()
    lines = finding.get("lines")
    if isinstance(lines, list) and lines:  # from the first column on, so that they can be pasted as they stand
        out.print(Text(plain("\n".join(lines)), style="green"), soft_wrap=True)
        out.print()


def _aside(words: str, out: Console) -> None:
    out.print(Text(plain(words), style="dim"))


def _summary(findings: Sequence[Mapping[str, object]]) -> str:
    wrong = [each for each in findings if each["severity"] != "note"]
    if not wrong:
        return "Nothing is wrong."
    return "1 thing to mend." if len(wrong) == 1 else f"{len(wrong)} things to mend."


def _tokens(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and value else ""


def _objects(told: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
    value = told.get(key)
    return [each for each in value if is_object(each)] if isinstance(value, Iterable) else []
