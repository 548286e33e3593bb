"""An agent stands still when it does the same with the same result, or changes nothing; real agents at work never do."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bench.data import DATA
from gateway.core.conversation import Conversation, Message, Prose, ToolCall
from gateway.core.policy.circles import CircleRules
from gateway.core.standstill import Standing, Standstill, standstill
from gateway.core.wire import openai_request

RULES = CircleRules(note_after=4, stop_after=10)
TRANSCRIPTS = DATA / "transcripts"
NOT_FOUND = "Error: old_string not found in file."


def said(role: str, text: str) -> Message:
    return Message(role=role, content=(Prose(text),))  # type: ignore[arg-type]


def step(arguments: str, result: str, tool: str = "edit") -> list[Message]:
    """One call and its result."""
    call = ToolCall(id="1", name=tool, arguments=arguments)
    return [Message(role="assistant", calls=(call,)), replace(said("tool", result), answers="1")]


def judged(*steps: list[Message]) -> Standstill:
    messages = (said("user", "Mend it."), *(message for each in steps for message in each))
    return standstill(Conversation(model="m", messages=messages), RULES)


SAME = step('{"path": "a", "new": "b"}', "ok")


@pytest.mark.parametrize(
    ("times", "standing"),
    [(1, Standing.NOTHING), (3, Standing.NOTHING), (4, Standing.NOTE), (9, Standing.NOTE), (10, Standing.STOP)],
)
def test_the_same_again_and_again(times: int, standing: Standing) -> None:
    assert judged(*[SAME] * times).standing is standing


def test_the_order_of_arguments_is_nothing_new() -> None:
    other = step('{"new":"b","path":"a"}', "ok")
    assert judged(SAME, other, SAME, other).standing is Standing.NOTE


def test_times_in_a_result_are_nothing_new() -> None:
    steps = [step("{}", f"FAILED in {n}.31s at 12:00:0{n}", "run_tests") for n in range(4)]
    assert judged(*steps).standing is Standing.NOTE


def test_another_result_is_progress() -> None:
    steps = [step("{}", f"{n} of 40 done", "run_tests") for n in range(20)]
    assert judged(*steps).standing is Standing.NOTHING


@pytest.mark.parametrize("period", [1, 2, 3, 4])
def test_a_round_may_have_several_steps(period: int) -> None:
    one_round = [step(json.dumps({"n": n}), "ok") for n in range(period)]
    assert judged(*one_round * 3).standing is Standing.NOTHING
    assert judged(*one_round * 4).standing is Standing.NOTE
    assert judged(*one_round * 10).standing is Standing.STOP


@pytest.mark.parametrize(
    "result", [NOT_FOUND, "The change is already applied.", "No changes made to src/a.py", "nothing to commit"]
)
def test_calls_that_change_nothing(result: str) -> None:
    steps = [step(json.dumps({"old": "x" * n}), result) for n in range(1, 5)]
    found = judged(*steps)
    assert found.standing is Standing.NOTE
    assert found.idle
    assert "changed nothing" in found.words
    assert judged(*steps[:3], step("{}", "ok"), steps[3]).standing is Standing.NOTHING


def test_a_long_result_that_holds_such_words_is_one_to_read() -> None:
    steps = [step(json.dumps({"n": n}), f"{NOT_FOUND} {n}" + "code " * 200, "read_file") for n in range(12)]
    assert judged(*steps).standing is Standing.NOTHING


def test_waiting_is_no_standstill() -> None:
    waiting = step('{"command": "sleep 30; cat build.log"}', "still building", "bash")
    assert judged(*[waiting] * 12).standing is Standing.NOTHING
    assert judged(*[waiting] * 16).standing is Standing.NOTE


def test_a_word_from_a_human_begins_anew() -> None:
    spoken = [said("assistant", "It will not work."), said("user", "Once more, please."), said("assistant", "Well.")]
    assert judged(*[SAME] * 3, spoken, *[SAME] * 3).standing is Standing.NOTHING


def test_an_agent_without_tools_stands_still_in_its_texts() -> None:
    steps = [[said("assistant", "```bash\nls\n```"), said("user", "Observation: a.py")]] * 4
    assert judged(*steps).standing is Standing.NOTE


def test_arguments_that_are_no_json_are_compared_as_they_are() -> None:
    assert judged(*[step('{"path": "a', "ok")] * 4).standing is Standing.NOTE


@pytest.mark.skipif(not TRANSCRIPTS.is_dir(), reason="the recorded transcripts are not here")
def test_agents_at_work_raise_no_alarm() -> None:
    """Every request that a recorded agent made; even at half the rounds."""
    asked = 0
    for path in sorted(TRANSCRIPTS.glob("*.json")):
        body = {"model": "m", "messages": json.loads(path.read_text())["messages"]}
        whole = openai_request.decode(json.dumps(body).encode())[0]
        for end, message in enumerate(whole.messages):
            if message.role == "assistant":
                asked += 1
                found = standstill(replace(whole, messages=whole.messages[:end]), CircleRules(note_after=2))
                assert found.standing is Standing.NOTHING, f"{path.name}, message {end}: {found}"
    assert asked > 1000
