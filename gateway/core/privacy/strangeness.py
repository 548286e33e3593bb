"""How unlike anything that people write a text is, in bits: the odds of chance against the odds of code and prose, pair by pair."""

from __future__ import annotations

import re
import string

SYMBOLS = "abcdefghijklmnopqrstuvwxyz0_^"  # letters, a digit, anything else, and the hump between `camel` and `Case`

# Row: the symbol before; column: the symbol after. `i` is 0 bits, each letter on is half a bit towards chance, each letter
# back half a bit towards people. Made by bench/letter_pairs.py from 60 MB of Python, Go, TypeScript, C and prose.
_TABLE = (
    "kiggmlhnipkegephqefdjlmljondn",
    "ejijfjoneioenmgmqijleoqqiqjap",
    "ekjlfloeioghipdlqhieilqqlqmbp",
    "fllhclmmfqqkmohnqiiljoppmqlal",
    "hmggjjkqmqogielkkdefoklhlqoam",
    "fkjjgfoqdqqglkemqgjihqoqkqkap",
    "gllpcojigqpfkhglqghjhpoqlqqam",
    "cqomdoqpeqpminfoqhjhhqoqmqpal",
    "hjgghihqoolghceiqifepjqkoiqeo",
    "dmnlconogmfolnfkqndlfnnqopqbn",
    "elimcomieqmllkhmqkhkimlqoqqal",
    "emohdimodqofkpfmqohhhjqljqqam",
    "chllcmpqfqnhjofeqphlimqqlqqan",
    "fngfehepgpkmnkgkqmfdhkpqmqqbm",
    "jjggnjiqknjggcifqdghgkimoqqdo",
    "enlldlpjgqjgnoehqejfhmopiqqbn",
    "ilkkmmonlqljolmmoijnanjnopman",
    "enijcmjqeqlkikelqhggjkoqiqqan",
    "hqhqdmnhfqhhmkiipmfdimnqjpqan",
    "fokndnpgeqqknnflqfiijqolhqpak",
    "hhihfijpgplffdmgqeeeooplpoqfq",
    "dplobjmpeqiggnimqmiknipqpqmcp",
    "dolkeonidqokngglqfhnmqkqooqak",
    "jjijhiqqlqpqmpqiqqnfqqqlmqfbk",
    "hmlnimnqippkjhkcplfhmqoqpnqaj",
    "emomapmkennllmgoqoknionlkjpbo",
    "kjkjjjqqqqqqqqqqqqqqqqqeqqfai",
    "hjgiiiikholihiihphfhkjlkqpigq",
    "ghghhhjkhnjihiihohfgjkkopofff",
)


class _Folding(dict[int, str]):
    def __missing__(self, code: int) -> str:
        return "_"


_FOLDING = _Folding(
    {
        **{ord(letter): letter.lower() for letter in string.ascii_letters},
        **{ord(digit): "0" for digit in string.digits},
        ord("^"): "^",
    }
)
_HUMP = re.compile("(?<=[a-z])(?=[A-Z])")
_BITS = {
    first + second: (ord(mark) - ord("i")) / 2
    for first, row in zip(SYMBOLS, _TABLE, strict=True)
    for second, mark in zip(SYMBOLS, row, strict=True)
}


def folded(text: str) -> str:
    """The text in SYMBOLS."""
    return _HUMP.sub("^", text.replace("^", "_")).translate(_FOLDING)


class _Pairs(dict[str, float]):
    """The bits of each pair of letters as they are written, worked out when it comes first; of ASCII, so that they stay few."""

    def __missing__(self, pair: str) -> float:
        symbols = folded(pair)
        bits = sum(map(_BITS.__getitem__, map(str.__add__, symbols, symbols[1:])))
        if pair.isascii():
            self[pair] = bits
        return bits


_PAIRS = _Pairs()


def strangeness(text: str) -> float:
    """Bits by which chance explains the text better than people do: below 0 for words and names, about 2 a character for tokens."""
    return sum(map(_PAIRS.__getitem__, map(str.__add__, text, text[1:])))
