"""What the operator should know and that still holds, by what it is about: `/readyz` shows it until it has passed."""

from __future__ import annotations

from dataclasses import dataclass, field

_MOST = 32


@dataclass(slots=True)
class Notices:
    """At most one notice about each thing; the oldest gives way."""

    _told: dict[str, str] = field(default_factory=dict)

    def tell(self, about: str, words: str) -> bool:
        """Keep it; whether it is news."""
        if self._told.get(about) == words:
            return False
        self._told.pop(about, None)
        self._told[about] = words
        while len(self._told) > _MOST:
            del self._told[next(iter(self._told))]
        return True

    def clear(self, about: str) -> None:
        self._told.pop(about, None)

    def all(self) -> list[str]:
        return list(self._told.values())
