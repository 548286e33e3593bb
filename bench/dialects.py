"""What reading tool calls costs, and with `--cases FOLDER` how recorded ones are read, beside what other servers make of them.

`python -m bench.dialects` prints per dialect milliseconds for a call with a 50 KB argument that comes in 16-byte chunks, and
microseconds a chunk for arguments of 1 KB to 1 MB.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from bench.data import DATA
from bench.dialect_cases import FOLDER, SIZES, WAYS, Case, at, faults, loaded, parts_of, spoken, text_at, told
from gateway.core.conversation import ToolSpec
from gateway.core.dialects import AUTOMATIC, DIALECTS, Dialect, ToolReader
from gateway.core.stream import Call, Part, Proof

CHUNK = 16
GOAL = 50_000
LENGTHS = (1_000, 10_000, 100_000, 1_000_000)
WRITE = ToolSpec(
    name="write_file",
    parameters={
        "type": "object",
        "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
        "required": ["path", "content"],
    },
)
LINES = "".join(
    f'    if a < {n} and "b{n}" in c:\n        return "<p>" + \'{n}\'  # \\d+ </p>\n\n' for n in range(13_000)
)

# Measured with each server's own parser on such prefixes; in the order of `COLUMNS`, None: not told.
COLUMNS = ("prefixes", "vanished", "leaked", "earlier lost", "half JSON", "wrong", "error", "mended")
PEERS: dict[str, tuple[object, ...]] = {
    "vLLM 0.33": (354, 69, 41, 38, 30, 176, 0, "43/69"),
    "vLLM 0.33, streaming": (354, 55, 10, 10, 180, 93, 0, "56/69"),
    "SGLang 0.5.23": (349, 209, 72, 34, 0, 34, 0, "12/60"),
    "SGLang 0.5.23, streaming": (349, 130, 12, 0, 84, 83, 0, "36/60"),
    "Ollama, August 2026": (351, 249, 29, 10, 0, 6, 57, "6/57"),
    "llama.cpp, October 2026": (432, 89, 10, 22, 291, 0, 20, "44/73"),
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument(
        "--cases", type=Path, nargs="?", const=FOLDER, metavar="FOLDER", help=f"read the cases in FOLDER ({DATA})"
    )
    chosen = options.parse_args()
    if chosen.cases is None:
        speed()
    elif cases := loaded(chosen.cases):
        sys.exit(0 if graded(cases) else 1)
    else:
        sys.exit(f"no cases in {chosen.cases}")


def speed() -> None:
    """The table of what each dialect costs; the first line is what two plain calls a chunk cost here."""
    print(f"{'dialect':18} {'50 KB':>8}   us a chunk: " + " ".join(f"{size:>9,}" for size in LENGTHS))
    row("two empty calls", _nothing, AUTOMATIC)
    for dialect in (*DIALECTS, AUTOMATIC):
        row(dialect.name, partial(_read, dialect), dialect)


def row(name: str, work: Callable[[Sequence[str]], object], dialect: Dialect) -> None:
    goal = best(work, chunks_of(dialect, GOAL)) * 1e3
    each = []
    for size in LENGTHS:
        chunks = chunks_of(dialect, size)
        each.append(best(work, chunks, rounds=5) / len(chunks) * 1e6)
    print(f"{name:18} {goal:5.2f} ms                " + " ".join(f"{value:9.2f}" for value in each))


def chunks_of(dialect: Dialect, size: int) -> list[str]:
    """A call with an argument of that size, as the dialect's models write it."""
    arguments = json.dumps({"path": "src/a.py", "content": LINES[:size]})
    text = dialect.render(Call(id="", name=WRITE.name, arguments=arguments))
    return [text[begin : begin + CHUNK] for begin in range(0, len(text), CHUNK)]


def best(work: Callable[[Sequence[str]], object], chunks: Sequence[str], rounds: int = 20) -> float:
    """Seconds of the processor in the fastest round."""
    took = []
    for _ in range(rounds):
        began = time.process_time()
        work(chunks)
        took.append(time.process_time() - began)
    return min(took)


def _read(dialect: Dialect, chunks: Sequence[str]) -> None:
    reader = ToolReader(dialect, (WRITE,))
    parts: list[Part] = []
    for chunk in chunks:
        if told := reader.feed(chunk):
            parts += told
    [call] = [*parts, *reader.close()]
    assert isinstance(call, Call)


def _nothing(chunks: Sequence[str]) -> None:
    """What any reader that holds its text does with a chunk."""
    held: list[str] = []

    def keep(chunk: str) -> bool:
        held.append(chunk)
        return "<" in chunk

    def feed(chunk: str) -> int:
        return len(held) if keep(chunk) else 0

    for chunk in chunks:
        feed(chunk)


def graded(cases: Sequence[Case]) -> bool:
    """Prints the cases by format, then the cut ones beside other servers; whether all hold."""
    by_format: defaultdict[str, Counter[str]] = defaultdict(Counter)
    failing: list[str] = []
    for case in cases:
        amiss = {f"{fault} as {how}" for how in WAYS for fault in amiss_in(case, how)}
        repair = text_at(case, "incomplete", "repair")
        by_format[text_at(case, "format")].update(
            ["cases", *([repair] if repair else []), *(["right"] if not amiss else [])]
        )
        failing += [f"{text_at(case, 'id')}: {', '.join(sorted(amiss))}"] if amiss else []
    columns = ("cases", "right", "never", "required_complete", "certain")
    print(f"{'format':18}" + "".join(f"{column:>19}" for column in columns))
    for name, counts in (*sorted(by_format.items()), ("all", sum(by_format.values(), Counter()))):
        print(f"{name:18}" + "".join(f"{counts[column]:19}" for column in columns))
    beside_others(cases)
    print(*(f"fails: {line}" for line in failing), sep="\n")
    return not failing


def amiss_in(case: Case, how: str) -> set[str]:
    """The faults of a case whose dialect becomes known in one way; `pieces`: some cutting of the text changes something."""
    dialect = spoken(case, how)
    whole = parts_of(case, dialect)
    same = all(told(parts_of(case, dialect, size)) == told(whole) for size in SIZES)
    return faults(case, whole) | (set() if same else {"pieces"})


def beside_others(cases: Sequence[Case]) -> None:
    """What becomes of prefixes out of which nothing may be executed, and how many cut calls that lack closers alone are mended."""
    print("\n" + f"{'':26}" + "".join(f"{column:>13}" for column in COLUMNS))
    for name, figures in ({"here": ours(cases)} | PEERS).items():
        print(f"{name:26}" + "".join(f"{figure:>13}" for figure in figures))


def ours(cases: Sequence[Case]) -> tuple[object, ...]:
    seen: Counter[str] = Counter()
    for case in cases:
        repair = text_at(case, "incomplete", "repair")
        parts = parts_of(case, spoken(case, "template"), CHUNK)
        found = faults(case, parts)
        seen.update(
            {"never", *(f"never {fault}" for fault in found), *told_of(case, parts)} if repair == "never" else ()
        )
        seen.update({"certain", *(() if "unmended" in found else ("mended",))} if repair == "certain" else ())
    vanished = seen["never"] - seen["told"]
    figures = (seen["never"], vanished, seen["never text"], seen["never lost"], 0, seen["never wrong"], 0)
    return (*figures, f"{seen['mended']}/{seen['certain']}")


def told_of(case: Case, parts: Sequence[Part]) -> tuple[str, ...]:
    """Whether the reader tells that a call was cut: then it is gone on with or asked for again. `{"na` may be any text."""
    cut = any(isinstance(part, Call) and part.proof is Proof.UNPROVEN for part in parts)
    return ("told",) if cut or at(case, "ambiguous") else ()


if __name__ == "__main__":
    main()
