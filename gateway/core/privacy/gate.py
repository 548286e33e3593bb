"""The privacy gate: may this conversation leave the house. Steps in a fixed order; the first that denies decides.

Law: only permission that was given lets anything out, content can only take it away, and whatever is unknown, late or broken
means local. That nothing answers at home is not among the facts, so that it can't widen anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache

from gateway.core.policy.privacy import Label, PrivacyRules
from gateway.core.privacy.finding import Finding, Scan
from gateway.core.privacy.folders import absolute, is_neutral, is_private, label_of, plain_roots
from gateway.core.privacy.labels import strictest, tightened
from gateway.core.privacy.named_paths import NamedPaths
from gateway.core.privacy.redaction import is_replaceable


class Step(StrEnum):
    """What a gate's word is about, in the order in which the gate asks."""

    SWITCH = "switch"
    CLIENT = "client"
    HEADER = "header"
    PATHS = "paths"
    TAINT = "taint"
    CONTENT = "content"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, in words fit for a log. `about` is the path or the value they are about: for `holdfast route` alone, since it is content."""

    step: Step
    words: str
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFacts:
    """What the gate decides from. `paths` and `scan` are asked for only when nothing before them denied; they may raise.

    `label` is the client's (None: not known), `header` the request's `x-holdfast-privacy`, `root` the folder that the client's
    key carries. `tainted` says that this session, or one of its messages, held a secret before. `engine` says why there is no
    scan, where there is none.
    """

    label: Label | None
    header: str | None = None
    root: str = ""
    tainted: Callable[[], bool]
    paths: Callable[[], NamedPaths]
    scan: Callable[[], Scan]
    engine: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a conversation may leave, under which label, and why. With `redact` it may only after all `findings` are replaced."""

    leaves: bool
    label: Label = "local"
    reasons: tuple[Reason, ...] = ()
    findings: tuple[Finding, ...] = ()
    redact: bool = False


def may_leave(facts: GateFacts, rules: PrivacyRules) -> Verdict:
    """The gate's decision; never raises."""
    facts = replace(facts, paths=cache(facts.paths))
    reasons: list[Reason] = []
    label: Label = "redact"
    try:
        for step in (_switch, _client, _header, _paths, _taint):
            label, reason = step(facts, rules, label)
            reasons.append(reason)
            if label == "local":
                return Verdict(leaves=False, reasons=tuple(reasons))
        return _content(facts, rules, label, reasons)
    except Exception as error:  # by the gate's law, whatever breaks means local
        broken = Reason(Step.CONTENT, f"the gate broke ({type(error).__name__}), so nothing is known")
        return Verdict(leaves=False, reasons=(*reasons, broken))


def _switch(facts: GateFacts, rules: PrivacyRules, label: Label) -> tuple[Label, Reason]:
    if not rules.leave:
        return "local", Reason(Step.SWITCH, "nothing may leave: `privacy.leave` is off")
    return label, Reason(Step.SWITCH, "`privacy.leave` is on")


def _client(facts: GateFacts, rules: PrivacyRules, label: Label) -> tuple[Label, Reason]:
    if facts.label is None:
        return "local", Reason(Step.CLIENT, "the client has no label")
    return strictest((label, facts.label)), Reason(Step.CLIENT, f"the client's label is {facts.label}")


def _header(facts: GateFacts, rules: PrivacyRules, label: Label) -> tuple[Label, Reason]:
    words = "x-holdfast-privacy is not set" if facts.header is None else "x-holdfast-privacy is set, and only tightens"
    return tightened(label, facts.header), Reason(Step.HEADER, words, facts.header or "")


def _paths(facts: GateFacts, rules: PrivacyRules, label: Label) -> tuple[Label, Reason]:
    named = facts.paths()
    bases = named.folders or ((facts.root,) if facts.root else ())
    tops = plain_roots(rules.roots)
    labels = {label}
    lying = 0
    for path in (*named.folders, *named.files):
        lies = absolute(path, bases)
        if lies is None:
            return "local", Reason(Step.PATHS, "nobody can tell where a path lies", path)
        for each in lies:
            if is_neutral(each, rules.neutral):
                continue
            lying += 1
            labels.add(found := label_of(each, tops) or "local")
            if found == "local":
                return "local", Reason(Step.PATHS, "a path lies outside of what may leave", path)
    if not lying:
        return "local", Reason(Step.PATHS, "no file or folder is named, so nobody can tell whose content this is")
    return strictest(labels), Reason(Step.PATHS, f"{lying} paths, all in roots that may leave")


def _taint(facts: GateFacts, rules: PrivacyRules, label: Label) -> tuple[Label, Reason]:
    if facts.tainted():
        return "local", Reason(Step.TAINT, "this conversation held something private before")
    return label, Reason(Step.TAINT, "nothing private is known of it")


def _content(facts: GateFacts, rules: PrivacyRules, label: Label, reasons: list[Reason]) -> Verdict:
    if facts.engine:
        return _stays(reasons, Reason(Step.CONTENT, f"content can't be scanned: {facts.engine}"))
    for path in facts.paths().files:
        if is_private(path, rules.private_files, rules.harmless_files):
            return _stays(reasons, Reason(Step.CONTENT, "a file is named that stays at home", path))
    scan = facts.scan()
    if scan.unknown:
        return _stays(reasons, Reason(Step.LIMIT, f"not all of it is known: {scan.unknown}"))
    if not scan.findings:
        clean = Reason(Step.CONTENT, f"nothing found in {scan.size} characters")
        return Verdict(leaves=True, label=label, reasons=(*reasons, clean))
    found = ", ".join(f"{rule} ×{count}" for rule, count in scan.counts().items())
    if label == "redact" and all(is_replaceable(each, rules) for each in scan.findings):
        replaced = Reason(Step.CONTENT, f"to be replaced: {found}")
        return Verdict(leaves=True, label=label, reasons=(*reasons, replaced), findings=scan.findings, redact=True)
    return _stays(reasons, Reason(Step.CONTENT, f"found {found}"), scan.findings)


def after_redaction(verdict: Verdict, scan: Scan) -> Verdict:
    """The verdict once the redacted conversation was scanned again: what is still found, or not known, keeps it at home."""
    if not verdict.leaves or not (scan.findings or scan.unknown):
        return verdict
    still = scan.unknown or f"still found {', '.join(scan.counts())}"
    reasons = (*verdict.reasons, Reason(Step.CONTENT, f"after redaction: {still}"))
    return replace(verdict, leaves=False, redact=False, reasons=reasons)


def _stays(reasons: Sequence[Reason], last: Reason, findings: tuple[Finding, ...] = ()) -> Verdict:
    return Verdict(leaves=False, reasons=(*reasons, last), findings=findings)
