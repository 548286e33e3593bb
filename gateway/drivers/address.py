"""Where an upstream is: one spelling for its URL, and whether it is at home (this machine, a private network) or away."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import TypeAlias
from urllib.parse import urlsplit, urlunsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver

Address: TypeAlias = str


def base_url(url: str) -> str:
    """The URL without `/v1`, `/api` and slashes at its end: http://h:1/v1/ and http://h:1 are the same upstream."""
    text = url.strip() if "://" in url else f"http://{url.strip()}"
    scheme, host, path, _, _ = urlsplit(text)
    kept = path.rstrip("/")
    for tail in ("/v1", "/api"):
        kept = kept.removesuffix(tail).rstrip("/")
    return urlunsplit((scheme, host, kept, "", ""))


def is_home_address(address: Address) -> bool:
    """Whether an IP address is loopback or private. Addresses that carriers share between customers are not."""
    try:
        ip = ip_address(address.split("%")[0])
    except ValueError:
        return False
    return ip.is_loopback or ip.is_link_local or (ip.is_private and not ip.is_reserved and not ip.is_unspecified)


def literal_host(url: str) -> str | None:
    """The host of a URL where it is an IP address or `localhost`; None where a name must be looked up."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return "127.0.0.1"
    try:
        return str(ip_address(host))
    except ValueError:
        return None


class HomeResolver(AbstractResolver):
    """Looks names up and keeps only addresses at home, at every connection: a name that moves away is refused."""

    def __init__(self) -> None:
        self._inner = DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        kept = [each for each in found if is_home_address(each["host"])]
        if found and not kept:
            raise OSError(f"{host} is not on this machine or a private network; policy may say `trusted: true`")
        return kept

    async def close(self) -> None:
        await self._inner.close()
