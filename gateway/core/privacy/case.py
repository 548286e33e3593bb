"""One conversation before the gate: the steps in their order; the first that denies decides.

Law: only permission that was given lets anything out, content can only take it away, and whatever is unknown, late or broken
means local. That nothing answers at home is not among the facts, so that it can't widen anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from gateway.core.policy.privacy import Label, PrivacyRules
from gateway.core.privacy import taint
from gateway.core.privacy.finding import Finding, Place, Scan, counted, hashed
from gateway.core.privacy.folders import is_private
from gateway.core.privacy.labels import strictest
from gateway.core.privacy.named_paths import NamedPaths, named_paths
from gateway.core.privacy.permission import (
    WIDEST,
    Claim,
    Roots,
    Word,
    client_word,
    header_word,
    paths_word,
    switch_word,
)
from gateway.core.privacy.redaction import is_replaceable, redacted
from gateway.core.privacy.rule import Matcher, Unusable
from gateway.core.privacy.scan import ScanMemo, Scanner
from gateway.core.privacy.units import Contents, contents
from gateway.core.privacy.verdict import Reason, Step, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a gate judges with: the policy's rules and roots, the matcher or why there is none, what is known already, the key."""

    rules: PrivacyRules
    roots: Roots
    matcher: Matcher | Unusable
    memo: ScanMemo
    key: bytes
    now: Callable[[], float]


@dataclass(slots=True, kw_only=True)
class Case:
    """A conversation, what its request claims, which of its marks are tainted, and until when the verdict must be there."""

    bench: Bench
    whole: Contents
    claim: Claim
    tainted: frozenset[bytes]
    until: float
    reasons: list[Reason] = field(default_factory=list)
    named: NamedPaths = field(default_factory=NamedPaths)

    def verdict(self) -> Verdict:
        """Never raises."""
        label: Label = WIDEST
        try:
            for allowed, reason in self._words():
                label = strictest((label, allowed))
                self.reasons.append(reason)
                if label == "local":
                    return self._stays()
            return self._looked_at(label)
        except Exception as error:  # by the law; what the error says may hold content
            self._because(Step.CONTENT, f"the gate broke ({type(error).__name__}), so nothing is known")
            return Verdict(leaves=False, reasons=tuple(self.reasons))

    def _words(self) -> Iterator[Word]:
        bench = self.bench
        yield switch_word(bench.rules)
        yield client_word(self.claim)
        yield header_word(self.claim)
        self.named = named_paths(self.whole.units, bench.memo.paths)
        yield paths_word(self.claim, self.named, bench.rules, bench.roots)
        if self.tainted:
            yield "local", Reason(Step.TAINT, "it held something private before")
        yield WIDEST, Reason(Step.TAINT, "nothing private is known of it")

    def _looked_at(self, label: Label) -> Verdict:
        """What the content says, once everything else has let it pass."""
        scan = self._scan(self.whole)
        findings = (*self._private_files(), *scan.findings)
        replaceable = bool(findings) and all(is_replaceable(each, self.bench.rules) for each in findings)
        if replaceable and label == "redact" and not scan.unknown and self._hides_all(findings):
            self._because(Step.CONTENT, f"to be replaced: {_counts(findings)}")
            return Verdict(leaves=True, label=label, reasons=tuple(self.reasons), findings=findings, redact=True)
        if findings:
            self._because(Step.CONTENT, f"found {_counts(findings)}")
        if scan.unknown:
            self._because(Step.LIMIT, f"not all of it is known: {scan.unknown}")
        if findings or scan.unknown:
            return self._stays(findings)
        self._because(Step.CONTENT, f"nothing found in {scan.size} characters")
        return Verdict(leaves=True, label=label, reasons=tuple(self.reasons))

    def _hides_all(self, findings: Sequence[Finding]) -> bool:
        """Whether nothing is found any more once these are replaced."""
        left = self._scan(contents(redacted(self.whole, findings, key=self.bench.key).conversation))
        return not left.findings and not left.unknown

    def _scan(self, whole: Contents) -> Scan:
        bench = self.bench
        if isinstance(bench.matcher, Unusable):
            return Scan(unknown=f"there is no scanner: {bench.matcher.reason}")
        scanner = Scanner(
            matcher=bench.matcher, memo=bench.memo, limit=bench.rules.scan_characters, now=bench.now, key=bench.key
        )
        return scanner.scan(whole.units, until=self.until)

    def _private_files(self) -> Iterator[Finding]:
        if not any(map(self._is_private, self.named.files)):
            return
        for unit in self.whole.units:
            for path in filter(self._is_private, named_paths((unit,), self.bench.memo.paths).files):
                mark = hashed(path, self.bench.key)
                yield Finding(rule="private-file", kind="file", place=Place.PATH, mark=mark, unit=unit.index)

    def _is_private(self, path: str) -> bool:
        return is_private(path, self.bench.rules.private_files, self.bench.rules.harmless_files)

    def _stays(self, findings: tuple[Finding, ...] = ()) -> Verdict:
        """It stays, and so does from now on what holds something private, or came after it."""
        return Verdict(leaves=False, reasons=tuple(self.reasons), findings=findings, taints=self._taints(findings))

    def _taints(self, findings: Sequence[Finding]) -> frozenset[bytes]:
        if not findings and not self.tainted:
            return frozenset()
        key, units = self.bench.key, self.whole.units
        known = taint.tainted_units(units, self.tainted, key=key)
        first = min((index for index in {*known, *(each.unit for each in findings)} if index >= 0), default=None)
        held = known | {each.unit for each in findings if not each.across}
        return taint.spread(units, held, first=first, session=self.claim.session, key=key)

    def _because(self, step: Step, words: str) -> None:
        self.reasons.append(Reason(step, words))


def _counts(findings: Sequence[Finding]) -> str:
    return ", ".join(f"{rule} ×{count}" for rule, count in counted(findings).items())
