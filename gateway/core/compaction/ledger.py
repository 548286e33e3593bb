"""The ledger of the turns that went: who asked for what, which files were changed and read, what ran and how it ended. No model is asked.

Files and commands are what summaries by models forget most (measured by Factory.ai on 36,611 messages), so a table keeps them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from gateway.core.compaction.deeds import Deed
from gateway.core.compaction.entries import Entry
from gateway.core.compaction.marks import one_line
from gateway.core.compaction.outputs import failed, last_error
from gateway.core.compaction.shell import unfiltered

_REQUEST = 1600  # characters of what the user said that are kept at all
_PLAN = 1200  # the same of a plan
_LINE = 400  # the same of an output line, a command or a note
_NOTES = 12  # notes of the assistant that are kept


@dataclass(frozen=True, slots=True)
class Request:
    """What the user said at a place in the thread, and the last that the assistant said about it."""

    place: int
    text: str
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """A file by the path it was last called, and how often it was changed."""

    path: str
    changes: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """A command, how often it ran, and the line of its last output that says most."""

    command: str
    times: int
    result: str


@dataclass(slots=True)
class Ledger:
    """Grows by `absorb`, in the order of the thread. Of files, runs and errors the latest stand last."""

    messages: int = 0
    requests: list[Request] = field(default_factory=list)
    files: dict[str, File] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    steps: list[tuple[str, str]] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    plan: str = ""

    def copy(self) -> Ledger:
        return Ledger(
            self.messages,
            list(self.requests),
            dict(self.files),
            dict(self.runs),
            list(self.steps),
            dict(self.errors),
            list(self.notes),
            self.plan,
        )

    def absorb(self, entries: Iterable[Entry]) -> None:
        """Take down what `entries`, which follow those taken down before, say as the client sent them."""
        for entry in entries:
            self.messages += 1
            if entry.output:
                self._output(entry)
            elif entry.source.role == "assistant":
                self._assistant(entry)
            else:
                said = one_line(entry.source.text, _REQUEST) or "(a picture)"
                self.requests.append(Request(entry.place, said))

    def _assistant(self, entry: Entry) -> None:
        for deed in entry.deeds:
            self._file(deed, changes=1)
        if note := one_line(entry.source.text, _LINE):
            self.notes = [*self.notes[1 - _NOTES :], note]
            if self.requests:
                self.requests[-1] = replace(self.requests[-1], outcome=note)

    def _output(self, entry: Entry) -> None:
        text = entry.source.text
        for deed in entry.deeds:
            match deed.kind:
                case "read":
                    self._file(deed)
                case "change" if failed(text):
                    self._file(deed)
                    self._error(deed.file, last_error(text))
                case "change":
                    self._file(deed, changes=1)
                    self.errors.pop(deed.file, None)
                case "run":
                    self._run(deed.command, text)
                case "plan":
                    self.plan = one_line(deed.command, _PLAN) or self.plan
                case _:
                    pass
        if entry.source.role == "user":  # an agent without tool calls: its history is made of such steps
            command = next((deed.command or deed.path for deed in entry.deeds), "")
            self.steps.append((one_line(command, _LINE), one_line(text, _LINE)))

    def _file(self, deed: Deed, changes: int = 0) -> None:
        if deed.path:
            known = self.files.pop(deed.file, File(deed.path))
            self.files[deed.file] = File(deed.path, known.changes + changes)

    def _run(self, command: str, text: str) -> None:
        said = unfiltered(one_line(command, _LINE))
        known = self.runs.pop(said, None)
        wrong = last_error(text)
        result = one_line(wrong or text.rstrip().rpartition("\n")[2], _LINE)
        self.runs[said] = Run(said, known.times + 1 if known else 1, result)
        self._error(said, wrong)

    def _error(self, what: str, wrong: str) -> None:
        self.errors.pop(what, None)
        if wrong:
            self.errors[what] = one_line(wrong, _LINE)
