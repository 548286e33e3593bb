"""A saying model read back from its GGUF header: the stand-in's tokeniser and its next-token rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.real.stand_in.header import read_header

_SPECIAL = {3, 4}  # CONTROL and USER_DEFINED: matched in a prompt before anything else


@dataclass(frozen=True, slots=True)
class Spoken:
    """Token texts, which of them are special (longest first), what follows each, and the texts that are not printed."""

    tokens: tuple[str, ...]
    special: tuple[int, ...]
    successor: dict[int, int]
    unprompted: int
    ending: int
    hidden: tuple[str, ...]

    def tokenise(self, text: str) -> list[int]:
        """Special tokens are cut out of the text, the longest first, as llama.cpp does; each byte of the rest is a token."""
        parts: list[str | int] = [text]
        for token in self.special:
            if self.tokens[token] in text:
                parts = [piece for part in parts for piece in self._cut(part, token)]
        return [number for part in parts for number in ([part] if isinstance(part, int) else part.encode())]

    def say(self, prompt: list[int]) -> Iterator[int]:
        """The tokens that follow the prompt, without the one that ends the turn."""
        token = prompt[-1] if prompt else self.unprompted
        while (token := self.successor.get(token, self.unprompted)) != self.ending:
            yield token

    def print(self, token: int, preserved: tuple[str, ...] = ()) -> str:
        """The text of a token of the script, less the hidden markers that the request does not ask to preserve."""
        text = self.tokens[token]
        for marker in self.hidden:
            text = text if marker in preserved else text.replace(marker, "")
        return text

    def spell(self, tokens: list[int]) -> str:
        """The text of any tokens: the inverse of `tokenise`."""
        runs = [bytes([token]) if token < 256 else self.tokens[token].encode() for token in tokens]
        return b"".join(runs).decode(errors="replace")

    def _cut(self, part: str | int, token: int) -> Iterator[str | int]:
        if isinstance(part, int):
            yield part
            return
        first, *others = part.split(self.tokens[token])
        yield first
        for other in others:
            yield token
            yield other


def read_spoken(path: Path) -> Spoken:
    """The model in the file; only models over the vocabulary of the 256 bytes can be played."""
    header = read_header(path)
    tokens = header["tokenizer.ggml.tokens"].texts()
    kinds = header["tokenizer.ggml.token_type"].numbers()
    special = [number for number, kind in enumerate(kinds) if kind in _SPECIAL]
    special.sort(key=lambda number: -len(tokens[number].encode()))
    chain = zip(header["saying.token"].numbers(), header["saying.successor"].numbers(), strict=True)
    return Spoken(
        tokens=tokens,
        special=tuple(special),
        successor=dict(chain),
        unprompted=header["saying.unprompted"].number(),
        ending=header["tokenizer.ggml.eos_token_id"].number(),
        hidden=header["saying.hidden"].texts() if "saying.hidden" in header else (),
    )
