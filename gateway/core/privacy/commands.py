"""Which files a command line names, as a shell would take its words apart.

Law: a word that may be a path is given as it was written, for the gate to doubt. Patterns and programs in quotes are no paths,
but whole paths from the root that stand in them are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(r"""(?:[^\s"'`;|&()<>\\]+|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+""", re.DOTALL)
_QUOTES = re.compile(r"""\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'""", re.DOTALL)
_HERE_DOCUMENT = re.compile(
    r"<<-?[ \t]*(?P<quote>[\"']?)(?P<end>\w+)(?P=quote)(?P<rest>[^\n]*)\n(?P<body>.*?)\n[ \t]*(?P=end)[ \t]*(?=\n|\Z)",
    re.DOTALL,
)
_COMMENT = re.compile(r"(?m)^[ \t]*#[^\n]*$")
_LIKE_FILE = re.compile(r"[./\\~]|\Aid_|kube|shadow|netrc|secret|cred", re.IGNORECASE)
_ADDRESS = re.compile(r"(?!file:)[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PARTS = re.compile(r"[^=,]+")
_VARIABLE = re.compile(r"\$[\w{(]")
_LITERAL = re.compile("'[^']*'")  # where a shell puts no variables in
_UNLIKE_PATH = re.compile(r"[\\^|(){};<>\"'`$\n]")  # what patterns and programs are made of
_SUBSTITUTION = re.compile(r"\A[\d,$]*[sy]([/|#,@!:]).*\1[a-zA-Z\d]*\Z", re.DOTALL)  # of sed
_FROM_ROOT = re.compile(r"(?<![\w./~:\\-])(?:/[\w.@+-]+|~|[A-Za-z]:)(?:[/\\][\w.@+-]+)+")


def words(command: str) -> Iterator[str]:
    """The words of a command line that may name files; options and addresses don't."""
    for document in _HERE_DOCUMENT.finditer(command):
        yield from inside(document["body"])
    line = _COMMENT.sub("", _HERE_DOCUMENT.sub(_first_line, command))
    for token in _TOKEN.findall(line):
        yield from _of_token(token)


def inside(text: str) -> Iterator[str]:
    """The paths from the root that stand in a program, a pattern or a text."""
    yield from (found[0] for found in _FROM_ROOT.finditer(text))


def _first_line(document: re.Match[str]) -> str:
    return f" {document['rest']}"


def _of_token(token: str) -> Iterator[str]:
    word = _QUOTES.sub(lambda found: found[1] or found[2] or found[3] or "", token)
    if "/" in word and _VARIABLE.search(_LITERAL.sub("", token)):
        yield word
    elif _SUBSTITUTION.match(word):
        return
    elif _UNLIKE_PATH.search(word) or word.startswith("//") or (" " in word and not word.startswith(("/", "~"))):
        yield from inside(word)
    else:
        for part in _PARTS.findall(word):
            if _LIKE_FILE.search(part) and not part.startswith("-") and not _ADDRESS.match(part):
                yield part
