"""Writes GGUF models that say a given script through a real server, token by token, whatever the temperature.

Attention and feed-forward weights are zero, so the last token alone decides what comes next: its embedding is the code
of its successor, and the output row of each token is its own code. Every cue and every piece of the script is a token
(USER_DEFINED, matched in a prompt before anything else, the longest first), the last piece of a line leads to the end of
the turn, and a prompt that ends in anything else gets `UNPROMPTED`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import gguf
import numpy as np

from tests.real.script import Script
from tests.real.stand_in.header import ARRAY, BOOL, STRING, Field, read_header

UNPROMPTED = "(no line of the script follows this prompt)"

_WIDTH = 64  # of an embedding: codes of ±1 are then far enough apart for tens of thousands of tokens
_HEAD = 8  # of the one attention head, which does nothing: a long prompt costs its square times this
_GAIN = 4.0  # a token's own code scores 64 * 4, any other at most about 46 * 4: nothing is left to chance
_PREFIX = "tokenizer.ggml."
_NORMAL, _CONTROL, _USER_DEFINED = 1, 3, 4  # token types of the format


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Token texts as the format writes them, their types and scores (none for BPE), and all else under `tokenizer.ggml.`."""

    tokens: tuple[str, ...]
    types: tuple[int, ...]
    scores: tuple[float, ...]
    rest: Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class Model:
    """What the file holds besides the script.

    `ending` closes a turn; `control` are more control tokens; `hidden` are texts that a server of the new generation
    keeps to itself unless asked; `trained` is the longest window.
    """

    ending: str = "<|im_end|>"
    control: tuple[str, ...] = ("<|endoftext|>", "<|im_start|>")
    hidden: tuple[str, ...] = ()
    trained: int = 32768
    chat_template: str = ""
    vocabulary: Vocabulary = field(default_factory=lambda: bytes_vocabulary())


def bytes_vocabulary() -> Vocabulary:
    """Byte-level BPE with the 256 bytes and one merge that no text needs (a list of merges may not be empty)."""
    letters = _printable_bytes()
    rest = {
        "model": Field("gpt2", STRING),
        "pre": Field("qwen2", STRING),
        "add_bos_token": Field(False, BOOL),
        "merges": Field([f"{letters[0]} {letters[0]}"], ARRAY, STRING),
    }
    return Vocabulary((*letters, letters[0] * 2), (_NORMAL,) * 257, (), rest)


def read_vocabulary(path: Path) -> Vocabulary:
    """The vocabulary of any GGUF file."""
    header = read_header(path)
    found = {key.removeprefix(_PREFIX): entry for key, entry in header.items() if key.startswith(_PREFIX)}
    scores = found.pop("scores", Field([], ARRAY)).numbers()
    return Vocabulary(found.pop("tokens").texts(), found.pop("token_type").numbers(), scores, found)


def write_gguf(path: Path, script: Script, model: Model | None = None) -> Path:
    """Write the model that says `script` to `path`."""
    model = model or Model()
    table = _table(script, model)
    writer = gguf.GGUFWriter(path, "llama")
    _write_header(writer, model)
    _write_tokenizer(writer, model, table)
    _write_script(writer, model, table)
    _write_weights(writer, table)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@dataclass(frozen=True, slots=True)
class _Table:
    """The token table, and for every token of the script the one that follows it."""

    tokens: list[str]
    types: list[int]
    successor: dict[int, int]
    ending: int
    unprompted: int


def _table(script: Script, model: Model) -> _Table:
    """Tokens of the script are added longest first: Ollama's own engine looks for special tokens in the table's order."""
    kinds = dict.fromkeys((*model.control, model.ending), _CONTROL)
    said = [text for line, pieces in zip(script.lines, script.pieces, strict=True) for text in (*line.cues, *pieces)]
    kinds = dict.fromkeys([UNPROMPTED, *said], _USER_DEFINED) | kinds
    tokens, types = list(model.vocabulary.tokens), list(model.vocabulary.types)
    ids = {text: number for number, text in enumerate(tokens)}
    for text in sorted(kinds, key=lambda text: -len(text.encode())):
        number = ids.setdefault(text, len(tokens))
        if number == len(tokens):
            tokens.append(text)
            types.append(kinds[text])
        elif types[number] == _NORMAL:
            types[number] = kinds[text]
    return _Table(tokens, types, _successors(script, ids, model.ending), ids[model.ending], ids[UNPROMPTED])


def _successors(script: Script, ids: Mapping[str, int], ending: str) -> dict[int, int]:
    found = {ids[UNPROMPTED]: ids[ending]}
    for line, pieces in zip(script.lines, script.pieces, strict=True):
        chain = [*(ids[piece] for piece in pieces), ids[ending]]
        found.update(pairwise(chain))
        found.update((ids[cue], chain[0]) for cue in line.cues)
    return found


def _write_header(writer: gguf.GGUFWriter, model: Model) -> None:
    writer.add_context_length(model.trained)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(_WIDTH)
    writer.add_head_count(1)
    writer.add_head_count_kv(1)
    writer.add_key_length(_HEAD)
    writer.add_value_length(_HEAD)
    writer.add_rope_dimension_count(_HEAD)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1e6)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    if model.chat_template:
        writer.add_chat_template(model.chat_template)


def _write_tokenizer(writer: gguf.GGUFWriter, model: Model, table: _Table) -> None:
    scores = model.vocabulary.scores
    writer.add_token_list(table.tokens)
    writer.add_token_types(table.types)
    if scores:
        writer.add_token_scores([*scores, *[0.0] * (len(table.tokens) - len(scores))])
    for key, entry in model.vocabulary.rest.items():
        if key != "eos_token_id":
            kinds = [gguf.GGUFValueType(kind) for kind in (entry.kind, entry.entries) if kind is not None]
            writer.add_key_value(_PREFIX + key, entry.value, *kinds)
    writer.add_eos_token_id(table.ending)


def _write_script(writer: gguf.GGUFWriter, model: Model, table: _Table) -> None:
    """The same chain in plain numbers, for the stand-in that serves it in the new generation."""
    writer.add_array("saying.token", list(table.successor))
    writer.add_array("saying.successor", list(table.successor.values()))
    writer.add_uint32("saying.unprompted", table.unprompted)
    writer.add_array("saying.hidden", list(model.hidden))


def _write_weights(writer: gguf.GGUFWriter, table: _Table) -> None:
    count = len(table.tokens)
    codes = np.random.default_rng(20260101).choice(np.array([-1, 1], np.float16), (count, _WIDTH))
    successors = np.full(count, table.unprompted)
    successors[list(table.successor)] = list(table.successor.values())
    used = np.unique(successors)
    output = np.zeros((count, _WIDTH), np.float16)
    output[used] = codes[used] * np.float16(_GAIN)
    writer.add_tensor("token_embd.weight", codes[successors])
    writer.add_tensor("output.weight", output)
    writer.add_tensor("output_norm.weight", np.ones(_WIDTH, np.float32))
    for name in ("attn_norm", "ffn_norm"):
        writer.add_tensor(f"blk.0.{name}.weight", np.ones(_WIDTH, np.float32))
    for name in ("attn_q", "attn_k", "attn_v"):
        writer.add_tensor(f"blk.0.{name}.weight", np.zeros((_HEAD, _WIDTH), np.float32))
    writer.add_tensor("blk.0.attn_output.weight", np.zeros((_WIDTH, _HEAD), np.float32))
    for name in ("ffn_gate", "ffn_up", "ffn_down"):
        writer.add_tensor(f"blk.0.{name}.weight", np.zeros((_WIDTH, _WIDTH), np.float32))


def _printable_bytes() -> tuple[str, ...]:
    """GPT-2's printable character for each byte: itself where it has a picture, else the next one from U+0100 on."""
    shown = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    spare = iter(range(0x100, 0x200))
    return tuple(chr(byte if byte in shown else next(spare)) for byte in range(256))
