"""What Ollama does with a vocabulary before it counts: by generation and architecture, other rules than the model file's.

Sources: 0.33.3 llama/compat/llama-ollama-compat.cpp (it corrects the files that Ollama itself had published) and
llm/llama_server.go completionPrompt; 0.24.0 fs/ggml/ggml.go OllamaEngineRequired and model/models/*/model.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, TypeAlias

from gateway.tokenizers.model_info import Tables, TokenType
from gateway.tokenizers.patterns import CUTS, GO_CUTS, Cut

Generation: TypeAlias = Literal["old", "new"]


def generation_of(version: str) -> Generation:
    """Old is every Ollama before 0.30.0, which brought llama-server; a version that can't be read counts as new."""
    numbers = re.match(r"v?(\d+)\.(\d+)", version)
    return "old" if numbers and (0, 0) < (int(numbers[1]), int(numbers[2])) < (0, 30) else "new"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a server reads a vocabulary. `cut` is None where the characters are merged as they are, without words.

    `drops_bos`: it takes the text of the BOS off a prompt that starts with it, since it adds one itself (it does so for
    the BOS that a renderer wrote and for "<bos>"; a Go template that writes another one by hand gets two).
    `promoted` texts are special tokens to it whatever type the file gives them.
    `in_file_order`: it looks for special tokens by their ids, not the longest first, and not for the unknown token.
    `doubt` is the share by which a count may be off, with `why`; 0.0 is exact.
    """

    tables: Tables
    cut: Cut | None
    adds_bos: bool
    drops_bos: bool = False
    promoted: frozenset[str] = frozenset()
    in_file_order: bool = False
    space_prefix: bool = False
    doubt: float = 0.0
    why: str = ""


_UNKNOWN_CUT = 0.35  # whether digits are taken by ones or by threes makes a third of a log's tokens (measured)
_SLIGHT = 0.02


def rules(tables: Tables, generation: Generation) -> Rules:
    """The rules of this generation for this model."""
    if generation == "old" and (ours := _GO_ENGINE.get(tables.architecture)) is not None:
        return _go_rules(tables, ours)
    if generation == "old":
        return replace(_llama_cpp_rules(tables), drops_bos=False, promoted=_ENDS)
    found = _llama_cpp_rules(_corrected(tables))
    # Gemma 4 has </s> among its HTML tags.
    return replace(found, promoted=_NEW_ENDS - {"</s>"} if "<|tool_response>" in tables.tokens else _NEW_ENDS)


# What ends a turn, by its text, and harmony's marks: llama.cpp, src/llama-vocab.cpp, special_eog_ids, as 0.24.0 has it.
_ENDS_OF_TURN = "<|eot_id|> <|im_end|> <|end|> <|return|> <|call|> <end_of_turn> <|endoftext|> <|eom_id|> <EOT> _<EOT>"
_ENDS = frozenset(
    f"{_ENDS_OF_TURN} <|end_of_text|> <end_of_utterance> <|channel|> <|message|> <|start|> <|constrain|>".split()
)
_LATER_ENDS = "<|flush|> <|calls|> </s> [EOT] [EOS] <eos> <turn|> <|tool_response> <｜end▁of▁sentence｜> [e~["
_NEW_ENDS = _ENDS | frozenset(_LATER_ENDS.split())


def _llama_cpp_rules(tables: Tables) -> Rules:
    if tables.model == "llama":
        return _sentence_rules(tables)
    if "gemma4" in (tables.model, tables.pre):
        return Rules(tables=tables, cut=None, adds_bos=True, drops_bos=True)  # whatever the file says
    cut = CUTS.get(tables.pre or "default")
    found = cut or CUTS["default"]
    return Rules(
        tables=tables,
        cut=found,
        adds_bos=found.adds_bos if tables.add_bos is None else tables.add_bos,
        drops_bos=tables.add_bos is True or tables.pre == "lfm2",
        doubt=0.0 if cut else _UNKNOWN_CUT,
        why="" if cut else f"how the pre-tokenizer {tables.pre!r} cuts words is not known here",
    )


def _sentence_rules(tables: Tables) -> Rules:
    # llama.cpp drops white space after special tokens where general.name says Phi-3, and /api/show hides that name.
    phi3 = tables.architecture == "phi3"
    return Rules(
        tables=tables,
        cut=None,
        adds_bos=tables.add_bos is not False,
        drops_bos=tables.add_bos is True,
        space_prefix=tables.space_prefix is not False,
        doubt=_SLIGHT if phi3 else 0.0,
        why="for Phi-3 the server may skip white space after special tokens" if phi3 else "",
    )


def _corrected(tables: Tables) -> Tables:
    """The tables as new Ollama patches them: files that it published earlier name the wrong pre-tokenizer, or none."""
    match tables.architecture:
        case "gemma4" if tables.model == "llama" and tables.merges:
            return replace(tables, model="gemma4")
        case "gemma3n":
            return replace(tables, model="llama", types=[_gemma3n_type(*pair) for pair in _pairs(tables)])
        case architecture if architecture in _ALWAYS:
            return replace(tables, pre=_ALWAYS[architecture])
        case architecture if tables.pre in ("", "default") and architecture in _WHERE_MISSING:
            return replace(tables, pre=_WHERE_MISSING[architecture])
        case "llama" if tables.pre in ("", "default") and _is_llama3(tables):
            return replace(tables, pre="llama-bpe")
        case _:
            return tables


_ALWAYS = MappingProxyType({"gptoss": "gpt-4o", "glm4moelite": "glm4", "glmocr": "chatglm-bpe"})
_WHERE_MISSING = MappingProxyType({"lfm2": "lfm2", "mistral3": "tekken"})


def _pairs(tables: Tables) -> list[tuple[str, int]]:
    return list(zip(tables.tokens, tables.types, strict=True))


def _gemma3n_type(token: str, kind: int) -> int:
    if re.fullmatch(r"<0x..>", token):
        return TokenType.BYTE
    return TokenType.NORMAL if token.startswith("<unused") else kind


def _is_llama3(tables: Tables) -> bool:
    return len(tables.tokens) > 128009 and tables.tokens[128009] == "<|eot_id|>"


@dataclass(frozen=True, slots=True)
class _Go:
    """An architecture in the engine of old Ollama: its cut by name, and what it does where `add_bos_token` is missing."""

    cut: str = "plain"
    adds_bos: bool = False
    only: str = ""  # it takes this pre-tokenizer alone, and leaves other files to llama.cpp


def _go_rules(tables: Tables, ours: _Go) -> Rules:
    if ours.only and tables.pre != ours.only:
        return replace(_llama_cpp_rules(tables), drops_bos=False, promoted=_ENDS)
    gemma4 = tables.architecture == "gemma4"
    plain = tables.architecture in ("lfm2", "lfm2moe") and tables.pre == "default"
    return Rules(
        tables=replace(tables, model="gemma4") if gemma4 else tables,
        cut=None if gemma4 or tables.model == "llama" else GO_CUTS["plain" if plain else ours.cut],
        adds_bos=ours.adds_bos if tables.add_bos is None else tables.add_bos,
        in_file_order=True,
        doubt=_SLIGHT if gemma4 else 0.0,
        why="old Ollama merges Gemma 4 across lines" if gemma4 else "",
    )


_GO_ROWS: tuple[tuple[str, _Go], ...] = (
    ("qwen3 qwen3moe", _Go("qwen2", adds_bos=True)),
    ("qwen25vl qwen3vl qwen3vlmoe qwen3next qwen35 qwen35moe", _Go("qwen2")),
    ("nemotron_h nemotron_h_moe nemotron_h_omni", _Go("qwen2")),
    ("mllama", _Go("llama3", adds_bos=True)),
    ("olmo3 glmocr", _Go("llama3")),
    ("glm4moelite", _Go("llama3", only="glm4")),
    ("lfm2 lfm2moe", _Go("llama3", adds_bos=True)),
    ("gptoss gpt-oss", _Go("gpt-4o")),
    ("llama4", _Go("gpt-4o", adds_bos=True)),
    ("mistral3", _Go("tekken", adds_bos=True)),
    ("deepseek2", _Go("deepseek-v3", adds_bos=True, only="deepseek-v3")),
    ("deepseekocr", _Go("deepseek-v3", adds_bos=True)),
    ("laguna", _Go("laguna", adds_bos=True, only="laguna")),
    ("gemma3 gemma3n", _Go(adds_bos=True)),
    ("gemma4", _Go()),
)
_GO_ENGINE: Mapping[str, _Go] = MappingProxyType({name: row for names, row in _GO_ROWS for name in names.split()})
