"""Where an upstream is: one spelling for its URL, and whether it is at home (this machine, a private network) or away."""

from __future__ import annotations

import socket
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit, urlunsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver

from gateway.core.failures import Failure, FailureKind
from gateway.ports import UpstreamFailed

# Named one by one: what `is_private` means differs between Python versions and takes in test nets and link-local addresses,
# where clouds keep their metadata service. Addresses that carriers share between customers (100.64.0.0/10) are away.
_HOME = tuple(
    ip_network(network)
    for network in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
)
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104  # bind addresses: as a target they mean this machine


def base_url(url: str) -> str:
    """The URL without `/v1` and slashes at its end: http://h:1/v1/, H:1 and http://h:1 are the same upstream."""
    parts = urlsplit(url.strip() if "://" in url else f"http://{url.strip()}")
    path = parts.path.rstrip("/").removesuffix("/v1").rstrip("/")
    return urlunsplit((parts.scheme, _place(parts.netloc), path, "", ""))


def _place(netloc: str) -> str:
    """Host and port in one spelling."""
    user, at, place = netloc.rpartition("@")
    host, colon, port = place.lower().rpartition(":")
    if not colon or port.endswith("]"):  # no port; an IPv6 address stands in brackets
        host, colon, port = place.lower(), "", ""
    return f"{user}{at}{_ANYWHERE.get(host, host)}{colon}{port}"


def is_home_address(address: str) -> bool:
    """Whether an IP address is loopback or private; whatever is no address is not."""
    try:
        ip = ip_address(address.split("%")[0])
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return any(ip in network for network in _HOME)


def literal_host(url: str) -> str | None:
    """The host of a URL where nothing is looked up for it: an IP address, `localhost`; None where it is a name.

    aiohttp takes any host of digits and dots for an address (134744072 is 8.8.8.8), so these count as literal too.
    """
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return "127.0.0.1"
    return host if ":" in host or host.replace(".", "").isdigit() else None


class HomeResolver(AbstractResolver):
    """Looks names up and keeps only addresses at home, at every connection: a name that moves away is refused."""

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        self._inner = inner or DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of `host` at home. Raises UpstreamFailed where it has only others, OSError where it has none."""
        found = await self._inner.resolve(host, port, family)
        kept = [each for each in found if is_home_address(each["host"])]
        if found and not kept:
            detail = f"{host} is not on this machine or a private network; policy may say `trusted: true` for it"
            raise UpstreamFailed(Failure(FailureKind.REFUSED, detail))
        return kept

    async def close(self) -> None:
        await self._inner.close()
