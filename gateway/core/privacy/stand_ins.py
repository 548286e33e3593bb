"""What stands where a secret would, without being one: templates, variables, masks and the words of examples."""

from __future__ import annotations

import re

from gateway.core.privacy.machine_made import mixed
from gateway.core.privacy.placeholder import LENGTH, OURS

_TEMPLATE = re.compile(
    r"""\$(?:[({]|[A-Za-z_]\w*(?![\w$])) | \{\{ | \{\w*\} | <[^<>]*>? | %\w+%? | %\(\w+\) | \#\{ | \[[\w .-]+\] | `
      | (?:process\.)?env[.\[] | os\.(?:environ|getenv) | (?:var|local|data|secrets|inputs|config|settings|params)\.\w
      | @\w+[@(]""",
    re.VERBOSE | re.IGNORECASE,
)
_INSIDE = re.compile(r"\$\{|\{\{|\}\}|\$\(|#\{|<[\w .-]+>|%\(\w+\)s|\{[A-Za-z_][\w.()\[\]]*\}|\.\.\.|\u2026")
_WORDS = re.compile(
    r"example|sample|dummy|placeholder|change[_ -]?me|redacted|censored|not[_ -]?a?[_ -]?real|insert[_ -]?|your[_ -]?"
    r"|my[_-]?(?:secret|token|key|pass)|put[_ -]?your|(?:token|key|secret)[_ -]?here|<?none>?$|undefined$|null$",
    re.IGNORECASE,
)
_MASK = re.compile(r"[xX]{6,}|\*{3,}|\.{3,}|#{4,}|[?_•]{6,}|0{10,}")

_TOO_LONG = 40  # characters from which on a value that says `example` has enough beside it to be one
_SHORT = 8  # characters beside a placeholder of ours that can't be a secret as well


def stands_in(value: str) -> bool:
    """Whether the value is a variable, a mask or an example: `${TOKEN}`, `<token>`, `xxxxxxxx`, `your-key-here`, `AKIA…EXAMPLE`."""
    excused = len(value) < _TOO_LONG and _WORDS.search(value)
    return bool(excused or _TEMPLATE.match(value) or _INSIDE.search(value) or _MASK.search(value))


def is_ours(text: str, start: int, end: int) -> bool:
    """Whether the span is a placeholder of ours or a part of one, and what it has beside that is a word at most."""
    beside, at = [], start
    for ours in OURS.finditer(text, max(0, start - LENGTH), end + LENGTH):
        beside.append(text[at : min(end, ours.start())])
        at = max(at, ours.end())
    said = "".join((*beside, text[at:end]))
    return len(said) < end - start and (len(said) < _SHORT or not mixed(said))
