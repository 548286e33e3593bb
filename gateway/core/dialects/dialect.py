"""What a dialect is: how one family of models writes tool calls as text, to be read and to be written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, TypeAlias

from gateway.core.stream import Call

if TYPE_CHECKING:
    from gateway.core.dialects.reading import Reading
    from gateway.core.dialects.scanner import Steps


class Where(Enum):
    """Where in an answer a marker counts."""

    ANYWHERE = auto()
    LINE = auto()  # at the beginning of a line
    START = auto()  # before anything visible was said, or right behind a call


@dataclass(frozen=True, slots=True)
class Opener:
    """A marker that begins a call, if one of `then` follows it, blanks apart (nothing given: whatever follows).

    `plain`: it is ordinary text as well, so that without a call behind it it stays text.
    """

    token: str
    then: tuple[str, ...] = ()
    where: Where = Where.ANYWHERE
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Think:
    """The markers around a thought; `label` is a word that the template writes behind the first."""

    opener: str
    closer: str
    label: str = ""


ReadCalls: TypeAlias = Callable[["Reading"], "Steps[bool]"]
"""Reads on behind an opener that was found, tells the `Reading` what it found; False: that was no call, but text."""


def _none(_name: str) -> tuple[Opener, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a family of models writes tool calls.

    `openers` are read from any model, `bare` ones only from a model of this dialect, as are those that `named` makes of each
    declared tool's name; the latter two are ordinary text as well. `taught` are signs of it in a chat template, `models` parts of
    names of models that speak it. `closers` end a call or a group of calls, `inner` an argument; both may be left over
    behind a call. `noise` are markers without meaning for the reader of an answer. `framed`: its markers frame text and
    thoughts as well, so that they are read even where no tools are offered.
    """

    name: str
    read: ReadCalls
    render: Callable[[Call], str]
    openers: tuple[Opener, ...] = ()
    bare: tuple[Opener, ...] = ()
    named: Callable[[str], tuple[Opener, ...]] = field(default=_none)
    closers: tuple[str, ...] = ()
    inner: tuple[str, ...] = ()
    noise: tuple[str, ...] = ()
    framed: bool = False
    thinks: tuple[Think, ...] = (Think("<think>", "</think>"),)
    taught: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
