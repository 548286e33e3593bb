"""What the text of one JSON object tells of a call, whole or cut. Law: only what the text ends is taken from it."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.calls.json_text import read
from gateway.core.calls.json_value import Json, write
from gateway.core.dialects.members import Members, Open, members, missing_braces
from gateway.core.dialects.reading import Draft

_NAMES = ("name", "tool_name", "function", "tool")
_ARGUMENTS = ("arguments", "parameters", "args", "input")
KEYS = tuple(f"{quote}{key}{quote}" for quote in "\"'" for key in (*_NAMES, *_ARGUMENTS, "type", "id"))
"""What a bare object must begin with to be worth waiting for."""


@dataclass(frozen=True, slots=True)
class Told:
    """A call as an object tells it: how far its arguments are there, and whether they have begun.

    `beside`: keys of further members, which are none of the call's.
    """

    draft: Draft
    state: Open
    begun: bool
    beside: tuple[str, ...] = ()


def called(text: str) -> Told:
    """A call from `{"name": …, "arguments": …}`, its members in any order."""
    found = members(text)
    if inner := _nested(text, found):
        text, found = inner, members(inner)
    name, arguments = "", None
    beside: list[str] = []
    for member in found.items:
        value = text[member.start : member.end]
        if member.key in _NAMES and not name:
            document = read(value)
            name = document.value if document and isinstance(document.value, str) else ""
        elif member.key in _ARGUMENTS and arguments is None:
            arguments = value
        else:
            beside.append(member.key)
    if found.state is Open.BROKEN or (not name and found.state is not Open.CLOSED):
        return Told(Draft(name, ""), Open.OPENING, arguments is not None)
    if arguments is not None:
        return Told(Draft(name, arguments), Open.CLOSED, True, tuple(beside))
    if found.key in _ARGUMENTS:
        return _cut(name, text, found)
    return Told(Draft(name, ""), Open.CLOSED if found.state is Open.CLOSED else Open.OPENING, False)


def called_by_key(text: str) -> Told:
    """A call from `{"NAME": {…}}`."""
    found = members(text)
    if found.items:
        member = found.items[0]
        return Told(Draft(member.key, text[member.start : member.end]), Open.CLOSED, True)
    return _cut(found.key, text, found)


def _cut(name: str, text: str, found: Members) -> Told:
    """A call whose arguments are the open member."""
    if not text.startswith("{", found.start) or not found.key:
        return Told(Draft(name, ""), Open.OPENING, False)
    arguments, state = proven(text[found.start :])
    return Told(Draft(name, arguments), state, True)


def _nested(text: str, found: Members) -> str:
    """The inner object of `{"type": "function", "function": {"name": …, "arguments": …}}`."""
    for member in found.items:
        if member.key == "function" and text[member.start] == "{":
            return text[member.start : member.end]
    return text[found.start :] if found.key == "function" and text.startswith("{", found.start) else ""


def proven(text: str) -> tuple[str, Open]:
    """The proven members of an object that is cut, as an object of their own, and how it stands at the cut."""
    found = members(text)
    if found.state is Open.CLOSED:
        return text[: found.end], Open.CLOSED
    pairs = ", ".join(f"{write(member.key)}: {text[member.start : member.end]}" for member in found.items)
    # Models miscount braces (gpt-oss, lmstudio#942): that an object is all there is proven by what follows it.
    counted = found.state is Open.BETWEEN and pairs.endswith("}")
    return "{" + pairs + "}", Open.VALUE if counted else found.state


def closed(text: str) -> str | None:
    """The arguments that a marker cut short, with their braces, if only those are missing and it is certain where.

    In `{"a": {"b": 1, "c": 2}` the missing one may belong before "c" as well as at the end.
    """
    whole = text.rstrip() + (missing_braces(text) or "")
    document = read(whole)
    flat = document and isinstance(document.value, dict) and not any(map(_branches, document.value.values()))
    return whole if flat else None


def _branches(value: Json) -> bool:
    return isinstance(value, dict) and (len(value) > 1 or any(map(_branches, value.values())))


def name_begun(text: str) -> str:
    """What there is of a name in the midst of which the text ends."""
    found = members(text)
    return text[found.start + 1 :] if found.key in _NAMES else ""
