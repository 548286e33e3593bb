"""The targets of one request, in order: home first, elsewhere where the work is too heavy for the house and may leave it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace

from gateway.core.conversation import Conversation
from gateway.core.diagnosis.agents import AGENTS
from gateway.core.errors import Code
from gateway.core.plan import Target
from gateway.core.recovery import OF_THE_UPSTREAM
from gateway.core.routing import (
    HEAVY,
    NOT_ASKED,
    Load,
    Offer,
    Route,
    Size,
    asks_gate,
    edited_files,
    route,
    why_heavy,
    wish_of,
)
from gateway.core.spending import most_prompt
from gateway.core.stream import Part
from gateway.service.asked import Asked
from gateway.service.prompt.fitting import Fitted, Fitting
from gateway.service.refusal import Refusal
from gateway.service.targets.away import Away, Errand
from gateway.service.upstreams.upstreams import Upstreams

_DOWN = frozenset({Code.UPSTREAM_UNREACHABLE, Code.UPSTREAM_FAILED, Code.OUT_OF_MEMORY, *OF_THE_UPSTREAM})


@dataclass(frozen=True, slots=True)
class Map:
    """What roads are found with, under one policy."""

    upstreams: Upstreams
    fitting: Fitting
    away: Away


class Road:
    """Where one request goes. What it is told of failures may open or close what lies ahead; what lies behind stays behind."""

    def __init__(self, asked: Asked, map_: Map) -> None:
        self._asked = asked
        self._map = map_
        self._rules = asked.policy.cloud
        self._ahead: list[Target] | None = None
        self._home: list[Target] = []
        self.route: Route | None = None

    async def here(self) -> Target:
        """The target to try now. Raises Refusal where there is none."""
        if self._ahead is None:
            self._home = await self._at_home()
            self._ahead = list(self._home)
        return self._ahead[0]

    @property
    def known(self) -> Target | None:
        """The target that is tried now, None where none was found yet."""
        return self._ahead[0] if self._ahead else None

    def named(self, conversation: Conversation) -> Conversation:
        """The conversation under the name of the model that answers at home, where a role was asked for: rules go by it."""
        role = conversation.model == HEAVY and bool(self._home)
        return replace(conversation, model=self._home[0].model) if role else conversation

    def out(self, errand: Errand) -> AsyncGenerator[Sequence[Part], None]:
        """The way out of the house, for one attempt."""
        return self._map.away.stream(errand)

    async def turns(self, found: Fitted | Refusal) -> bool:
        """Once the work's weight is known: whether another target is to be tried first. Asked once."""
        if self.route is not None or not self._rules.heavy or self._ahead is None:
            return False
        before = self._ahead[0] if self._ahead else None
        self.route = await self._route(found, home_is_down=isinstance(found, Refusal) and found.problem.code in _DOWN)
        self._ahead = list(self.route.targets) or self._ahead
        return bool(self._ahead) and self._ahead[0] != before

    async def moves(self, why: str, fitted: Fitted | None) -> bool:
        """After the target ahead could not do it: whether there is a next one."""
        behind = self._ahead.pop(0) if self._ahead else None
        if self._ahead:
            return True
        if why in _DOWN and self._rules.when_home_is_down and not (self.route and self.route.away):
            self.route = await self._route(fitted, home_is_down=True)
            self._ahead = list(self.route.away)
        if not self._ahead and behind is not None:
            self._ahead = [behind]  # what was tried last is what errors tell of
            return False
        return bool(self._ahead)

    async def _at_home(self) -> list[Target]:
        model = self._asked.conversation.model
        try:
            found = await self._map.upstreams.wanted(model, self._asked.policy)
        except Refusal as refusal:
            if model != HEAVY or not self._rules.heavy or refusal.problem.code is not Code.MODEL_NOT_FOUND:
                raise
            found = await self._map.upstreams.wanted(
                self._rules.answers_for_heavy or self._map.upstreams.first_listed(), self._asked.policy
            )
        return list(found)

    async def _route(self, found: Fitted | Refusal | None, *, home_is_down: bool) -> Route:
        asked, rules = self._asked, self._rules
        load = self._load(found)
        heavy = why_heavy(load, rules.heavy_when)
        permission = NOT_ASKED
        offered: Sequence[Offer] = ()
        if asks_gate(rules, load, heavy, home_is_down=home_is_down):
            conversation = self.named(asked.conversation)
            permission = await self._map.away.permission(asked, conversation)
            if permission.allowed:
                count = self._map.fitting.guessed(conversation)
                size = Size(prompt=most_prompt(count), asked=conversation.sampling.max_tokens)
                offered = await self._map.away.offers(asked, size)
        return route(
            self._home,
            heavy=heavy,
            wish=load.wish,
            permission=permission,
            offered=offered,
            home_is_down=home_is_down,
            rules=rules,
        )

    def _load(self, found: Fitted | Refusal | None) -> Load:
        conversation = self._asked.conversation
        fitted = found if isinstance(found, Fitted) else None
        return Load(
            seconds=self._seconds(fitted),
            patience=next((each.patience for each in AGENTS if each.name.lower() in self._asked.agent.lower()), None),
            fits=not (isinstance(found, Refusal) and found.problem.code is Code.WINDOW_TOO_SMALL),
            files=len(edited_files(conversation.messages)),
            wish=wish_of(conversation.model, self._asked.route),
        )

    def _seconds(self, fitted: Fitted | None) -> float | None:
        """Until the first token at home, for the part of the prompt that no cache holds; None where it is not known."""
        if fitted is None:
            return None
        live = self._map.upstreams[fitted.target]
        return live.paces.of(fitted.target.model, fitted.window).seconds_to_first_token(fitted)
