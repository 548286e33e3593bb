"""Special tokens: which texts are one token wherever they stand, and how a server finds them in a prompt.

Law: between two special tokens nothing merges, so the counts of the stretches between them add up to the whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, takewhile

from gateway.tokenizers.model_info import Tables, TokenType


def special_texts(read: Tables, *, promoted: frozenset[str], unknown: bool) -> Iterator[str]:
    """The texts by id. `promoted` are special whatever type the file gives them; `unknown`: so is the unknown token."""
    kinds = (TokenType.CONTROL, TokenType.USER_DEFINED, *((TokenType.UNKNOWN,) if unknown else ()))
    for token, kind in zip(read.tokens, read.types, strict=True):
        if token and (kind in kinds or token in promoted):
            yield token


class SpecialTokens:
    """Finds special tokens in text as llama.cpp does: each in turn, the longest first, in what the earlier ones left.

    `in_file_order` finds them by their ids instead, as the engine of old Ollama does.
    """

    def __init__(self, texts: Sequence[str], *, in_file_order: bool = False) -> None:
        # Python's sort is stable as std::sort is not: texts of one length that overlap are cut in an order of our own.
        self._texts = list(dict.fromkeys(texts if in_file_order else sorted(texts, key=_bytes, reverse=True)))
        # Where no two overlap, one search from left to right finds the same, and much faster.
        simple = not in_file_order and not _tangled(self._texts)
        self._pattern = _compiled(self._texts) if simple and self._texts else None

    def parts(self, text: str) -> list[str]:
        """Text and special tokens by turns: text at the even places (it may be empty), special tokens at the odd."""
        if self._pattern is not None:
            return self._pattern.split(text)
        parts = [text]
        for special in self._texts:
            if special in text:
                parts = list(_cut(parts, special))
        return parts

    def separates(self, special: str) -> bool:
        """Whether cutting a text at every place of this special token leaves all others as they are."""
        return not any(_overlap(special, other) for other in self._texts) and not _borders_itself(special)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _cut(parts: Sequence[str], special: str) -> Iterator[str]:
    for at, part in enumerate(parts):
        if at % 2:
            yield part
            continue
        first, *rest = part.split(special)
        yield first
        for piece in rest:
            yield special
            yield piece


def _compiled(texts: Sequence[str]) -> re.Pattern[str] | None:
    try:
        return re.compile(f"({_trie(sorted(texts))})")
    except RecursionError:  # hundreds of tokens, each the beginning of the next
        return None


def _trie(texts: Sequence[str]) -> str:
    """A pattern that matches the longest of these sorted texts that stands at a place."""
    alternatives: list[str] = []
    for _, group in groupby(texts, key=lambda text: text[:1]):
        words = list(group)
        shared = takewhile(lambda pair: pair[0] == pair[1], zip(words[0], words[-1], strict=False))
        prefix = "".join(letter for letter, _ in shared)
        ends = [word[len(prefix) :] for word in words]
        longer = [end for end in ends if end]
        tail = f"(?:{_trie(longer)})" + ("?" if "" in ends else "") if longer else ""
        alternatives.append(re.escape(prefix) + tail)
    return "|".join(alternatives)


def _tangled(texts: Iterable[str]) -> bool:
    """Whether the end of one can be the beginning of another, runs of one character aside (there the longest wins)."""
    uneven = [text for text in texts if len(set(text)) > 1]
    runs = {text[0] for text in texts if len(set(text)) == 1}
    heads = {text[:n] for text in uneven for n in range(1, len(text))}
    if any(text[n:] in heads for text in uneven for n in range(1, len(text)) if text[n:]):
        return True
    return any(text[0] in runs or text[-1] in runs for text in uneven)


def _overlap(one: str, other: str) -> bool:
    if one == other:
        return False
    meets = any(one[-n:] == other[:n] or other[-n:] == one[:n] for n in range(1, min(len(one), len(other))))
    return meets or one in other or other in one


def _borders_itself(text: str) -> bool:
    return any(text.endswith(text[:n]) for n in range(1, len(text)))
