"""The way out of the house, for one attempt: the gate's word, money set aside, a line in the audit; then the answer, its secrets put back.

Law: nothing goes to a target that is away but through `stream`, with the very conversation that the gate has judged.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from gateway.core.budget import Count
from gateway.core.conversation import Conversation
from gateway.core.failures import Failure, FailureKind
from gateway.core.plan import Mode, Target, Try
from gateway.core.policy.cloud import CloudRules, CloudTarget
from gateway.core.privacy.finding import counted
from gateway.core.privacy.permission import Claim
from gateway.core.privacy.restoring import Restorer
from gateway.core.privacy.verdict import Step, Verdict, stays
from gateway.core.routing import Offer, Permission, Size, offers
from gateway.core.spending import Caps, Purse, Reservation, Spent, bill, caps_of, most_prompt, most_tokens, worst_case
from gateway.core.stream import Part, Usage
from gateway.core.wire import openai_request
from gateway.ports import Audit, AuditEntry, Driver, Ledger, UpstreamFailed
from gateway.service.account import Account
from gateway.service.asked import Asked
from gateway.service.targets.leaving import Leaving, Passage
from gateway.service.world import World

Event: TypeAlias = Literal["away", "back", "kept"]


@dataclass(slots=True)
class _Heard:
    """What an attempt brought, to be paid for."""

    usage: Usage | None = None
    failure: Failure | None = None
    received: bool = False

    def note(self, batch: Sequence[Part]) -> None:
        self.received = self.received or bool(batch)
        self.usage = next((part for part in batch if isinstance(part, Usage)), self.usage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One attempt that wants to go away: for whom, to whom, with what. `size` is the prompt as it was counted for its target."""

    asked: Asked
    account: Account
    driver: Driver
    conversation: Conversation
    attempt: Try
    size: Count

    @property
    def target(self) -> Target:
        return self.attempt.target


@dataclass(slots=True)
class Away:
    """The way out under one policy. Without a gate (`leaving` is None) nothing goes."""

    rules: CloudRules
    leaving: Leaving | None
    ledger: Ledger
    audit: Audit
    world: World
    policy_hash: str = ""
    _dead: dict[Target, float] | None = field(default=None, init=False)

    async def permission(self, asked: Asked, conversation: Conversation) -> Permission:
        """The gate's word on heavy work, as far as routing has to know it. What stays is noted."""
        verdict = await self.verdict(asked, conversation)
        if not verdict.leaves:
            entry = AuditEntry(event="kept", request=asked.id, policy=self.policy_hash)
            await self.audit.write(_with(entry, asked, verdict))
        return Permission(verdict.leaves, tuple(reason.words for reason in verdict.reasons))

    async def verdict(self, asked: Asked, conversation: Conversation) -> Verdict:
        """The gate's verdict with all its reasons, for who asks on this machine."""
        return (await self._passage(asked, conversation)).verdict

    async def offers(self, asked: Asked, size: Size) -> tuple[Offer, ...]:
        """The targets for heavy work, with their price and what speaks against them."""
        now = self.world.wall()
        purse = Purse(spent=await self.spent(), caps=self._caps(asked), key=asked.caller.name)
        return offers(self.rules, size, dead=await self._gone(), now=now, purse=purse)

    async def spent(self) -> Spent | None:
        """What is gone by now; None where the ledger can't be read."""
        return await self.ledger.spent(at=self.world.wall())

    async def stream(self, errand: Errand) -> AsyncGenerator[Sequence[Part], None]:
        """The answer from away. Raises UpstreamFailed, also where it may not leave or may not cost what it would."""
        passage = await self._passage(errand.asked, errand.conversation)
        if passage.sent is None:
            await self._note(errand, passage, self._entry("kept", errand))
            raise _refused(f"it may not leave: {passage.verdict.why}")
        rule, reservation = await self._reserved(errand)
        leaves = replace(
            self._entry("away", errand),
            prompt_tokens=errand.size.tokens,
            size=len(openai_request.encode(passage.sent.conversation, model="", max_tokens=0)),
            cost=reservation.worst,
            reservation=reservation.id,
        )
        if not await self._note(errand, passage, leaves):
            await self.ledger.settle(reservation, 0)
            raise _refused("the audit can't be written, so nothing may leave")
        heard, restorer = _Heard(), Restorer(passage.sent.minted)
        attempt = replace(errand.attempt, mode=Mode.FRESH, text="", thought="", prompt="")  # nobody has judged these
        try:
            async with aclosing(errand.driver.stream(passage.sent.conversation, attempt)) as stream:
                async for batch in stream:
                    heard.note(batch)
                    yield [part for each in batch for part in restorer.feed(each)]
        except UpstreamFailed as error:
            heard.failure = error.failure
            raise
        finally:
            for word in restorer.did:
                errand.account.do(word)
            await self._settled(errand, passage, rule, reservation, heard)

    async def _passage(self, asked: Asked, conversation: Conversation) -> Passage:
        if self.leaving is None:
            return Passage(stays(Step.SWITCH, "nothing may leave: `privacy.leave` is off"))
        caller = asked.caller
        claim = Claim(label=caller.label, header=asked.privacy, root=caller.root, session=asked.session)
        return await self.leaving.ask(conversation, claim)

    async def _reserved(self, errand: Errand) -> tuple[CloudTarget, Reservation]:
        """The most that the attempt may cost, set aside. Raises UpstreamFailed where nobody knows it or no budget has it."""
        rule = self.rules.targets.get(str(errand.target))
        if rule is None:
            raise _refused(f"{errand.target} is not among cloud.targets")
        most = most_tokens(rule, asked=errand.conversation.sampling.max_tokens, room=errand.attempt.num_predict)
        worst = worst_case(rule.price, prompt=most_prompt(errand.size), margin=0, most=most)
        if worst is None:
            raise _refused(f"the price of {errand.target} is not known")
        key = errand.asked.caller.name
        reservation = await self.ledger.reserve(
            worst, request=errand.asked.id, key=key, at=self.world.wall(), caps=self._caps(errand.asked)
        )
        if isinstance(reservation, str):
            raise _refused(reservation)
        return rule, reservation

    async def _settled(
        self, errand: Errand, passage: Passage, rule: CloudTarget, reservation: Reservation, heard: _Heard
    ) -> None:
        cost = bill(reservation.worst, rule.price, usage=heard.usage, failure=heard.failure, received=heard.received)
        await self.ledger.settle(reservation, cost)
        errand.account.cost += cost
        if heard.failure is not None and heard.failure.kind is FailureKind.MODEL_MISSING:
            await self._bury(errand.target)
        usage = heard.usage or Usage()
        returns = replace(
            self._entry("back", errand),
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            cost=cost,
            model=usage.model,
            failure=heard.failure.kind.value if heard.failure else "",
            reservation=reservation.id,
        )
        await self._note(errand, passage, returns)

    async def _bury(self, target: Target) -> None:
        """Its provider no longer has this model: it is left out for a day, and told of."""
        now = self.world.wall()
        (await self._gone())[target] = now
        await self.world.store.learn_dead(target, at=now)
        self.world.notices.tell(
            f"dead {target}", f"{target} is gone: its provider no longer has it. Name its successor in cloud.heavy"
        )

    async def _gone(self) -> dict[Target, float]:
        if self._dead is None:
            self._dead = dict(await self.world.store.dead())
        return self._dead

    def _caps(self, asked: Asked) -> Caps:
        caller = asked.caller
        return caps_of(self.rules.budgets, key_day=caller.dollars_per_day, key_total=caller.dollars)

    async def _note(self, errand: Errand, passage: Passage, entry: AuditEntry) -> bool:
        """A line of the audit: what all lines of an errand tell, and what this one does. Whether it could be written."""
        target = errand.target
        entry = replace(entry, target=str(target), model=entry.model or target.model)
        return await self.audit.write(_with(entry, errand.asked, passage.verdict))

    def _entry(self, event: Event, errand: Errand) -> AuditEntry:
        return AuditEntry(event=event, request=errand.asked.id, policy=self.policy_hash)


def _with(entry: AuditEntry, asked: Asked, verdict: Verdict) -> AuditEntry:
    """The entry with whose it is and what the gate said."""
    return replace(
        entry,
        key=asked.caller.name,
        label=verdict.label,
        reasons=tuple(reason.words for reason in verdict.reasons),
        rules=counted(verdict.findings),
        findings=tuple(sorted({finding.mark for finding in verdict.findings})),
    )


def _refused(words: str) -> UpstreamFailed:
    return UpstreamFailed(Failure(FailureKind.REFUSED, words))
