"""The detection rules that hold under a policy, from YAML. Every error at once, each with file, rule, what was found and what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from gateway.core.policy.privacy import PrivacyRules
from gateway.core.policy.section import section
from gateway.core.privacy.checks import CHECKS
from gateway.core.privacy.house import HOUSE_RULES, chosen, house_rules
from gateway.core.privacy.rule import Judge, Rule, token_pattern


class BadRules(Exception):
    """The rules can't be used, and without rules nothing goes to a cloud. Each of `errors` names its file and rule."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = tuple(errors)


@section
class _Written:
    """A rule as it stands in a file: `token` or `pattern` says what it looks for."""

    id: str
    description: str
    token: str = ""
    pattern: str = ""
    check: str = ""
    entropy: float = 0.0
    judge: Judge = "token"
    allow: tuple[str, ...] = ()
    optional: bool = False
    common: bool = False


@section
class _File:
    kind: str
    rules: tuple[_Written, ...]


_ADAPTER = TypeAdapter(_File)


def rules_under(policy: PrivacyRules) -> tuple[Rule, ...]:
    """The rules that come with the gateway, those of the policy's own files, and those that it makes. Raises BadRules."""
    errors: list[str] = []
    known = _known([Path(each).expanduser() for each in policy.rules], errors)
    names = {each.id for each in known} | {each.kind for each in known} | HOUSE_RULES
    errors += (
        f"privacy.{key}: {name!r} is no rule and no kind of rule" for key, name in _named(policy) if name not in names
    )
    try:
        made = tuple(house_rules(policy))
    except ValueError as error:
        errors.append(f"privacy.networks: {error}; write ranges like 10.0.0.0/8")
        made = ()
    if errors:
        raise BadRules(errors)
    return chosen((*known, *made), policy)


def _known(own: Sequence[Path], errors: list[str]) -> Sequence[Rule]:
    shipped = [each for each in (files("gateway.core.privacy") / "rules").iterdir() if each.name.endswith(".yaml")]
    if not shipped:
        errors.append("the rules that come with the gateway are missing; install it again")
    rules: dict[str, Rule] = {}
    for file in [*sorted(shipped, key=lambda each: each.name), *own]:
        for rule in _read(file, errors):
            if rule.id in rules:
                errors.append(f"{file}: {rule.id}: this id is taken; give each rule its own")
            rules[rule.id] = rule
    return tuple(rules.values())


def _named(policy: PrivacyRules) -> Iterator[tuple[str, str]]:
    """What a policy says of rules and kinds by name; a name that is misspelt would leave a hole."""
    for key, names in (("also", policy.also), ("ignore", policy.ignore), ("redact", policy.redact)):
        yield from ((key, name) for name in names)


def _read(file: Traversable | Path, errors: list[str]) -> Iterator[Rule]:
    try:
        written = _ADAPTER.validate_python(yaml.safe_load(file.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        errors.append(f"{file}: can't be read: {error}")
        return
    except ValidationError as error:
        errors += [f"{file}: {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        return
    for each in written.rules:
        if complaint := _complaint(each):
            errors.append(f"{file}: {each.id}: {complaint}")
        else:
            yield _rule(each, written.kind)


def _complaint(written: _Written) -> str:
    """What is wrong with a rule, but for its RE2 pattern, which the engine compiles."""
    if bool(written.token) == bool(written.pattern):
        return "say what it looks for by either `token` or `pattern`"
    if written.check and written.check not in CHECKS:
        return f"check {written.check!r} is not known; known are: {', '.join(sorted(CHECKS))}"
    for pattern in written.allow:
        try:
            re.compile(pattern)
        except re.error as error:
            return f"allow {pattern!r} does not compile: {error}"
    return ""


def _rule(written: _Written, kind: str) -> Rule:
    return Rule(
        id=written.id,
        kind=kind,
        description=written.description,
        pattern=written.pattern or token_pattern(written.token),
        check=written.check,
        entropy=written.entropy,
        judge=written.judge,
        allow=tuple(map(re.compile, written.allow)),
        optional=written.optional,
        common=written.common,
    )
