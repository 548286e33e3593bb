"""Is the turn over, and truly so? Judges each ending of an attempt, checks its calls, and words what the client gets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.core import calls as gate
from gateway.core import jsontext
from gateway.core.conversation import Conversation, Named
from gateway.core.errors import Code, Problem, quotable
from gateway.core.failures import Failure, FailureKind
from gateway.core.plan import Try
from gateway.core.stream import Call, Proof, Stop, StopReason, Usage
from gateway.core.turn import Turn
from gateway.core.wire.fields import is_object


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """The calls of a turn after the gate: those that may go out, and why any may not."""

    calls: tuple[Call, ...] = ()
    refused: tuple[str, ...] = ()


_WHOLE = frozenset({Proof.COMPLETE, Proof.CLOSERS_ONLY})


def verify(
    turn: Turn, conversation: Conversation, *, cut: bool, reads: Callable[[str], bool] = lambda _: False
) -> Verified:
    """Every call through the gate. `reads` says which tools only read: what is required of their calls is enough.

    Of a cut answer the last call is suspect where its server parsed it: what we read ourselves carries its own proof.
    """
    passed: list[Call] = []
    refused: list[str] = []
    suspect = suspect_call(turn) if cut else None
    for call in turn.calls:
        verdict = gate.judge(call, conversation.tools, cut=call is suspect)
        if isinstance(verdict, gate.Refusal):
            refused.append(f"{call.name or 'a call'}: {verdict.reason}")
        elif verdict.proof in _WHOLE or (verdict.proof is Proof.REQUIRED_COMPLETE and reads(verdict.name)):
            passed.append(verdict)
        else:
            refused.append(f"{call.name or 'a call'} is cut ({verdict.proof})")
    return Verified(calls=tuple(passed), refused=tuple(refused))


def suspect_call(turn: Turn) -> Call | None:
    """The call that a server may have closed by itself, where the answer was cut (gemma4's and Laguna's parsers do)."""
    told = turn.told_calls
    return told[-1] if told else None


def cut_short(turn: Turn, attempt: Try, *, prompt_tokens: int, max_tokens: int | None) -> Failure | None:
    """Why an attempt is over before its answer is, None where its end is a true one."""
    if turn.stopped:
        turn.stop = Stop(StopReason.STOP)
    return circling(turn) or ending_of(turn, attempt, prompt_tokens=prompt_tokens, max_tokens=max_tokens)


def broken(turn: Turn, failure: Failure) -> Failure:
    """The failure of a stream, its cause told where the server did not tell it."""
    if failure.kind is FailureKind.CUT:
        turn.cut_in_a_circle()
    return circling(turn) or failure


def circling(turn: Turn) -> Failure | None:
    return (
        Failure(FailureKind.LOOPING, f"the {turn.circling.name.lower()} went round in circles")
        if turn.circling
        else None
    )


_FULL = 256  # of the window: what we may have miscounted, and too little to go on in


def ending_of(turn: Turn, attempt: Try, *, prompt_tokens: int, max_tokens: int | None) -> Failure | None:
    """The failure that a `length` stop stands for; None where the client's own limit was met outside a call, or the model ended."""
    stop = turn.stop
    if stop is None or stop.reason is not StopReason.LENGTH:
        return None
    if max_tokens is not None and turn.tokens >= max_tokens:
        return Failure(FailureKind.OPEN_CALL, "max_tokens inside a tool call") if in_a_call(turn) else None
    if attempt.window and prompt_tokens + turn.tokens >= attempt.window - 1 - attempt.window // _FULL:
        return Failure(FailureKind.WINDOW_FULL, "prompt and answer fill the window")
    return Failure(FailureKind.CAPPED, "the server stopped the answer")


def in_a_call(turn: Turn) -> bool:
    """Whether an answer that was cut broke off inside a call, as far as can be told."""
    return turn.damage().open_call or suspect_call(turn) is not None or swallowed(turn)


_SLACK = 24  # tokens of markup around thoughts and texts, and the one that ends the turn


def swallowed(turn: Turn) -> bool:
    """The server made far more tokens than it told: its parser has dropped a call. Only where it tells no text of its own."""
    if turn.transcript.verbatim or turn.calls or turn.made is None:
        return False
    return turn.made > turn.seen_tokens + turn.seen_tokens // 4 + _SLACK


def complaint(turn: Turn, verified: Verified, conversation: Conversation) -> Failure | None:
    """What is wrong with an answer that its model thought finished; None where nothing is."""
    if turn.unreadable or verified.refused:
        why = "; ".join([*(part.reason for part in turn.unreadable), *verified.refused])
        return Failure(FailureKind.UNREADABLE, why)
    if conversation.tools and conversation.tool_choice != "none" and swallowed(turn):
        return Failure(FailureKind.PARSER, "the server dropped what its model wrote")
    if _choice_ignored(conversation, verified.calls):
        return Failure(FailureKind.CHOICE_IGNORED, "a tool call was required and none came")
    if conversation.output is not None and not turn.calls and not _is_json(turn.shown_text, conversation.output):
        return Failure(FailureKind.OUTPUT_BROKEN, "structured output was asked for and is not whole JSON")
    return None


def _choice_ignored(conversation: Conversation, calls: Sequence[Call]) -> bool:
    match conversation.tool_choice:
        case "required":
            return not calls
        case Named(name):
            return all(call.name != name for call in calls)
        case _:
            return False


def _is_json(text: str, output: object) -> bool:
    try:
        value = jsontext.loads(text)
    except jsontext.NotJson:
        return False
    return is_object(value) or not (is_object(output) and output.get("type") == "object")


def usage_of(turn: Turn, *, prompt_tokens: int, made: int) -> Usage:
    """One answer's usage: the prompt that was sent first, the tokens that were delivered."""
    last = turn.usages[-1] if turn.usages else Usage()
    first = turn.usages[0] if turn.usages else Usage()
    return Usage(
        prompt_tokens=prompt_tokens or first.prompt_tokens,
        completion_tokens=made,
        cached_tokens=first.cached_tokens,
        load_seconds=sum(each.load_seconds for each in turn.usages),
        prompt_seconds=first.prompt_seconds or last.prompt_seconds,
        completion_seconds=sum(each.completion_seconds for each in turn.usages),
    )


_PROBLEMS = {
    FailureKind.UNREACHABLE: (Code.UPSTREAM_UNREACHABLE, "The model server can't be reached. Start it, or correct its address in the policy (upstreams)"),
    FailureKind.OVERFLOW: (Code.UPSTREAM_REFUSED, "The model server takes this request for too long, although it fits the window that it told. Give the model a larger window (policy: models, window)"),
    FailureKind.OUT_OF_MEMORY: (Code.OUT_OF_MEMORY, "The model server ran out of memory. Give the model a smaller window (policy: models, window), or unload other models"),
    FailureKind.OVERLOADED: (Code.UPSTREAM_FAILED, "The model server is busy and stayed so. Ask again later, or let fewer programs use it"),
    FailureKind.REFUSED: (Code.UPSTREAM_REFUSED, "The model server refuses this request"),
    FailureKind.UNAUTHORIZED: (Code.UPSTREAM_REFUSED, "The model server does not take our key. Set the variable that the policy names in key_env"),
    FailureKind.MODEL_MISSING: (Code.MODEL_NOT_FOUND, "The model server no longer has this model"),
    FailureKind.UNREADABLE: (Code.UNREADABLE_CALL, "The model wrote a tool call that can't be read with certainty, in every attempt. Ask it for smaller steps"),
    FailureKind.PARSER: (Code.UNREADABLE_CALL, "The model server could not read its model's tool call, in every attempt. Ask for smaller steps"),
    FailureKind.CHOICE_IGNORED: (Code.UNREADABLE_CALL, "The model made no tool call although one was required, in every attempt"),
    FailureKind.OUTPUT_BROKEN: (Code.UPSTREAM_FAILED, "The model's structured output was not whole in any attempt. Ask for a smaller object"),
}  # fmt: skip


def problem_of(failure: Failure) -> Problem:
    """The final error for a failure that nothing could be delivered after."""
    code, text = _PROBLEMS.get(
        failure.kind, (Code.UPSTREAM_FAILED, "The model server failed at every attempt. Its log may tell why")
    )
    detail = quotable(failure.detail)
    return Problem(code, f"{text}. It said: {detail}" if detail else f"{text}.")
