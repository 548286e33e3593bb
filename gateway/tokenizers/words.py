"""Counting by bytes: text is cut into words, and each word's bytes merge by rank. tiktoken's engine does the merging."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from typing import Protocol

import regex  # type: ignore[import-untyped]

# Encoding, tiktoken's public class, keeps a second copy of the vocabulary (18 MB for 151,000 tokens, 0.14.0) and has no
# public way to merge one word; CoreBPE beneath it is all that is needed.
from tiktoken._tiktoken import CoreBPE  # type: ignore[import-not-found]

from gateway.tokenizers.recipe import Recipe
from gateway.tokenizers.runs import RunMerges

# `encode_ordinary` panics where `encode` raises; with no special token at all `encode` is half as fast as with one, so it
# gets one that is no character and never allowed.
_NO_SPECIAL = {"\U0010ffff": 1 << 24}
_NONE: Set[str] = frozenset()


class _Engine(Protocol):
    def encode(self, text: str, allowed_special: Set[str]) -> list[int]: ...
    def encode_single_piece(self, piece: bytes) -> list[int]: ...


class ByteWords:
    """Tokens of plain text, without special tokens, for a recipe of the family "bytes"."""

    def __init__(self, recipe: Recipe) -> None:
        ranks = {token.encode("latin-1"): rank for rank, token in enumerate(recipe.tokens)}
        self._runs = RunMerges(recipe.merges) if recipe.merges else None
        self._at_once = len(recipe.passes) == 1 and self._runs is None
        self._engine: _Engine = CoreBPE(ranks, _NO_SPECIAL, recipe.passes[0] if self._at_once else r"[\s\S]+")
        self._heard = len(ranks) - recipe.silent
        self._silent = recipe.silent > 0
        self._passes = tuple(regex.compile(f"({each})", regex.V1) for each in recipe.passes)

    def count(self, text: str) -> int:
        """Raises UnicodeEncodeError for lone surrogates, and TooManyRuns."""
        if self._at_once:
            try:
                return self._audible(self._engine.encode(text, _NONE))
            except UnicodeEncodeError:
                raise
            except ValueError:
                pass  # a million spaces: "Max stack size exceeded" (tiktoken 0.14.0), which the regex module does not know
        words = self._words(text)
        odd = self._runs.among(word for word in words if self._merged(word) > 1) if self._runs is not None else {}
        return sum(times * (odd.get(word) or self._merged(word)) for word, times in words.items())

    def _merged(self, word: str) -> int:
        return self._audible(self._engine.encode_single_piece(word.encode()))

    def _audible(self, tokens: Sequence[int]) -> int:
        return sum(token < self._heard for token in tokens) if self._silent else len(tokens)

    def _words(self, text: str) -> Counter[str]:
        """The words with how often each comes: a pass cuts every distinct piece once."""
        words = Counter((text,))
        for each in self._passes:
            pieces = Counter[str]()
            for word, times in words.items():
                for piece in each.split(word):  # matches and what is between them, which may be nothing
                    pieces[piece] += times
            del pieces[""]  # tiktoken panics at it
            words = pieces
        return words
