"""The privacy gate, the one entry to this room: may this conversation leave the house, and as what.

    gate = Gate(rules, matcher, key=key, now=time.monotonic)
    whole = contents(conversation)
    tainted = … those of gate.marks(whole, session) that are known to be …
    verdict = gate.judge(whole, claim, tainted=tainted, until=now() + seconds)
    if verdict.leaves:
        sent = gate.redacted(whole, verdict)     # what to send; Restorer(sent.minted) goes over the answer
    … keep verdict.taints …

`service/targets/leaving.py` does this off the event loop. What is sent is what was judged: a summary, a continuation or another
target's prompt is another conversation, and is judged again; with nothing new in it that takes a millisecond or two.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.core.policy.privacy import PrivacyRules
from gateway.core.privacy import taint
from gateway.core.privacy.case import Bench, Case
from gateway.core.privacy.folders import plain_roots
from gateway.core.privacy.permission import Claim, client_word, header_word, switch_word
from gateway.core.privacy.redaction import Redacted, redacted
from gateway.core.privacy.rule import Matcher, Unusable
from gateway.core.privacy.scan import ScanMemo
from gateway.core.privacy.units import Contents
from gateway.core.privacy.verdict import Verdict


class Gate:
    """Decides under one policy; one thread at a time, since it keeps what it knows of each message.

    `key` is the house's secret: marks, hashes and placeholders are made with it, so that they tell nothing to who lacks it.
    """

    def __init__(
        self, rules: PrivacyRules, matcher: Matcher | Unusable, *, key: bytes, now: Callable[[], float]
    ) -> None:
        self._bench = Bench(
            rules=rules, roots=plain_roots(rules.roots), matcher=matcher, memo=ScanMemo(), key=key, now=now
        )

    def denied(self, claim: Claim) -> Verdict | None:
        """The denial of a request that may send nothing, whatever it holds; None where its content has to be looked at."""
        reasons = []
        for label, reason in (switch_word(self._bench.rules), client_word(claim), header_word(claim)):
            reasons.append(reason)
            if label == "local":
                return Verdict(leaves=False, reasons=tuple(reasons))
        return None

    def marks(self, whole: Contents, session: str) -> frozenset[bytes]:
        """What to ask the record of taints for."""
        return taint.marks(whole.units, session, key=self._bench.key)

    def judge(self, whole: Contents, claim: Claim, *, tainted: frozenset[bytes], until: float) -> Verdict:
        """The verdict; never raises. `tainted` are those of the marks that are known to be; after `until` it is local."""
        return Case(bench=self._bench, whole=whole, claim=claim, tainted=tainted, until=until).verdict()

    def redacted(self, whole: Contents, verdict: Verdict) -> Redacted:
        """The conversation as the verdict lets it leave: as it is, or with every finding replaced."""
        if not verdict.redact:
            return Redacted(whole.conversation, {})
        return redacted(whole, verdict.findings, key=self._bench.key)
