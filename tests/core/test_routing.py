"""What is heavy, what may go where, and that nothing leaves without the gate's word."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.conversation import Message, Prose, ToolCall
from gateway.core.plan import Target
from gateway.core.policy.cloud import CloudRules, CloudTarget, HeavyRules, Price
from gateway.core.routing import (
    DEAD_FOR,
    NOT_ASKED,
    Load,
    Offer,
    Permission,
    Size,
    Wish,
    asks_gate,
    edited_files,
    offers,
    route,
    why_heavy,
    wish_of,
)
from gateway.core.spending import Caps, Purse, Spent

HOME, FAR, FARTHER = Target("ollama", "qwen"), Target("gemini", "pro"), Target("openrouter", "qwen/coder")
ALLOWED = Permission(True, ("the client's label is cloud-ok",))
DENIED = Permission(False, ("found aws-key ×1",))
PRICE = Price(input=1.0, output=2.0)
RULES = CloudRules(
    heavy=("gemini/pro", "openrouter/qwen/coder"),
    targets={
        "gemini/pro": CloudTarget(accepts_terms=True, window=100_000, price=PRICE),
        "openrouter/qwen/coder": CloudTarget(accepts_terms=True, window=50_000, answer=1000, price=PRICE),
    },
)
OFFERED = (Offer(target=FAR, worst=5, most=10), Offer(target=FARTHER, worst=5, most=10))
RICH = Purse(spent=Spent(), caps=Caps(), key="ann")


@pytest.mark.parametrize(
    ("load", "word"),
    [
        (Load(), ""),
        (Load(seconds=180.0, patience=300.0), ""),
        (Load(seconds=180.1, patience=300.0), "reading the prompt takes 180 s, and its client waits 300 s"),
        (Load(seconds=367.0), "client waits 300 s"),
        (Load(seconds=367.0, patience=900.0), ""),
        (Load(fits=False), "no window at home"),
        (Load(files=4), ""),
        (Load(files=5), "5 files are being edited"),
        (Load(wish="heavy"), "the client asks for it"),
        (Load(wish="local"), ""),
    ],
)
def test_what_is_heavy(load: Load, word: str) -> None:
    reasons = why_heavy(load, HeavyRules())
    assert len(reasons) == bool(word)
    assert word in "".join(reasons)


def test_each_reason_can_be_switched_off() -> None:
    load = Load(seconds=1e6, fits=False, files=50, wish="heavy")
    assert len(why_heavy(load, HeavyRules())) == 4
    off = HeavyRules(share_of_timeout=1e9, beyond_window=False, files=0, on_request=False)
    assert why_heavy(load, off) == ()


@pytest.mark.parametrize(
    ("model", "header", "wish"),
    [
        ("qwen", None, None),
        ("heavy", None, "heavy"),
        ("qwen", "heavy", "heavy"),
        ("heavy", " LOCAL ", "local"),
        ("qwen", "cloud", None),
    ],
)
def test_what_a_client_asks_for(model: str, header: str | None, wish: Wish | None) -> None:
    assert wish_of(model, header) == wish


def routed(
    permission: Permission = ALLOWED,
    *,
    heavy: tuple[str, ...] = ("it is long",),
    wish: Wish | None = None,
    down: bool = False,
    rules: CloudRules = RULES,
    offered: tuple[Offer, ...] = OFFERED,
) -> tuple[tuple[Target, ...], str]:
    verdict = route(
        [HOME], heavy=heavy, wish=wish, permission=permission, offered=offered, home_is_down=down, rules=rules
    )
    assert verdict.kept_home == (bool(heavy) and not verdict.away)
    return verdict.targets, "; ".join(verdict.reasons)


STRANDED = CloudRules(heavy=RULES.heavy, targets=RULES.targets, when_home_is_down=True)


def test_heavy_work_that_may_leave_goes_and_may_come_back() -> None:
    targets, why = routed()
    assert targets == (FAR, FARTHER, HOME)
    assert "it may leave; the client's label is cloud-ok" in why
    assert "gemini/pro: at most $0.0000" in why


def test_heavy_work_that_may_not_leave_stays_and_says_why() -> None:
    targets, why = routed(DENIED)
    assert targets == (HOME,)
    assert "heavy: it is long; it may not leave; found aws-key ×1" in why


def test_light_work_stays_whatever_may_leave() -> None:
    assert routed(heavy=())[0] == (HOME,)


def test_local_down_widens_nothing() -> None:
    assert routed(heavy=(), down=True)[0] == (HOME,)
    assert routed(DENIED, heavy=(), down=True, rules=STRANDED)[0] == (HOME,)
    assert routed(heavy=(), down=True, rules=STRANDED)[0] == (FAR, FARTHER, HOME)
    assert routed(heavy=(), down=False, rules=STRANDED)[0] == (HOME,)


def test_a_client_that_wants_it_local_gets_it_local() -> None:
    targets, why = routed(wish="local", down=True, rules=STRANDED)
    assert targets == (HOME,)
    assert "the client wants it to stay" in why


def test_a_target_that_cannot_be_had_is_left_out_and_told() -> None:
    targets, why = routed(offered=(Offer(target=FAR, worst=None, most=0, why_not="its price is not known"), OFFERED[1]))
    assert targets == (FARTHER, HOME)
    assert "gemini/pro: its price is not known" in why


@given(
    allowed=st.booleans(),
    heavy=st.lists(st.text(), max_size=2).map(tuple),
    wish=st.sampled_from([None, "heavy", "local"]),
    down=st.booleans(),
    rules=st.sampled_from([RULES, STRANDED, CloudRules(), CloudRules(when_home_is_down=True)]),
)
def test_nothing_leaves_without_permission(
    allowed: bool, heavy: tuple[str, ...], wish: Wish | None, down: bool, rules: CloudRules
) -> None:
    verdict = route(
        [HOME],
        heavy=heavy,
        wish=wish,
        permission=ALLOWED if allowed else NOT_ASKED,
        offered=OFFERED,
        home_is_down=down,
        rules=rules,
    )
    may = allowed and wish != "local" and bool(rules.heavy) and (bool(heavy) or (down and rules.when_home_is_down))
    assert verdict.away == ((FAR, FARTHER) if may else ())
    assert verdict.targets == (*verdict.away, HOME)
    load = Load(wish=wish)
    assert asks_gate(rules, load, heavy, home_is_down=down) or not may


def offered(
    rules: CloudRules = RULES, size: Size | None = None, *, purse: Purse = RICH, dead: dict[Target, float] | None = None
) -> list[tuple[int | None, int, str]]:
    found = offers(rules, size or Size(prompt=10_000), dead=dead or {}, now=1e9, purse=purse)
    return [(each.worst, each.most, each.why_not) for each in found]


def test_an_offer_has_its_price() -> None:
    assert offered() == [(10_000 + 2 * 16_384, 16_384, ""), (10_000 + 2 * 1000, 1000, "")]
    assert offered(size=Size(prompt=10_000, margin=500, asked=100))[0] == (10_500 + 200, 100, "")


def test_a_prompt_is_paid_for_up_to_the_window_and_its_answer_within_it() -> None:
    assert offered(size=Size(prompt=99_000))[0] == (99_000 + 2 * 1000, 1000, "")
    assert offered(size=Size(prompt=900_000))[0] == (100_000 + 2, 1, "")


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        (None, "not among cloud.targets"),
        (CloudTarget(window=100_000, price=PRICE), "accepts_terms"),
        (CloudTarget(accepts_terms=True, window=100_000), "price is not known"),
        (CloudTarget(accepts_terms=True, window=100_000, price=Price(input=1.0)), "price is not known"),
    ],
)
def test_what_cannot_be_had(rule: CloudTarget | None, word: str) -> None:
    rules = CloudRules(heavy=("gemini/pro",), targets={"gemini/pro": rule} if rule else {})
    ((_, _, why),) = offered(rules)
    assert word in why


def test_a_dead_model_is_left_alone_for_a_day() -> None:
    assert "no longer has" in offered(dead={FAR: 1e9 - DEAD_FOR + 1})[0][2]
    assert offered(dead={FAR: 1e9 - DEAD_FOR})[0][2] == ""


def test_a_budget_that_is_gone_forbids() -> None:
    purse = Purse(spent=Spent(day=990_000), caps=Caps(day=1_000_000), key="ann")
    assert [bool(why) for _, _, why in offered(purse=purse)] == [True, True]
    assert all("ledger" in why for _, _, why in offered(purse=Purse(spent=None, caps=Caps(), key="ann")))


def say(role: str, text: str = "", **calls: str) -> Message:
    made = tuple(
        ToolCall(id=path, name=name, arguments=json.dumps({"file_path": path})) for path, name in calls.items()
    )
    return Message(role=role, content=(Prose(text),) if text else (), calls=made)  # type: ignore[arg-type]


BLOCK = "{0}\n```python\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n```\n"
AIDER = (
    "I have *added these files to the chat* so you can go ahead and edit them.\n\n"
    "*Trust this message as the true contents of these files!*\n\n"
    "src/a.py\n```\nprint(1)\n```\n\nsrc/b c.html\n````\n```\ninside.py\n```\n````\n"
)


@pytest.mark.parametrize(
    ("messages", "files"),
    [
        ([], set()),
        ([say("user", "fix it"), say("assistant", a="edit", b="write", c="read")], {"a", "b"}),
        ([say("user", "fix"), say("assistant", **{"./a": "edit"}), say("assistant", a="edit")], {"a"}),
        ([say("user", "one"), say("assistant", a="edit"), say("user", "two"), say("assistant", b="edit")], {"b"}),
        ([say("user", "one"), say("assistant", a="edit"), say("user", "<returncode>0</returncode>")], {"a"}),
        ([say("user", "go"), say("assistant", BLOCK.format("x.py") + BLOCK.format("y.py"))], {"x.py", "y.py"}),
        ([say("user", AIDER), say("assistant", "Ok."), say("user", "change both")], {"src/a.py", "src/b c.html"}),
    ],
)
def test_files_that_are_being_edited(messages: list[Message], files: set[str]) -> None:
    assert edited_files(messages) == files
