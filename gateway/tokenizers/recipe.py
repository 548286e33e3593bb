"""A vocabulary boiled down to what counting needs: plain data, made once for a model, kept on disk, built from in a moment."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, TypeAlias

from gateway.tokenizers.merges import is_two, pairs_of, reachable
from gateway.tokenizers.model_info import Tables, TokenType, Unsupported, tables
from gateway.tokenizers.patterns import Cut
from gateway.tokenizers.runs import BETWEEN
from gateway.tokenizers.servers import Generation, Rules, rules
from gateway.tokenizers.specials import special_texts

Family: TypeAlias = Literal["bytes", "characters"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to count for one model on one generation of server.

    `tokens` of the family "bytes" stand in merge order, each byte as the character of that number; the last `silent` of
    them are bytes that the vocabulary lacks, which the server skips. Those of "characters" have a score each (higher
    merges first) and ▁ for space. `passes` cut words (patterns.py); `by_line` cuts lines apart, and then `newlines` tells
    which runs of newlines are one token. `merges` are there where the order among equal ones matters (runs.py).
    """

    family: Family
    tokens: tuple[str, ...]
    specials: tuple[str, ...]
    scores: tuple[float, ...] = ()
    passes: tuple[str, ...] = ()
    silent: int = 0
    merges: tuple[str, ...] = ()
    by_line: bool = False
    newlines: tuple[int, ...] = ()
    space_prefix: bool = False
    in_file_order: bool = False
    bos: str = ""
    adds_bos: bool = False
    drops_bos: bool = False
    adds_eos: bool = False
    doubt: float = 0.0
    why: str = ""


def recipe(model_info: Mapping[str, object], *, generation: Generation = "new") -> Recipe | Unsupported:
    """From `model_info` of a verbose `/api/show`. Takes a second or two for a large vocabulary; raises nothing."""
    read = tables(model_info)
    if isinstance(read, Unsupported):
        return read
    how = rules(read, generation)
    match how.tables.model:
        case "gpt2" | "gemma4" if how.cut is None:
            return _of_characters(how)
        case "gpt2" if how.cut is not None:
            return _of_bytes(how, how.cut)
        case "llama":
            return _of_sentences(how)
        case other:
            return Unsupported(f"vocabularies of the kind {other!r} are not counted here")


def _alphabet() -> dict[int, int]:
    """Code point -> byte: printable bytes stand for themselves, the other 68 for U+0100 and on (GPT-2's alphabet)."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    odd = [byte for byte in range(256) if byte not in plain]
    return {**{byte: byte for byte in plain}, **{0x100 + at: byte for at, byte in enumerate(odd)}}


_ALPHABET = MappingProxyType(_alphabet())
_NEVER_IN_UTF8 = frozenset((0xC0, 0xC1, *range(0xF5, 0x100)))


def _of_bytes(how: Rules, cut: Cut) -> Recipe | Unsupported:
    known = set(how.tables.tokens)
    ranks = pairs_of(how.tables.merges)
    reached = reachable(ranks)
    made = [token for token in reached if token in known]
    if not all(_is_bytes(token) for token in made):
        return Unsupported("its merges hold characters that stand for no byte")
    whole = _only_whole(how.tables, reached) if cut.whole_words else []
    silent = [
        chr(byte) for letter, byte in _ALPHABET.items() if chr(letter) not in known and byte not in _NEVER_IN_UTF8
    ]
    lone = [chr(byte) for byte in range(256) if chr(byte) not in silent]
    frame = _frame(how)
    if len(made) < len(reached) or any(is_two(token, ranks) for token in whole):
        frame = _doubted(frame, "its list of merges and its list of tokens do not agree")
    tokens = (*lone, *map(_in_bytes, made), *map(_in_bytes, whole), *silent)
    pairs = (BETWEEN.join(map(_in_bytes, pair)) for pair in ranks if "".join(pair) in known) if cut.any_order else ()
    return replace(frame, tokens=tokens, silent=len(silent), passes=cut.passes, merges=tuple(pairs))


def _is_bytes(token: str) -> bool:
    return all(ord(letter) in _ALPHABET for letter in token)


def _in_bytes(token: str) -> str:
    return token.translate(_ALPHABET)


def _only_whole(read: Tables, reached: Container[str]) -> list[str]:
    """Tokens that no merge makes: a server that looks whole words up first still finds them."""
    normal = (token for token, kind in zip(read.tokens, read.types, strict=True) if kind == TokenType.NORMAL)
    return [token for token in dict.fromkeys(normal) if len(token) > 1 and token not in reached and _is_bytes(token)]


def _of_characters(how: Rules) -> Recipe:
    """Gemma 4: merges by pair over characters, lines cut apart, bytes for what has no token."""
    known = dict.fromkeys(how.tables.tokens)
    reached = reachable(pairs_of(how.tables.merges))
    made = {token: rank for token, rank in reached.items() if token in known}
    letters = [token for token in known if len(token) == 1]
    frame = _frame(how)
    if len(made) < len(reached):
        frame = _doubted(frame, "some of its merges make no token")
    return replace(
        frame,
        family="characters",
        tokens=(*letters, *made),
        scores=(*(0.0 for _ in letters), *(-float(rank) for rank in made.values())),
        by_line=True,
        newlines=tuple(len(token) for token in known if token and not token.strip("\n")),
    )


def _of_sentences(how: Rules) -> Recipe | Unsupported:
    """SentencePiece: the better score merges first, whichever pair it comes from."""
    read = how.tables
    if not read.scores:
        return Unsupported("the server gives no scores for this SentencePiece vocabulary")
    plain = (TokenType.NORMAL, TokenType.USER_DEFINED, TokenType.UNUSED)
    scored = {t: s for t, kind, s in zip(read.tokens, read.types, read.scores, strict=True) if kind in plain and t}
    return replace(
        _frame(how),
        family="characters",
        tokens=tuple(scored),
        scores=tuple(scored.values()),
        space_prefix=how.space_prefix,
    )


def _frame(how: Rules) -> Recipe:
    read = how.tables
    return Recipe(
        family="bytes",
        tokens=(),
        specials=tuple(special_texts(read, promoted=how.promoted, unknown=not how.in_file_order)),
        in_file_order=how.in_file_order,
        bos=read.bos,
        adds_bos=how.adds_bos,
        drops_bos=how.drops_bos,
        adds_eos=read.add_eos is True,
        doubt=how.doubt,
        why=how.why,
    )


def _doubted(frame: Recipe, why: str) -> Recipe:
    return replace(frame, doubt=max(frame.doubt, _SLIGHT), why=frame.why or why)


_SLIGHT = 0.02
