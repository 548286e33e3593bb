"""What the detector finds and what it mistakes: recall by encoding and place, false alarms in clean code, milliseconds for a megabyte.

    python -m bench.privacy [--every N] [--missed] [--clean FOLDER …]

Strings: HOLDFAST_DATA, else ../shared/data beside the project, `secrets/labelled-strings.jsonl.gz` ({text, is_secret, rule}).
Clean code: the packages of this environment and Python's own library, or the folders named.
"""

from __future__ import annotations

import argparse
import gzip
import html
import json
import os
import random
import statistics
import sys
import sysconfig
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from gateway.config.secret_rules import load
from gateway.core.conversation import Conversation, Message, Prose, Role, ToolCall, ToolSpec
from gateway.core.policy.privacy import PrivacyRules
from gateway.core.privacy.house import chosen, house_rules
from gateway.core.privacy.reading import hits
from gateway.core.privacy.scan import ScanMemo, Scanner
from gateway.core.privacy.units import units
from gateway.scanning.engine import Engine, Unusable, compiled

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("HOLDFAST_DATA", ROOT.parent / "shared" / "data"))
MEGABYTE = 1_000_000
CODE = {".py", ".go", ".js", ".ts", ".tsx", ".c", ".h", ".rs", ".java", ".rb", ".sh"}

ENCODINGS: Mapping[str, Callable[[str], Sequence[str]]] = {
    "raw": lambda text: [text],
    "json": lambda text: [json.dumps(text)],
    "json twice": lambda text: [json.dumps(json.dumps(text))],
    "url": lambda text: [quote(text, safe="")],
    "html": lambda text: [html.escape(text)],
    "base64": lambda text: [b64encode(text.encode()).decode()],
    "zero-width": lambda text: ["\u200b".join(text[place : place + 3] for place in range(0, len(text), 3))],
    "wrapped": lambda text: ["\n".join(text[place : place + 40] for place in range(0, len(text), 40))],
    "split": lambda text: [text[: len(text) // 2], text[len(text) // 2 :]],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="take each Nth string only")
    parser.add_argument("--missed", action="store_true", help="list what is missed raw")
    parser.add_argument("--clean", nargs="*", type=Path, help="folders of clean code")
    asked = parser.parse_args()
    policy = PrivacyRules()
    engine = compiled([*chosen(load(), policy), *house_rules(policy)])
    if isinstance(engine, Unusable):
        sys.exit(engine.reason)
    strings = list(labelled())[:: asked.every]
    if strings:
        recall(engine, [text for text, secret, _ in strings if secret])
        by_string(engine, strings, missed=asked.missed)
    else:
        print(f"no labelled strings at {DATA}; recall is not measured")
    false_alarms(engine, asked.clean or [Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("purelib"))])


def labelled() -> Iterator[tuple[str, bool, str]]:
    """Text, whether it is a secret, and the rule whose fixture it is."""
    file = DATA / "secrets" / "labelled-strings.jsonl.gz"
    if file.exists():
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                found = json.loads(line)
                yield found["text"], found["is_secret"], found["rule"]


# -- where a string may stand ---------------------------------------------------------------------------------------------


def said(role: Role, text: str) -> Message:
    return Message(role=role, content=(Prose(text),), answers="call_1" if role == "tool" else "")


def calling(arguments: Mapping[str, str]) -> Message:
    return Message(role="assistant", calls=(ToolCall(id="call_1", name="write", arguments=json.dumps(arguments)),))


def around(text: str) -> str:
    return f"Here is what I have so far:\n{text}\n"


def chat(*messages: Message, tools: Sequence[ToolSpec] = (), extra: Mapping[str, object] | None = None) -> Conversation:
    return Conversation(model="heavy", messages=messages, tools=tuple(tools), extra=extra or {})


PLACES: Mapping[str, Callable[[Sequence[str]], Conversation]] = {
    "system": lambda texts: chat(*(said("system", each) for each in texts), said("user", "go on")),
    "user": lambda texts: chat(*(said("user", each) for each in texts)),
    "history": lambda texts: chat(
        *(said("assistant", each) for each in texts), said("user", "thanks"), said("user", "go on")
    ),
    "result": lambda texts: chat(*(said("tool", each) for each in texts), said("user", "go on")),
    "arguments": lambda texts: chat(*(calling({"path": "a.py", "content": each}) for each in texts)),
    "description": lambda texts: chat(tools=[ToolSpec(name="write", description=each) for each in texts]),
    "name": lambda texts: chat(*(Message(role="user", name=each, content=(Prose("go on"),)) for each in texts)),
    "metadata": lambda texts: chat(said("user", "go on"), extra={"metadata": {"note": list(texts)}}),
    "path": lambda texts: chat(*(calling({"path": each}) for each in texts)),
    "image url": lambda texts: chat(*(said("user", each) for each in in_address(texts))),
}


def in_address(texts: Sequence[str]) -> Sequence[str]:
    """The texts in the address of a picture, which goes on in the next message where there are two."""
    pieces = list(texts)
    pieces[0] = f"![a picture](https://images.test/a.png?note={pieces[0]}"
    pieces[-1] += ")"
    return pieces


WRAPPED_IN_TEXT = ("system", "user", "history", "result", "description")


def recall(engine: Engine, secrets: Sequence[str]) -> None:
    print(f"\nrecall in % of {len(secrets)} secrets")
    print(f"{'':12}" + "".join(f"{place:>12}" for place in PLACES) + f"{'all':>12}")
    for encoding, encode in ENCODINGS.items():
        found = Counter({place: sum(denied(engine, place, encode(text)) for text in secrets) for place in PLACES})
        shares = [*(found[place] / len(secrets) for place in PLACES), found.total() / len(secrets) / len(PLACES)]
        print(f"{encoding:12}" + "".join(f"{100 * share:12.1f}" for share in shares), flush=True)


def denied(engine: Engine, place: str, texts: Sequence[str]) -> bool:
    if place in WRAPPED_IN_TEXT and len(texts) == 1:
        texts = [around(texts[0])]
    scanner = Scanner(matcher=engine, memo=ScanMemo(), limit=10 * MEGABYTE, now=time.monotonic)
    scan = scanner.scan(units(PLACES[place](texts)), until=time.monotonic() + 60)
    return bool(scan.findings or scan.unknown)


def by_string(engine: Engine, strings: Sequence[tuple[str, bool, str]], *, missed: bool) -> None:
    flagged = {text: any(True for _ in hits(text, engine, on_time=lambda: None)) for text, _, _ in strings}
    secrets = [(text, rule) for text, secret, rule in strings if secret]
    harmless = [(text, rule) for text, secret, rule in strings if not secret]
    wrong = sum(flagged[text] for text, _ in harmless)
    right = sum(flagged[text] for text, _ in secrets)
    print(f"\nhard negatives flagged: {wrong} of {len(harmless)}; precision {right / max(1, right + wrong):.3f}")
    classes = Counter(rule for text, rule in secrets if not flagged[text])
    print(
        f"missed: {sum(classes.values())} of {len(secrets)}, by class: {', '.join(f'{rule} {n}' for rule, n in classes.most_common())}"
    )
    if missed:
        for text, rule in secrets:
            if not flagged[text]:
                print(f"  {rule}: {text[:160]!r}")


# -- clean code -----------------------------------------------------------------------------------------------------------


def false_alarms(engine: Engine, folders: Sequence[Path]) -> None:
    files = [
        file
        for folder in folders
        for file in sorted(folder.rglob("*"))
        if file.suffix in CODE and "test" not in str(file)
    ]
    random.Random(8).shuffle(files)
    kept: list[list[tuple[Path, str]]] = [[]]
    for file in files:
        text = file.read_text("utf-8", "replace") if file.is_file() else ""
        if sum(len(each) for _, each in kept[-1]) > MEGABYTE:
            kept.append([])
        if len(kept) > 12:
            break
        kept[-1].append((file, text[:100_000]))
    alarms: Counter[str] = Counter()
    lines: list[int] = []
    clean: list[float] = []
    cold: list[float] = []
    warm: list[float] = []
    for sample in kept[:12]:
        found = [
            [(hit.rule.id, text.count("\n", 0, hit.start)) for hit in hits(text, engine, on_time=lambda: None)]
            for _, text in sample
        ]
        lines.append(sum(len({line for _, line in each}) for each in found))
        clean.append(sum(not each for each in found) / len(sample))
        alarms.update(rule for each in found for rule, _ in each)
        for times, took in zip((cold, warm), timed(engine, sample), strict=True):
            times.append(took)
    print(f"\nclean code, {len(lines)} samples of 1 MB from {', '.join(map(str, folders))}")
    print(
        f"lines flagged in a megabyte: median {statistics.median(lines)}, mean {statistics.mean(lines):.1f}, most {max(lines)}"
    )
    print(
        f"files without a finding: {100 * statistics.mean(clean):.1f} %; alarms by rule: {dict(alarms.most_common(8))}"
    )
    print(f"cold {statistics.median(cold):.0f} ms for a megabyte, warm turn {statistics.median(warm):.1f} ms (CPU)")


def timed(engine: Engine, sample: Sequence[tuple[Path, str]]) -> tuple[float, float]:
    """Milliseconds for a conversation that holds the sample, the first time and the next."""
    conversation = chat(*(said("user", text) for _, text in sample))
    scanner = Scanner(matcher=engine, memo=ScanMemo(), limit=10 * MEGABYTE, now=time.monotonic)
    took = []
    for _ in range(2):
        began = time.process_time()
        scanner.scan(units(conversation), until=time.monotonic() + 60)
        took.append(1000 * (time.process_time() - began))
    return took[0], took[1]


if __name__ == "__main__":
    main()
