"""What the tests of the server talk to, and how they talk when a client library would be too polite."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from gateway.core.policy import Policy
from gateway.testing.ollama import SimulatedOllama


@dataclass(frozen=True, slots=True)
class Listening:
    """A running gateway, its policy and the way to change that, the upstream behind it, and a session to ask it with."""

    url: str
    policy: Policy
    edit: Callable[[Policy], None]
    ollama: SimulatedOllama
    session: aiohttp.ClientSession

    async def raw(self, data: bytes, *, seconds: float = 5.0) -> bytes:
        return await raw(self.url, data, seconds=seconds)


def request(method: str, path: str, body: bytes = b"", *headers: str, host: str = "127.0.0.1") -> bytes:
    """One HTTP request as bytes, closed after its answer."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *headers]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def raw(url: str, data: bytes, *, seconds: float = 5.0) -> bytes:
    """Bytes sent as they are; everything that came back until the connection closed or time was up."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(data)
    await writer.drain()
    got = b""
    try:
        async with asyncio.timeout(seconds):
            while chunk := await reader.read(65536):
                got += chunk
    except TimeoutError:
        pass
    finally:
        writer.close()
    return got
