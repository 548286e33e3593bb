"""The simulated models' vocabulary: a small byte-level BPE, trained on this project's own text, served whole by `/api/show`.

Law: the ids, the merges and the order of the tokens are those of the data file; special tokens come behind them.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from types import MappingProxyType

from gateway.testing.models.engines import LLAMA_CPP, Engine
from gateway.testing.models.reading import Reader

DATA = "vocabulary.json.gz"
PRE = "qwen2"  # the pre-tokenizer that most of them name
NORMAL, CONTROL, USER_DEFINED = 1, 3, 4  # token types of the GGUF format


def _alphabet() -> Mapping[int, str]:
    """Each byte as the printable character that byte-level BPE writes it with (GPT-2's table)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    table = {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(others)}
    return MappingProxyType({byte: table[byte] for byte in range(256)})


ALPHABET = _alphabet()
_BYTES = MappingProxyType({character: byte for byte, character in ALPHABET.items()})


def spelled(data: bytes) -> str:
    """Bytes in the printable alphabet."""
    return "".join(ALPHABET[byte] for byte in data)


def unspelled(text: str) -> bytes:
    return bytes(_BYTES[character] for character in text)


class Vocabulary:
    """Merges, and the special tokens of one family of models. `control` tokens are hidden in raw output, `user_defined` are not."""

    def __init__(
        self, merges: Sequence[str], *, control: Sequence[str] = (), user_defined: Sequence[str] = (), pre: str = PRE
    ) -> None:
        self.merges = tuple(merges)
        self.control = tuple(control)
        self.user_defined = tuple(user_defined)
        self.pre = pre
        self._tokens = [bytes([byte]) for byte in range(256)]
        self._tokens += [unspelled(merge.replace(" ", "")) for merge in self.merges]
        self._special = {token: len(self._tokens) + n for n, token in enumerate(self.control + self.user_defined)}
        self._written = [*self._tokens, *(token.encode() for token in self._special)]
        self._hidden = frozenset(self._special[token] for token in self.control)
        self._readers: dict[Engine, Reader] = {}

    def encode(self, text: str, engine: Engine | None = None) -> list[int]:
        """Token ids as this engine reads them, and where none is named as the model itself writes them: in llama.cpp's way."""
        engine = engine or LLAMA_CPP[self.pre]
        if engine not in self._readers:
            self._readers[engine] = self._reader(engine)
        return self._readers[engine].read(text)

    def _reader(self, engine: Engine) -> Reader:
        numbers = {token: number for number, token in enumerate(self._tokens)}
        halves = ([unspelled(half) for half in merge.split(" ")] for merge in self.merges)
        pairs = {(numbers[left], numbers[right]): 256 + rank for rank, (left, right) in enumerate(halves)}
        return Reader(engine, numbers, pairs=pairs, special=self._special)

    def count(self, text: str) -> int:
        return len(self.encode(text))

    def bytes_of(self, token: int) -> bytes:
        return self._written[token]

    def decode(self, tokens: Sequence[int]) -> str:
        return b"".join(map(self.bytes_of, tokens)).decode("utf-8", "replace")

    def is_control(self, token: int) -> bool:
        return token in self._hidden

    def keys(self, *, whole: bool) -> dict[str, object]:
        """The `tokenizer.ggml.*` keys as `/api/show` gives them: the big arrays are null unless the whole is asked for."""
        types = [NORMAL] * len(self._tokens) + [CONTROL] * len(self.control) + [USER_DEFINED] * len(self.user_defined)
        tokens = [*map(spelled, self._tokens), *self._special]
        end = self._special[self.control[0]] if self.control else 0
        return {
            "tokenizer.ggml.add_bos_token": False,
            "tokenizer.ggml.bos_token_id": end,
            "tokenizer.ggml.eos_token_id": end,
            "tokenizer.ggml.merges": list(self.merges) if whole else None,
            "tokenizer.ggml.model": "gpt2",
            "tokenizer.ggml.pre": self.pre,
            "tokenizer.ggml.token_type": types if whole else None,
            "tokenizer.ggml.tokens": tokens if whole else None,
        }


@lru_cache(maxsize=32)
def vocabulary(control: tuple[str, ...] = (), user_defined: tuple[str, ...] = (), pre: str = PRE) -> Vocabulary:
    """The trained vocabulary with these special tokens."""
    return Vocabulary(_merges(), control=control, user_defined=user_defined, pre=pre)


@lru_cache(maxsize=1)
def _merges() -> tuple[str, ...]:
    packed = resources.files(__package__).joinpath(DATA).read_bytes()
    return tuple(json.loads(gzip.decompress(packed))["merges"])
