"""The front: finds the surface for a path, hands it the request with the policy of this moment, turns refusals into answers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeAlias, TypeVar

from aiohttp import web
from aiohttp.web_request import BaseRequest

from gateway.core.access import Caller
from gateway.core.errors import BadRequest, Code, Problem
from gateway.core.jsontext import mended_text
from gateway.core.policy import Policy
from gateway.server.callers import caller_of
from gateway.server.door import check_page, clean_path, read_json_body
from gateway.server.replies import Tongue, problem_reply
from gateway.service.front.flights import Flight
from gateway.service.front.gateway import Gateway
from gateway.service.refusal import Refusal

SESSION_HEADERS = (
    "x-holdfast-session",
    "x-session-id",  # Crush, OpenCode
    "x-session-affinity",
    "session-id",  # Codex
    "x-claude-code-session-id",
)

_LARGE = 1_000_000  # bytes of a body, which are read in some milliseconds

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Knock:
    """One HTTP request with what every surface needs to serve it."""

    http: BaseRequest
    gateway: Gateway
    id: str
    path: str
    tail: str = ""
    caller: Caller = field(default_factory=Caller)
    flights: list[Flight] = field(default_factory=list)  # the answers that it follows

    @property
    def policy(self) -> Policy:
        return self.gateway.policy

    async def body(self) -> bytes:
        return await read_json_body(self.http, self.policy)

    async def read(self, decode: Callable[[bytes], T]) -> T:
        """What `decode` makes of the body; of a large one beside the event loop."""
        data = await self.body()
        return decode(data) if len(data) <= _LARGE else await asyncio.to_thread(decode, data)

    @property
    def said(self) -> dict[str, str]:
        """The header that every answer carries."""
        return {"x-holdfast-request": self.id}

    @property
    def session(self) -> str:
        """The client's name for its session, where it has one."""
        return mended_text(next((value for name in SESSION_HEADERS if (value := self.http.headers.get(name))), ""))[
            :200
        ]

    @property
    def agent(self) -> str:
        """The program that asks, as its user agent begins."""
        return mended_text(self.http.headers.get("User-Agent", "").split(" ", 1)[0])[:80]

    @property
    def again(self) -> bool:
        """The client's SDK says that this is a repeat (openai-python, openai-go: x-stainless-retry-count)."""
        return self.http.headers.get("x-stainless-retry-count", "0") not in ("0", "")


_LATER = 5  # seconds after which a key that has all its requests under way may ask again

Handler: TypeAlias = Callable[[Knock], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One path of one surface. A path ending in `/*` takes a tail."""

    method: str
    path: str
    tongue: Tongue
    handler: Handler


class Front:
    """All surfaces behind one door. `gateway` may be swapped at any time; a request keeps the one that it began with."""

    def __init__(self, gateway: Gateway, routes: list[Route]) -> None:
        self.gateway = gateway
        self.draining = False
        self._under_way: Counter[str] = Counter()
        self._knocks: dict[str, Knock] = {}
        self._quiet = asyncio.Event()
        self._routes: Mapping[str, dict[str, Route]] = _by_path(routes)

    async def serve(self, http: BaseRequest) -> web.StreamResponse:
        """Answer one request, whatever it is."""
        path = clean_path(http.raw_path)
        methods, tail = self._find(path)
        tongue: Tongue = next(iter(methods.values())).tongue if methods else _tongue_of(path)
        knock = Knock(http, self.gateway, self.gateway.world.new_id(), path, tail)
        self._knocks[knock.id] = knock
        try:
            response = await self._answer(knock, methods, tongue)
        finally:
            del self._knocks[knock.id]
            self._quiet.set()
        response.headers.setdefault("Server", "holdfast")  # aiohttp would name itself and its Python
        return response

    @property
    def under_way(self) -> int:
        """Requests that are being answered."""
        return len(self._knocks)

    async def quiet(self) -> None:
        """Until nothing is under way."""
        while self._knocks:
            self._quiet.clear()
            await self._quiet.wait()

    def end(self, problem: Problem) -> None:
        """Every answer under way ends with this problem, in its client's own format; older policies' answers too."""
        for flight in [flight for knock in self._knocks.values() for flight in knock.flights if not flight.ended]:
            flight.problem, flight.ended = problem, True
            flight.stop()

    async def _answer(self, knock: Knock, methods: Mapping[str, Route], tongue: Tongue) -> web.StreamResponse:
        try:
            return await self._admitted(knock, methods)
        except BadRequest as error:
            problem = error.problem
        except Refusal as refusal:
            problem = refusal.problem
        except Exception as error:
            knock.gateway.world.journal.failed(knock.id, error)
            if knock.http.writer.output_size:
                raise  # the headers have gone: the connection closes, since a second answer would be read as part of the first
            problem = Problem(Code.INTERNAL, "the gateway itself failed; its log tells where")
        return problem_reply(problem, tongue, knock.said)

    async def _admitted(self, knock: Knock, methods: Mapping[str, Route]) -> web.StreamResponse:
        """The answer of whoever serves the request. Raises BadRequest, Refusal."""
        check_page(knock.http, knock.policy)
        caller = caller_of(knock.http, knock.path, policy=knock.policy, keyring=knock.gateway.keyring)
        handler = self._handler(knock, methods)
        with self._counted(caller):
            return await handler(replace(knock, caller=caller))

    @contextmanager
    def _counted(self, caller: Caller) -> Iterator[None]:
        """A request of this caller is under way. Raises Refusal where its key allows no more at once."""
        if caller.at_once and self._under_way[caller.name] >= caller.at_once:
            raise Refusal(
                Problem(
                    Code.QUEUE_FULL,
                    f"this key may have {caller.at_once} requests under way at once, and they are; ask again later",
                    retry_after=_LATER,
                )
            )
        self._under_way[caller.name] += 1
        try:
            yield
        finally:
            self._under_way[caller.name] -= 1

    def _handler(self, knock: Knock, methods: Mapping[str, Route]) -> Handler:
        """Who serves the request; raises where nobody may."""
        if "x-holdfast-hop" in knock.http.headers:
            raise BadRequest(
                "this gateway is set up as its own upstream; point it at Ollama's own address (--ollama URL)"
            )
        method = knock.http.method
        route = methods.get(method) or (methods.get("GET") if method == "HEAD" else None)
        if route is None:
            raise _no_route(method, knock.path, methods)
        if self.draining:
            raise Refusal(Problem(Code.SHUTTING_DOWN, "the gateway is shutting down; ask again in a moment"))
        return route.handler

    def _find(self, path: str) -> tuple[dict[str, Route], str]:
        if found := self._routes.get(path):
            return found, ""
        head, tail = path, ""
        while "/" in head.strip("/"):
            head, _, piece = head.rpartition("/")
            tail = f"{piece}/{tail}" if tail else piece
            if found := self._routes.get(f"{head}/*"):
                return found, tail
        return {}, ""


def _by_path(routes: list[Route]) -> dict[str, dict[str, Route]]:
    table: dict[str, dict[str, Route]] = {}
    for route in routes:
        table.setdefault(route.path, {})[route.method] = route
    return table


def _tongue_of(path: str) -> Tongue:
    return "ollama" if path.startswith("/api") else "openai"


def _no_route(method: str, path: str, methods: Mapping[str, Route]) -> BadRequest:
    if methods:
        known = ", ".join(methods)
        return BadRequest(f"{method} is not served at {path}; use {known}", code=Code.METHOD_NOT_ALLOWED)
    return BadRequest(f"nothing is served at {path[:200]}; see the README for the paths that are", code=Code.NOT_FOUND)
