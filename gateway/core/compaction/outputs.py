"""Outputs of tools: which of their lines tell of errors, whether they failed, and how to cut the middle out of one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.core.compaction.marks import lines_of, mark

_ERROR = re.compile(
    r"(?i:\berror\b|\bexception\b|\btraceback\b|\bfailed\b|\bfailures?\b|\bfatal\b|\bpanic(?:ked)?\b|\bassert(?:ion)?error\b"
    r"|\bno such file\b|\bcommand not found\b|\bnot found\b|\bdenied\b|\bundefined\b|\bsegmentation fault\b|\bkilled\b)"
    r"|^E  |\bFAIL\b|\w(?:Error|Exception)\b|^<returncode>[1-9]|exit(?:ed)?(?: with)? (?:code|status):? [1-9]"
)
# every match of _ERROR holds one of these: a look at them first, cheaper by far, spares most lines the expression
_STEMS = re.compile(
    "error|exception|traceback|fail|fatal|panic|no such|not found|denied|undefined|segm|killed|e  |returncode|exit"
)
_NO_ERROR = re.compile(r"(?i)\b(?:0|no) (?:errors?|failures?|failed)\b|\berrors?: 0\b|\bfailed: 0\b|\b0 fail\b")
_LOOKED_AT = 400  # characters of a line, and lines from each end of an output, in which an error is looked for


def error_lines(text: str, most: int) -> list[str]:
    """The last `most` lines that tell of an error, in order."""
    lines = text.splitlines()
    looked_at = (*lines[:_LOOKED_AT], *lines[_LOOKED_AT:][-_LOOKED_AT:])
    found = [line.strip() for line in looked_at if tells_error(line)]
    return found[-most:]


def last_error(text: str) -> str:
    """The last line that tells of an error; "" where none does."""
    lines = text[-_LOOKED_AT * 100 :].splitlines()[-_LOOKED_AT:]
    return next((line.strip() for line in reversed(lines) if tells_error(line)), "")


def tells_error(line: str) -> bool:
    seen = line[:_LOOKED_AT]
    return bool(_STEMS.search(seen.lower()) and _ERROR.search(seen)) and not _NO_ERROR.search(seen)


def failed(text: str) -> bool:
    """Whether a short output begins like a failure: enough to know that a read or an edit did not happen."""
    return len(text) < _LOOKED_AT and tells_error(text.strip().partition("\n")[0])


def without_middle(text: str, chars: int) -> str:
    """`text` with the lines in its middle replaced by a mark and by those of them that tell of errors.

    Keeps about `chars` characters, half from each end, at most a quarter more for the errors; cuts at line ends where it can.
    """
    if len(text) <= chars:
        return text
    head, tail = _beginning(text, chars // 2), _ending(text, chars // 2)
    middle = text[len(head) : len(text) - len(tail)]
    errors = "".join(f"{line}\n" for line in _bounded(error_lines(middle, 20), chars // 4))
    kept = " but for these" if errors else ""
    return f"{head.rstrip()}\n{mark(f'{lines_of(middle)}, {len(middle):,} characters left out{kept}')}\n{errors}{tail.lstrip(chr(10))}"


def _beginning(text: str, chars: int) -> str:
    end = text.rfind("\n", chars // 2, chars)
    return text[: end + 1 if end > 0 else chars]


def _ending(text: str, chars: int) -> str:
    start = text.find("\n", len(text) - chars, len(text) - chars // 2)
    return text[start + 1 if start > 0 else len(text) - chars :]


def _bounded(lines: list[str], chars: int) -> Iterator[str]:
    for line in lines:
        if chars <= 0:
            return
        yield line[:chars][:_LOOKED_AT]
        chars -= len(line)
