"""Counts prompts that grow: what stands between two marks of a turn is counted once, so that a turn costs what is new in it."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from typing import NamedTuple, TypeAlias

from gateway.tokenizers.vocabulary import Vocabulary

# Python's hash of a text is keyed anew in every process and 64 bits wide; with the length it stands for the text, which
# would take twenty times the room.
_Key: TypeAlias = tuple[int, int]


class _Begun(NamedTuple):
    """The beginning of a prompt, up to and with a mark, and its tokens."""

    text: str
    tokens: int


_NOTHING = _Begun("", 0)
_UNDER_WAY = 4  # conversations at once whose beginnings are remembered as they are


class PromptCounter:
    """The tokens of whole prompts, equal to `vocabulary.count`. May be used from several threads at once.

    A prompt is cut at one special token, the commonest of those that mark its turns; a vocabulary without such a token
    counts every prompt whole. `kept` segments are remembered, about 150 bytes each, besides the last few prompts.
    """

    def __init__(self, vocabulary: Vocabulary, *, kept: int = 20_000) -> None:
        self.vocabulary = vocabulary
        self._kept = kept
        self._counts: OrderedDict[_Key, int] = OrderedDict()
        self._begun: tuple[_Begun, ...] = ()
        self._mark = ""
        self._lock = threading.Lock()

    def count(self, prompt: str) -> int:
        """Tokens of a rendered prompt, with what the server adds around it. Raises TooManyRuns."""
        begun = self._beginning(prompt)
        rest = prompt[len(begun.text) :]
        mark = self._mark if begun.text else self._best_mark(rest)
        segments = rest.split(mark) if mark else [rest]
        counts = self._count_each(segments)
        before = begun.tokens + sum(counts[:-1]) + len(segments) - 1
        if len(segments) > 1:
            self._remember(_Begun(prompt[: len(prompt) - len(segments[-1])], before), instead=begun)
        return before + counts[-1] + self.vocabulary.added(prompt)

    def known(self, prompt: str) -> int:
        """Characters that the prompt begins with and that are counted already."""
        return len(self._beginning(prompt).text)

    def _beginning(self, prompt: str) -> _Begun:
        return max((_NOTHING, *self._begun), key=lambda each: len(each.text) if prompt.startswith(each.text) else -1)

    def _best_mark(self, prompt: str) -> str:
        """The mark to cut a new prompt at: the present one, unless another would cut what is new in it much finer."""
        segments = prompt.split(self._mark) if self._mark else [prompt]
        fresh = sum(len(segment) for segment in segments if _key(segment) not in self._counts)
        if 2 * fresh > len(prompt):
            specials = self.vocabulary.specials
            found = Counter(specials.parts(prompt)[1::2]).most_common()
            finer = (mark for mark, times in found if times >= 4 * len(segments) and specials.separates(mark))
            self._mark = next(finer, self._mark)
        return self._mark

    def _count_each(self, segments: list[str]) -> list[int]:
        keys = [_key(segment) for segment in segments]
        with self._lock:
            known = {key: self._counts[key] for key in keys if key in self._counts}
            for key in known:
                self._counts.move_to_end(key)
        missing = {key: segment for key, segment in zip(keys, segments, strict=True) if key not in known}
        fresh: dict[_Key, int] = {}
        try:
            for key, segment in missing.items():
                fresh[key] = self.vocabulary.part(segment, surely=True)
        finally:  # what was counted stays, whatever came after it
            with self._lock:
                self._counts.update(fresh)
                while len(self._counts) > self._kept:
                    self._counts.popitem(last=False)
        known |= fresh
        return [known[key] for key in keys]

    def _remember(self, begun: _Begun, *, instead: _Begun) -> None:
        others = tuple(each for each in self._begun if each is not instead)
        self._begun = (begun, *others)[:_UNDER_WAY]


def _key(segment: str) -> _Key:
    return hash(segment), len(segment)
