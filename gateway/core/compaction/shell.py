"""What a command line does to files, where that is plain to see: `cat f`, `sed -n 1,9p f`, `sed -i … f`, `… > f`, `tee f`, `rm f`.

Law: a command that is not understood is a run and nothing more; a guess at what it read would drop an output that nothing repeats.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.core.compaction.deeds import WHOLE, Deed, Span

_FILE = r"""(?P<file>[^\s;|&<>'"`$()*?]+)"""
_AT = r"(?:cd +(?P<at>[^\s;|&<>'\"`$()*?]+) *&& *)?"
_READS = (
    re.compile(rf"{_AT}(?:cat|nl -ba|cat -n|less|more) +{_FILE}"),
    re.compile(rf"{_AT}sed -n ['\"]?(?P<first>\d{{1,9}}),(?P<last>\d{{1,9}})p['\"]? +{_FILE}"),
    re.compile(
        rf"{_AT}(?:nl -ba|cat -n|cat) +{_FILE} *\| *sed -n ['\"]?(?P<first>\d{{1,9}}),(?P<last>\d{{1,9}})p['\"]?"
    ),
    re.compile(rf"{_AT}head (?:-n ?|-)(?P<last>\d{{1,9}}) +{_FILE}"),
)
_LOOKS = re.compile(
    rf"(?!.*(?:\brm\b|\bsed -i|\btee\b|-delete|-exec)){_AT}(?:grep|rg|ag|find|fd|ls|tree|wc|which|pwd|stat|file|du|cat|nl|head"
    r"|tail|sed -n|git (?:diff|log|show|status|grep|blame))\b[^;&>\n]*(?:2>(?:/dev/null|&1)[^;&>\n]*)?"
)
_HEREDOC = re.compile(r"(<<-?\s*(['\"]?)(\w+)\2[^\n]*)\n.*?(?:\n\3\b|\Z)", re.DOTALL)
_CHANGES = (
    re.compile(rf"(?<![0-9&<>-])>>? *{_FILE}"),
    re.compile(rf"\btee +(?:-a +)?{_FILE}"),
    re.compile(rf"\bsed +-i\b[^;|&\n]* {_FILE}(?= *(?:$|[;|&\n]))", re.MULTILINE),
    re.compile(rf"(?:^|[;&] *)(?:rm|mv|cp) +(?:-\w+ +)*(?:[^\s;|&]+ +)?{_FILE}", re.MULTILINE),
)
_FILTERED = re.compile(
    r"""\s*+(?:2>&1\s*+)?+(?:\|\s*+(?:tail|head|e?grep|rg|wc|sort|uniq|cat)\b(?:[^|'"]|'[^']*+'|"[^"]*+")*+)*+\Z"""
)
_LONG = 4000  # characters of a command that are looked at; scripts beyond are heredocs


def shell_deeds(command: str) -> Iterator[Deed]:
    """The deeds of a command line: one read, a mere look at something, or a run and the files it changes."""
    line = command.strip()
    for pattern in _READS:
        if found := pattern.fullmatch(line):
            yield Deed("read", _joined(found), _span(found), line)
            return
    line = _HEREDOC.sub(r"\1", line)
    if _LOOKS.fullmatch(line):
        yield Deed("other", command=line)
        return
    yield Deed("run", command=line)
    for path in dict.fromkeys(_changed(line[:_LONG])):
        yield Deed("change", path)


def unfiltered(line: str) -> str:
    """A short command line without what only filters its output, so that two runs of a command are known as such."""
    return _FILTERED.sub("", line, count=1)


def _changed(line: str) -> Iterator[str]:
    for pattern in _CHANGES:
        for found in pattern.finditer(line):
            if not found["file"].startswith("/dev/"):
                yield found["file"]


def _joined(found: re.Match[str]) -> str:
    at, file = found["at"], found["file"]
    return file if not at or file.startswith("/") else f"{at.rstrip('/')}/{file}"


def _span(found: re.Match[str]) -> Span:
    known = found.groupdict()
    last = known.get("last")
    return Span(int(known.get("first") or 1), int(last)) if last else WHOLE
