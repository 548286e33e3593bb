"""The one HTTP door to upstreams: a session for each, our own timers, foreign exceptions mapped to UpstreamFailed once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import aiohttp

from gateway.core import jsontext
from gateway.core.failures import Failure, FailureKind
from gateway.core.wire.fields import is_object
from gateway.core.wire.openai_answer import error_text
from gateway.drivers.address import HomeResolver, base_url, is_home_address, literal_host
from gateway.drivers.wording import failure_of
from gateway.ports import UpstreamFailed

READ_BUFFER = 4 << 20  # aiohttp refuses lines longer than twice this; one tool call or image is one line
_ERROR_BODY = 64 << 10
HOP = "x-holdfast-hop"  # a gateway that meets it has been set up as its own upstream


class Http:
    """Requests to one upstream. Nothing is followed, kept or proxied on the way: no redirects, cookies or environment."""

    def __init__(
        self, url: str, *, key: str = "", trusted: bool = False, connect: float = 5.0, probe: float = 5.0
    ) -> None:
        self.url = base_url(url)
        self._headers = {HOP: "1", **({"Authorization": f"Bearer {key}"} if key else {})}
        self._trusted = trusted
        self._away = "" if trusted else _words_if_away(self.url)
        self._connect = connect
        self._probe = probe
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, method: str, path: str, body: bytes | None = None, *, seconds: float | None = None) -> object:
        """A small request and its JSON answer."""
        with mapped():
            async with asyncio.timeout(seconds or self._probe), self.open(method, path, body) as response:
                return jsontext.loads(await response.read())

    @asynccontextmanager
    async def open(self, method: str, path: str, body: bytes | None = None) -> AsyncIterator[aiohttp.ClientResponse]:
        """The response to a request; a status of 400 and above is raised. Leaving early closes the connection."""
        with mapped():
            headers = {"Content-Type": "application/json"} if body is not None else None
            async with self._ready().request(method, self.url + path, data=body, headers=headers) as response:
                if response.status >= 400:
                    raise UpstreamFailed(await _failure(response))
                yield response

    def _ready(self) -> aiohttp.ClientSession:
        if self._away:
            raise UpstreamFailed(Failure(FailureKind.REFUSED, self._away))
        if self._session is None:
            resolver = None if self._trusted else HomeResolver()
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, resolver=resolver, ttl_dns_cache=10, keepalive_timeout=30),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect),
                headers=self._headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                read_bufsize=READ_BUFFER,
                trust_env=False,
                requote_redirect_url=False,
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


def _words_if_away(url: str) -> str:
    """What is wrong with a URL whose host is an address elsewhere; "" where it is at home, or a name, which is looked up later."""
    host = literal_host(url)
    if host is None or is_home_address(host):
        return ""
    return f"{url} is not on this machine or a private network; policy may say `trusted: true` for it"


async def _failure(response: aiohttp.ClientResponse) -> Failure:
    text = (await response.content.read(_ERROR_BODY)).decode("utf-8", "replace")
    after = response.headers.get("Retry-After", "")
    try:
        body = jsontext.loads(text)
        text = error_text(body["error"]) if is_object(body) and "error" in body else text
    except jsontext.NotJson:
        pass
    return failure_of(response.status, text, retry_after=float(after) if after.isdigit() else None)


@contextmanager
def mapped() -> Iterator[None]:
    """Every exception of the network as UpstreamFailed; cancellation passes."""
    try:
        yield
    except aiohttp.ClientConnectorError as error:
        raise UpstreamFailed(Failure(FailureKind.UNREACHABLE, str(error))) from None
    except aiohttp.ServerDisconnectedError as error:
        raise UpstreamFailed(Failure(FailureKind.CUT, f"the upstream closed the connection: {error}")) from None
    except (aiohttp.ClientPayloadError, aiohttp.ClientOSError) as error:
        raise UpstreamFailed(Failure(FailureKind.CUT, f"the connection to the upstream broke: {error}")) from None
    except TimeoutError:
        raise UpstreamFailed(Failure(FailureKind.STALLED, "the upstream did not answer in time")) from None
    except jsontext.NotJson as error:
        raise UpstreamFailed(Failure(FailureKind.INVALID, f"the upstream's answer is {error}")) from None
    except (aiohttp.ClientError, OSError) as error:
        raise UpstreamFailed(Failure(FailureKind.UNREACHABLE, f"{type(error).__name__}: {error}")) from None
