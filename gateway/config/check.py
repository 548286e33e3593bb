"""What types alone can't say about a policy: names that point nowhere, bounds that contradict each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from ipaddress import ip_network
from math import inf
from urllib.parse import urlsplit

from gateway.core.access import ANONYMOUS
from gateway.core.memory import parse_size
from gateway.core.policy import Policy, cloud

_HASH = re.compile(r"[0-9a-fA-F]{64}")


def complaints(policy: Policy) -> list[str]:
    """Everything that is wrong, in words that name the path, what was found and what would be right."""
    return [
        *_upstreams(policy),
        *_models(policy),
        *_server(policy),
        *_keys(policy),
        *_compaction(policy),
        *_bounds(policy),
        *cloud.complaints(policy.cloud, list(policy.upstreams)),
    ]


def _upstreams(policy: Policy) -> Iterator[str]:
    for name, upstream in policy.upstreams.items():
        if "@" in upstream.url:
            yield f"upstreams.{name}.url: holds a password; name an environment variable in key_env instead"
        elif not _is_address(upstream.url):
            yield f"upstreams.{name}.url: {upstream.url!r} is no address; write it like http://127.0.0.1:11434"
        if upstream.slots < 1:
            yield f"upstreams.{name}.slots: {upstream.slots} serves nobody; write 1 or more"
        if upstream.key_env and not _is_variable(upstream.key_env):
            yield f"upstreams.{name}.key_env: is no variable's name; write the name, never the key"


def _is_address(url: str) -> bool:
    if not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port beyond 65535, half an IPv6 address
        return False


def _is_variable(name: str) -> bool:
    return name.replace("_", "").isalnum()


def _models(policy: Policy) -> Iterator[str]:
    known = list(policy.upstreams) or ["ollama"]
    for place, rule in enumerate(policy.models):
        at = f"models[{place}]"
        if rule.upstream and rule.upstream not in known:
            near = get_close_matches(rule.upstream, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(known)}"
            yield f"{at}.upstream: {rule.upstream!r} is not among the upstreams; {hint}"
        if rule.window is not None and rule.window < 1024:
            yield f"{at}.window: {rule.window} is too small for any agent; write 16384 or more, or leave it out"
        if rule.memory and parse_size(rule.memory) is None:
            yield f"{at}.memory: {rule.memory!r} is no amount of memory; write it like 24GiB"
        if rule.output_reserve < 1:
            yield f"{at}.output_reserve: {rule.output_reserve} leaves no room for an answer; write 1024 or more"
        if rule.upstream == "" and rule.model:
            yield f"{at}.upstream: is missing although `model` is given; name the upstream that has {rule.model!r}"


def _server(policy: Policy) -> Iterator[str]:
    if not 0 <= policy.server.port <= 65535:
        yield f"server.port: {policy.server.port} is no port; write a number up to 65535"
    for place, network in enumerate(policy.server.trusted_networks):
        try:
            ip_network(network)
        except ValueError:
            yield f"server.trusted_networks[{place}]: {network!r} is no network; write it like 172.16.0.0/12"


def _keys(policy: Policy) -> Iterator[str]:
    for name, key in policy.keys.items():
        if name == ANONYMOUS:
            yield f"keys.{name}: is the name of those without a key; take another"
        if bool(key.sha256) == bool(key.key_env):
            yield f"keys.{name}: needs either sha256 or key_env; `holdfast policy key {name}` makes a key and says what to write"
        if key.sha256 and not _HASH.fullmatch(key.sha256):
            yield f"keys.{name}.sha256: is no SHA-256 in hex (64 digits); `holdfast policy key {name}` makes one"
        if key.key_env and not _is_variable(key.key_env):
            yield f"keys.{name}.key_env: is no variable's name; write the name, never the key"
        if key.at_once < 0:
            yield f"keys.{name}.at_once: {key.at_once} is below 0; write 0 for no bound"


def _compaction(policy: Policy) -> Iterator[str]:
    rules = policy.compaction
    if not 0 < rules.lo < rules.hi <= 1:
        yield f"compaction: hi {rules.hi} and lo {rules.lo} are no shares in order; write 0 < lo < hi <= 1"
    for name in ("tail", "digest_share"):
        if not 0 <= getattr(rules, name) <= 1:
            yield f"compaction.{name}: {getattr(rules, name)} is no share; write 0.25 for a quarter"
    if not rules.lo < rules.summary_from <= rules.hi:
        yield f"compaction.summary_from: {rules.summary_from} is not between lo ({rules.lo}) and hi ({rules.hi})"


_ABOVE_ZERO = {
    "timeouts": ("request_body", "headers", "heartbeat", "connect", "probe", "first_part", "between_parts", "total"),
    "limits": ("body_bytes", "header_bytes", "connections", "answer_bytes", "records"),
}
_FROM_ZERO = {"timeouts": ("drain", "unreachable")}


def _bounds(policy: Policy) -> Iterator[str]:
    for section, names in _ABOVE_ZERO.items():
        for name in names:
            value = getattr(getattr(policy, section), name)
            if not 0 < value < inf:  # which NaN isn't either
                yield f"{section}.{name}: {value} is not above 0; leave it out for the default"
    for section, names in _FROM_ZERO.items():
        for name in names:
            value = getattr(getattr(policy, section), name)
            if not 0 <= value < inf:
                yield f"{section}.{name}: {value} is no number of seconds; write 0 or more"
    circles = policy.circles
    if circles.note_after < 2:
        yield f"circles.note_after: {circles.note_after} would note what was done once; write 3 or more"
    if circles.stop_after <= circles.note_after:
        yield f"circles.stop_after: {circles.stop_after} leaves no time after note_after ({circles.note_after}); write more"
