"""How a turn ends: its last parts, its one finish reason, its usage. What it ends with is what is whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gateway.core.calls.kinds import writes
from gateway.core.failures import Failure
from gateway.core.policy import Policy
from gateway.core.stream import Call, Did, Part, Proof, Stop, StopReason, Usage
from gateway.core.turn import Turn
from gateway.service.prompt.fitting import Fitted
from gateway.service.refusal import Refusal
from gateway.service.turn.endings import Verified, problem_of, verify


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What the client gets last: held-back parts, whole calls, and why the turn ended."""

    parts: tuple[Part, ...]
    calls: tuple[Call, ...]
    reason: StopReason

    def written(self, turn: Turn) -> str:
        """The delivered answer as one text, to be counted where no server counted it."""
        return "".join([turn.shown_text, *(f"{call.name}{call.arguments}" for call in self.calls)])

    def batch(self, *, usage: Usage, did: Sequence[str]) -> list[Part]:
        """The last batch of parts; it ends with the Stop."""
        said: list[Part] = [Did(tuple(did))] if did else []
        return [*self.parts, *self.calls, usage, *said, Stop(self.reason)]


def whole_ending(turn: Turn, verified: Verified, *, new_id: Callable[[], str]) -> Ending:
    """The end of a turn that its model thought finished, and that passed the gate."""
    if turn.stop is not None and turn.stop.reason is StopReason.LENGTH:
        reason = StopReason.LENGTH
    elif verified.calls:
        reason = StopReason.TOOL_CALLS
    else:
        reason = StopReason.LENGTH if turn.damage().diverged else StopReason.STOP
    return _ending(turn, [], verified, reason, new_id)


def cut_ending(
    turn: Turn, failure: Failure, fitted: Fitted, policy: Policy, *, new_id: Callable[[], str]
) -> tuple[Ending, Verified]:
    """The end of a turn that no attempt could finish: what of it is whole. Raises Refusal where nothing is."""

    def reads(name: str) -> bool:
        return policy.recovery.mend_reading_calls and not writes(name, reading=fitted.rule.reading_tools)

    flushed = list(turn.give_up())
    whole = verify(turn, fitted.conversation, cut=True, reads=reads)
    if not (turn.delivered or flushed or whole.calls):
        raise Refusal(problem_of(failure))
    mended = bool(whole.calls) and whole.calls[-1].proof is not Proof.COMPLETE and not turn.unreadable
    reason = StopReason.TOOL_CALLS if mended else StopReason.LENGTH
    return _ending(turn, flushed, whole, reason, new_id), whole


def _ending(
    turn: Turn, flushed: list[Part], verified: Verified, reason: StopReason, new_id: Callable[[], str]
) -> Ending:
    calls = tuple(replace(call, id=call.id or f"call_{new_id()}") for call in verified.calls)
    return Ending(parts=(*turn.release(), *flushed), calls=calls, reason=reason)
