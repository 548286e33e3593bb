"""The line before an upstream: slots are conserved, people go first, sessions take turns, nobody starves."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.core.admission import Admission, Admitted, Refused, Ticket, Waiting
from gateway.core.policy.admission import AdmissionRules


def ticket(name: str, *, session: str = "", model: str = "m", background: bool = False, seconds: float = 0.0) -> Ticket:
    return Ticket(id=name, session=session or name, model=model, background=background, seconds=seconds)


def test_one_slot_one_answer_at_a_time() -> None:
    line = Admission(1, AdmissionRules())
    assert line.enter(ticket("a"), 0.0) == Admitted()
    assert isinstance(line.enter(ticket("b"), 0.0), Waiting)
    line.leave(ticket("a"), 1.0)
    assert [each.id for each in line.admit(1.0)] == ["b"]


def test_people_go_before_background_work() -> None:
    line = Admission(1, AdmissionRules())
    line.enter(ticket("running"), 0.0)
    line.enter(ticket("title", background=True), 1.0)
    line.enter(ticket("question"), 2.0)
    line.leave(ticket("running"), 3.0)
    assert [each.id for each in line.admit(3.0)] == ["question"]


def test_nobody_is_put_behind_for_ever() -> None:
    line = Admission(1, AdmissionRules(patience=30.0))
    line.enter(ticket("running"), 0.0)
    line.enter(ticket("title", background=True), 1.0)
    line.enter(ticket("question"), 2.0)
    line.leave(ticket("running"), 40.0)
    assert [each.id for each in line.admit(40.0)] == ["title"]


def test_the_loaded_model_goes_before_a_switch() -> None:
    line = Admission(1, AdmissionRules())
    line.enter(ticket("running", model="big"), 0.0)
    line.enter(ticket("other", model="small"), 1.0)
    line.enter(ticket("same", model="big"), 2.0)
    line.leave(ticket("running"), 3.0)
    assert [each.id for each in line.admit(3.0)] == ["same"]


def test_sessions_take_turns() -> None:
    line = Admission(1, AdmissionRules())
    line.enter(ticket("a1", session="a"), 0.0)
    line.enter(ticket("a2", session="a"), 1.0)
    line.enter(ticket("b1", session="b"), 2.0)
    line.leave(ticket("a1", session="a"), 3.0)
    assert [each.id for each in line.admit(3.0)] == ["b1"]


def test_a_slot_waits_for_the_agent_that_comes_right_back() -> None:
    line = Admission(1, AdmissionRules(keep_slot=2.0))
    line.enter(ticket("a1", session="a"), 0.0)
    line.enter(ticket("b1", session="b"), 0.0)
    line.leave(ticket("a1", session="a"), 1.0, comes_back=True)
    assert line.admit(1.0) == []
    assert line.next_look(1.0) == 2.0
    assert line.enter(ticket("a2", session="a"), 1.5) == Admitted()
    line.leave(ticket("a2", session="a"), 4.0)
    assert [each.id for each in line.admit(4.0)] == ["b1"]


def test_a_kept_slot_falls_free_when_nobody_comes() -> None:
    line = Admission(1, AdmissionRules(keep_slot=2.0))
    line.enter(ticket("a1", session="a"), 0.0)
    line.enter(ticket("b1", session="b"), 0.0)
    line.leave(ticket("a1", session="a"), 1.0, comes_back=True)
    assert [each.id for each in line.admit(3.1)] == ["b1"]


def test_a_full_line_says_when_to_come_again() -> None:
    line = Admission(1, AdmissionRules(queue=1))
    line.enter(ticket("a", seconds=20.0), 0.0)
    line.enter(ticket("b", seconds=20.0), 0.0)
    refused = line.enter(ticket("c"), 10.0)
    assert refused == Refused(30.0)


def test_a_line_too_long_in_seconds_is_full_too() -> None:
    line = Admission(1, AdmissionRules(longest_wait=60.0))
    line.enter(ticket("a", seconds=50.0), 0.0)
    line.enter(ticket("b", seconds=50.0), 0.0)
    assert isinstance(line.enter(ticket("c"), 0.0), Refused)


class Slots(RuleBasedStateMachine):
    """Whatever comes and goes in whatever order, no slot is lost and none is given twice."""

    def __init__(self) -> None:
        super().__init__()
        self.line = Admission(2, AdmissionRules(queue=5, keep_slot=2.0))
        self.now = 0.0
        self.count = 0
        self.holding: dict[str, Ticket] = {}
        self.waiting: dict[str, Ticket] = {}

    @rule(session=st.sampled_from("abc"), model=st.sampled_from("xy"), background=st.booleans())
    def come(self, session: str, model: str, background: bool) -> None:
        self.count += 1
        new = ticket(str(self.count), session=session, model=model, background=background, seconds=3.0)
        match self.line.enter(new, self.now):
            case Admitted():
                self.holding[new.id] = new
            case Waiting():
                self.waiting[new.id] = new
            case Refused(seconds):
                assert seconds > 0

    @precondition(lambda self: self.holding)
    @rule(data=st.data(), comes_back=st.booleans())
    def finish(self, data: st.DataObject, comes_back: bool) -> None:
        done = self.holding.pop(data.draw(st.sampled_from(sorted(self.holding))))
        self.line.leave(done, self.now, comes_back=comes_back)
        self._admit()

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def give_up_waiting(self, data: st.DataObject) -> None:
        gone = self.waiting.pop(data.draw(st.sampled_from(sorted(self.waiting))))
        self.line.leave(gone, self.now)
        self._admit()

    @rule(seconds=st.floats(0.1, 40.0))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self._admit()

    def _admit(self) -> None:
        for each in self.line.admit(self.now):
            self.holding[each.id] = self.waiting.pop(each.id)

    @invariant()
    def slots_are_conserved(self) -> None:
        assert self.line.running == len(self.holding) <= 2
        assert self.line.waiting == len(self.waiting)

    @invariant()
    def nobody_waits_for_a_free_slot_for_ever(self) -> None:
        if self.waiting and not self.holding:
            assert self.line.next_look(self.now) is not None, "a kept slot must be looked at again"

    def teardown(self) -> None:
        for each in [*self.holding.values()]:
            self.line.leave(each, self.now)
        self.holding = {}
        self.now += 100.0
        while self.waiting:
            self._admit()
            assert self.holding, "everybody is served in the end"
            for each in list(self.holding.values()):
                self.line.leave(each, self.now)
            self.holding = {}


TestSlots = Slots.TestCase
TestSlots.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
