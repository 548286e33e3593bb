"""The only loop: an attempt, what broke, what to do about it, the next attempt, until the turn has its one true end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import replace

from gateway.core.admission import Ticket
from gateway.core.events import Ended
from gateway.core.failures import Failure, FailureKind
from gateway.core.plan import Mode, Target, Try
from gateway.core.recovery import Again, GiveUp, decide
from gateway.core.stream import Part, StopReason, Usage
from gateway.core.turn import Circling, Damage, Turn
from gateway.ports import UpstreamFailed
from gateway.service.account import Account
from gateway.service.asked import Asked
from gateway.service.prompt.fitting import Fitted, Fitting
from gateway.service.prompt.readers import reader_for
from gateway.service.refusal import Refusal
from gateway.service.targets.away import Errand
from gateway.service.targets.road import Road
from gateway.service.turn.circles import attended
from gateway.service.turn.closing import Ending, cut_ending, whole_ending
from gateway.service.turn.endings import Verified, broken, complaint, cut_short, in_a_call, usage_of, verify
from gateway.service.turn.joining import in_steps, way_in_steps, ways_from
from gateway.service.turn.patience import Patience
from gateway.service.turn.progress import Progress
from gateway.service.turn.refitting import Refitting
from gateway.service.turn.tickets import comes_back, ticket_of
from gateway.service.upstreams.paces import Pace
from gateway.service.upstreams.upstreams import Live, Upstreams
from gateway.service.world import World

_PATIENT = 3  # times the predicted seconds to the first part that it may take


class Conductor:
    """One turn, from its first attempt to its end. `run` may be called again after it was cancelled: it then goes on."""

    def __init__(
        self,
        asked: Asked,
        *,
        road: Road,
        upstreams: Upstreams,
        fitting: Fitting,
        world: World,
    ) -> None:
        self.asked = asked
        self.account = Account(asked.id, world)
        if asked.repaired:
            self.account.do("text_repaired")
        self.road = road
        self._upstreams = upstreams
        self._fitting = fitting
        self._refitting = Refitting(fitting, upstreams, asked.policy, world)
        self._world = world
        self._conversation = asked.conversation
        self._fitted: Fitted | None = None
        self._turn: Turn | None = None
        self._failure: Failure | None = None
        self._verified = Verified()
        self._progress = Progress()
        self._at_worst: list[Part] = []  # what an earlier target could not finish
        self._usage = Usage()

    @property
    def fitted(self) -> Fitted | None:
        """The prompt as it was measured, once it was."""
        return self._fitted

    async def run(self) -> AsyncGenerator[list[Part], None]:
        """The answer, batch by batch; the last batch ends with a Stop. Raises Refusal where nothing can be delivered."""
        last: list[Part] = []
        while not last:
            try:
                fitted = await self._ready()
                async with self._live(fitted).slots.hold(self._ticket(fitted)) as slot:
                    async with aclosing(self._attempts(fitted)) as batches:
                        async for out in batches:
                            yield out
                    held = self._known()[0].window
                    await self._live(fitted).settle(
                        fitted.target.model,
                        self._failure,
                        held=held,
                        retries=self._progress.charged,
                        now=self._world.clock.now(),
                    )
                    last = await self._last()
                    slot.comes_back = comes_back(self.asked, calls=bool(self._verified.calls))
                if self._failure is not None and await self._moves_on(self._failure.kind):
                    last, self._at_worst = [], last
            except Refusal as refusal:
                if not await self._moves_on(str(refusal.problem.code)):
                    last = self._at_worst
                    if not last:
                        raise
        yield last
        if self._failure is None:
            fitted, _ = self._known()
            self._fitting.summarise(fitted, self._ticket(fitted), self.asked.policy)

    async def _attempts(self, fitted: Fitted) -> AsyncGenerator[list[Part], None]:
        """All attempts at this target. Leaves in `_failure` what broke the last one, None where it ended well."""
        attempt: Try | None = await self._open()
        if known := self._live(fitted).breaker(fitted.target.model).tells(self.account.came):
            self._failure = known
            return
        while attempt is not None:
            async with aclosing(self._play(attempt)) as played:
                async for out in played:
                    yield out
            attempt = await self._after(self._failure, attempt) if self._failure else None

    async def _ready(self) -> Fitted:
        """Measured and fitted for the target ahead, before anything is sent. Raises Refusal."""
        while self._fitted is None:
            target = await self.road.here()
            self._conversation = self.road.named(attended(self.asked, self.account))
            try:
                found: Fitted | Refusal = await self._fit(target)
            except Refusal as refusal:
                found = refusal
            if await self.road.turns(found):
                self._fitted = None
            elif isinstance(found, Refusal):
                raise found
            self.account.routed(self.road.route)
        return self._fitted

    async def _moves_on(self, why: str) -> bool:
        """Whether the next target is asked: only while the client has nothing, since another model would say it otherwise."""
        sent = self._turn is not None and self._turn.damage().sent
        if sent or len(self._progress.tries) >= self.asked.policy.recovery.per_request:
            return False
        if not await self.road.moves(why, self._fitted):
            return False
        self._fitted = self._turn = None
        self._progress.moved()
        self.account.moved(await self.road.here(), why)
        return True

    async def _open(self) -> Try:
        """The first attempt, or, after the client left and came again, the one that goes on."""
        fitted = await self._ready()
        if self._turn is None:
            self._turn = Turn(
                reader=reader_for(fitted.conversation, fitted.facts, fitted.rule),
                stops=fitted.conversation.sampling.stop,
                opened=fitted.opened,
                thinks="thinking" in fitted.facts.capabilities,
                sends=self.asked.sends,
                tells_thoughts=self.asked.tells_thoughts,
                circles=self.asked.policy.circles,
            )
            self._progress.prompt_tokens = fitted.count.tokens
            return fitted.first()
        again = await self._after(Failure(FailureKind.CUT, "the client left"), self._progress.tries[-1])
        return again or fitted.first()

    def _ticket(self, fitted: Fitted) -> Ticket:
        return ticket_of(self.asked, model=fitted.target.model, seconds=self._pace(fitted).seconds(fitted))

    async def _fit(self, target: Target, *, window: int | None = None) -> Fitted:
        return self._note_fitted(await self._refitting.fit(self._conversation, target, window=window))

    def _note_fitted(self, fitted: Fitted) -> Fitted:
        self._fitted = fitted
        pinned = self._live(fitted).windows.pinned(fitted.target.model)
        if pinned and fitted.window and fitted.window < pinned:
            self.account.do("window_shrunk")
        self.account.fitted(fitted)
        return fitted

    async def _play(self, attempt: Try) -> AsyncGenerator[list[Part], None]:
        """One attempt. Leaves what broke it in `_failure`, None where it ended well."""
        _, turn = self._known()
        self._failure = None
        patience = Patience(await self._begin(attempt))
        began: float | None = self._world.clock.now()
        try:
            async with aclosing(self._stream(attempt)) as stream:
                with patience:
                    while not (turn.stopped or turn.circling):
                        batch = await patience.next(stream)
                        if batch is None:
                            break
                        if began is not None:
                            self.account.first_part(self._world.clock.now() - began)
                            patience.becomes(self.asked.policy.timeouts.between_parts)
                            began = None
                        if out := turn.receive(batch):
                            yield out
            for out in self._ended(attempt):
                yield out
        except UpstreamFailed as error:
            self._failure = broken(turn, error.failure)
        except TimeoutError:
            self._failure = Failure(FailureKind.STALLED, f"nothing came for {patience.seconds:.0f} s")

    def _stream(self, attempt: Try) -> AsyncGenerator[Sequence[Part], None]:
        """What the upstream sends; of one that is away, by the way out of the house."""
        fitted, _ = self._known()
        live = self._live(fitted)
        if not live.away:
            return live.driver.stream(fitted.conversation, attempt)
        errand = Errand(
            asked=self.asked,
            account=self.account,
            driver=live.driver,
            conversation=fitted.conversation,
            attempt=attempt,
            size=fitted.count,
        )
        return self.road.out(errand)

    async def _begin(self, attempt: Try) -> float:
        """Get ready for an attempt; gives the seconds that its first part may take."""
        fitted, turn = self._known()
        await self._world.clock.sleep(attempt.after)
        if attempt.mode not in (Mode.PREFILL, Mode.RAW):
            self.account.discarded(turn.transcript)
        self._progress.began(attempt, turn)
        turn.begin(attempt.mode, so_far=attempt.text)
        pace = self._pace(fitted)
        expected = pace.seconds_to_first_token(fitted)
        self.account.began(attempt, fresh=pace.fresh_tokens(fitted), expected=expected)
        return max(self.asked.policy.timeouts.first_part, _PATIENT * (expected or 0.0))

    def _ended(self, attempt: Try) -> list[list[Part]]:
        """The stream has come to its end: what is left of it, and whether the answer is whole."""
        fitted, turn = self._known()
        self._learn(attempt)
        if turn.suspect:
            self.account.noticed("The thought goes round in circles, or is very long (policy: circles, thought)")
        limit = self.asked.conversation.sampling.max_tokens
        self._failure = cut_short(turn, attempt, prompt_tokens=fitted.count.tokens, max_tokens=limit)
        if self._failure is not None:
            return []
        out = turn.finish(natural=turn.stop is None or turn.stop.reason is not StopReason.LENGTH)
        self._failure = self._wrong()
        return [out] if out else []

    def _learn(self, attempt: Try) -> None:
        """Speed, and whether the server read the prompt that we sent, from what it told of a whole prompt."""
        fitted, turn = self._known()
        usage = turn.usage
        if usage is None or attempt.mode is not Mode.FRESH:
            return
        self._pace(fitted).learn(fitted, usage)
        if usage.prompt_tokens and (words := self._fitting.observed(fitted, usage.prompt_tokens)):
            self.account.noticed(words)
            self._world.notices.tell(f"count {fitted.target}", words)

    def _wrong(self) -> Failure | None:
        """The gate at the end of an attempt that its model thought finished."""
        fitted, turn = self._known()
        cut = turn.stop is not None and turn.stop.reason is StopReason.LENGTH
        self._verified = verify(turn, fitted.conversation, cut=cut)
        return None if cut else complaint(turn, self._verified, fitted.conversation)

    async def _after(self, failure: Failure, attempt: Try) -> Try | None:
        """What to do about a failure: the next attempt, or None for the end."""
        fitted, turn = self._known()
        damage = turn.damage()
        self.account.broke(failure, received=damage.received)
        self._progress.broke(failure, attempt, turn)
        if self.account.age > self.asked.policy.timeouts.total:
            return None
        if failure.kind is FailureKind.UNREACHABLE and not self._live(fitted).away:
            left = len(self._progress.tries) < self.asked.policy.recovery.per_request
            return attempt if left and await self._refitting.reachable(attempt.target) else None
        if not self._progress.charge(failure, self._live(fitted).retries, self._world.clock.now()):
            return None
        if failure.kind is FailureKind.STALLED and self._progress.silent(damage):
            await self._refitting.free(attempt.target)
        return await _possible(self._next(failure, damage, attempt)) or await _possible(
            self._in_steps(failure, attempt)
        )

    async def _next(self, failure: Failure, damage: Damage, attempt: Try) -> Try | None:
        ways = await ways_from(failure, self._upstreams[attempt.target].driver, *self._known())
        outlook = self._progress.outlook(failure, damage, attempt, ways=ways, dice=self._world.dice())
        match decide(failure, damage, outlook, self.asked.policy.recovery):
            case Again() as again:
                return await self._again(again, ways, failure)
            case GiveUp():
                return None

    async def _again(self, again: Again, ways: dict[Mode, Try], failure: Failure) -> Try | None:
        """The attempt that was decided on, after whatever fitting it needs; None where it has no room. Raises Refusal."""
        self._progress.goes_on(failure)
        if await self._refitted(again, failure):
            ways = await ways_from(failure, self._live(self._known()[0]).driver, *self._known())
        fitted, turn = self._known()
        joins = again.mode in ways
        mode = again.mode if joins or again.mode in (Mode.FRESH, Mode.REPLAY) else _anew(turn)
        most = self._room(joined=turn.joined_by(mode))
        if most is None:
            return None
        self.account.do("continued" if mode in (Mode.PREFILL, Mode.RAW) else "retried")
        attempt = ways[mode] if joins else fitted.first()
        return replace(
            attempt, mode=attempt.mode if attempt.mode is Mode.RAW else mode, after=again.after, num_predict=most
        )

    async def _in_steps(self, failure: Failure, attempt: Try) -> Try | None:
        """Where a call stays cut because it is too long: the attempt at smaller ones. Raises Refusal."""
        fitted, turn = self._known()
        rules = self.asked.policy.recovery
        called = self._conversation.tools and in_a_call(turn)
        if not called or not self._progress.may_ask_for_steps(failure, attempt, rules):
            return None
        self._conversation = in_steps(self._conversation)
        fitted = await self._fit(attempt.target, window=attempt.window)
        self.account.do("asked_for_steps")
        most = self._room(joined=0)
        return (
            None if most is None else replace(way_in_steps(self._live(fitted).driver, fitted, turn), num_predict=most)
        )

    def _room(self, *, joined: int) -> int | None:
        return self._progress.room(
            self._known()[0],
            joined=joined,
            max_tokens=self._conversation.sampling.max_tokens,
            reserve_times=self.asked.policy.recovery.reserve_times,
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

    async def _last(self) -> list[Part]:
        """The end of the turn, whatever became of it. Raises Refusal where there is nothing to deliver."""
        fitted, turn = self._known()
        if self._failure is None:
            ending = whole_ending(turn, self._verified, new_id=self._world.new_id)
        else:
            ending, self._verified = cut_ending(
                turn, self._failure, fitted, self.asked.policy, new_id=self._world.new_id
            )
        for call in ending.calls:
            self.account.called(call)
        self._usage = await self._told(ending)
        return ending.batch(usage=self._usage, did=self.account.did)

    async def _told(self, ending: Ending) -> Usage:
        """One answer's usage: the prompt that was sent first; the tokens that were delivered, by the server where it can tell."""
        fitted, turn = self._known()
        once = len(self._progress.tries) == 1
        prompt = 0 if once and fitted.count.method != "exact" else self._progress.prompt_tokens
        if fitted.compaction is not None and self.asked.policy.compaction.report == "before":
            prompt = fitted.before
        if once and turn.usages:
            made = turn.usages[-1].completion_tokens
        else:
            made = await self._fitting.tokens_of(ending.written(turn), fitted)
        return usage_of(turn, prompt_tokens=prompt, made=made)

    def outcome(self, how: str) -> Ended:
        """How the request ended, for the journal."""
        return self.account.ended(how, usage=self._usage, detail=self._failure.detail if self._failure else "")

    def _live(self, fitted: Fitted) -> Live:
        return self._upstreams[fitted.target]

    def _pace(self, fitted: Fitted) -> Pace:
        return self._live(fitted).paces.of(fitted.target.model, fitted.window)

    def _known(self) -> tuple[Fitted, Turn]:
        assert self._fitted is not None
        assert self._turn is not None
        return self._fitted, self._turn


async def _possible(finding: Coroutine[None, None, Try | None]) -> Try | None:
    """The attempt that was found; None where nothing could be made to fit: what was delivered stays."""
    try:
        return await finding
    except Refusal:
        return None


def _anew(turn: Turn) -> Mode:
    """The way that is always open: from the start, repeating what was sent."""
    return Mode.REPLAY if turn.damage().sent else Mode.FRESH
