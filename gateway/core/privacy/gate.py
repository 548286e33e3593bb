"""The privacy gate, whole: may this conversation leave the house, and as what. The one entry to this room:

    gate = Gate(rules, matcher, key=key, now=time.monotonic)
    whole = contents(conversation)
    tainted = …those of gate.marks(whole, session) that are known to be…
    verdict = gate.judge(whole, claim, tainted=tainted, until=now() + seconds)
    if verdict.leaves:
        sent = gate.redacted(whole, verdict)        # what to send; Restorer(sent.minted) goes over the answer
    …keep verdict.taints…

`service/leaving.py` does this off the event loop; a gate is used by one thread at a time, since it keeps what it knows.

Law: only permission that was given lets anything out, content can only take it away, and whatever is unknown, late or broken
means local. The steps go in a fixed order and the first that denies decides. That nothing answers at home is not among what
the gate is told, so that it can't widen anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from gateway.core.policy.privacy import Label, PrivacyRules
from gateway.core.privacy import taint
from gateway.core.privacy.finding import Finding, Place, Scan, counted, hashed
from gateway.core.privacy.folders import is_private, plain_roots
from gateway.core.privacy.labels import strictest
from gateway.core.privacy.named_paths import NamedPaths, named_paths
from gateway.core.privacy.permission import WIDEST, Claim, Word, client_word, header_word, paths_word, switch_word
from gateway.core.privacy.redaction import Redacted, is_replaceable, redacted
from gateway.core.privacy.rule import Matcher, Unusable
from gateway.core.privacy.scan import Scanner, ScanMemo
from gateway.core.privacy.units import Contents, contents
from gateway.core.privacy.verdict import Reason, Step, Verdict


class Gate:
    """Decides for one policy. `key` is the house's secret: marks, hashes and placeholders are made with it."""

    def __init__(
        self, rules: PrivacyRules, matcher: Matcher | Unusable, *, key: bytes, now: Callable[[], float]
    ) -> None:
        self.rules = rules
        self._matcher = matcher
        self._memo = ScanMemo()
        self._key = key
        self._now = now
        self._roots = plain_roots(rules.roots)

    def glance(self, claim: Claim) -> Verdict | None:
        """The denial of who may send nothing at all, whatever it is; None where the content has to be looked at."""
        return _first_denial((switch_word(self.rules), client_word(claim), header_word(claim)))

    def marks(self, whole: Contents, session: str) -> frozenset[bytes]:
        """What to ask the record of taints for."""
        return taint.marks(whole.units, session, key=self._key)

    def judge(self, whole: Contents, claim: Claim, *, tainted: frozenset[bytes], until: float) -> Verdict:
        """The verdict; never raises. `tainted` are those of the marks that are known to be, `until` is when it must be there."""
        reasons: list[Reason] = []
        label: Label = WIDEST
        try:
            for allowed, reason in self._words(whole, claim, tainted):
                label = strictest((label, allowed))
                reasons.append(reason)
                if label == "local":
                    return self._stays(whole, claim, reasons, tainted=tainted)
            return self._looked_at(whole, claim, label, reasons, until)
        except Exception as error:  # by the gate's law, whatever breaks means local; its text may hold content
            return _broken(reasons, error)

    def redacted(self, whole: Contents, verdict: Verdict) -> Redacted:
        """The conversation as the verdict lets it leave: as it is, or with every finding replaced."""
        return redacted(whole, verdict.findings if verdict.redact else (), key=self._key)

    def _words(self, whole: Contents, claim: Claim, tainted: frozenset[bytes]) -> Iterator[Word]:
        yield from _said(self.rules, claim)
        yield paths_word(claim, named_paths(whole.units, self._memo.paths), self.rules, self._roots)
        if tainted:
            yield "local", Reason(Step.TAINT, "this conversation held something private before")
        yield WIDEST, Reason(Step.TAINT, "nothing private is known of it")

    def _looked_at(
        self, whole: Contents, claim: Claim, label: Label, reasons: Sequence[Reason], until: float
    ) -> Verdict:
        """What the content says, once everything else has let it pass."""
        if isinstance(self._matcher, Unusable):
            reason = Reason(Step.CONTENT, f"content can't be scanned: {self._matcher.reason}")
            return self._stays(whole, claim, (*reasons, reason))
        files = tuple(self._private_files(whole))
        scan = self._scan(whole, until)
        findings = (*files, *scan.findings)
        found = ", ".join(f"{rule} ×{count}" for rule, count in counted(findings).items())
        if scan.unknown:
            why = Reason(Step.LIMIT, f"not all of it is known: {scan.unknown}{f'; found {found}' if found else ''}")
            return self._stays(whole, claim, (*reasons, why), findings)
        if not findings:
            clean = Reason(Step.CONTENT, f"nothing found in {scan.size} characters")
            return Verdict(leaves=True, label=label, reasons=(*reasons, clean))
        if label == "redact" and all(is_replaceable(each, self.rules) for each in findings):
            return self._replaced(whole, claim, (*reasons, Reason(Step.CONTENT, f"to be replaced: {found}")), findings, until)
        return self._stays(whole, claim, (*reasons, Reason(Step.CONTENT, f"found {found}")), findings)

    def _replaced(
        self,
        whole: Contents,
        claim: Claim,
        reasons: Sequence[Reason],
        findings: tuple[Finding, ...],
        until: float,
    ) -> Verdict:
        """It may leave with its secrets replaced, unless something is still found then."""
        left = self._scan(contents(redacted(whole, findings, key=self._key).conversation), until)
        if left.findings or left.unknown:
            still = left.unknown or f"still found {', '.join(counted(left.findings))}"
            return self._stays(whole, claim, (*reasons, Reason(Step.CONTENT, f"after that: {still}")), findings)
        return Verdict(leaves=True, label="redact", reasons=tuple(reasons), findings=findings, redact=True)

    def _stays(
        self,
        whole: Contents,
        claim: Claim,
        reasons: Sequence[Reason],
        findings: tuple[Finding, ...] = (),
        *,
        tainted: frozenset[bytes] = frozenset(),
    ) -> Verdict:
        held = {each.unit for each in findings} | taint.tainted_units(whole.units, tainted, key=self._key)
        kept = taint.spread(whole.units, frozenset(held), claim.session, key=self._key) if findings or tainted else ()
        return Verdict(leaves=False, reasons=tuple(reasons), findings=findings, taints=frozenset(kept))
