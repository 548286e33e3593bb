"""How unlike anything that people write a text is, in bits: the odds of chance against the odds of code and prose, pair by pair."""

from __future__ import annotations

import re

SYMBOLS = "abcdefghijklmnopqrstuvwxyz0_^"  # letters, a digit, anything else, and the hump between `camel` and `Case`

# Row: the symbol before; column: the symbol after. `i` is 0 bits, each letter on is half a bit towards chance, each letter
# back half a bit towards people. Made by bench/letter_pairs.py from 60 MB of Python, Go, TypeScript, C and prose.
_TABLE = ()
