"""What may leave by word alone, before anybody looks at content: the switch, the client's label, the request's header, the paths.

Law: each step gives the widest label that it allows; none can widen what another gave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from gateway.core.policy.privacy import Label, PrivacyRules
from gateway.core.privacy.folders import absolute, is_neutral, label_of
from gateway.core.privacy.labels import asked_for, strictest
from gateway.core.privacy.named_paths import NamedPaths
from gateway.core.privacy.verdict import Reason, Step

Word: TypeAlias = tuple[Label, Reason]
Roots: TypeAlias = Sequence[tuple[str, Label]]

WIDEST: Label = "redact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a request brings to the gate.

    `label` is its client's (None: not known), `header` its `x-holdfast-privacy`, `root` the folder under which the client's
    key says that relative paths lie, `session` the client's own name for its session.
    """

    label: Label | None
    header: str | None = None
    root: str = ""
    session: str = ""


def switch_word(rules: PrivacyRules) -> Word:
    if not rules.leave:
        return "local", Reason(Step.SWITCH, "nothing may leave: `privacy.leave` is off")
    return WIDEST, Reason(Step.SWITCH, "`privacy.leave` is on")


def client_word(claim: Claim) -> Word:
    if claim.label is None:
        return "local", Reason(Step.CLIENT, "the client has no label")
    return claim.label, Reason(Step.CLIENT, f"the client's label is {claim.label}")


def header_word(claim: Claim) -> Word:
    if claim.header is None:
        return WIDEST, Reason(Step.HEADER, "x-holdfast-privacy is not set")
    label = asked_for(claim.header)
    return label, Reason(Step.HEADER, f"x-holdfast-privacy allows {label} at most", claim.header)


def paths_word(claim: Claim, named: NamedPaths, rules: PrivacyRules, roots: Roots) -> Word:
    bases = named.folders or ((claim.root,) if claim.root else ())
    labels = []
    for path in (*named.folders, *named.files):
        lies = absolute(path, bases)
        if lies is None:
            return "local", Reason(Step.PATHS, "nobody can tell where a path lies", path)
        for each in lies:
            if is_neutral(each, rules.neutral):
                continue
            labels.append(found := label_of(each, roots) or "local")
            if found == "local":
                return "local", Reason(Step.PATHS, "a path lies outside of what may leave", path)
    if not labels:
        return "local", Reason(Step.PATHS, "no file or folder is named, so nobody can tell whose content this is")
    return strictest(labels), Reason(Step.PATHS, f"all {len(labels)} paths lie where it may leave from")
