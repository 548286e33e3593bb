"""How text is cut into words before the merges run: the name in `tokenizer.ggml.pre` -> patterns that equal llama.cpp's.

Law: a pattern alone in its row matches every character, for tiktoken drops in silence what its pattern does not match.
Where llama.cpp cuts in several passes and the row has one pattern, the passes are folded into it: then a look-ahead for
"not white space" must also stop at whatever an earlier pass has cut away.

Source: the case lists of llama.cpp, src/llama-vocab.cpp and src/unicode.cpp, as bundled by llama-cpp-python 0.3.36;
each row was compared with that tokenizer on generated text in many scripts, and ten rows on every code point: they part
only at characters that Unicode 16 added, whose classes llama.cpp does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Cut:
    """The passes over a text. `whole_words`: a word that is a token is that token, whatever the merges would make of it.

    `adds_bos` is what llama.cpp does where the GGUF has no `add_bos_token`. `any_order`: equal merges are not made from
    left to right (runs.py).
    """

    passes: tuple[str, ...]
    whole_words: bool = False
    adds_bos: bool = False
    any_order: bool = False


# llama.cpp spells both cases out, so that the long s of Unicode (U+017F) is no contraction, as it would be under (?i).
_SHORT = r"'(?:[sStTmMdD]|[rR][eE]|[vV][eE]|[lL][lL])"
_WORD = r"[^\r\n\p{L}\p{N}]?\p{L}+"
_SIGNS = r" ?[^\s\p{L}\p{N}]+[\r\n]*"
_SPACE = r"\s*[\r\n]+|\s+(?!\S)|\s+"
_TAIL = rf"{_SIGNS}|{_SPACE}"

_DIGITS_1 = r"\p{N}"
_DIGITS_3 = r"\p{N}{1,3}"

_LLAMA3 = "|".join((_SHORT, _WORD, _DIGITS_3, _TAIL))
_QWEN2 = "|".join((_SHORT, _WORD, _DIGITS_1, _TAIL))
_QWEN35 = "|".join((_SHORT, r"[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+", _DIGITS_1, r" ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*", _SPACE))
_NO_SHORT = "|".join((_WORD, _DIGITS_1, _TAIL))
_SEED = "|".join((_SHORT, _WORD, _DIGITS_1, r" ?[^\s\p{L}\p{N}]+", _SPACE))
_BAILING = "|".join((_SHORT, _WORD, _DIGITS_1, _SIGNS, r"\s*[\r\n]|\s+(?!\S)|\s+"))
_MINICPM5 = "|".join((_DIGITS_3, _SHORT, _WORD, _SIGNS, r"\s*[\r\n]+|\s+(?![^\s\p{N}])|\s+"))
_EXAONE_MOE = "|".join(
    (
        _SHORT,
        r"[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+",
        _DIGITS_1,
        r" ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+",
    )
)
_JAIS2_SPACE = "|".join([r"\s*[\r\n]+", *(rf"\s{{{n}}}(?!\S)" for n in (512, 256, 128, 64, 32, 16, 8, 4))])
_JAIS2 = "|".join((_SHORT, _WORD, _DIGITS_3, _SIGNS, _JAIS2_SPACE, r"\s{1,2}(?!\S)|\s"))

_LOW_SHORT = r"'(?:[stmd]|re|ve|ll)"
_GPT2 = rf"{_LOW_SHORT}| ?\p{{L}}+| ?\p{{N}}+| ?[^\s\p{{L}}\p{{N}}]+|\s+(?!\S)|\s+"
_STARCODER = rf"\p{{N}}|{_LOW_SHORT}| ?\p{{L}}+| ?[^\s\p{{L}}\p{{N}}]+|\s+(?![^\s\p{{N}}])|\s+"

# llama.cpp has no classes for case beyond ASCII: every other letter counts as upper and as lower.
_UPPER = r"[\p{L}&&[^a-z]]"
_LOWER = r"[\p{L}&&[^A-Z]]"
_SLASHED = rf" ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{_SPACE}"
_CASED_TWICE = rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+%s|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*%s"
_TEKKEN = "|".join((_CASED_TWICE % ("", ""), _DIGITS_1, _SLASHED))
_GPT4O = "|".join((_CASED_TWICE % (f"(?:{_SHORT})?", f"(?:{_SHORT})?"), _DIGITS_3, _SLASHED))
_MARKED = rf"[^\r\n\p{{L}}\p{{N}}]?[\p{{L}}\p{{M}}]+(?:{_SHORT})?"

_HAN = (
    r"\u4E00-\u9FFF\u3400-\u4DBF\U00020000-\U0002A6DF\U0002A700-\U0002B73F\U0002B740-\U0002B81F"
    r"\U0002B820-\U0002CEAF\U0002CEB0-\U0002EBEF\uF900-\uFAFF\U0002F800-\U0002FA1F"
)
_KIMI = "|".join((rf"[{_HAN}]+", rf"[^\r\n\p{{L}}\p{{N}}]?[\p{{L}}&&[^{_HAN}]]+(?:{_SHORT})?", _DIGITS_3, _TAIL))

_CJK = r"\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF"
_ASCII_SIGN = r"[!-/:-@\[-`{-~]"
_DEEPSEEK_WORD = rf"{_ASCII_SIGN}[A-Za-z]+|[^\r\n\p{{L}}\p{{P}}\p{{S}}]?[\p{{L}}\p{{M}}]+"
_DEEPSEEK_MAIN = rf"{_DEEPSEEK_WORD}| ?[\p{{P}}\p{{S}}]+[\r\n]*|{_SPACE}"
_SPARK_MAIN = rf"{_DEEPSEEK_WORD}| ?[\p{{P}}\p{{S}}]+|[\r\n]|\s+(?!\S)|\s+"
_DEEPSEEK_V3 = "|".join(
    (
        _DIGITS_3,
        rf"[{_CJK}]+",
        rf"{_ASCII_SIGN}[A-Za-z]+",
        rf"[^\r\n\p{{L}}\p{{P}}\p{{S}}]?[\p{{L}}\p{{M}}&&[^{_CJK}]]+",
        rf" ?[\p{{P}}\p{{S}}&&[^{_CJK}]]+[\r\n]*",
        rf"\s*[\r\n]+|\s+(?![^\s\p{{N}}{_CJK}])|\s+",
        # what no pass matches stays together, up to a character that leads a word
        rf"[^\s\p{{N}}\p{{L}}\p{{M}}\p{{P}}\p{{S}}{_CJK}]+(?![\p{{L}}\p{{M}}&&[^{_CJK}]])",
    )
)

# Five passes in llama.cpp. White space goes with the letter or sign after it, but not with one of these scripts.
_EAST = r"\u0800-\u9FA5\uAC00-\uD7FF"
_BLANK = r"[^\S\r\n]"
_LEFT_OVER = r"[^\r\n\p{L}\p{P}\p{N}]"
_DEEPSEEK_CODER = "|".join(
    (
        r"[\r\n]|\p{N}",
        rf"{_BLANK}?[\p{{L}}&&[^{_EAST}]]+|{_BLANK}?[\p{{P}}&&[^{_EAST}]]+",
        rf"[\p{{L}}&&[{_EAST}]]+|[\p{{P}}&&[{_EAST}]]+",
        rf"{_BLANK}(?=[\p{{L}}\p{{P}}])",
        rf"(?:(?!{_BLANK}[\p{{L}}\p{{P}}])[{_LEFT_OVER}&&[\s[^{_EAST}]]])+",
        rf"[{_LEFT_OVER}&&[^\s]&&[{_EAST}]]+",
    )
)
_LAGUNA = "|".join((_SHORT, _WORD, _DIGITS_1, r" ?[^\s\p{L}\p{N}]+\r*", r"\n+|[^\S\n]*\r+|[^\S\n]+(?!\S)|[^\S\n]+"))

_DEFAULT_SIGN = r"\p{P}$+<=>^~|"
_ODD_DIGITS = r"(?:(?![0-9]{3})\p{N})+"
_BY_SIGNS = r"[%s]+| ?\p{L}+|[0-9]{3}|%s| ?[^\s\p{L}\p{N}%s]+|\s+(?![^\s%s])|\s+"
_DEFAULT = _BY_SIGNS % (_DEFAULT_SIGN, _ODD_DIGITS, _DEFAULT_SIGN, _DEFAULT_SIGN)
_FALCON_SIGN = rf"{_DEFAULT_SIGN}`"
_FALCON = _BY_SIGNS % (_FALCON_SIGN, f" ?{_ODD_DIGITS}", _FALCON_SIGN, _FALCON_SIGN)

_STOP = r"(\s|.,!?…。，、।۔،)"
_BLOOM = rf" ?[^{_STOP}]+|(?:(?! [^{_STOP}])[{_STOP}])+"

# Groups of three from the right; what is no number stays with the digits that follow, as in llama.cpp's hand-written pass.
_GROUPED_DIGITS = r"\P{N}*+(?<!\p{N})\p{N}{1,2}(?=(?:\p{N}{3})*+(?!\p{N}))|\P{N}*+\p{N}{3}|\P{N}+"
# U+8C48 stands where U+F900 was meant: llama.cpp's source holds the composed form.
_AFMOE_SCRIPTS = (
    r"[\u4E00-\u9FFF\u3400-\u4DBF\u8C48-\uFAFF\u3040-\u309F\u30A0-\u30FF\uFF65-\uFF9F\u2F00-\u2FDF\u0E40-\u0E7F"
    r"\u0E80-\u0EFF\u1780-\u17FF\u1000-\u109F\uAA60-\uAA7F\uA9E0-\uA9FF\uAC00-\uD7AF\u1100-\u11FF]+"
)
_YOUTU_SCRIPTS = (
    rf"[\uAC00-\uD7A3\u3131-\u318E]+|[！…“”‘’—：；，\u3001-\u303F\uFE30-\uFE4F]+|[\u3105-\u312F]+|[{_CJK}]+"
)

_ROWS: tuple[tuple[str, Cut], ...] = (
    (
        "llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano",
        Cut((_LLAMA3,), whole_words=True, adds_bos=True),
    ),
    ("glm4 glm5", Cut((_LLAMA3,), whole_words=True)),
    ("chatglm-bpe dbrx smaug-bpe", Cut((_LLAMA3,))),
    ("qwen2 deepseek-r1-qwen kormo f2llmv2 megrez stablelm2 hunyuan solar-open grok-2", Cut((_QWEN2,))),
    ("qwen35", Cut((_QWEN35,))),
    ("ufakzeka", Cut((_NO_SHORT,))),
    ("seed-coder", Cut((_SEED,))),
    ("bailingmoe bailingmoe2 llada-moe", Cut((_BAILING,))),
    ("minicpm5", Cut((_MINICPM5,), whole_words=True)),
    ("exaone-moe", Cut((_EXAONE_MOE,))),
    ("jais-2", Cut((_JAIS2,))),
    ("laguna", Cut((_LAGUNA,))),
    ("tekken", Cut((_TEKKEN,), whole_words=True, adds_bos=True)),
    ("gpt-4o llama4 kanana2 talkie minimax-m2", Cut((_GPT4O,))),
    ("tiny_aya cohere2moe", Cut((_GROUPED_DIGITS, "|".join((_MARKED, _DIGITS_3, _SLASHED))))),
    ("youtu", Cut((_YOUTU_SCRIPTS, "|".join((_MARKED, _DIGITS_1, _SLASHED))), whole_words=True)),
    ("kimi-k2", Cut((_KIMI,))),
    ("deepseek-v3 hunyuan-dense joyai-llm hy_v4", Cut((_DEEPSEEK_V3,))),
    ("spark2_5", Cut((_DIGITS_3, rf"[{_CJK}]+", _SPARK_MAIN, _DIGITS_1))),
    ("afmoe", Cut((_GROUPED_DIGITS, _AFMOE_SCRIPTS, _DEEPSEEK_MAIN))),
    ("deepseek-coder", Cut((_DEEPSEEK_CODER,))),
    (
        "gpt-2 phi-2 jina-es jina-de jina-v2-es jina-v2-de jina-v1-en jina-v2-code roberta-bpe gigachat a.x-4.0 mellum "
        "modern-bert mpt olmo jais trillion granite-docling exaone4",
        Cut((_GPT2,)),
    ),
    ("starcoder refact command-r smollm codeshell exaone minerva-7b mellum2", Cut((_STARCODER,))),
    ("default", Cut((_DEFAULT,))),
    ("falcon", Cut((_FALCON,))),
    ("poro-chat bloom gpt3-finnish", Cut((_BLOOM,))),
    ("viking", Cut((_BLOOM, _DIGITS_1))),
)

CUTS: Mapping[str, Cut] = MappingProxyType({name: cut for names, cut in _ROWS for name in names.split()})
"""By the names of llama.cpp. Not there, since nobody could compare them: superbpe, chameleon, deepseek-llm, whitespace."""

# The engine of old Ollama keeps the models' own classes for case.
_TRUE_UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
_TRUE_LOWER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_TRUE_CASED = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{_TRUE_UPPER}*{_TRUE_LOWER}+%s|[^\r\n\p{{L}}\p{{N}}]?{_TRUE_UPPER}+{_TRUE_LOWER}*%s"
)
_GO_PASSES = {
    "plain": (_GPT2,),
    "llama3": (_LLAMA3,),
    "qwen2": (_QWEN2,),
    "tekken": ("|".join((_TRUE_CASED % ("", ""), _DIGITS_1, _SLASHED)),),
    "gpt-4o": ("|".join((_TRUE_CASED % (f"(?:{_SHORT})?", f"(?:{_SHORT})?"), _DIGITS_3, _SLASHED)),),
    "deepseek-v3": (_DEEPSEEK_V3,),
    "laguna": (r"(?:\r?\n)+(?!\r?\n)", _QWEN2),
}


def _ascii_space(pattern: str) -> str:
    """White space as regexp2 has it in its RE2 mode, which that engine uses: five characters, no vertical tab."""
    return pattern.replace(r"\s", r"[\t\n\f\r ]").replace(r"\S", r"[^\t\n\f\r ]")


GO_CUTS: Mapping[str, Cut] = MappingProxyType(
    {
        name: Cut(tuple(map(_ascii_space, passes)), whole_words=True, any_order=True)
        for name, passes in _GO_PASSES.items()
    }
)
"""The cuts of old Ollama's own engine, which looks every word up whole first (0.24.0, tokenizer/bytepairencoding.go)."""
