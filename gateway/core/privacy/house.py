"""The rules that a policy makes: its networks, names of machines and banners, as patterns beside those that come with the gateway."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network

from gateway.core.policy.privacy import PrivacyRules
from gateway.core.privacy.rule import Rule

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_NO_NAME = "[^0-9A-Za-z_.-]"

# A network, not a machine; Amazon's addresses for all; the first address of a home network, which is everybody's router.
_NOBODYS = re.compile(r"\.0\Z|::\Z|\Afd00:ec2::|\A(?:192\.168\.[01]|10\.0\.0)\.1\Z")

HOUSE_RULES = frozenset({"internal-address", "internal-name", "banner"})


def house_rules(policy: PrivacyRules) -> Iterator[Rule]:
    """Rules for what is private in this house alone. Raises ValueError for a network that is none."""
    networks = [ip_network(each, strict=False) for each in policy.networks]
    if networks:
        ranges = "|".join(_addresses(each) for each in networks)
        yield Rule(
            id="internal-address",
            kind="internal",
            description="address in a range of the policy's `networks`",
            pattern=rf"(?:^|{_NO_NAME})(?P<value>{ranges})(?:{_NO_NAME}|[.]?$|[.]\s)",
            check="address",
            allow=(_NOBODYS,),
        )
    if policy.hosts:
        yield Rule(
            id="internal-name",
            kind="internal",
            description="name of a machine in the policy's `hosts`",
            pattern=rf"(?i:(?:^|{_NO_NAME})(?P<value>{'|'.join(map(_host, policy.hosts))})(?:{_NO_NAME}|[.]?$|[.]\s))",
        )
    if policy.banners:
        yield Rule(
            id="banner",
            kind="internal",
            description="words of the policy's `banners` that mark a text as private",
            pattern="|".join(_banner(each) for each in policy.banners),
            common=True,
        )


def chosen(rules: Iterable[Rule], policy: PrivacyRules) -> tuple[Rule, ...]:
    """The rules that hold under a policy: those it asks for among the optional ones, none that it ignores."""
    return tuple(
        each
        for each in rules
        if (not each.optional or {each.id, each.kind} & {*policy.also}) and not {each.id, each.kind} & {*policy.ignore}
    )


def _addresses(network: IPv4Network | IPv6Network) -> str:
    """A pattern of the addresses in a network."""
    return _v4(network) if isinstance(network, IPv4Network) else _v6(network)


def _v4(network: IPv4Network) -> str:
    octets = []
    for place, octet in enumerate(network.network_address.packed):
        free = min(8, max(0, 8 * (place + 1) - network.prefixlen))
        within = "|".join(str(octet + more) for more in range(1 << free))
        octets.append(_OCTET if free == 8 else f"(?:{within})" if free else str(octet))
    return r"\.".join(octets)


def _v6(network: IPv6Network) -> str:
    """Of the prefix whole groups and the nibbles of the next count; zeros that the text leaves out are not looked for."""
    groups = network.network_address.exploded.split(":")
    whole, more = divmod(network.prefixlen, 16)
    head = "".join(f"0{{0,3}}{group.lstrip('0')}:" for group in groups[:whole])
    nibbles, bits = divmod(more, 4)
    open_group = groups[whole] if whole < len(groups) else ""
    first = open_group[:nibbles]
    if bits:
        digit = int(open_group[nibbles], 16)
        first += f"[{''.join(f'{digit + more:x}' for more in range(1 << (4 - bits)))}]"
    return f"(?i:{head}{first}[0-9a-f:]*:[0-9a-f:]*[0-9a-f])" if first else f"(?i:{head}[0-9a-f:]*[0-9a-f])"


def _host(name: str) -> str:
    return r"[0-9a-z_-]+(?:\.[0-9a-z_-]+)*".join(map(re.escape, name.split("*")))


def _banner(words: str) -> str:
    """Alone in a line; in capitals; or at the beginning of a line before a mark."""
    phrase = r"[ \t_-]+".join(map(re.escape, words.split()))
    shouted = r"[ \t_-]+".join(re.escape(word.upper()) for word in words.split())
    capital = r"[ \t_-]+".join(map(re.escape, words.capitalize().split()))
    patterns = [
        rf"(?m:^)[^0-9A-Za-z\n]{{0,12}}(?i:{phrase})[^0-9A-Za-z\n]{{0,12}}(?m:$)",
        rf"(?:^|[ \t*#/|>(\"'\[-]){shouted}(?:[ \t]+[A-Za-z]|[ \t]*[.,:;)!\]*#|/\xe2-]|[ \t]*(?m:$))",
        rf"(?m:^)[^0-9A-Za-z\n=]{{0,12}}{capital}[ \t]*[:;,.|/&\xe2-]",
    ]
    return "|".join(patterns)
