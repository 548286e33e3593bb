"""The only loop: an attempt, what broke, what to do about it, the next attempt, until the turn has its one true end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import asdict, replace

from gateway.core.admission import Ticket
from gateway.core.calls.kinds import writes
from gateway.core.conversation import Conversation
from gateway.core.events import Began, Broke, Ended, FirstPart
from gateway.core.events import Fitted as WasFitted
from gateway.core.failures import Failure, FailureKind
from gateway.core.identity import fingerprint
from gateway.core.plan import Mode, Target, Try
from gateway.core.recovery import TABLE, Again, Allowance, Answer, GiveUp, Outlook, decide
from gateway.core.stream import Call, Did, Part, Proof, Stop, StopReason, Usage
from gateway.core.turn import Circling, Damage, Turn
from gateway.ports import UpstreamFailed
from gateway.service.asked import Asked
from gateway.service.endings import Verified, complaint, ending_of, problem_of, usage_of, verify
from gateway.service.fitting import Fitted, Fitting
from gateway.service.joining import ways_again, ways_by_schema, ways_on, ways_past
from gateway.service.readers import reader_for
from gateway.service.refitting import Refitting
from gateway.service.refusal import Refusal
from gateway.service.upstreams import Upstreams
from gateway.service.world import World


class Conductor:
    """One turn, from its first attempt to its end. `run` may be called again after it was cancelled: it then goes on."""

    def __init__(
        self,
        asked: Asked,
        *,
        targets: Sequence[Target],
        upstreams: Upstreams,
        fitting: Fitting,
        world: World,
    ) -> None:
        self.asked = asked
        self._targets = list(targets)
        self._upstreams = upstreams
        self._refitting = Refitting(fitting, upstreams, asked.policy, world)
        self._world = world
        self._conversation = asked.conversation
        self._fitted: Fitted | None = None
        self._turn: Turn | None = None
        self._failure: Failure | None = None
        self._verified = Verified()
        self._tries: list[Try] = []
        self._barren = 0
        self._remade = 0
        self._received = 0
        self._continued = 0
        self._overruns = False
        self._came = world.clock.now()
        self._first_part: float | None = None
        self._usage = Usage()
        self.did: list[str] = []

    @property
    def tries(self) -> int:
        return len(self._tries)

    @property
    def fitted(self) -> Fitted | None:
        """The prompt as it was measured, once it was."""
        return self._fitted

    async def run(self) -> AsyncGenerator[list[Part], None]:
        """The answer, batch by batch; the last batch ends with a Stop. Raises Refusal where nothing can be delivered."""
        fitted = await self.prepare()
        async with self._upstreams[fitted.target.upstream].slots.hold(self._ticket(fitted)) as slot:
            attempt: Try | None = await self._open()
            while attempt is not None:
                async with aclosing(self._play(attempt)) as played:
                    async for out in played:
                        yield out
                attempt = await self._after(self._failure, attempt) if self._failure else None
            last = self._last()
            slot.comes_back = bool(self._verified.calls) and any(
                m.role == "assistant" for m in fitted.conversation.messages
            )
        yield last

    def _ticket(self, fitted: Fitted) -> Ticket:
        """Its place in the line: by session where the client names one, else by how the conversation begins."""
        asked = self.asked
        head = asked.conversation.messages[:2]
        session = asked.session or fingerprint(Conversation(model="", messages=head)).hex()
        return Ticket(id=asked.id, session=f"{asked.caller}/{session}", model=fitted.target.model)

    async def prepare(self) -> Fitted:
        """Measure and fit before anything is sent."""
        if self._fitted is None:
            await self._fit(self._targets[0])
        assert self._fitted is not None
        return self._fitted

    async def _open(self) -> Try:
        """The first attempt, or, after the client left and came again, the one that goes on."""
        fitted = await self.prepare()
        if self._turn is None:
            self._turn = Turn(
                reader=reader_for(fitted.conversation, fitted.facts, fitted.rule),
                stops=fitted.conversation.sampling.stop,
                opened=fitted.opened,
                thinks="thinking" in fitted.facts.capabilities,
                sends=self.asked.sends,
            )
            return fitted.first()
        again = await self._after(Failure(FailureKind.CUT, "the client left"), self._tries[-1])
        return again or fitted.first()

    async def _fit(self, target: Target, *, window: int | None = None) -> None:
        self._note_fitted(await self._refitting.fit(self._conversation, target, window=window))

    def _note_fitted(self, fitted: Fitted) -> None:
        self._fitted = fitted
        pinned = self._upstreams[fitted.target.upstream].pinned.get(fitted.target.model)
        if pinned and fitted.window and fitted.window < pinned:
            self._do("window_shrunk")
        for word in fitted.did:
            self._do(word)
        self._world.journal.note(
            WasFitted(
                request=self.asked.id,
                target=str(fitted.target),
                window=fitted.window,
                count=fitted.count,
                before=fitted.before,
                stages=tuple(asdict(stage) for stage in fitted.compaction.stages) if fitted.compaction else (),
                notes=fitted.notes,
            )
        )

    async def _play(self, attempt: Try) -> AsyncGenerator[list[Part], None]:
        """One attempt. Leaves what broke it in `_failure`, None where it ended well."""
        fitted, turn = self._known()
        self._failure = None
        await self._begin(attempt)
        timeouts = self.asked.policy.timeouts
        patience, began = timeouts.first_part, self._world.clock.now()
        driver = self._upstreams[attempt.target.upstream].driver
        try:
            async with aclosing(driver.stream(fitted.conversation, attempt)) as stream:
                while not turn.stopped:
                    async with asyncio.timeout(patience):
                        batch = await anext(stream, None)
                    if batch is None:
                        break
                    if patience != timeouts.between_parts:
                        patience = timeouts.between_parts
                        self._note_first_part(began)
                    if out := list(turn.receive(batch)):
                        yield out
                    if turn.circling:
                        break
            self._failure = self._cut_short(attempt)
            if self._failure is None:
                if out := list(turn.finish(natural=turn.stop is None or turn.stop.reason is not StopReason.LENGTH)):
                    yield out
                self._failure = self._wrong()
        except UpstreamFailed as error:
            self._failure = self._broken(error.failure)
        except TimeoutError:
            self._failure = Failure(FailureKind.STALLED, f"nothing came for {patience:.0f} s")

    async def _begin(self, attempt: Try) -> None:
        _, turn = self._known()
        await self._world.clock.sleep(attempt.after)
        self._tries.append(attempt)
        self._received = turn.damage().received if attempt.mode in (Mode.PREFILL, Mode.RAW) else 0
        turn.begin(attempt.mode, so_far=attempt.text)
        self._world.journal.note(
            Began(
                request=self.asked.id,
                number=len(self._tries),
                target=str(attempt.target),
                mode=attempt.mode,
                window=attempt.window,
                after=attempt.after,
            )
        )

    def _broken(self, failure: Failure) -> Failure:
        """The failure of a stream, its cause told where the server did not tell it."""
        _, turn = self._known()
        if failure.kind is FailureKind.CUT:
            turn.cut_in_a_circle()
        return self._circling() or failure

    def _circling(self) -> Failure | None:
        circling = self._known()[1].circling
        return Failure(FailureKind.LOOPING, f"the {circling.name.lower()} went round in circles") if circling else None

    def _cut_short(self, attempt: Try) -> Failure | None:
        fitted, turn = self._known()
        if turn.stopped:
            turn.stop = Stop(StopReason.STOP)
        return self._circling() or ending_of(
            turn,
            attempt,
            prompt_tokens=fitted.count.tokens,
            max_tokens=self.asked.conversation.sampling.max_tokens,
        )

    def _wrong(self) -> Failure | None:
        """The gate at the end of an attempt that its model thought finished."""
        fitted, turn = self._known()
        cut = turn.stop is not None and turn.stop.reason is StopReason.LENGTH
        self._verified = verify(turn, fitted.conversation, cut=cut)
        return None if cut else complaint(turn, self._verified, fitted.conversation)

    async def _after(self, failure: Failure, attempt: Try) -> Try | None:
        """What to do about a failure: the next attempt, or None for the end."""
        _, turn = self._known()
        damage = turn.damage()
        self._note_broken(failure, damage.received)
        self._continued += turn.seen_tokens if attempt.mode in (Mode.PREFILL, Mode.RAW) else 0
        self._overruns = self._overruns or failure.kind is FailureKind.OPEN_CALL
        if self._overdue():
            return None
        if failure.kind is FailureKind.UNREACHABLE:
            left = len(self._tries) < self.asked.policy.recovery.per_request
            return attempt if left and await self._refitting.reachable(attempt.target) else None
        if failure.kind is FailureKind.STALLED and damage.received <= self._received:
            await self._refitting.free(attempt.target)
        try:
            return await self._next(failure, damage, attempt)
        except Refusal:  # it can't be made to fit any more: what was delivered stays
            return None

    def _overdue(self) -> bool:
        return self._world.clock.now() - self._came > self.asked.policy.timeouts.total

    async def _next(self, failure: Failure, damage: Damage, attempt: Try) -> Try | None:
        ways = await self._ways(failure, attempt.target)
        self._barren = self._fruitless(failure, damage)
        outlook = Outlook(
            tries_here=sum(each.target == attempt.target and each.window == attempt.window for each in self._tries),
            tries_in_all=len(self._tries),
            ways=tuple(ways),
            barren=self._barren,
            window=attempt.window,
            dice=self._world.dice(),
        )
        match decide(failure, damage, outlook, self.asked.policy.recovery):
            case Again() as again:
                return await self._again(again, ways, failure)
            case GiveUp():
                return None

    async def _ways(self, failure: Failure, target: Target) -> dict[Mode, Try]:
        """How this upstream could go on after this failure, best first."""
        fitted, turn = self._known()
        driver = self._upstreams[target.upstream].driver
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

    def _fruitless(self, failure: Failure, damage: Damage) -> int:
        """Attempts in a row, up to the last, that brought nothing new."""
        if TABLE[failure.kind] is Answer.REMAKE:
            return self._remade
        return self._barren + 1 if damage.received <= self._received and len(self._tries) > 1 else 0

    async def _again(self, again: Again, ways: dict[Mode, Try], failure: Failure) -> Try | None:
        """The attempt that was decided on, after whatever fitting it needs; None where it has no room. Raises Refusal."""
        self._remade += TABLE[failure.kind] is Answer.REMAKE
        if await self._refitted(again, failure):
            ways = await self._ways(failure, self._known()[0].target)
        fitted, turn = self._known()
        joins = again.mode in ways
        mode = again.mode if joins or again.mode in (Mode.FRESH, Mode.REPLAY) else _anew(turn)
        most = self._allowance(fitted).room(joined=turn.tokens if joins else 0, overrun=self._overruns)
        if most is None:
            return None
        self._do("continued" if mode in (Mode.PREFILL, Mode.RAW) else "retried")
        attempt = ways[mode] if joins else fitted.first()
        return replace(
            attempt, mode=attempt.mode if attempt.mode is Mode.RAW else mode, after=again.after, num_predict=most
        )

    async def _refitted(self, again: Again, failure: Failure) -> bool:
        """Fit anew, where the next attempt needs another window, more room or another way to think."""
        fitted, turn = self._known()
        if again.window != fitted.window:
            await self._fit(fitted.target, window=again.window)
        elif again.tighter:
            self._note_fitted(await self._refitting.shorter(self._conversation, fitted, failure, joined=turn.tokens))
        elif turn.circling is Circling.THOUGHT and again.mode is not Mode.RAW:
            self._conversation = replace(self._conversation, think=False)
            await self._fit(fitted.target, window=again.window)
        else:
            return False
        return True

    def _allowance(self, fitted: Fitted) -> Allowance:
        reserve = min(fitted.rule.output_reserve, (fitted.window or fitted.rule.output_reserve * 4) // 4)
        return Allowance(
            window=fitted.window,
            prompt=fitted.count.tokens,
            max_tokens=self._conversation.sampling.max_tokens,
            reserve=reserve,
            continued=self._continued,
            most=reserve * self.asked.policy.recovery.reserve_times,
        )

    def _last(self) -> list[Part]:
        """The end of the turn, whatever became of it."""
        fitted, turn = self._known()
        failure = self._failure
        if failure is None:
            return self._closing([], self._true_reason())
        flushed = [] if turn.damage().diverged else list(turn.finish(natural=False))
        whole = self._verified = verify(turn, fitted.conversation, cut=True, reads=self._reads)
        mended = bool(whole.calls) and whole.calls[-1].proof is not Proof.COMPLETE and not turn.unreadable
        if not (turn.delivered or flushed or whole.calls):
            raise Refusal(problem_of(failure))
        return self._closing(flushed, StopReason.TOOL_CALLS if mended else StopReason.LENGTH)

    def _reads(self, name: str) -> bool:
        """Whether a cut call of this tool may go out once all that it requires is proven."""
        rule = self._known()[0].rule
        return self.asked.policy.recovery.mend_reading_calls and not writes(name, reading=rule.reading_tools)

    def _true_reason(self) -> StopReason:
        """Why a turn ended that its model thought finished."""
        _, turn = self._known()
        if turn.stop is not None and turn.stop.reason is StopReason.LENGTH:
            return StopReason.LENGTH
        if self._verified.calls:
            return StopReason.TOOL_CALLS
        return StopReason.LENGTH if turn.damage().diverged else StopReason.STOP

    def _closing(self, flushed: list[Part], reason: StopReason) -> list[Part]:
        fitted, turn = self._known()
        if self._verified.mended:
            self._do("mended")
        calls = [replace(call, id=call.id or f"call_{self._world.new_id()}") for call in self._verified.calls]
        made = (
            turn.usages[-1].completion_tokens
            if len(self._tries) == 1 and turn.usages
            else self._delivered_tokens(calls)
        )
        usage = usage_of(turn, prompt_tokens=self._prompt_tokens(fitted), made=made)
        self._usage = usage
        did: list[Part] = [Did(tuple(self.did))] if self.did else []
        return [*turn.release(), *flushed, *calls, usage, *did, Stop(reason)]

    def _prompt_tokens(self, fitted: Fitted) -> int:
        """The prompt that was sent first: ours where exact or where its attempt told nothing, else the server's (0)."""
        return fitted.count.tokens if fitted.count.method == "exact" or len(self._tries) > 1 else 0

    def _delivered_tokens(self, calls: Sequence[Call]) -> int:
        """Bytes over three, where no single attempt's count is the whole answer's."""
        _, turn = self._known()
        size = len(turn.shown_text.encode()) + sum(len(call.arguments.encode()) + len(call.name) for call in calls)
        return max(size // 3, 1)

    def outcome(self, how: str) -> Ended:
        """How the request ended, for the journal."""
        return Ended(
            request=self.asked.id,
            how=how,
            seconds=self._world.clock.now() - self._came,
            first_part=self._first_part,
            prompt_tokens=self._usage.prompt_tokens,
            completion_tokens=self._usage.completion_tokens,
            tries=len(self._tries),
            did=tuple(self.did),
            detail=self._failure.detail if self._failure else "",
        )

    def _note_first_part(self, began: float) -> None:
        now = self._world.clock.now()
        if self._first_part is None:
            self._first_part = now - self._came
        self._world.journal.note(FirstPart(request=self.asked.id, seconds=now - began))

    def _note_broken(self, failure: Failure, received: int) -> None:
        self._world.journal.note(
            Broke(
                request=self.asked.id,
                number=len(self._tries),
                kind=failure.kind,
                detail=failure.detail,
                received=received,
            )
        )

    def _do(self, word: str) -> None:
        if word not in self.did:
            self.did.append(word)

    def _known(self) -> tuple[Fitted, Turn]:
        assert self._fitted is not None
        assert self._turn is not None
        return self._fitted, self._turn


def _anew(turn: Turn) -> Mode:
    """The way that is always open: from the start, repeating what was sent."""
    return Mode.REPLAY if turn.damage().sent else Mode.FRESH
