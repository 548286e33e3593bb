"""Puts secrets back in place of their placeholders as the answer streams: in text as they are, in arguments as JSON writes them.

Law: only what was minted for this conversation is put back; what the model altered is shown as it came, and counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from gateway.core.jsontext import quoted
from gateway.core.privacy.placeholder import BODY, HEAD
from gateway.core.stream import Call, CallPiece, Part, Reasoning, Text, Usage, Verbatim

_BODY = "[0-9A-VX-Z]"  # in either case: a model may have altered it; with a W another placeholder begins
_LIKE_OURS = re.compile(f"{HEAD}{_BODY}{{0,{BODY}}}", re.IGNORECASE | re.ASCII)


def _open(head: str) -> str:
    """A pattern of whatever `head` begins with, to its end."""
    return f"{head[0]}(?:{_open(head[1:])})?" if len(head) > 1 else f"{head}{_BODY}{{0,{BODY - 1}}}"


_OPEN_END = re.compile(rf"(?:{_open(HEAD)})\Z", re.IGNORECASE | re.ASCII)


class Channel:
    """One run of text. Holds back at most what may still become a placeholder."""

    def __init__(self, minted: Mapping[str, str]) -> None:
        self._minted = minted
        self._held = ""
        self.lost = 0

    def feed(self, piece: str) -> str:
        """What is certain now, restored."""
        text = self._held + piece
        end = _OPEN_END.search(text)
        safe = end.start() if end else len(text)
        self._held = text[safe:]
        return self._restored(text[:safe])

    def close(self) -> str:
        """The rest."""
        held, self._held = self._held, ""
        return self._restored(held)

    def _restored(self, text: str) -> str:
        return _LIKE_OURS.sub(self._value, text)

    def _value(self, match: re.Match[str]) -> str:
        value = self._minted.get(match[0])
        self.lost += value is None
        return match[0] if value is None else value


class Restorer:
    """Stage[Part, Part] behind the dialects: text, thoughts and calls with their secrets back. `did` is what there is to note."""

    def __init__(self, minted: Mapping[str, str]) -> None:
        self._minted = minted
        self._in_json = {token: quoted(value)[1:-1] for token, value in minted.items()}
        self._text = Channel(minted)
        self._thought = Channel(minted)
        self._arguments: dict[int, Channel] = {}
        self._lost = 0

    @property
    def did(self) -> tuple[str, ...]:
        channels = (self._text, self._thought, *self._arguments.values())
        return ("placeholder_lost",) if self._lost + sum(each.lost for each in channels) else ()

    def feed(self, item: Part) -> Iterator[Part]:
        match item:
            case Text():
                yield from self._thought_end()
                yield from _some(Text, self._text.feed(item.text))
            case Reasoning():
                yield from self._text_end()
                yield from _some(Reasoning, self._thought.feed(item.text))
            case CallPiece():
                yield from self._prose_end()
                channel = self._arguments.setdefault(item.index, Channel(self._in_json))
                yield from _pieces(replace(item, arguments=channel.feed(item.arguments)))
            case Call():
                yield from self._prose_end()
                yield replace(item, arguments=self._whole(item.arguments))
            case Usage() | Verbatim():
                yield item
            case _:
                yield from self.close()
                yield item

    def close(self) -> Iterator[Part]:
        yield from self._prose_end()
        for index, channel in self._arguments.items():
            yield from _pieces(CallPiece(index=index, arguments=channel.close()))

    def _whole(self, arguments: str) -> str:
        channel = Channel(self._in_json)
        restored = channel.feed(arguments) + channel.close()
        self._lost += channel.lost
        return restored

    def _prose_end(self) -> Iterator[Part]:
        yield from self._thought_end()
        yield from self._text_end()

    def _text_end(self) -> Iterator[Part]:
        yield from _some(Text, self._text.close())

    def _thought_end(self) -> Iterator[Part]:
        yield from _some(Reasoning, self._thought.close())


def _some(part: Callable[[str], Part], text: str) -> Iterator[Part]:
    if text:
        yield part(text)


def _pieces(piece: CallPiece) -> Iterator[Part]:
    if piece.id or piece.name or piece.arguments:
        yield piece
