"""How a broken answer could go on: each way that the upstream declares, tried out without generating anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.core.conversation import Message, Prose, ToolSpec
from gateway.core.plan import Mode, Try
from gateway.core.transcript import ThinkTags
from gateway.core.turn import Turn
from gateway.ports import Driver, UpstreamFailed
from gateway.service.fitting import Fitted


async def ways_on(driver: Driver, fitted: Fitted, turn: Turn) -> dict[Mode, Try]:
    """Attempts that would go on exactly where the text stands, best first. Empty where none can.

    A prefill counts only if the upstream's own rendering ends with the prefix, byte for byte: some templates close or trim it.
    """
    ways: dict[Mode, Try] = {}
    if not turn.transcript.size or fitted.conversation.output is not None or fitted.conversation.completion is not None:
        return ways
    for mode in driver.modes:
        try:
            found = await _prefill(driver, fitted, turn) if mode is Mode.PREFILL else _raw(fitted, turn, mode)
        except UpstreamFailed:
            continue
        if found is not None:
            ways[mode] = found
    return ways


def ways_again(driver: Driver, fitted: Fitted, turn: Turn) -> dict[Mode, Try]:
    """Attempts that would make the tool calls of this turn again, each differently, best first."""
    ways: dict[Mode, Try] = {}
    if fitted.conversation.output is not None or fitted.conversation.completion is not None:
        return ways
    if Mode.RAW in driver.modes and fitted.rendered is not None and _raw_is_true(fitted, turn):
        so_far = turn.visible_raw(fitted.tags or ThinkTags())
        prompt = fitted.rendered + so_far
        ways[Mode.REMAKE] = replace(fitted.first(), mode=Mode.REMAKE, verbatim=False, prompt=prompt, text=so_far)
    tools = fitted.conversation.tools
    if Mode.SCHEMA in driver.modes and tools and fitted.conversation.tool_choice != "none":
        ways[Mode.SCHEMA] = replace(fitted.first(), mode=Mode.SCHEMA, output=call_schema(tools, turn.named))
    return ways


def call_schema(tools: tuple[ToolSpec, ...], named: str) -> Mapping[str, object]:
    """The JSON Schema of one call: of the tool that was meant where that is known, else of any."""
    meant = [tool for tool in tools if tool.name == named] or list(tools)
    shapes = [
        {
            "type": "object",
            "properties": {"name": {"const": tool.name}, "arguments": dict(tool.parameters) or {"type": "object"}},
            "required": ["name", "arguments"],
        }
        for tool in meant
    ]
    return shapes[0] if len(shapes) == 1 else {"anyOf": shapes}


async def _prefill(driver: Driver, fitted: Fitted, turn: Turn) -> Try | None:
    if turn.transcript.verbatim or _has_prefix(fitted):
        return None
    thought, text = turn.transcript.thought, turn.transcript.text
    prefix = Message(role="assistant", content=(Prose(text),) if text else (), thinking=thought)
    longer = replace(fitted.conversation, messages=(*fitted.conversation.messages, prefix))
    rendered = await driver.render(longer, fitted.first())
    if rendered is None or not rendered.endswith(text or thought):
        return None
    return replace(fitted.first(), mode=Mode.PREFILL, thought=thought, text=text)


def _raw(fitted: Fitted, turn: Turn, mode: Mode) -> Try | None:
    if mode is not Mode.RAW or fitted.rendered is None or not _raw_is_true(fitted, turn):
        return None
    so_far = turn.transcript.raw(fitted.tags or ThinkTags(), opened=fitted.opened)
    return replace(fitted.first(), mode=Mode.RAW, verbatim=False, prompt=fitted.rendered + so_far, text=so_far)


def _raw_is_true(fitted: Fitted, turn: Turn) -> bool:
    """Whether a raw prompt would read as the model wrote it, and what follows would be told whole."""
    thought_known = fitted.tags is not None or not turn.thought_of
    return fitted.raw_shows_calls and thought_known and not _has_images(fitted)


def _has_images(fitted: Fitted) -> bool:
    """A raw prompt can't carry pictures."""
    return any(message.images for message in fitted.conversation.messages)


def _has_prefix(fitted: Fitted) -> bool:
    """The client's own last message is an assistant's: the answer goes on from there already."""
    messages = fitted.conversation.messages
    return bool(messages) and messages[-1].role == "assistant"
