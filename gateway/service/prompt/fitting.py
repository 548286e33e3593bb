"""Makes a conversation fit its target: mended for strict templates, measured, compacted where it is too long, or refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from gateway.core import thinking
from gateway.core.admission import Ticket
from gateway.core.budget import Count, plan_budget, prompt_budget
from gateway.core.compaction import Compaction, CompactionRules, Memo, compact
from gateway.core.compaction.sides import side_request
from gateway.core.compaction.summary import SummaryOf, asking, no_summary, worthwhile
from gateway.core.conversation import Conversation, Message
from gateway.core.errors import Code, Problem, thousands
from gateway.core.history import repair
from gateway.core.plan import Mode, ModelFacts, Target, Try
from gateway.core.policy import Policy
from gateway.core.policy.models import ModelRule
from gateway.core.transcript import ThinkTags
from gateway.core.turn import Turn
from gateway.ports import Counter
from gateway.service.prompt.measuring import Measured, measure
from gateway.service.prompt.planning import Planning
from gateway.service.prompt.readers import dialect_of, raw_shows_calls, reader_for, wants_verbatim
from gateway.service.prompt.summaries import Question, Summarising, key_of
from gateway.service.refusal import Refusal
from gateway.service.upstreams.upstreams import Live, Upstreams

_TIGHTER = 6  # times that a plan whose sizes were too small is made again, each with an eighth less


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A conversation as it will be sent to a target, with what is known of the prompt. `before` is its length as it came."""

    conversation: Conversation
    target: Target
    facts: ModelFacts
    rule: ModelRule
    window: int | None
    count: Count
    before: int
    rendered: str | None
    tags: ThinkTags | None
    opened: bool
    compaction: Compaction | None = None
    replaced: tuple[tuple[int, Message], ...] = ()
    """What compaction changed or took away, as it came, with its places."""
    summary_key: str = ""
    """Where it is not empty, a summary of this prompt is due, and is kept under it."""
    notes: tuple[str, ...] = ()
    verbatim: bool = False
    raw_shows_calls: bool = True
    closed_prefix: bool = False
    """The client's own prefix is only kept open by the raw road: `rendered` ends with it."""

    @property
    def room(self) -> int:
        """Tokens that the answer may take: the client's `max_tokens`, else all that is left; 0 where nobody can tell."""
        most = self.conversation.sampling.max_tokens or (self.rule.output_reserve if self.facts.away else None)
        if self.window is None:
            return most or 0
        left = max(1, self.window - self.count.tokens)
        return min(most, left) if most else left

    @property
    def did(self) -> tuple[str, ...]:
        """What was done to the conversation, in the words of `x-holdfast-did`."""
        compacted = self.compaction is not None and bool(self.compaction.stages)
        return (*(("compacted",) if compacted else ()), *(("history_repaired",) if self.notes else ()))

    def first(self) -> Try:
        """The first attempt at it."""
        return Try(
            target=self.target,
            mode=Mode.RAW if self.closed_prefix else Mode.FRESH,
            window=self.window,
            num_predict=self.room,
            prompt=self.rendered or "" if self.closed_prefix else "",
            verbatim=self.verbatim,
            options=self.rule.options,
            keep_alive=self.rule.keep_alive,
        )


class Fitting:
    """Measures and fits, for the targets of one set of upstreams."""

    def __init__(self, upstreams: Upstreams, counter: Counter, summaries: Summarising | None = None) -> None:
        """Without `summaries` none are made, whatever the policy says."""
        self._upstreams = upstreams
        self._counter = counter
        self._summaries = summaries
        self._planning = Planning()
        self._memos: dict[tuple[Target, str], Memo] = {}

    async def fit(
        self, conversation: Conversation, target: Target, policy: Policy, *, window: int | None = None
    ) -> Fitted:
        """The conversation for this target, at its pinned window or at the `window` given. Raises Refusal, UpstreamFailed."""
        return await self.shortened(await self.measured(conversation, target, policy, window=window), policy)

    async def measured(
        self, conversation: Conversation, target: Target, policy: Policy, *, window: int | None = None
    ) -> Fitted:
        """The same without compaction: however long it is."""
        live = self._upstreams[target]
        rule = _rule(live, target, conversation, policy)
        facts = await self._upstreams.facts(target)
        if window is None:
            window = await live.windows.of(target.model, facts, rule)
        messages, notes = repair(conversation.messages)
        conversation = replace(conversation, messages=messages, think=_think(conversation, facts, rule))
        probe = Try(target=target, window=window, options=rule.options, keep_alive=rule.keep_alive)
        found = await self._measure(conversation, probe, facts, live)
        return Fitted(
            conversation=conversation,
            target=target,
            facts=facts,
            rule=rule,
            window=window,
            count=found.count,
            before=found.count.tokens,
            rendered=found.rendered,
            tags=thinking.tags_of(dialect_of(facts, rule).name, found.rendered or "", facts.template),
            opened=thinking.opened(found.rendered or ""),
            notes=notes,
            verbatim=wants_verbatim(conversation, facts, rule),
            raw_shows_calls=raw_shows_calls(conversation, facts, rule, prints_control=live.driver.prints_control),
            closed_prefix=found.closed_prefix,
        )

    async def _measure(self, conversation: Conversation, probe: Try, facts: ModelFacts, live: Live) -> Measured:
        return await measure(conversation, probe, facts=facts, driver=live.driver, counter=self._counter)

    def observed(self, fitted: Fitted, actual: int) -> str:
        """Learn from the server's own count of a prompt; words of alarm where it read far less than was sent, else ""."""
        return self._counter.observe(
            fitted.conversation, fitted.rendered, fitted.count, model=fitted.facts.name, actual=actual
        )

    def guessed(self, conversation: Conversation) -> Count:
        """The length of a prompt without asking anybody."""
        return self._counter.estimate(conversation, None, model=conversation.model)

    async def tokens_of(self, text: str, fitted: Fitted) -> int:
        """The tokens of a text by the target's vocabulary, else a token for three bytes."""
        driver = self._upstreams[fitted.target].driver
        exact = await self._counter.exact(text, model=fitted.facts.name, digest=fitted.facts.digest, driver=driver)
        return max(1, exact if exact is not None else len(text.encode()) // 3)

    async def shortened(self, fitted: Fitted, policy: Policy, *, window: int | None = None) -> Fitted:
        """As it is, if it fits; else compacted. `window` is planned for in place of the pinned one; nothing is loaded with it.

        What is sent is counted as it was rendered, not as it was planned.
        """
        pinned, fitted = fitted, replace(fitted, window=window) if window else fitted
        budget, rules = _budget(fitted, fitted.count), self._rules(fitted, policy)
        fits = budget is None or fitted.count.tokens <= budget
        if budget is None or (fits and not (rules.summary or rules.hi < 1.0)):
            return fitted
        if fitted.conversation.completion is not None:
            raise Refusal(too_small(fitted.count.tokens, fitted.window or 0, budget=budget))
        live, probe = self._upstreams[fitted.target], replace(pinned.first(), mode=Mode.FRESH, prompt="")
        planned, least = plan_budget(_plannable(fitted)), 0
        for _ in range(_TIGHTER):
            compaction = await self._plan(fitted, planned, probe, rules)
            least = compaction.irreducible
            if not compaction.fits:
                break
            if fits and not compaction.stages:
                return replace(fitted, summary_key=compaction.summary_key)
            shorter = replace(fitted.conversation, messages=compaction.messages)
            found = await self._measure(shorter, probe, fitted.facts, live)
            if found.count.tokens <= (_budget(fitted, found.count) or 0):
                return replace(
                    fitted,
                    conversation=shorter,
                    count=found.count,
                    rendered=found.rendered,
                    compaction=compaction,
                    replaced=_replaced(fitted.conversation, compaction),
                    summary_key=compaction.summary_key,
                    closed_prefix=found.closed_prefix,
                )
            planned -= planned // 8
        raise Refusal(too_small(least, fitted.window or 0, budget=budget))

    def _rules(self, fitted: Fitted, policy: Policy) -> CompactionRules:
        """The policy's, as far as they are for this request: a client's own request for a summary or a title stays whole while it fits."""
        rules, conversation = policy.compaction, fitted.conversation
        if conversation.completion is not None or side_request(conversation):
            return replace(rules, summary=False, hi=1.0)
        at_home = not (self._upstreams[fitted.target].away or fitted.facts.away)  # the way out is for answers alone
        can_pay = self._summaries is not None and worthwhile(rules, fitted.window or 0)
        return replace(rules, summary=at_home and can_pay)

    async def _plan(self, fitted: Fitted, budget: int, probe: Try, rules: CompactionRules) -> Compaction:
        driver, digest = self._upstreams[fitted.target].driver, fitted.facts.digest
        sizes = await self._counter.sizes(model=fitted.target.model, digest=digest, driver=driver, probe=probe)
        memo = self._memos.setdefault((fitted.target, digest), Memo())
        compacted = partial(
            compact,
            fitted.conversation.messages,
            budget=budget,
            fixed=sizes.opening + sizes.tools(fitted.conversation.tools),
            size=sizes.message,
            rules=rules,
        )

        async def plan(*, summary_of: SummaryOf = no_summary, memo: Memo | None = memo) -> Compaction:
            made = partial(compacted, summary_of=summary_of, memo=memo)
            return await self._planning.made(made, tokens=fitted.count.tokens)

        if self._summaries is None or not rules.summary:
            return await plan()
        return await self._summaries.planned(fitted.target, plan, memo)

    def summarise(self, fitted: Fitted, ticket: Ticket, policy: Policy) -> None:
        """Have the model summarise what it was sent, where that is due: to be called when the answer has ended. Does not wait."""
        if self._summaries is not None and fitted.summary_key:
            question = partial(self._question, fitted, replace(ticket, id=f"{ticket.id} summary"), policy)
            self._summaries.ask(key_of(fitted.target, fitted.summary_key), question, request=ticket.id)

    async def _question(self, fitted: Fitted, ticket: Ticket, policy: Policy) -> Question | None:
        """The request for a summary, behind the prompt as it was sent: of that nothing changes, so that it is in the cache."""
        live, most = self._upstreams[fitted.target], policy.compaction.summary_tokens
        conversation = replace(
            fitted.conversation,
            messages=asking(fitted.conversation.messages),
            sampling=replace(fitted.conversation.sampling, temperature=0.0, stop=(), max_tokens=most),
            output=None,
            think=_unthinking(fitted),
        )
        attempt = replace(fitted.first(), mode=Mode.FRESH, prompt="", num_predict=most)
        found = await self._measure(conversation, attempt, fitted.facts, live)
        if fitted.window is None or found.count.tokens + found.count.margin + most > fitted.window:
            return None
        turn = Turn(
            reader=reader_for(conversation, fitted.facts, fitted.rule),
            opened=thinking.opened(found.rendered or ""),
            thinks="thinking" in fitted.facts.capabilities,
        )
        return Question(
            conversation=conversation,
            attempt=attempt,
            turn=turn,
            ticket=ticket,
            timeouts=policy.timeouts,
            driver=live.driver,
            slots=live.slots,
        )


def _rule(live: Live, target: Target, conversation: Conversation, policy: Policy) -> ModelRule:
    """Rules for models are about those at home; of a target elsewhere policy says how long its answers may be."""
    if not live.away:
        return policy.rule_for(conversation.model)
    return ModelRule(match="*", output_reserve=policy.cloud.targets[str(target)].answer)


def _replaced(conversation: Conversation, compaction: Compaction) -> tuple[tuple[int, Message], ...]:
    touched = sorted({index for stage in compaction.stages for index in stage.messages})
    return tuple((index, conversation.messages[index]) for index in touched)


def _budget(fitted: Fitted, count: Count) -> int | None:
    """The longest prompt that may be sent, None where no window is known."""
    if fitted.window is None:
        return None
    return prompt_budget(
        fitted.window,
        max_tokens=fitted.conversation.sampling.max_tokens,
        reserve=fitted.rule.output_reserve,
        margin=count.margin,
    )


def _plannable(fitted: Fitted) -> int:
    """The same to plan with: a margin is a share of what is counted, and what will be sent is shorter than what came.

    The share is taken in eighths, so that the plan stays the same while a history grows.
    """
    count = fitted.count
    whole = _budget(fitted, replace(count, margin=0)) or 0
    eighths = -(-8 * count.margin // max(1, count.tokens))
    return whole * 8 // (8 + eighths)


def _unthinking(fitted: Fitted) -> bool | str | None:
    """No thought before a summary, where saying so leaves the prompt as it is: gpt-oss is told at the top of it."""
    thinks = "thinking" in fitted.facts.capabilities and fitted.facts.family != "gptoss"
    return False if thinks else fitted.conversation.think


def _think(conversation: Conversation, facts: ModelFacts, rule: ModelRule) -> bool | str | None:
    """The client's wish as far as this model can meet it; Ollama answers 400 to a think field for a model without."""
    think = conversation.think if conversation.think is not None else rule.think
    return None if facts.capabilities and "thinking" not in facts.capabilities else think


def too_small(irreducible: int, window: int, *, budget: int) -> Problem:
    """The one clear error for a prompt that nothing can make fit; in words that no client takes for an overflow."""
    said, room, kept = thousands(irreducible), thousands(window), thousands(max(0, window - budget))
    return Problem(
        Code.WINDOW_TOO_SMALL,
        f"The part of this request that must stay whole takes {said} tokens; the window of this model holds {room}, "
        f"of which the answer needs {kept}. Give the model a larger window (policy: models, window), offer fewer tools, or "
        "take another model.",
        extra={"irreducible_tokens": said, "window": room},
    )
