"""Where an upstream is: spellings of one URL, what is home, and names that move away."""

from __future__ import annotations

import socket

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from gateway.core.failures import FailureKind
from gateway.drivers.address import HomeResolver, base_url, is_home_address, literal_host
from gateway.drivers.http import Http
from gateway.ports import UpstreamFailed


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://h:1", "http://h:1"),
        ("http://h:1/", "http://h:1"),
        ("http://h:1/v1", "http://h:1"),
        ("http://h:1/v1/", "http://h:1"),
        ("http://h:1//v1//", "http://h:1"),
        ("h:1/v1", "http://h:1"),
        (" h:1 ", "http://h:1"),
        ("HTTP://Host:1/V", "http://host:1/V"),
        ("https://h/pod/v1", "https://h/pod"),
        ("https://h/pod", "https://h/pod"),
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api"),
        ("http://h:1/v1?x=1#y", "http://h:1"),
        ("http://0.0.0.0:11434", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1"),
        ("http://[::]:11434/v1", "http://[::1]:11434"),
        ("http://[::1]", "http://[::1]"),
        ("http://[FD00::1]:8000", "http://[fd00::1]:8000"),
        ("http://0.0.0.0.example.org", "http://0.0.0.0.example.org"),
    ],
)
def test_one_spelling(url: str, base: str) -> None:
    assert base_url(url) == base
    assert base_url(base) == base


HOME = ["127.0.0.1", "127.8.8.8", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.1.5", "::1", "fd12::1", "fc00::1", "fd12::1%eth0", "::ffff:127.0.0.1", "::ffff:192.168.1.5", "::ffff:c0a8:105"]  # fmt: skip
AWAY = [
    "8.8.8.8", "172.15.255.255", "172.32.0.1", "192.169.0.1", "11.0.0.1",
    "169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0",  # link-local: a cloud's metadata service
    "100.64.0.1", "100.127.255.255",  # shared by a carrier's customers
    "0.0.0.0", "::", "255.255.255.255", "224.0.0.1", "240.0.0.1", "ff02::1",
    "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "2001:db8::1",
    "2606:4700::1", "::ffff:8.8.8.8", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1", "fec0::1",
    "", "localhost", "h", "127.1", "2130706433", "0x7f.1", "127.0.0.1.example.org", "1.2.3.4.5",
]  # fmt: skip


@pytest.mark.parametrize("address", HOME)
def test_home(address: str) -> None:
    assert is_home_address(address)


@pytest.mark.parametrize("address", AWAY)
def test_away(address: str) -> None:
    assert not is_home_address(address)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://127.0.0.1:1", "127.0.0.1"),
        ("http://localhost:1", "127.0.0.1"),
        ("http://LOCALHOST", "127.0.0.1"),
        ("http://[::1]:1", "::1"),
        ("http://8.8.8.8", "8.8.8.8"),
        ("http://134744072", "134744072"),  # 8.8.8.8, and nobody would look it up
        ("http://8.8", "8.8"),
        ("http://0x8.8.8.8", None),
        ("http://example.org", None),
        ("http://ollama:11434", None),
        ("http://", None),
    ],
)
def test_hosts_that_are_not_looked_up(url: str, host: str | None) -> None:
    assert literal_host(url) == host


class Names(AbstractResolver):
    """A resolver that knows what the test says."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.closed = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)
            for address in self.addresses
        ]

    async def close(self) -> None:
        self.closed = True


async def test_a_name_is_kept_to_its_addresses_at_home() -> None:
    resolver = HomeResolver(Names("8.8.8.8", "192.168.1.5", "169.254.169.254", "10.0.0.1"))
    assert [found["host"] for found in await resolver.resolve("pod", 80)] == ["192.168.1.5", "10.0.0.1"]


async def test_a_name_that_moved_away_is_refused_at_every_look() -> None:
    names = Names("192.168.1.5")
    resolver = HomeResolver(names)
    assert await resolver.resolve("pod", 80)
    names.addresses = ("8.8.8.8",)
    with pytest.raises(UpstreamFailed) as caught:
        await resolver.resolve("pod", 80)
    assert caught.value.failure.kind is FailureKind.REFUSED
    assert "trusted: true" in caught.value.failure.detail
    await resolver.close()
    assert names.closed


async def test_a_name_without_addresses_is_not_called_away() -> None:
    assert await HomeResolver(Names()).resolve("pod", 80) == []


async def test_the_refusal_comes_through_a_real_session() -> None:
    """aiohttp hands on what a resolver raises; a refusal must not look like a server that is only down."""
    connector = aiohttp.TCPConnector(resolver=HomeResolver(Names("8.8.8.8")))
    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(UpstreamFailed, match="not on this machine"):
            await session.get("http://pod.example:1/")


@pytest.mark.parametrize(
    "url",
    [
        "http://134744072:9",
        "http://8.8:9",
        "http://[::ffff:8.8.8.8]:9",
        "http://169.254.169.254:9",
        "http://[fe80::1]:9",
    ],
)
async def test_an_address_that_is_away_is_refused_before_anything_is_sent(url: str) -> None:
    http = Http(url)
    with pytest.raises(UpstreamFailed) as caught:
        await http.ask("GET", "/")
    assert caught.value.failure.kind is FailureKind.REFUSED
    await http.close()
