"""Text to token ids, as one engine reads it with one vocabulary. What has been read once is remembered, up to a bound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from gateway.testing.models.engines import Engine
from gateway.testing.models.merging import Pairs, merged

_STRETCHES = 256  # texts between special tokens that are remembered,
_LONGEST = 100_000  # if they have no more characters than this,
_WORDS = 50_000  # and words


class Reader:
    """`tokens` are those of bytes to their ids, `special` those of text; ids below 256 are single bytes."""

    def __init__(
        self, engine: Engine, tokens: Mapping[bytes, int], *, pairs: Pairs, special: Mapping[str, int]
    ) -> None:
        self._engine = engine
        self._tokens = tokens
        self._pairs = pairs
        longest_first = sorted(special, key=lambda text: len(text.encode()), reverse=True)
        self._special = {text: special[text] for text in (special if engine.by_number else longest_first)}
        self._words: dict[str, list[int]] = {}
        self._known = lru_cache(maxsize=_STRETCHES)(self._read)

    def read(self, text: str) -> list[int]:
        """Token ids; special tokens in the text are read as such. Lone surrogates are U+FFFD, as Go reads them in JSON."""
        sound = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        tokens: list[int] = []
        for part in self._parts(sound):
            if isinstance(part, int):
                tokens.append(part)
            else:
                tokens += self._known(part) if len(part) <= _LONGEST else self._read(part)
        return tokens

    def _parts(self, text: str) -> list[str | int]:
        """The text, cut at its special tokens: each is looked for in what the earlier ones have left."""
        parts: list[str | int] = [text]
        for special in self._special:
            if special in text:
                parts = [piece for part in parts for piece in self._around(part, special)]
        return parts

    def _around(self, part: str | int, special: str) -> Iterator[str | int]:
        if isinstance(part, int):
            yield part
            return
        first, *others = part.split(special)
        yield first
        for other in others:
            yield self._special[special]
            yield other

    def _read(self, stretch: str) -> list[int]:
        tokens: list[int] = []
        for word in self._engine.cut.findall(stretch):
            found = self._words.get(word)
            tokens += self._learn(word) if found is None else found
        return tokens

    def _learn(self, word: str) -> list[int]:
        data = word.encode()
        whole = self._tokens.get(data) if self._engine.whole_words else None
        if len(self._words) >= _WORDS:
            self._words.clear()
        self._words[word] = [whole] if whole is not None else merged(data, self._pairs, self._engine.waiting())
        return self._words[word]
