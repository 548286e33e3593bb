"""Makes a conversation fit its target: measured by the upstream's own rendering, compacted where it is too long, or refused."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.core import thinking
from gateway.core.budget import Count, prompt_budget
from gateway.core.conversation import Conversation
from gateway.core.errors import Code, Problem, thousands
from gateway.core.plan import Mode, ModelFacts, Target, Try
from gateway.core.policy import Policy
from gateway.core.policy.models import ModelRule
from gateway.core.transcript import ThinkTags
from gateway.ports import Counter
from gateway.service.readers import wants_verbatim
from gateway.service.refusal import Refusal
from gateway.service.upstreams import Live, Upstreams
from gateway.service.windows import window_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A conversation as it will be sent to a target, with what is known of the prompt."""

    conversation: Conversation
    target: Target
    facts: ModelFacts
    rule: ModelRule
    window: int | None
    count: Count
    before: int
    rendered: str | None
    tags: ThinkTags
    opened: bool
    stages: tuple[dict[str, object], ...] = ()
    notes: tuple[str, ...] = ()
    verbatim: bool = False
    closed_prefix: bool = False
    """The client's own prefix is only kept open by the raw road: `rendered` ends with it."""

    @property
    def room(self) -> int:
        """Tokens that the answer may take: the client's `max_tokens`, else all that is left; 0 where nobody can tell."""
        most = self.conversation.sampling.max_tokens
        if self.window is None:
            return most or 0
        left = max(1, self.window - self.count.tokens)
        return min(most, left) if most else left

    def first(self) -> Try:
        """The first attempt at it."""
        return Try(
            target=self.target,
            mode=Mode.RAW if self.closed_prefix else Mode.FRESH,
            prompt=self.rendered or "" if self.closed_prefix else "",
            verbatim=self.verbatim,
            window=self.window,
            num_predict=self.room,
            options=self.rule.options,
            keep_alive=self.rule.keep_alive,
        )


class Fitting:
    """Measures and fits, for the targets of one set of upstreams."""

    def __init__(self, upstreams: Upstreams, counter: Counter) -> None:
        self._upstreams = upstreams
        self._counter = counter

    async def fit(
        self, conversation: Conversation, target: Target, policy: Policy, *, window: int | None = None
    ) -> Fitted:
        """The conversation for this target, at its pinned window or at the smaller `window` given. Raises Refusal."""
        live = self._upstreams[target.upstream]
        rule = policy.rule_for(conversation.model)
        facts = await self._upstreams.facts(target)
        window = window or await window_of(live, target, facts, rule)
        conversation = _for_model(conversation, facts, rule)
        count, rendered, closed = await self._measured(live, conversation, target, facts, window, rule)
        _check_fits(conversation, count, window, rule)
        return Fitted(
            conversation=conversation,
            target=target,
            facts=facts,
            rule=rule,
            window=window,
            count=count,
            before=count.tokens,
            rendered=rendered,
            tags=thinking.tags_of(rendered or "", facts.template),
            opened=thinking.opened(rendered or ""),
            closed_prefix=closed,
            verbatim=wants_verbatim(conversation, facts, rule),
        )

    async def _measured(
        self,
        live: Live,
        conversation: Conversation,
        target: Target,
        facts: ModelFacts,
        window: int | None,
        rule: ModelRule,
    ) -> tuple[Count, str | None, bool]:
        """Count and rendered prompt. A prefix of the client's that the template closes is put behind the prompt, raw."""
        count, rendered = await self._measure(live, conversation, target, facts, window, rule)
        prefix = conversation.messages[-1] if conversation.messages else None
        if rendered is None or prefix is None or prefix.role != "assistant" or prefix.calls:
            return count, rendered, False
        if not prefix.text or rendered.endswith(prefix.text) or Mode.RAW not in live.driver.modes:
            return count, rendered, False
        before = replace(conversation, messages=conversation.messages[:-1])
        _, rendered = await self._measure(live, before, target, facts, window, rule)
        assert rendered is not None
        return count, rendered + prefix.text, True

    async def _measure(
        self,
        live: Live,
        conversation: Conversation,
        target: Target,
        facts: ModelFacts,
        window: int | None,
        rule: ModelRule,
    ) -> tuple[Count, str | None]:
        probe = Try(target=target, window=window, options=rule.options, keep_alive=rule.keep_alive)
        told = await live.driver.count(conversation, probe)
        if told is not None:
            return Count(told, "exact"), None
        rendered = await live.driver.render(conversation, probe)
        if rendered is not None:
            tokens = await self._counter.exact(rendered, model=target.model, digest=facts.digest, driver=live.driver)
            if tokens is not None:
                return Count(tokens, "exact"), rendered
        size = len(rendered.encode()) if rendered is not None else _bytes_of(conversation)
        tokens = size // 3 + 1
        return Count(tokens, "estimated", tokens * 35 // 100), rendered


def _for_model(conversation: Conversation, facts: ModelFacts, rule: ModelRule) -> Conversation:
    """The client's wishes as far as this model can meet them."""
    think = conversation.think if conversation.think is not None else rule.think
    if think is not None and facts.capabilities and "thinking" not in facts.capabilities:
        think = None  # Ollama answers 400 to a think field for such a model
    return replace(conversation, think=think)


def _bytes_of(conversation: Conversation) -> int:
    said = sum(
        len(message.text.encode("utf-8", "replace"))
        + sum(len(call.arguments) + len(call.name) for call in message.calls)
        + 16
        for message in conversation.messages
    )
    offered = sum(len(str(tool.parameters)) + len(tool.description) + len(tool.name) for tool in conversation.tools)
    prompt = len(conversation.completion.prompt.encode("utf-8", "replace")) if conversation.completion else 0
    return said + offered + prompt


def _check_fits(conversation: Conversation, count: Count, window: int | None, rule: ModelRule) -> None:
    if window is None:
        return
    budget = prompt_budget(
        window, max_tokens=conversation.sampling.max_tokens, reserve=rule.output_reserve, margin=count.margin
    )
    if count.tokens > budget:
        raise Refusal(too_small(count.tokens, window))


def too_small(irreducible: int, window: int) -> Problem:
    """The one clear error for a prompt that nothing can make fit; in words that no client takes for an overflow."""
    said, room = thousands(irreducible), thousands(window)
    return Problem(
        Code.WINDOW_TOO_SMALL,
        f"The part of this request that must stay whole takes {said} tokens; the window of this model holds {room}. "
        "Give the model a larger window (policy: models, window), offer fewer tools, or take another model.",
        extra={"irreducible_tokens": said, "window": room},
    )
