"""How a broken answer could go on: each way that the upstream declares, tried out without generating anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.core.conversation import Conversation, Message, Named, Prose, ToolSpec
from gateway.core.failures import Failure, FailureKind
from gateway.core.loops import unwound
from gateway.core.plan import Mode, Try
from gateway.core.recovery import TABLE, Answer
from gateway.core.transcript import ThinkTags
from gateway.core.turn import Circling, Turn
from gateway.ports import Driver, UpstreamFailed
from gateway.service.prompt.fitting import Fitted
from gateway.service.prompt.readers import raw_shows_thoughts

STEPS = (
    "(Note: your answer to this was too long and was cut inside its tool call. Do the work in several smaller calls, each of "
    "them whole in itself; a long file is written in parts. Make only the first of these calls now, and say in your visible "
    "text what is still to follow.)"
)


async def ways_from(failure: Failure, driver: Driver, fitted: Fitted, turn: Turn) -> dict[Mode, Try]:
    """How this upstream could go on after this failure, best first."""
    if TABLE[failure.kind] is not Answer.REMAKE:
        return await ways_on(driver, fitted, turn)
    match failure.kind:
        case FailureKind.LOOPING:
            return ways_past(driver, fitted, turn)
        case FailureKind.CHOICE_IGNORED:
            return ways_by_schema(driver, fitted, turn)
        case FailureKind.PARSER if turn.transcript.verbatim:  # we can read what its server could not
            return {**await ways_on(driver, fitted, turn), **ways_again(driver, fitted, turn)}
        case _:
            return ways_again(driver, fitted, turn)


async def ways_on(driver: Driver, fitted: Fitted, turn: Turn) -> dict[Mode, Try]:
    """Attempts that would go on exactly where the text stands, best first. Empty where none can.

    A prefill counts only if the upstream's own rendering ends with the prefix, byte for byte: some templates close or trim it.
    """
    ways: dict[Mode, Try] = {}
    if not turn.transcript.size or fitted.conversation.output is not None:
        return ways
    for mode in driver.modes:
        try:
            found = await _prefill(driver, fitted, turn) if mode is Mode.PREFILL else _raw(driver, fitted, turn, mode)
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
    if Mode.RAW in driver.modes and fitted.rendered is not None and _raw_is_true(driver, fitted, turn):
        so_far = turn.visible_raw(fitted.tags or ThinkTags())
        prompt = fitted.rendered + so_far
        ways[Mode.REMAKE] = replace(fitted.first(), mode=Mode.REMAKE, verbatim=False, prompt=prompt, text=so_far)
    return ways | ways_by_schema(driver, fitted, turn)


def ways_by_schema(driver: Driver, fitted: Fitted, turn: Turn) -> dict[Mode, Try]:
    """The attempt that can only make a call: the server holds it to the schema of its tool."""
    conversation = fitted.conversation
    if Mode.SCHEMA not in driver.modes or not conversation.tools or conversation.tool_choice == "none":
        return {}
    schema = call_schema(conversation.tools, _meant(conversation) or turn.named)
    return {Mode.SCHEMA: replace(fitted.first(), mode=Mode.SCHEMA, output=schema, verbatim=False)}


def ways_past(driver: Driver, fitted: Fitted, turn: Turn) -> dict[Mode, Try]:
    """The attempt that goes on behind a thought which went round in circles: it is closed, and the answer begins."""
    known = Mode.RAW in driver.modes and fitted.rendered is not None and fitted.tags is not None
    if turn.circling is not Circling.THOUGHT or not known or not _raw_is_true(driver, fitted, turn, thinks=False):
        return {}
    assert fitted.rendered is not None
    assert fitted.tags is not None
    so_far = unwound(turn.transcript.raw(fitted.tags, opened=fitted.opened)) + fitted.tags.closes
    return {Mode.RAW: _raw_after(fitted, fitted.rendered, so_far)}


def in_steps(conversation: Conversation) -> Conversation:
    """The same question, with the wish for smaller calls at the end of its last message: so every template takes it."""
    *before, last = conversation.messages
    wish = Prose(STEPS if not last.text else f"\n\n{STEPS}")
    return replace(conversation, messages=(*before, replace(last, content=(*last.content, wish))))


def way_in_steps(driver: Driver, fitted: Fitted, turn: Turn) -> Try:
    """The attempt at smaller calls: behind the visible text where the upstream can go on from there, else anew."""
    if not turn.damage().sent:
        return fitted.first()
    return ways_again(driver, fitted, turn).get(Mode.REMAKE) or replace(fitted.first(), mode=Mode.REPLAY)


def _raw_after(fitted: Fitted, rendered: str, so_far: str) -> Try:
    return replace(fitted.first(), mode=Mode.RAW, verbatim=False, prompt=rendered + so_far, text=so_far)


def _meant(conversation: Conversation) -> str:
    """The tool that the client's `tool_choice` names."""
    return conversation.tool_choice.name if isinstance(conversation.tool_choice, Named) else ""


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
    if turn.transcript.verbatim or fitted.conversation.completion is not None or _has_prefix(fitted):
        return None
    thought, text = turn.transcript.thought, turn.transcript.text
    prefix = Message(role="assistant", content=(Prose(text),) if text else (), thinking=thought)
    longer = replace(fitted.conversation, messages=(*fitted.conversation.messages, prefix))
    rendered = await driver.render(longer, fitted.first())
    if rendered is None or not rendered.endswith(text or thought):
        return None
    return replace(fitted.first(), mode=Mode.PREFILL, thought=thought, text=text)


def _raw(driver: Driver, fitted: Fitted, turn: Turn, mode: Mode) -> Try | None:
    if mode is not Mode.RAW or fitted.rendered is None or not _raw_is_true(driver, fitted, turn):
        return None
    return _raw_after(fitted, fitted.rendered, turn.transcript.raw(fitted.tags or ThinkTags(), opened=fitted.opened))


def _raw_is_true(driver: Driver, fitted: Fitted, turn: Turn, *, thinks: bool = True) -> bool:
    """Whether a raw prompt would read as the model wrote it, and what follows would be told whole.

    Where a family writes its visible text into one of several channels (harmony), with tools only the model knows which.
    """
    shown = turn.transcript.text or (turn.transcript.verbatim and turn.shown_text)
    if shown and fitted.tags is not None and fitted.tags.says and fitted.conversation.tools:
        return False
    thinks = thinks and not shown and "thinking" in fitted.facts.capabilities
    told = not thinks or raw_shows_thoughts(fitted.tags, prints_control=driver.prints_control)
    return fitted.raw_shows_calls and told and not _has_images(fitted)


def _has_images(fitted: Fitted) -> bool:
    """A raw prompt can't carry pictures."""
    bare = fitted.conversation.completion
    return bool(bare and bare.images) or any(message.images for message in fitted.conversation.messages)


def _has_prefix(fitted: Fitted) -> bool:
    """The client's own last message is an assistant's: the answer goes on from there already."""
    messages = fitted.conversation.messages
    return bool(messages) and messages[-1].role == "assistant"
