"""Counts prompts that grow: what stands between two marks of a turn is counted once, so that a turn costs what is new in it."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from typing import TypeAlias

from gateway.tokenizers.vocabulary import Vocabulary

# Python's hash of a text is keyed anew in every process and 64 bits wide; with the length it stands for the text, which
# would take twenty times the room.
_Key: TypeAlias = tuple[int, int]


class PromptCounter:
    """The tokens of whole prompts, equal to `vocabulary.count`. May be used from several threads at once.

    A prompt is cut at one special token, the commonest of those that mark its turns; a vocabulary without such a token
    counts every prompt whole. `kept` segments are remembered, about 150 bytes each.
    """

    def __init__(self, vocabulary: Vocabulary, *, kept: int = 20_000) -> None:
        self.vocabulary = vocabulary
        self._kept = kept
        self._counts: OrderedDict[_Key, int] = OrderedDict()
        self._mark = ""
        self._lock = threading.Lock()

    def count(self, prompt: str) -> int:
        """Tokens of a rendered prompt, with what the server adds around it."""
        segments, keys = self._cut(prompt)
        known, missing = self._known(keys)
        if 2 * sum(len(segments[at]) for at in missing) > len(prompt) and self._mark_better(prompt, len(segments)):
            segments, keys = self._cut(prompt)
            known, missing = self._known(keys)
        fresh = {keys[at]: self.vocabulary.part(segments[at]) for at in missing}
        self._remember(fresh)
        inside = known + sum(fresh[keys[at]] for at in missing)
        return inside + len(segments) - 1 + self.vocabulary.added(prompt)

    def _cut(self, prompt: str) -> tuple[list[str], list[_Key]]:
        mark = self._mark
        segments = prompt.split(mark) if mark else [prompt]
        return segments, [(hash(segment), len(segment)) for segment in segments]

    def _known(self, keys: list[_Key]) -> tuple[int, list[int]]:
        """The sum of what is remembered, and the places of what is not."""
        total, missing = 0, list[int]()
        with self._lock:
            for at, key in enumerate(keys):
                count = self._counts.get(key)
                if count is None:
                    missing.append(at)
                else:
                    self._counts.move_to_end(key)
                    total += count
        return total, missing

    def _remember(self, fresh: dict[_Key, int]) -> None:
        with self._lock:
            self._counts.update(fresh)
            while len(self._counts) > self._kept:
                self._counts.popitem(last=False)

    def _mark_better(self, prompt: str, segments: int) -> bool:
        """Whether another mark, now taken, cuts this prompt much finer than the present one did."""
        specials = self.vocabulary.specials
        for mark, times in Counter(specials.parts(prompt)[1::2]).most_common():
            if times < 4 * segments:
                return False
            if specials.separates(mark):
                self._mark = mark
                return True
        return False
