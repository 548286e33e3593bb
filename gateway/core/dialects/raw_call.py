"""One call with raw values, from behind its name to its closer. A dialect says how its arguments are listed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NoReturn

from gateway.core.dialects.fields import Field, Fields
from gateway.core.dialects.members import Open
from gateway.core.dialects.reading import Draft, Reading
from gateway.core.dialects.scanner import Ended, Steps
from gateway.core.dialects.tokens import tokens
from gateway.core.dialects.values import Ends, read_value


class RawCall(ABC):
    """The arguments of one call as they are found.

    `begin` is the offset of the call, `closers` end it, or the group that it is in. `newline`: see `Fields.arguments`.
    """

    closers: tuple[str, ...]
    newline = False

    def __init__(self, reading: Reading, fields: Fields, name: str, begin: int) -> None:
        self.reading, self.scanner, self.fields = reading, reading.scanner, fields
        self.name, self.begin, self.start = name, begin, reading.scanner.offset
        self.state = Open.BETWEEN  # how the list would stand if the text ended now

    def read(self) -> Steps[bool]:
        """False: it was no call, its opener is only mentioned."""
        try:
            if (yield from self.listed()):
                yield from self.whole()
                return True
            if self.mentioned():
                return False
            yield from self._broken()
        except Ended:
            in_text = not (self.scanner.cut or self.reading.page.quiet)
            if in_text and self.state is not Open.VALUE and self.mentioned():
                return False
            self.reading.tail(self.draft(), self.begin, Open.VALUE if self.fields.unclear else self.state)
        return True

    @abstractmethod
    def listed(self) -> Steps[bool]:
        """Read arguments until the list is closed; False: something else stands among them."""

    def mentioned(self) -> bool:
        """Whether what was found so far may stand in a text."""
        return False

    def whole(self) -> Steps[None]:
        """The list is closed."""
        look = yield from self.scanner.look(tokens("<"))
        if self.fields.unclear or (self.fields.strained and not look.found and look.rest != ""):
            self.reading.unreadable(self.begin, "where an argument ends cannot be told")
        else:
            self.reading.doubtful(self.draft(), self.begin)

    def draft(self) -> Draft:
        arguments = self.fields.arguments(self.reading, self.start, newline=self.newline)
        return Draft(self.name, arguments, tuple(self.fields.mends))

    def over(self, rest: str) -> NoReturn:
        """The text ends between two arguments, with `rest` behind the last one."""
        if len(rest) < 2:  # a single `<` may become anything
            self.state = Open.BETWEEN
        else:
            self.state = Open.CLOSED if any(mark.startswith(rest) for mark in self.closers) else Open.OPENING
        raise Ended

    def value(self, key: str, ends: Ends, *, plain: bool | None = None) -> Steps[None]:
        """Read the value of an argument, the cursor behind its opener."""
        self.state = Open.VALUE
        start, end = yield from read_value(self.reading, ends, self.fields, key)
        self.fields.items.append(Field(key, start, end, plain))
        self.state = Open.BETWEEN

    def _broken(self) -> Steps[None]:
        self.state = Open.BROKEN
        yield from self.scanner.find(tokens(*self.closers))
        self.reading.unreadable(self.begin, "something else than an argument stands among the arguments")
