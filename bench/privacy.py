"""What the detector finds in single strings and what it mistakes: hard negatives, false alarms in clean code, milliseconds.

    python -m bench.privacy [--every N] [--missed] [--clean FOLDER …]

Strings: HOLDFAST_DATA, else ../shared/data beside the project, `secrets/labelled-strings.jsonl.gz` ({text, is_secret, rule}).
Clean code: the packages of this environment and Python's own library, or the folders named. bench/leaks.py measures the gate.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import statistics
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.data import DATA
from gateway.config.secret_rules import rules_under
from gateway.core.conversation import Conversation, Message, Prose
from gateway.core.policy.privacy import PrivacyRules
from gateway.core.privacy.gate import Gate
from gateway.core.privacy.permission import Claim
from gateway.core.privacy.reading import hits
from gateway.core.privacy.rule import Matcher, Unusable
from gateway.core.privacy.units import contents
from gateway.core.privacy.verdict import Step
from gateway.scanning.engine import compiled

ROOT = Path(__file__).parent.parent
CLEAN = (Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("purelib")))
MEGABYTE = 1_000_000
SAMPLES = 12  # megabytes of clean code
CODE = {".py", ".go", ".js", ".ts", ".tsx", ".c", ".h", ".rs", ".java", ".rb", ".sh"}
KEY = bytes(32)
HOME = "/home/me/open"
CLAIM = Claim(label="cloud-ok")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="take each Nth string only")
    parser.add_argument("--missed", action="store_true", help="list what is missed, and what is taken for a secret")
    parser.add_argument("--clean", nargs="*", type=Path, default=CLEAN, help="folders of clean code")
    asked = parser.parse_args()
    matcher = matcher_of(PrivacyRules())
    by_string(matcher, list(labelled())[:: asked.every], told=asked.missed)
    false_alarms(matcher, samples(asked.clean))


def matcher_of(rules: PrivacyRules) -> Matcher:
    made = compiled(rules_under(rules))
    if isinstance(made, Unusable):
        sys.exit(made.reason)
    return made


def labelled() -> Iterator[tuple[str, bool, str]]:
    """Text, whether it is a secret, and the rule whose fixture it is."""
    file = DATA / "secrets" / "labelled-strings.jsonl.gz"
    if not file.exists():
        print(f"no labelled strings at {file}: recall is not measured")
        return
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            found = json.loads(line)
            yield found["text"], found["is_secret"], found["rule"]


def by_string(matcher: Matcher, strings: Sequence[tuple[str, bool, str]], *, told: bool) -> None:
    flagged = {text: any(True for _ in hits(text, matcher, on_time=lambda: None)) for text, _, _ in strings}
    missed = [(rule, text) for text, secret, rule in strings if secret and not flagged[text]]
    wrong = [(rule, text) for text, secret, rule in strings if not secret and flagged[text]]
    secrets = sum(secret for _, secret, _ in strings)
    print(f"single strings: {secrets - len(missed)} of {secrets} secrets found")
    print(f"hard negatives flagged: {len(wrong)} of {len(strings) - secrets}")
    for heading, found in (("missed", missed), ("flagged", wrong)):
        for rule, text in found if told else ():
            print(f"  {heading} {rule}: {text[:160]!r}")


# -- clean code -----------------------------------------------------------------------------------------------------------


def samples(folders: Sequence[Path]) -> Sequence[Sequence[str]]:
    """Megabytes of clean code, each the texts of its files."""
    every = (file for folder in folders for file in sorted(folder.rglob("*")) if file.suffix in CODE)
    files = [file for file in every if "test" not in str(file) and file.is_file()]
    random.Random(8).shuffle(files)
    kept: list[list[str]] = [[]]
    for file in files:
        kept[-1].append(file.read_text("utf-8", "replace")[:100_000])
        if sum(map(len, kept[-1])) > MEGABYTE:
            kept.append([])
        if len(kept) > SAMPLES:
            break
    return [each for each in kept[:SAMPLES] if each]


def false_alarms(matcher: Matcher, clean: Sequence[Sequence[str]]) -> None:
    alarms: Counter[str] = Counter()
    lines = []
    for sample in clean:
        found = [
            {(hit.rule.id, text.count("\n", 0, hit.start)) for hit in hits(text, matcher, on_time=lambda: None)}
            for text in sample
        ]
        lines.append(sum(len({line for _, line in each}) for each in found))
        alarms.update(rule for each in found for rule, _ in each)
    times = [timed(matcher, sample) for sample in clean]
    cold, warm = (statistics.median(each) for each in zip(*times, strict=True))
    print(f"\nclean code, {len(lines)} samples of 1 MB")
    print(
        f"lines flagged in a megabyte: median {statistics.median(lines)}, mean {statistics.mean(lines):.1f}, most {max(lines)}"
    )
    print(f"by rule: {dict(alarms.most_common(8))}")
    print(f"cold {cold:.0f} ms for a megabyte, warm turn {warm:.1f} ms (CPU)")


def timed(matcher: Matcher, sample: Sequence[str]) -> tuple[float, float]:
    """Milliseconds of the gate for a conversation that holds the sample, the first time and the next."""
    said = (f"Working directory: {HOME}", *sample)
    conversation = Conversation(
        model="heavy", messages=tuple(Message(role="user", content=(Prose(text),)) for text in said)
    )
    rules = PrivacyRules(leave=True, roots={"/": "cloud-ok"})  # whatever code names as a path, its content is looked at
    gate = Gate(rules, matcher, key=KEY, now=time.monotonic)
    took = []
    for _ in range(2):
        began = time.process_time()
        verdict = gate.judge(contents(conversation), CLAIM, tainted=frozenset(), until=time.monotonic() + 60)
        took.append(1000 * (time.process_time() - began))
        if verdict.reasons[-1].step is not Step.CONTENT:
            sys.exit(f"the content was not looked at: {verdict.why}")
    return took[0], took[1]


if __name__ == "__main__":
    main()
