"""Whole histories: when compaction starts, what it takes first, what it never takes, and what it says about it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from gateway.core.compaction import Compaction, CompactionRules, Memo, compact
from gateway.core.conversation import Message, Prose, Role, ToolCall

Size = Callable[[Message], int]
SYSTEM = Message(role="system", content=(Prose("You are an agent."),))
TASK = Message(role="user", content=(Prose("Write a parser for the format in FORMAT.md, please."),))
RULES = CompactionRules()


def message(role: Role, text: str) -> Message:
    return Message(role=role, content=(Prose(text),))


def turn(
    number: int, *, name: str = "bash", given: Mapping[str, object] | None = None, lines: int = 40
) -> list[Message]:
    """A call and its result, some 300 tokens long."""
    call = ToolCall(id=f"call_{number:05}", name=name, arguments=json.dumps(given or {"command": f"make part{number}"}))
    output = "\n".join(f"turn {number} line {line} of the log" for line in range(lines))
    return [
        Message(role="assistant", content=(Prose(f"Now part {number}."),), calls=(call,)),
        Message(role="tool", answers=call.id, content=(Prose(output),)),
    ]


def session(turns: int, **more: object) -> list[Message]:
    return [SYSTEM, TASK, *(m for i in range(turns) for m in turn(i, **more))]  # type: ignore[arg-type]


def shrunk(messages: Sequence[Message], size: Size, budget: int = 4096, **more: object) -> Compaction:
    return compact(messages, budget=budget, fixed=100, size=size, **{"rules": RULES, **more})  # type: ignore[arg-type]


def test_what_fits_is_returned_as_it_came(size: Size) -> None:
    history = session(5)
    done = shrunk(history, size)
    assert done.messages == tuple(history)
    assert done.origin == tuple((i,) for i in range(len(history)))
    assert (done.stages, done.epochs, done.fits, done.summary_key) == ((), 0, True, "")
    assert done.tokens_before == done.tokens_after == 100 + sum(map(size, history))


def test_nothing_at_all_is_fine(size: Size) -> None:
    assert shrunk([], size).messages == ()
    assert shrunk([SYSTEM], size, budget=10).fits is False


def test_compaction_goes_down_to_lo_and_the_next_turns_are_added_only(size: Size) -> None:
    memo = Memo()
    before = shrunk(session(0), size, memo=memo)
    epochs = []
    for turns in range(1, 60):
        now = shrunk(session(turns), size, memo=memo)
        assert now.fits
        if now.epochs == before.epochs:
            assert now.messages[: len(before.messages)] == before.messages
        else:
            room = 4096 - 100 - size(SYSTEM) - size(TASK)
            assert now.tokens_after <= 4096 - (1 - RULES.lo) * room
        epochs.append(now.epochs)
        before = now
    assert epochs[-1] >= 3
    assert epochs == sorted(epochs)
    assert shrunk(session(59), size) == before


def test_the_task_the_record_and_the_newest_turns_are_sent(size: Size) -> None:
    history = session(40)
    sent = shrunk(history, size).messages
    assert sent[0] == SYSTEM
    assert sent[1].text.startswith(f"{TASK.text}\n\n[holdfast: ")
    assert "- `make part3` → turn 3 line 39 of the log" in sent[1].text
    assert sent[-4:] == tuple(history[-4:])


def test_the_report_says_which_stage_made_what(size: Size) -> None:
    history = session(40)
    done = shrunk(history, size)
    [digest, *others] = done.stages
    assert digest.stage == "digest"
    assert digest.messages == tuple(range(2, 2 + len(digest.messages)))
    assert done.origin[1] == (1, *digest.messages)
    assert sum(s.tokens_before - s.tokens_after for s in done.stages) == done.tokens_before - done.tokens_after
    assert {s.stage for s in others} <= {"masked", "middle", "arguments"}
    assert done.irreducible <= done.tokens_after


def test_reads_go_before_anything_else(size: Size) -> None:
    reading = [SYSTEM, TASK]
    for number in range(4):
        reading += turn(number, name="read", given={"path": "a.py"}, lines=60)
    reading += turn(9)
    done = shrunk(reading, size, budget=1900)
    assert [stage.stage for stage in done.stages] == ["superseded"]
    assert done.messages[3].text == "[holdfast: a.py: read again later, see there]"
    assert done.messages[9] == reading[9]


@pytest.mark.parametrize("name", ["superseded", "stale", "masked", "arguments", "digest"])
def test_a_stage_that_is_switched_off_does_nothing(name: str, size: Size) -> None:
    history = session(0)
    for number in range(48):
        kind = ("read", "edit", "bash")[number % 3]
        given = {"path": "a.py", "text": "x" * 900} if kind != "bash" else {"command": "make"}
        history += turn(number, name=kind, given=given)
    budgets = (1200, 4000, 8000, 16_000)
    on = {s.stage for budget in budgets for s in shrunk(history, size, budget).stages}
    rules = replace(RULES, **{name: False})  # type: ignore[arg-type]
    off = {s.stage for budget in budgets for s in shrunk(history, size, budget, rules=rules).stages}
    assert name in on
    assert name not in off


def test_long_outputs_lose_their_middle_before_others_are_cleared(size: Size) -> None:
    history = [SYSTEM, TASK, *turn(0, lines=900), *session(15)[2:]]
    done = shrunk(history, size, budget=9000)
    assert [(stage.stage, stage.messages) for stage in done.stages] == [("middle", (3,))]
    assert "characters left out]" in done.messages[3].text


def test_the_latest_request_is_kept_whole_however_old_it_is(size: Size) -> None:
    asked = message("user", "Use the table of §3,\n  not the regex.")
    history = [SYSTEM, TASK, *turn(0), message("assistant", "Done."), asked, *session(40)[2:]]
    head = shrunk(history, size).messages[1]
    assert head.text.startswith(TASK.text)
    assert head.text.endswith(f"\n\n{asked.text}")
    more = [*history, message("assistant", "Done."), message("user", "And now?"), *turn(99), *session(40)[2:]]
    head = shrunk(more, size).messages[1]
    assert head.text.endswith("And now?")
    assert "- Use the table of §3, not the regex. →" in head.text


def test_a_users_question_after_a_long_answer_still_fits(size: Size) -> None:
    history = [SYSTEM, TASK, *turn(0), message("assistant", "word " * 4000), message("user", "Thanks. Next?")]
    done = shrunk(history, size)
    assert done.fits
    assert [m.role for m in done.messages] == ["system", "user"]
    assert done.messages[1].text.endswith("Thanks. Next?")


def test_the_newest_output_is_cut_only_if_nothing_else_helps(size: Size) -> None:
    history = [SYSTEM, TASK, *turn(0), *turn(1, lines=2000)]
    done = shrunk(history, size)
    assert done.fits
    assert [stage.stage for stage in done.stages] == ["digest", "newest"]
    assert done.cut_newest
    assert done.messages[-1].text.startswith("turn 1 line 0 of the log\n")
    assert done.messages[-1].text.endswith("turn 1 line 1999 of the log")
    refused = shrunk(history, size, rules=replace(RULES, newest=False))
    assert not refused.fits
    assert refused.irreducible == refused.tokens_after > 4096


def test_then_the_arguments_that_it_answers(size: Size) -> None:
    history = [SYSTEM, TASK, *turn(0, name="write", given={"path": "a.py", "content": "x" * 40_000})]
    done = shrunk(history, size)
    assert (done.fits, done.cut_newest) == (True, True)
    assert json.loads(done.messages[2].calls[0].arguments)["path"] == "a.py"
    assert done.messages[3] == history[3]
    unanswered = shrunk(history[:3], size)
    assert (unanswered.fits, unanswered.messages[2]) == (False, history[2])


def test_a_batch_of_calls_is_never_split(size: Size) -> None:
    calls = tuple(ToolCall(id=f"p{i}", name="bash", arguments="{}") for i in range(4))
    batch = [
        Message(role="assistant", calls=calls),
        *(Message(role="tool", answers=c.id, content=(Prose("x" * 3000),)) for c in calls),
    ]
    for turns in range(1, 12):
        sent = shrunk([*session(turns), *batch, *session(turns)[2:], *batch], size).messages
        assert sent[-5:] == tuple(batch)
        ids = [call.id for m in sent for call in m.calls]
        assert [m.answers for m in sent if m.role == "tool"] == ids


def test_what_the_frame_says_moves_nothing_while_it_hardly_grows(size: Size) -> None:
    def dated(date: str) -> list[Message]:
        return [replace(SYSTEM, content=(Prose(f"You are an agent. Today is {date}."),)), *session(40)[1:]]

    assert shrunk(dated("1 May"), size).messages[1:] == shrunk(dated("30 November"), size).messages[1:]


def test_a_client_that_asks_again_otherwise_gets_no_leftovers(size: Size) -> None:
    memo, history = Memo(), session(15)
    assert shrunk(history, size, memo=memo).epochs == 1
    other = [*history, message("user", "Stop. Do part 3 first."), *turn(99)]
    assert shrunk(other, size, memo=memo) == shrunk(other, size)
    assert shrunk(history, size, memo=memo) == shrunk(history, size)


def test_a_memo_saves_the_sizing_of_what_is_known(size: Size) -> None:
    asked = []

    def counting(one: Message) -> int:
        asked.append(one)
        return size(one)

    memo, history = Memo(), session(40)
    first = shrunk(history[:-2], counting, memo=memo)
    asked.clear()
    second = shrunk(history, counting, memo=memo)
    assert asked == [SYSTEM, *history[-2:]]
    assert second.messages[: len(first.messages)] == first.messages


def test_a_text_mode_agent_keeps_the_beginning_of_every_step(size: Size) -> None:
    history = [SYSTEM, TASK]
    many = "\n".join(f"y {line}" for line in range(200))
    for number in range(30):
        history += [
            message("assistant", f"Next.\n```\nmake part{number}\n```"),
            message("user", f"OBSERVATION:\npart {number}\ny {many}"),
        ]
    sent = shrunk(history, size, budget=8192).messages
    assert [stage.stage for stage in shrunk(history, size, budget=8192).stages] == ["masked"]
    text = " ".join(" ".join(m.text.split()) for m in sent)
    assert all(f"OBSERVATION: part {number} y" in text for number in range(30))
    sent = shrunk(history, size, budget=2048).messages
    assert "- `make part20` → OBSERVATION: part 20 y y 0 y 1" in sent[1].text
    assert sent[-1] == history[-1]


class TestAider:
    EXAMPLES = (
        message("user", "Change f."),
        message("assistant", "a.py\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE"),
    )
    SWITCH = (message("user", "I switched to a new code base. Forget it."), message("assistant", "Ok."))
    MAP = (
        message("user", "Here are summaries of some files present in my git repository.\n" + "f()\n" * 40),
        message("assistant", "Ok."),
    )
    FILES = (
        message("user", "I have *added these files to the chat* so you can go ahead.\n" + "code\n" * 400),
        message("assistant", "Ok."),
    )
    CURRENT = (message("user", "Now rename g.\n\n# SEARCH/REPLACE block rules: …"),)

    def request(self, exchanges: int) -> list[Message]:
        block = "b.py\n<<<<<<< SEARCH\n{0}\n=======\n{0}!\n>>>>>>> REPLACE"
        done = [
            m
            for i in range(exchanges)
            for m in (message("user", f"Step {i}."), message("assistant", block.format(f"line {i}\n" * 60)))
        ]
        return [SYSTEM, *self.EXAMPLES, *self.SWITCH, *self.MAP, *done, *self.FILES, *self.CURRENT]

    def test_only_what_is_done_shrinks(self, size: Size) -> None:
        history = self.request(30)
        sent = shrunk(history, size).messages
        assert sent[:7] == tuple(history[:7])
        assert sent[-3:] == tuple(history[-3:])
        assert sent[7].text.startswith("Step 0.\n\n[holdfast: ")
        assert "Files changed:\n- b.py (" in sent[7].text
        assert [m for m in sent if m.role == "assistant" and m not in history] == []

    def test_the_prefix_stays_although_the_rules_move_on_with_the_latest_message(self, size: Size) -> None:
        rules = "# *SEARCH/REPLACE block* Rules:\n\n" + "Every block must use this format.\n" * 60
        system = message("system", f"You are Aider.\n{rules}")
        before: Compaction | None = None
        breaks = 0
        for exchanges in range(1, 40):
            done = self.request(exchanges)[1:-3]
            history = [system, *done, *self.FILES, message("user", f"Step {exchanges}.\n\n{rules}")]
            now = shrunk(history, size)
            assert now.messages[-1] == history[-1]
            assert now.tokens_after == 100 + sum(map(size, now.messages))
            if before and now.epochs == before.epochs:
                kept = before.messages[:-3]
                assert now.messages[: len(kept)] == kept
            breaks += before is not None and now.epochs != before.epochs
            before = now
        assert 2 < breaks < 10

    def test_the_current_turn_stays_behind_the_files_however_little_room_there_is(self, size: Size) -> None:
        history = self.request(10)
        done = shrunk(history, size, budget=600)
        assert done.messages[-3:] == tuple(history[-3:])
        assert max(index for stage in done.stages for index in stage.messages) < len(history) - 3

    def test_growing_history_keeps_its_prefix(self, size: Size) -> None:
        before = shrunk(self.request(10), size)
        for exchanges in range(11, 40):
            now = shrunk(self.request(exchanges), size)
            same = len(before.messages) - 3
            assert now.epochs > before.epochs or now.messages[:same] == before.messages[:same]
            assert now.fits
            before = now

    def test_the_current_turn_is_left_alone(self, size: Size) -> None:
        reflections = [
            m for i in range(3) for m in (message("assistant", "x" * 2000), message("user", f"It failed {i}."))
        ]
        history = [*self.request(10), *reflections]
        sent = shrunk(history, size).messages
        assert sent[-9:] == tuple(history[-9:])


class TestSummaries:
    RULES = replace(RULES, summary=True, masked=False)  # so that each compaction comes to the record
    TEXT = "## Goal\n- a parser"

    def run(self, turns: int, size: Size, kept: dict[str, str], memo: Memo | None = None) -> Compaction:
        return shrunk(session(turns), size, rules=self.RULES, summary_of=kept.get, memo=memo)

    def epoch(self, number: int, size: Size, kept: dict[str, str]) -> int:
        """With how many turns the compaction `number` comes."""
        return next(turns for turns in range(1, 80) if self.run(turns, size, kept).epochs == number)

    def due(self, after: int, size: Size, kept: dict[str, str]) -> str:
        """The key of the first summary that is due from so many turns on."""
        return next(key for turns in range(after, 80) if (key := self.run(turns, size, kept).summary_key))

    def test_one_is_due_once_before_each_compaction(self, size: Size) -> None:
        memo = Memo()
        told = [self.run(turns, size, {}, memo) for turns in range(1, 60)]
        due = [done.epochs for done in told if done.summary_key]
        assert due == sorted(set(due))
        assert due[:3] == [0, 1, 2]
        assert [self.run(turns, size, {}) for turns in range(1, 60)] == told

    def test_it_is_used_from_the_next_compaction_on(self, size: Size) -> None:
        kept = {self.due(1, size, {}): self.TEXT}
        first = self.epoch(1, size, kept)
        for turns in range(1, first):
            assert self.run(turns, size, kept) == self.run(turns, size, {})
        done = self.run(first, size, kept)
        assert f"\n{self.TEXT}\n" in done.messages[1].text
        assert done.missed == ()

    def test_another_history_does_not_come_by_it(self, size: Size) -> None:
        kept = {self.due(1, size, {}): self.TEXT}
        turns = self.epoch(1, size, kept)
        changed = [*session(0), *turn(99), *session(turns)[4:]]
        done = shrunk(changed, size, rules=self.RULES, summary_of=kept.get)
        assert (done.epochs, len(done.missed)) == (1, 1)
        assert self.TEXT not in done.messages[1].text

    def test_one_that_was_not_there_in_time_is_told(self, size: Size) -> None:
        key = self.due(1, size, {})
        done = self.run(self.epoch(1, size, {}), size, {})
        assert done.missed == (key,)
        assert "## Goal" not in done.messages[1].text

    def test_what_was_decided_without_one_stays(self, size: Size) -> None:
        memo, first = Memo(), self.epoch(1, size, {})
        before = self.run(first, size, {}, memo)
        late = {before.missed[0]: self.TEXT}
        after = self.run(first + 1, size, late, memo)
        assert after.messages[: len(before.messages)] == before.messages

    def test_an_older_one_is_better_than_none(self, size: Size) -> None:
        kept = {self.due(1, size, {}): self.TEXT}
        done = self.run(self.epoch(2, size, kept), size, kept)
        assert f"\n{self.TEXT}\n" in done.messages[1].text
        assert len(done.missed) == 1

    def test_they_are_not_looked_for_where_rules_forbid(self, size: Size) -> None:
        def never(key: str) -> str:
            raise AssertionError(key)

        done = shrunk(session(59), size, summary_of=never)
        assert (done.missed, done.summary_key) == ((), "")


def test_another_process_with_another_hash_seed_sends_the_same() -> None:
    code = """if True:
        import hashlib, json
        from gateway.core.compaction import CompactionRules, compact
        from gateway.core.conversation import Message, Prose, ToolCall
        history = [Message(role="user", content=(Prose("Write it."),))]
        for i in range(60):
            name, given = [("bash", {"command": f"make {i % 7}"}), ("edit", {"path": f"{i % 5}.py"}), ("read", {"path": "1.py"})][i % 3]
            history.append(Message(role="assistant", calls=(ToolCall(id=str(i), name=name, arguments=json.dumps(given)),)))
            history.append(Message(role="tool", answers=str(i), content=(Prose(f"error: {i}\\n" * 50),)))
        size = lambda m: 4 + len(m.text) // 4
        done = compact(history, budget=2048, fixed=9, size=size, rules=CompactionRules(summary=True))
        print(done.epochs, hashlib.sha256(repr(done).encode()).hexdigest())
    """
    said = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(said) == 1
    assert int(said.pop().split()[0]) > 2
