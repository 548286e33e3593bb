"""What a dialect reads with: the text, the tools, and where its findings go. Law: every call passes the gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.core.calls import Refusal, judge, proof_of, resolve
from gateway.core.calls.json_text import read
from gateway.core.conversation import ToolSpec
from gateway.core.dialects.members import Open
from gateway.core.dialects.page import Page
from gateway.core.dialects.scanner import Scanner
from gateway.core.stream import Call, Proof, Unreadable

_MOST_REREADS = 8


@dataclass(frozen=True, slots=True)
class Draft:
    """A call as its text tells it: `arguments` is JSON text, perhaps in need of mending."""

    name: str
    arguments: str
    mends: tuple[str, ...] = ()
    id: str = ""


class Reading:
    """One answer's reading. Offsets are the scanner's.

    `opener` is the marker behind which is read, `start` its offset, `mends` what its place tells of the calls behind it.
    """

    def __init__(self, scanner: Scanner, tools: Sequence[ToolSpec]) -> None:
        self.scanner = scanner
        self.tools = tools
        self.page = Page()
        self.opener = ""
        self.start = 0
        self.mends: tuple[str, ...] = ()
        self.named = False  # a declared tool's name stands behind the opener, so that a call was meant
        self.torn: int | None = None  # the offset of the last call, if that cannot be read and its end is not certain
        self._rereads = 0
        self.cut_at = 0  # the offset of the call that the text's end cut
        self._resolved: dict[str, ToolSpec | None] = {}

    def begin(self) -> None:
        """A new opener was found."""
        self.mends, self.named, self.torn = (), False, None

    def tool(self, name: str) -> ToolSpec | None:
        """The declared tool that a name means."""
        if name not in self._resolved:
            resolved = resolve(name, self.tools)
            self._resolved[name] = resolved[0] if resolved else None
        return self._resolved[name]

    def meant(self, name: str) -> ToolSpec | None:
        """The same for a name that stands where the dialect has it."""
        tool = self.tool(name)
        self.named |= tool is not None
        return tool

    def may_reread(self) -> bool:
        """Leave to go back over text of any length, given a few times only, so that the work stays linear."""
        self._rereads += 1
        return self._rereads <= _MOST_REREADS

    def whole(self, draft: Draft, start: int, *, proof: Proof = Proof.COMPLETE) -> None:
        """A call whose text is all there, from `start` to the cursor; the gate decides whether it can be read."""
        part = self._judged(draft, start, proof)
        self.torn = start if isinstance(part, Unreadable) and not is_object(draft.arguments) else None
        self.page.add(part)

    def doubtful(self, draft: Draft, start: int) -> None:
        """A whole call with raw values, whose end is only as certain as the text behind it."""
        self.page.doubt(self._judged(draft, start, Proof.COMPLETE))

    def unreadable(self, start: int, reason: str) -> None:
        self.torn = start
        self.page.add(Unreadable(self.scanner.since(start), reason))

    def tail(self, draft: Draft, start: int, state: Open) -> None:
        """A call that the text's end cut, whose proven arguments the draft holds."""
        self.cut_at = start
        self.scanner.at = len(self.scanner.text)
        if state is Open.CLOSED:
            draft = replace(draft, mends=(*draft.mends, "missing_closer"))
            self.whole(draft, start, proof=Proof.CLOSERS_ONLY if self.scanner.cut else Proof.COMPLETE)
            return
        proof = self._proof(draft) if state is Open.BETWEEN else Proof.UNPROVEN
        part = self._judged(draft, start, proof) if proof is not Proof.UNPROVEN else None
        if not isinstance(part, Call):
            part = Call(
                id=draft.id, name=draft.name, arguments=draft.arguments, proof=Proof.UNPROVEN, mends=draft.mends
            )
        self.page.add(part)

    def nameless(self, start: int) -> bool:
        """A call was opened, and the text ended before it had a name. False: it was only mentioned in a text."""
        if not self.scanner.cut and not self.page.quiet:
            return False
        self.tail(Draft("", ""), start, Open.OPENING)
        return True

    def over(self, start: int, count: int, rest: str = "", openers: tuple[str, ...] = ()) -> bool:
        """The text ended behind an opener and `count` calls, with `rest`, perhaps of one more opener. False: as above."""
        opening = len(rest) > 1 and any(opener.startswith(rest) for opener in openers)
        if not count or opening:
            return self.nameless(start) or bool(count)
        self.scanner.at = len(self.scanner.text)
        return True

    def empty(self) -> bool:
        """A group of calls that holds none. False: its tags may as well be mentioned in a text."""
        return self.page.quiet or "|" in self.opener or "｜" in self.opener

    def _proof(self, draft: Draft) -> Proof:
        tool, document = self.tool(draft.name), read(draft.arguments)
        if tool is None or document is None or not isinstance(document.value, dict):
            return Proof.UNPROVEN
        return proof_of(tool, document.value, closed=False)

    def _judged(self, draft: Draft, start: int, proof: Proof) -> Call | Unreadable:
        mends = (*self.mends, *draft.mends)
        call = Call(id=draft.id, name=draft.name, arguments=draft.arguments, proof=proof, mends=mends)
        verdict = judge(call, self.tools, cut=False)
        if isinstance(verdict, Refusal):
            return Unreadable(self.scanner.since(start), verdict.reason)
        return verdict


def is_object(arguments: str) -> bool:
    document = read(arguments)
    return document is not None and isinstance(document.value, dict)
