"""The vocabulary of a served model: how many tokens a prompt is, as the server that reads it will count them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil

from gateway.tokenizers.estimate import estimated
from gateway.tokenizers.model_info import Unsupported
from gateway.tokenizers.recipe import Recipe, recipe
from gateway.tokenizers.runs import TooManyRuns
from gateway.tokenizers.sentences import SentenceWords
from gateway.tokenizers.servers import Generation
from gateway.tokenizers.specials import SpecialTokens
from gateway.tokenizers.words import ByteWords


class Vocabulary:
    """Counts any text in bounded time; raises nothing unless told to. May be used from several threads at once."""

    def __init__(self, made: Recipe) -> None:
        self._rules = replace(
            made, tokens=(), scores=(), merges=()
        )  # the engine has them: 10 MB less for 150,000 tokens
        self._plain = ByteWords(made) if made.family == "bytes" else SentenceWords(made)
        self.specials = SpecialTokens(made.specials, in_file_order=made.in_file_order)

    @property
    def exact(self) -> bool:
        """Whether the server must come to the same count; if not, `why` tells the reason."""
        return not self._rules.doubt

    @property
    def why(self) -> str:
        return self._rules.why

    def margin(self, tokens: int) -> int:
        """By how many tokens a count of so many may be short; 0 where it is exact."""
        return ceil(tokens * self._rules.doubt)

    def count(self, prompt: str) -> int:
        """Tokens of a rendered prompt, with what the server adds around it."""
        return self.part(prompt) + self.added(prompt)

    def part(self, text: str, *, surely: bool = False) -> int:
        """Tokens of a stretch of a prompt between two special tokens, or with whole special tokens in it.

        `surely`: raises TooManyRuns where else it would estimate.
        """
        parts = self.specials.parts(text)
        return len(parts) // 2 + sum(self.plain(stretch, surely=surely) for stretch in parts[::2] if stretch)

    def plain(self, stretch: str, *, surely: bool = False) -> int:
        """Tokens of a stretch that holds no special token."""
        try:
            return self._counted(stretch)
        except TooManyRuns:
            if surely:
                raise
            return estimated(stretch)

    def _counted(self, stretch: str) -> int:
        try:
            return self._plain.count(stretch)
        except UnicodeEncodeError:  # Go and llama.cpp put U+FFFD in place of a lone surrogate
            return self._plain.count(stretch.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))

    def added(self, prompt: str) -> int:
        """Tokens that the server puts before and after this prompt: its BOS and its EOS, where the model wants them."""
        how = self._rules
        has_bos = how.drops_bos and bool(how.bos) and prompt.startswith(how.bos)
        return int(how.adds_bos and not has_bos) + int(how.adds_eos)


def vocabulary(model_info: Mapping[str, object], *, generation: Generation = "new") -> Vocabulary | Unsupported:
    """From `model_info` of a verbose `/api/show`. Takes seconds for a large vocabulary: not for the event loop."""
    made = recipe(model_info, generation=generation)
    return made if isinstance(made, Unsupported) else built(made)


def built(made: Recipe) -> Vocabulary | Unsupported:
    """From a recipe: a tenth of a second for a large vocabulary."""
    try:
        return Vocabulary(made)
    except (ValueError, RuntimeError) as failure:  # what tiktoken and sentencepiece raise for data they can't take
        return Unsupported(f"the vocabulary could not be loaded: {failure}")
