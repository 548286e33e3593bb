"""The gate's order and its law: permission is given, content takes it away, whatever is unknown, late or broken means local."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.conversation import Conversation, Image, Message, Prose, ToolCall, ToolSpec
from gateway.core.policy.privacy import Label, PrivacyRules
from gateway.core.privacy.finding import counted
from gateway.core.privacy.gate import Gate
from gateway.core.privacy.permission import Claim
from gateway.core.privacy.rule import Candidate, Matcher, Rule, Unusable
from gateway.core.privacy.units import contents
from gateway.core.privacy.verdict import Step, Verdict

KEY = bytes(range(32))
HOME = "/home/me/open"
SECRET = "xyzzy-4711"
RULE = Rule(id="planted", kind="service", description="", pattern=SECRET, judge="certain")
HOUSE = Rule(id="house", kind="internal", description="", pattern="build7", judge="certain")
OPEN = PrivacyRules(leave=True, roots={HOME: "redact", f"{HOME}/client": "local", f"{HOME}/plain": "cloud-ok"})


class Finds:
    """A matcher of two words, as words."""

    def __init__(self) -> None:
        self.looked = 0

    def candidates(self, text: str) -> Sequence[Candidate]:
        self.looked += 1
        found = []
        for rule in (RULE, HOUSE):
            start = text.find(rule.pattern)
            while start >= 0:
                end = start + len(rule.pattern)
                if not text[end : end + 1].isalpha():
                    found.append(Candidate(rule, start, end, start, end))
                start = text.find(rule.pattern, end)
        return found


class Breaks:
    def candidates(self, text: str) -> Sequence[Candidate]:
        raise ValueError(f"broken over {SECRET}")


def said(role: str, text: str) -> Message:
    return Message(role=role, content=(Prose(text),))  # type: ignore[arg-type]


def chat(*messages: Message, folder: str = HOME, **more: object) -> Conversation:
    opening = said("system", f"Working directory: {folder}")
    return Conversation(model="m", messages=(opening, *messages), **more)  # type: ignore[arg-type]


def judged(
    conversation: Conversation,
    claim: Claim | None = None,
    *,
    rules: PrivacyRules = OPEN,
    matcher: Matcher | Unusable | None = None,
    tainted: frozenset[bytes] = frozenset(),
    until: float = 1.0,
) -> Verdict:
    gate = Gate(rules, matcher or Finds(), key=KEY, now=lambda: 0.0)
    return gate.judge(contents(conversation), claim or Claim(label="cloud-ok"), tainted=tainted, until=until)


HARMLESS = chat(said("user", "write a test"))


def test_what_is_permitted_and_clean_leaves_with_a_reason_from_every_step() -> None:
    verdict = judged(HARMLESS)
    assert verdict.leaves
    assert verdict.label == "cloud-ok"
    assert [each.step for each in verdict.reasons] == [
        Step.SWITCH, Step.CLIENT, Step.HEADER, Step.PATHS, Step.TAINT, Step.CONTENT,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rules", "claim", "step"),
    [
        (PrivacyRules(roots=OPEN.roots), Claim(label="cloud-ok"), Step.SWITCH),
        (OPEN, Claim(label=None), Step.CLIENT),
        (OPEN, Claim(label="local"), Step.CLIENT),
        (OPEN, Claim(label="cloud-ok", header="local"), Step.HEADER),
        (OPEN, Claim(label="cloud-ok", header="anything else"), Step.HEADER),
        (PrivacyRules(leave=True), Claim(label="cloud-ok"), Step.PATHS),
    ],
)
def test_the_first_that_denies_decides(rules: PrivacyRules, claim: Claim, step: Step) -> None:
    verdict = judged(HARMLESS, claim, rules=rules)
    assert not verdict.leaves
    assert verdict.reasons[-1].step is step


def test_who_may_send_nothing_is_denied_without_a_look() -> None:
    matcher = Finds()
    gate = Gate(PrivacyRules(), matcher, key=KEY, now=lambda: 0.0)
    verdict = gate.denied(Claim(label="cloud-ok"))
    assert verdict is not None
    assert not verdict.leaves
    judged(HARMLESS, Claim(label="local"), matcher=matcher)
    assert matcher.looked == 0
    assert Gate(OPEN, matcher, key=KEY, now=lambda: 0.0).denied(Claim(label="cloud-ok")) is None


LABELS: Sequence[Label] = ("local", "cloud-ok", "redact")
WIDTH = {"local": 0, "cloud-ok": 1, "redact": 2}


@given(
    st.sampled_from(LABELS),
    st.sampled_from([None, "local", "cloud-ok", "redact", "", "LOCAL "]),
    st.sampled_from(LABELS),
)
def test_labels_that_contradict_each_other_are_as_strict_as_the_strictest(
    client: Label, header: str | None, root: Label
) -> None:
    verdict = judged(HARMLESS, Claim(label=client, header=header), rules=PrivacyRules(leave=True, roots={HOME: root}))
    asked = 2 if header is None else WIDTH.get(header.strip().lower(), 0)
    narrowest = min(WIDTH[client], asked, WIDTH[root])
    assert WIDTH[verdict.label] == narrowest
    assert verdict.leaves == (narrowest > 0)


def test_two_labels_for_one_root_make_it_local() -> None:
    rules = PrivacyRules(leave=True, roots={HOME: "cloud-ok", f"{HOME}/": "local"})
    assert judged(HARMLESS, rules=rules).reasons[-1].step is Step.PATHS


def calling(name: str, **arguments: str) -> Message:
    return Message(role="assistant", calls=(ToolCall(id="c1", name=name, arguments=json.dumps(arguments)),))


@pytest.mark.parametrize(
    ("message", "leaves"),
    [
        (calling("read", path=f"{HOME}/a.py"), True),
        (calling("read", path="src/a.py"), True),
        (calling("read", path="/etc/passwd"), False),
        (calling("read", path="../shut/a.py"), False),
        (calling("read", path=f"{HOME}/client/a.py"), False),
        (calling("read", path=f"{HOME}/x/../../shut/a.py"), False),
        (calling("bash", command="cat /dev/null && ls /usr/include"), True),
        (calling("bash", command="cat $HOME/notes.txt"), False),
        (calling("bash", command="sed -i 's|from \"../../x/|from \"./x/|g' src/*.ts"), True),
        (calling("bash", command="python -c \"open('/srv/data/x').read()\""), False),
        (calling("bash", command="cat ~/notes.txt"), False),
        (said("user", "```python /srv/other/a.py\nx = 1\n```"), False),
        (said("user", "diff --git a/src/a.py b/src/a.py\n--- a/src/a.py\n+++ b/src/a.py\n"), True),
        (said("user", "--- /srv/other/a.py\n+++ /srv/other/b.py\n"), False),
        (said("user", '<file path="/srv/other/a.py">\n</file>'), False),
        (calling("read", path=".env"), False),
        (calling("read", path="deploy/prod.tfstate"), False),
        (calling("read", path=".env.example"), True),
    ],
)
def test_every_path_that_is_named_must_lie_where_it_may_leave_from(message: Message, leaves: bool) -> None:
    assert judged(chat(message)).leaves is leaves


def test_a_root_of_the_key_serves_who_names_no_folder() -> None:
    aider = Conversation(model="m", messages=(said("user", "src/a.py\n```python\nx = 1\n```"),))
    assert judged(aider).reasons[-1].step is Step.PATHS
    assert judged(aider, Claim(label="cloud-ok", root=HOME)).leaves
    assert not judged(aider, Claim(label="cloud-ok", root="/srv/other")).leaves


def test_who_names_no_path_at_all_is_unknown() -> None:
    nameless = Conversation(model="m", messages=(said("user", "hello"),))
    assert judged(nameless, Claim(label="cloud-ok", root=HOME)).reasons[-1].step is Step.PATHS


@pytest.mark.parametrize(
    "conversation",
    [
        chat(said("user", f"it is {SECRET}")),
        chat(said("assistant", f"it is {SECRET}"), said("user", "thanks")),
        chat(said("tool", f"it is {SECRET}")),
        chat(calling("write", path="a.py", content=SECRET)),
        chat(calling(SECRET, path="a.py")),
        chat(Message(role="assistant", thinking=SECRET)),
        chat(Message(role="user", name=SECRET, content=(Prose("x"),))),
        chat(Message(role="user", content=(Prose("x", {"note": SECRET}),))),
        chat(tools=(ToolSpec(name="t", description=SECRET),)),
        chat(tools=(ToolSpec(name="t", parameters={"properties": {"a": {"enum": [SECRET]}}}),)),
        chat(tools=(ToolSpec(name="t", parameters={SECRET: {}}),)),
        chat(extra={"metadata": {"deep": [{"note": SECRET}]}}),
        chat(options={"stop": [SECRET]}),
        chat(output={"type": "object", "description": SECRET}),
        chat(said("user", SECRET[:5]), said("user", SECRET[5:])),
        chat(extra={"metadata": {"one": SECRET[:5], "two": SECRET[5:]}}),
    ],
)
def test_what_holds_a_secret_anywhere_stays(conversation: Conversation) -> None:
    verdict = judged(conversation)
    assert not verdict.leaves
    assert verdict.reasons[-1].step is Step.CONTENT
    assert {each.rule for each in verdict.findings} == {"planted"}


def test_a_picture_stays() -> None:
    verdict = judged(chat(Message(role="user", content=(Image("aGk=", "image/png"),))))
    assert not verdict.leaves


@pytest.mark.parametrize(
    ("matcher", "until", "step"),
    [(Unusable("google-re2 is not installed"), 1.0, Step.LIMIT), (Breaks(), 1.0, Step.CONTENT), (Finds(), -1.0, Step.LIMIT)],
)  # fmt: skip
def test_no_engine_a_broken_one_and_one_that_is_late_mean_local(
    matcher: Matcher | Unusable, until: float, step: Step
) -> None:
    verdict = judged(HARMLESS, matcher=matcher, until=until)
    assert not verdict.leaves
    assert verdict.reasons[-1].step is step


def test_what_is_longer_than_the_cap_stays() -> None:
    rules = PrivacyRules(leave=True, roots=OPEN.roots, scan_characters=100)
    assert judged(HARMLESS, rules=rules).leaves
    verdict = judged(chat(said("user", "x" * 101)), rules=rules)
    assert not verdict.leaves
    assert verdict.reasons[-1].step is Step.LIMIT


def test_a_verdict_says_nothing_of_what_it_found() -> None:
    secret = chat(said("user", f"it is {SECRET}"), calling("read", path="/home/jane-doe/a.py"))
    for verdict in (judged(secret), judged(chat(said("user", SECRET))), judged(HARMLESS, matcher=Breaks())):
        assert SECRET not in repr(verdict)
        assert "jane-doe" not in repr(verdict)
    found = judged(chat(said("user", SECRET)))
    assert "planted ×1" in found.why
    assert counted(found.findings) == {"planted": 1}
    assert all(len(each.mark) == 16 for each in found.findings)


def test_the_hash_of_a_finding_is_keyed_and_the_same_for_the_same_value() -> None:
    def hashes(key: bytes) -> set[str]:
        gate = Gate(OPEN, Finds(), key=key, now=lambda: 0.0)
        whole = contents(chat(said("user", SECRET)))
        verdict = gate.judge(whole, Claim(label="cloud-ok"), tainted=frozenset(), until=1.0)
        return {each.mark for each in verdict.findings}

    assert hashes(KEY) == hashes(KEY)
    assert hashes(KEY) != hashes(bytes(32))


# -- redaction -------------------------------------------------------------------------------------------------------------


def test_under_redact_it_leaves_without_its_secrets() -> None:
    gate = Gate(OPEN, Finds(), key=KEY, now=lambda: 0.0)
    whole = contents(chat(said("user", f"it is {SECRET}"), calling("write", path="a.py", content=f'"{SECRET}"')))
    verdict = gate.judge(whole, Claim(label="redact"), tainted=frozenset(), until=1.0)
    assert verdict.leaves
    assert verdict.redact
    sent = gate.redacted(whole, verdict)
    assert SECRET not in repr(sent.conversation)
    assert list(sent.minted.values()) == [SECRET]
    assert SECRET not in repr(verdict)
    assert not verdict.taints


def test_a_long_secret_is_replaced_also_where_it_is_glued_to_other_text() -> None:
    gate = Gate(OPEN, Finds(), key=KEY, now=lambda: 0.0)
    whole = contents(chat(said("user", f"{SECRET} and some{SECRET}where")))
    verdict = gate.judge(whole, Claim(label="redact"), tainted=frozenset(), until=1.0)
    assert SECRET not in repr(gate.redacted(whole, verdict).conversation)


@pytest.mark.parametrize(
    "conversation",
    [
        chat(said("user", f"{SECRET} on build7")),  # a kind that is not replaced
        chat(said("user", SECRET), Message(role="user", name=SECRET)),  # a place where a program goes by the spelling
        chat(said("user", SECRET[:5]), said("user", SECRET[5:])),  # no span
        chat(said("user", SECRET), calling("read", path=".env")),
        chat(said("user", SECRET), tools=(ToolSpec(name="t", parameters={SECRET: {}}),)),
    ],
)
def test_under_redact_what_can_not_be_replaced_stays(conversation: Conversation) -> None:
    verdict = judged(conversation, Claim(label="redact", session="s1"))
    assert not verdict.leaves
    assert verdict.taints


# -- taint -----------------------------------------------------------------------------------------------------------------

ANSWER = said("assistant", "the long answer of this chat and no other " * 8)


def test_what_held_a_secret_stays_after_the_secret_is_gone() -> None:
    gate = Gate(OPEN, Finds(), key=KEY, now=lambda: 0.0)
    claim = Claim(label="cloud-ok", session="s1")
    greeting, question = said("user", "hello"), said("user", f"it is {SECRET}")
    first = gate.judge(contents(chat(greeting, question, ANSWER)), claim, tainted=frozenset(), until=1.0)
    assert first.taints

    def later(*messages: Message, session: str = "") -> frozenset[bytes]:
        return gate.marks(contents(chat(*messages)), session) & first.taints

    assert later(said("user", "a summary of it"), session="s1")  # the session
    assert later(said("user", "a summary of it"), ANSWER)  # what the model wrote after it
    assert later(question)
    assert not later(greeting, session="s2")  # the same in every chat
    assert not later(said("system", "anything"), greeting)


def test_a_secret_that_two_messages_make_together_taints_neither_alone() -> None:
    gate = Gate(OPEN, Finds(), key=KEY, now=lambda: 0.0)
    claim = Claim(label="cloud-ok", session="s1")
    halves = said("user", SECRET[:5]), said("user", SECRET[5:])
    verdict = gate.judge(contents(chat(*halves, ANSWER)), claim, tainted=frozenset(), until=1.0)
    assert not verdict.leaves
    assert not verdict.taints & gate.marks(contents(chat(*halves)), "")
    assert verdict.taints & gate.marks(contents(chat(ANSWER)), "")
    assert verdict.taints & gate.marks(contents(chat()), "s1")


def test_a_taint_goes_on_with_the_conversation() -> None:
    gate = Gate(OPEN, Finds(), key=KEY, now=lambda: 0.0)
    whole = contents(chat(said("user", "clean"), ANSWER))
    known = gate.marks(contents(chat(said("user", "clean"))), "") - gate.marks(contents(chat()), "")
    verdict = gate.judge(whole, Claim(label="cloud-ok", session="s"), tainted=known, until=1.0)
    assert not verdict.leaves
    assert verdict.reasons[-1].step is Step.TAINT
    assert verdict.taints >= known
    assert verdict.taints & gate.marks(contents(chat(ANSWER)), "")
    assert verdict.taints & gate.marks(contents(chat()), "s")


def test_marks_tell_nothing_without_the_key() -> None:
    whole = contents(HARMLESS)
    ours = Gate(OPEN, Finds(), key=KEY, now=lambda: 0.0).marks(whole, "s")
    theirs = Gate(OPEN, Finds(), key=bytes(32), now=lambda: 0.0).marks(whole, "s")
    assert not ours & theirs


# -- what is known is not looked at again ------------------------------------------------------------------------------------


def test_a_turn_looks_only_at_what_is_new_and_finds_the_same() -> None:
    matcher = Finds()
    gate = Gate(OPEN, matcher, key=KEY, now=lambda: 0.0)
    claim = Claim(label="cloud-ok")
    messages = [said("user" if number % 2 else "assistant", f"turn {number} " * 30) for number in range(40)]
    gate.judge(contents(chat(*messages)), claim, tainted=frozenset(), until=1.0)
    cold = matcher.looked
    assert gate.judge(contents(chat(*messages)), claim, tainted=frozenset(), until=1.0).leaves
    assert matcher.looked == cold
    verdict = gate.judge(contents(chat(*messages, said("user", SECRET))), claim, tainted=frozenset(), until=1.0)
    assert not verdict.leaves
    assert matcher.looked - cold < 8
    again = gate.judge(contents(chat(*messages, said("user", SECRET))), claim, tainted=frozenset(), until=1.0)
    assert again.findings == verdict.findings
