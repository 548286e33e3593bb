"""What stands where a secret would, without being one: templates, variables, masks and the words of examples."""

from __future__ import annotations

import re

from gateway.core.privacy.placeholder import OURS

_TEMPLATE = re.compile(
    r"""\$(?:[({]|[A-Za-z_]\w*(?![\w$])) | \{\{ | \{\w*\} | <[^<>]*>? | %\w+%? | %\(\w+\) | \#\{ | \[[\w .-]+\] | `
      | (?:process\.)?env[.\[] | os\.(?:environ|getenv) | (?:var|local|data|secrets|inputs|config|settings|params)\.\w
      | @\w+[@(]""",
    re.VERBOSE | re.IGNORECASE,
)
_INSIDE = re.compile(r"\$\{|\{\{|\}\}|\$\(|#\{|<[\w .-]+>|%\(\w+\)s|\.\.\.|\u2026")
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
    said = OURS.sub("", value)
    if said != value and len(said) < _SHORT:
        return True
    excused = len(value) < _TOO_LONG and _WORDS.search(value)
    return bool(excused or _TEMPLATE.match(value) or _INSIDE.search(value) or _MASK.search(value))
