"""Fitting when things go wrong: the upstream dies meanwhile, memory is short, the server holds less than was thought."""

from __future__ import annotations

from dataclasses import replace

from gateway.core.conversation import Conversation
from gateway.core.errors import Code
from gateway.core.failures import Failure, FailureKind
from gateway.core.plan import Target
from gateway.core.policy import Policy
from gateway.core.recovery import TABLE, Answer, smaller
from gateway.ports import UpstreamFailed
from gateway.service.prompt.fitting import Fitted, Fitting
from gateway.service.refusal import Refusal
from gateway.service.turn.endings import problem_of
from gateway.service.upstreams.upstreams import Upstreams
from gateway.service.world import World

_TRIES = 6
_POLL = 0.5  # seconds between two looks at an upstream that refuses connections


class Refitting:
    """Fits for one request. Its questions to an upstream are no attempts at an answer, but they are bounded alike."""

    def __init__(self, fitting: Fitting, upstreams: Upstreams, policy: Policy, world: World) -> None:
        self._fitting = fitting
        self._upstreams = upstreams
        self._policy = policy
        self._world = world

    async def fit(
        self, conversation: Conversation, target: Target, *, window: int | None = None, planned: int | None = None
    ) -> Fitted:
        """As `Fitting.fit`, but an upstream that fails is asked again; `planned` is a smaller window to compact for.

        Raises Refusal where that brings nothing.
        """
        failures: list[Failure] = []
        while True:
            try:
                fitted = await self._fitting.measured(conversation, target, self._policy, window=window)
                shorter = await self._fitting.shortened(fitted, self._policy, window=planned)
                return replace(shorter, window=fitted.window)
            except UpstreamFailed as error:
                failures.append(error.failure)
            except Refusal as refusal:
                if not (
                    refusal.problem.code is Code.WINDOW_TOO_SMALL
                    and window is None
                    and await self._raised(conversation, target)
                ):
                    raise
                continue
            if not await self._again(failures, target):
                raise Refusal(problem_of(failures[-1]))
            if [each.kind for each in failures[-2:]] == [FailureKind.OUT_OF_MEMORY] * 2:
                window = self._smaller(window, target) or window

    async def _again(self, failures: list[Failure], target: Target) -> bool:
        """Whether to ask once more, after a wait."""
        failure = failures[-1]
        if failure.kind is FailureKind.UNREACHABLE:
            return len(failures) < _TRIES and await self.reachable(target)
        if len(failures) >= _TRIES or TABLE[failure.kind] is Answer.ELSEWHERE:
            return False
        await self._world.clock.sleep(self._policy.recovery.backoff * (0.5 + self._world.dice()))
        return True

    async def _raised(self, conversation: Conversation, target: Target) -> bool:
        """Whether the model has a larger window from now on, since policy has the memory for it."""
        live, rule = self._upstreams[target], self._policy.rule_for(conversation.model)
        return live.windows.raised(target.model, await self._upstreams.facts(target), rule) is not None

    def _smaller(self, window: int | None, target: Target) -> int | None:
        if not self._policy.recovery.shrink_window:
            return None
        return smaller(window or self._upstreams[target].windows.pinned(target.model))

    async def shorter(self, conversation: Conversation, fitted: Fitted, failure: Failure, *, joined: int) -> Fitted:
        """The conversation with more room: for the `joined` tokens of its answer, or for what an overflow has taught.

        Raises Refusal where it can't be made shorter.
        """
        window, limit = fitted.window, failure.limit
        if limit and (window is None or limit < window):
            return await self.fit(conversation, fitted.target, window=limit)
        if window is None:
            raise Refusal(problem_of(failure))
        room = window - joined if failure.kind is FailureKind.WINDOW_FULL else _less(fitted, failure, window)
        shorter = await self.fit(conversation, fitted.target, window=window, planned=max(room, 1))
        if shorter.count.tokens >= fitted.count.tokens:
            raise Refusal(problem_of(failure))  # it would be refused, or cut, again
        return shorter

    async def reachable(self, target: Target) -> bool:
        """Wait for an upstream that refuses connections, by its cheapest request, for as long as policy says."""
        driver, clock = self._upstreams[target].driver, self._world.clock
        until = clock.now() + self._policy.timeouts.unreachable
        while clock.now() < until:
            await clock.sleep(_POLL)
            try:
                await driver.alive()
            except UpstreamFailed:
                continue
            return True
        return False

    async def free(self, target: Target) -> None:
        """Unload a model whose runner answers nobody: v0.24.0 may hang after an error of its tool-call parser."""
        try:
            await self._upstreams[target].driver.unload(target.model)
        except UpstreamFailed:
            return


def _less(fitted: Fitted, failure: Failure, window: int) -> int:
    """A window to plan for after the server refused a prompt as too long for this one: less by what we had miscounted."""
    miscounted = failure.size - fitted.count.tokens if failure.size else 0
    return window - max(min(miscounted, window // 2), window // 8)
