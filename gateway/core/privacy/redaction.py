"""Replaces secrets by placeholders before a conversation leaves.

Law: what was replaced is scanned again by whoever asked, and what is still found then keeps the conversation at home.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from gateway.core.conversation import Completion, Content, Conversation, Message, Prose, ToolCall, ToolSpec
from gateway.core.jsontext import NotJson, dumps, loads
from gateway.core.policy.privacy import PrivacyRules
from gateway.core.privacy.finding import Finding, Place
from gateway.core.privacy.placeholder import placeholder
from gateway.core.privacy.units import Contents

_Change = Callable[[str], str]
_PLACES = frozenset(
    {Place.SYSTEM, Place.USER, Place.ASSISTANT, Place.RESULT, Place.THOUGHT, Place.ARGUMENTS, Place.TOOL, Place.PROMPT}
)
_LONG = 8  # characters that stand nowhere by chance
_EDGE = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Redacted:
    """A conversation with its secrets replaced, and what the placeholders minted for it stand for."""

    conversation: Conversation
    minted: Mapping[str, str] = field(repr=False)


def is_replaceable(finding: Finding, rules: PrivacyRules) -> bool:
    """Whether a placeholder can take the finding's place: its very span is known, and nothing works by its spelling."""
    return finding.exact and finding.kind in rules.redact and finding.place in _PLACES


def redacted(whole: Contents, findings: Sequence[Finding], *, key: bytes) -> Redacted:
    """The conversation with every value of the findings replaced wherever it stands."""
    texts = {unit.index: unit for unit in whole.units}
    values = {texts[each.unit].text[each.start : each.end] for each in findings}
    minted = {placeholder(value, key): value for value in values}
    tokens = {value: token for token, value in minted.items()}
    anywhere = re.compile("|".join(map(_anywhere, sorted(values, key=len, reverse=True))))

    def change(text: str) -> str:
        return anywhere.sub(lambda match: tokens[match[0]], text)

    return Redacted(_conversation(whole.conversation, change), MappingProxyType(minted))


def _anywhere(value: str) -> str:
    """A long value goes wherever it stands, also glued to other text; a short one, which may be part of a word, as a word."""
    if len(value) >= _LONG:
        return re.escape(value)
    before = r"(?<!\w)" if _EDGE.match(value[:1]) else ""
    after = r"(?!\w)" if _EDGE.match(value[-1:]) else ""
    return f"{before}{re.escape(value)}{after}"


def _conversation(conversation: Conversation, change: _Change) -> Conversation:
    return replace(
        conversation,
        messages=tuple(_message(each, change) for each in conversation.messages),
        completion=_completion(conversation.completion, change),
        tools=tuple(_tool(each, change) for each in conversation.tools),
    )


def _message(message: Message, change: _Change) -> Message:
    return replace(
        message,
        content=tuple(_content(each, change) for each in message.content),
        thinking=change(message.thinking),
        calls=tuple(_call(each, change) for each in message.calls),
    )


def _content(content: Content, change: _Change) -> Content:
    return replace(content, text=change(content.text)) if isinstance(content, Prose) else content


def _call(call: ToolCall, change: _Change) -> ToolCall:
    """The call with its arguments changed; their text stays as it came where nothing in them changes."""
    try:
        value = loads(call.arguments)
    except NotJson:
        return replace(call, arguments=change(call.arguments))
    changed = _value(value, change)
    return call if changed == value else replace(call, arguments=dumps(changed))


def _tool(tool: ToolSpec, change: _Change) -> ToolSpec:
    parameters = _value(tool.parameters, change)
    return replace(
        tool, description=change(tool.description), parameters=parameters if isinstance(parameters, dict) else {}
    )


def _completion(completion: Completion | None, change: _Change) -> Completion | None:
    if completion is None:
        return None
    return replace(
        completion, prompt=change(completion.prompt), suffix=change(completion.suffix), system=change(completion.system)
    )


def _value(value: object, change: _Change) -> object:
    """A JSON value with its strings changed; keys stay, since programs go by them."""
    match value:
        case str():
            return change(value)
        case Mapping():
            return {key: _value(item, change) for key, item in value.items()}
        case list() | tuple():
            return [_value(item, change) for item in value]
        case _:
            return value
