"""Whose request it is: keys are compared by their hashes, all of them every time, so that time tells nothing."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from gateway.core.policy.keys import ClientKey
from gateway.core.policy.privacy import Label

ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, and what policy says of them. `near`: from this machine, or a network that counts as it."""

    name: str = ANONYMOUS
    label: Label = "local"
    root: str = ""
    near: bool = False
    at_once: int = 0
    dollars_per_day: float | None = None
    dollars: float | None = None


class Keyring:
    """The keys of a policy. `secrets` are those that the environment holds, by the client's name."""

    def __init__(self, keys: Mapping[str, ClientKey], secrets: Mapping[str, str]) -> None:
        self._keys = keys
        self._hashes = {name: key.sha256.lower() for name, key in keys.items() if key.sha256}
        self._hashes |= {name: hash_of(secret) for name, secret in secrets.items() if secret}

    def __bool__(self) -> bool:
        return bool(self._keys)

    def caller(self, token: str, *, near: bool, anonymous: Label) -> Caller | None:
        """Who comes with this token ("": without one); None for a stranger. Where no key is configured, any token is anonymous."""
        if not self._keys or (near and not token):
            return Caller(near=near, label=anonymous if near else "local")
        asked, found = hash_of(token), None
        for name, known in self._hashes.items():
            if hmac.compare_digest(asked, known):
                found = name
        return None if found is None else self.named(found, near=near)

    def named(self, name: str, *, near: bool) -> Caller | None:
        """The owner of a key by name, None where policy names none such."""
        key = self._keys.get(name)
        if key is None:
            return None
        return Caller(
            name=name,
            label=key.label,
            root=key.root,
            near=near,
            at_once=key.at_once,
            dollars_per_day=key.dollars_per_day,
            dollars=key.dollars,
        )


def hash_of(secret: str) -> str:
    """A key's hash as policy holds it. Keys are long and random, so that it needs neither salt nor slowness."""
    return sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
