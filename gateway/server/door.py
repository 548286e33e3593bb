"""What every request passes first: who may knock (Host, Origin), what it must look like, how much of it is read and how long."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from aiohttp import HttpVersion11
from aiohttp.web_request import BaseRequest

from gateway.core.errors import BadRequest, Code
from gateway.core.policy import Policy

_LOOPBACK_NAMES = frozenset({"localhost", "localhost.localdomain", "host.docker.internal", "ip6-localhost"})
_CHUNK = 64 << 10
_DENSEST = 100  # times that a body may grow when inflated; histories of code grow tenfold
_INNOCENT = 1 << 20  # bytes that any body may inflate to


def check_page(request: BaseRequest, policy: Policy) -> None:
    """A web page must not reach us: not under a name of its own (DNS rebinding), not from its own origin."""
    hosts = request.headers.getall("Host", [])
    if len(hosts) != 1 or not host_is_ours(hosts[0], policy):
        raise BadRequest(
            "the Host header names a machine that this gateway does not answer for; add it to server.hosts in the policy",
            code=Code.FORBIDDEN,
        )
    origin = request.headers.get("Origin")
    foreign = request.headers.get("Sec-Fetch-Site", "none") in ("cross-site", "same-site")
    if foreign if origin is None else not origin_is_ours(origin, policy):
        raise BadRequest(
            "requests from web pages are not taken; add the origin to server.origins in the policy", code=Code.FORBIDDEN
        )


def host_is_ours(host: str, policy: Policy) -> bool:
    """Loopback names, addresses of this machine or a private network (no page can own one), and what policy lists."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name in _LOOPBACK_NAMES or name.endswith(".localhost") or name in policy.server.hosts:
        return True
    address = _address(name)
    return address is not None and (address.is_loopback or address.is_private)


def origin_is_ours(origin: str, policy: Policy) -> bool:
    return origin.rstrip("/") in policy.server.origins


def is_near(request: BaseRequest, policy: Policy) -> bool:
    """Whether the caller is this machine, or one of the networks that policy counts as this machine."""
    address = _address(request.remote or "")
    if address is None or address.is_loopback:
        return address is not None
    return any(address in ip_network(network) for network in policy.server.trusted_networks)


@lru_cache(maxsize=1024)  # the same few for every request
def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


async def read_json_body(request: BaseRequest, policy: Policy) -> bytes:
    """The bytes of a JSON request, whole, within the policy's size and time. Raises BadRequest."""
    _check_type(request)
    declared = request.headers.get("Content-Length", "")
    if declared.isdigit() and int(declared) > policy.limits.body_bytes:
        raise _too_large(policy)
    try:
        async with asyncio.timeout(policy.timeouts.request_body):
            await _ask_for_it(request)
            return await _read(request, policy)
    except TimeoutError:
        raise BadRequest("the request body did not arrive in time; send it faster", code=Code.SLOW_REQUEST) from None


async def _ask_for_it(request: BaseRequest) -> None:
    """Tell a client that waits for it to send the body: curl asks first where it is long, and loses a second otherwise."""
    if request.headers.get("Expect", "").lower() == "100-continue" and request.version >= HttpVersion11:
        writer = request.writer
        await writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        writer.output_size = 0  # or aiohttp would take the response for one that has begun


def _check_type(request: BaseRequest) -> None:
    kind, *parameters = [each.strip() for each in request.headers.get("Content-Type", "").lower().split(";")]
    if not kind and "Sec-Fetch-Site" not in request.headers:
        return  # litellm 1.81 names none for /api/chat; a browser, which might be made to, tells on itself
    if kind != "application/json" and not kind.endswith("+json"):
        raise BadRequest("the body must be JSON; send Content-Type: application/json", code=Code.UNSUPPORTED_MEDIA)
    charset = next(
        (each.removeprefix("charset=").strip('"') for each in parameters if each.startswith("charset=")), "utf-8"
    )
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise BadRequest("the charset is not UTF-8; JSON is always UTF-8", code=Code.UNSUPPORTED_MEDIA)


async def _read(request: BaseRequest, policy: Policy) -> bytes:
    if request.headers.get("Transfer-Encoding", "chunked").strip().lower() != "chunked":
        raise BadRequest(
            "this Transfer-Encoding is not taken; send the body plain or chunked", code=Code.UNSUPPORTED_MEDIA
        )
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "deflate", ""):
        raise BadRequest(
            f"Content-Encoding {encoding!r} is not taken; send the body plain", code=Code.UNSUPPORTED_MEDIA
        )
    inflate = None if encoding in ("identity", "") else zlib.decompressobj(zlib.MAX_WBITS | 32)
    pieces: list[bytes] = []
    came = size = 0
    async for chunk in request.content.iter_any():
        came += len(chunk)
        for piece in (chunk,) if inflate is None else _inflated(inflate, chunk):
            size += len(piece)
            if size > policy.limits.body_bytes:
                raise _too_large(policy)
            if size > _INNOCENT and size > _DENSEST * came:
                raise BadRequest("the body inflates to a hundred times its size; send it plain", code=Code.TOO_LARGE)
            pieces.append(piece)
    if inflate is not None and not inflate.eof:
        raise _not_as_said()
    return b"".join(pieces)


def _inflated(inflate: zlib._Decompress, chunk: bytes) -> Iterator[bytes]:
    """A chunk inflated in bounded bites, so that a small bomb never stands in memory whole."""
    try:
        while chunk and not inflate.eof:
            yield inflate.decompress(chunk, _CHUNK)
            chunk = inflate.unconsumed_tail
    except zlib.error:
        raise _not_as_said() from None


def _not_as_said() -> BadRequest:
    return BadRequest("the body is not what its Content-Encoding says; send it plain")


def _too_large(policy: Policy) -> BadRequest:
    megabytes = policy.limits.body_bytes >> 20
    return BadRequest(
        f"the body is larger than {megabytes} MB; send less, or raise limits.body_bytes in the policy",
        code=Code.TOO_LARGE,
    )


def clean_path(raw: str) -> str:
    """A request's path without query, doubled and trailing slashes: `//api/show/` is `/api/show`. Never decoded, never joined."""
    path = raw.split("?", 1)[0].split("#", 1)[0]
    if path.startswith(("http://", "https://")):
        path = "/" + path.split("/", 3)[3] if path.count("/") >= 3 else "/"
    return "/" + "/".join(piece for piece in path.split("/") if piece)
