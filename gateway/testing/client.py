"""A client for tests: it sends anything and keeps every byte that came back, however the answer ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, TypeAlias

import aiohttp

Json: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as it came. `broken`: the connection died before the body's end; status 0: before any header."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    broken: bool = False

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Json:
        """The body as one JSON object."""
        value = json.loads(self.body)
        assert isinstance(value, dict)
        return value

    @property
    def lines(self) -> list[Json]:
        """The records of an NDJSON body."""
        return [json.loads(line) for line in self.body.splitlines()]

    @property
    def events(self) -> list[str]:
        """The data of each event of an SSE body."""
        return [event.removeprefix("data: ") for event in self.text.split("\n\n") if event]

    @property
    def content(self) -> str:
        """The visible text of a native answer, streamed or not."""
        return "".join(str(_said(line, "content")) for line in self.lines)

    @property
    def calls(self) -> list[Json]:
        """The functions that a native answer calls, streamed or not."""
        found = [_said(line, "tool_calls") for line in self.lines]
        return [call["function"] for calls in found if isinstance(calls, list) for call in calls]


def _said(record: Json, key: str) -> object:
    message = record.get("message")
    return message.get(key, "") if isinstance(message, dict) else record.get("response", "")


_JSON = {"Content-Type": "application/json"}


class Client:
    """Talks to one server: `async with Client(sim.url) as client`."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def post(self, path: str, body: Mapping[str, object] | bytes) -> Answer:
        return await self.send("POST", path, body if isinstance(body, bytes) else json.dumps(body).encode())

    async def get(self, path: str) -> Answer:
        return await self.send("GET", path)

    async def send(self, method: str, path: str, data: bytes = b"") -> Answer:
        """Any request; redirects are not followed."""
        received: list[bytes] = []
        head: tuple[int, Mapping[str, str]] = (0, {})
        try:
            async with self._session.request(
                method, self._url + path, data=data, headers=_JSON if data else None, allow_redirects=False
            ) as response:
                head = (response.status, response.headers)
                while chunk := await response.content.readany():
                    received.append(chunk)
        except aiohttp.ClientError:
            return Answer(*head, b"".join(received), broken=True)
        return Answer(*head, b"".join(received))
