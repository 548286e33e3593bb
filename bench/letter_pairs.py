"""Makes the table of gateway/core/privacy/strangeness.py: how the pairs of characters that people write differ from chance.

python -m bench.letter_pairs FOLDER …        (the folders hold source code and prose of several languages)
"""

from __future__ import annotations

import random
import re
import string
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from math import log2
from pathlib import Path

from gateway.core.privacy.strangeness import SYMBOLS, folded

KINDS = {".py", ".go", ".js", ".ts", ".tsx", ".c", ".h", ".rs", ".java", ".rb", ".php", ".sh", ".md", ".rst", ".txt"}
BYTES = 60_000_000  # read at most
ALPHABETS = (
    string.ascii_letters + string.digits,
    string.ascii_lowercase + string.digits,
    string.ascii_letters + string.digits + "-_",
)
_WORD = re.compile(r"[A-Za-z0-9_./+-]{3,59}(?![A-Za-z0-9_./+-])")
_MOST = 5  # times that one word counts, so that no project's favourite outweighs the language


def main() -> None:
    words = Counter(word for text in _texts(sys.argv[1:]) for word in set(_WORD.findall(text)))
    written = _odds(f"_{word}_" for word in words for _ in range(min(words[word], _MOST)))
    dice = random.Random(29)  # any seed gives the same table within half a bit
    chance = _odds("".join(dice.choices(dice.choice(ALPHABETS), k=32)) for _ in range(200_000))
    for first in SYMBOLS:
        row = (chance[first + second] - written[first + second] for second in SYMBOLS)
        print(f'    "{"".join(chr(ord("i") + round(2 * max(-4.0, min(4.0, bits)))) for bits in row)}"')


def _texts(folders: Iterable[str]) -> Iterator[str]:
    left = BYTES
    files = [file for folder in folders for file in sorted(Path(folder).rglob("*")) if file.suffix in KINDS]
    random.Random(1).shuffle(files)
    for file in files:
        if left > 0 and file.is_file():
            text = file.read_text("utf-8", "replace")
            left -= len(text)
            yield text


def _odds(words: Iterable[str]) -> dict[str, float]:
    """For each pair of symbols, log2 of the odds that the second follows the first."""
    seen: Counter[str] = Counter()
    for word in words:
        symbols = folded(word)
        seen.update(map(str.__add__, symbols, symbols[1:]))
    odds: dict[str, float] = {}
    for first in SYMBOLS:
        total = sum(seen[first + second] + 0.5 for second in SYMBOLS)
        odds |= {first + second: log2((seen[first + second] + 0.5) / total) for second in SYMBOLS}
    return odds


if __name__ == "__main__":
    main()
