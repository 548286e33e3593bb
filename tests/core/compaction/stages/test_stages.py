"""Each stage alone: what it changes, what it leaves, and that doing it again changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import pytest

from gateway.core.compaction.entries import Entry
from gateway.core.compaction.marks import mark
from gateway.core.compaction.rules import CompactionRules
from gateway.core.compaction.stages import stages
from gateway.core.compaction.stages.arguments import arguments
from gateway.core.compaction.stages.masked import masked
from gateway.core.compaction.stages.middle import middle
from gateway.core.compaction.stages.newest import newest
from gateway.core.compaction.stages.reasoning import reasoning
from gateway.core.compaction.stages.scene import Change, Scene
from gateway.core.compaction.stages.stale import stale
from gateway.core.compaction.stages.superseded import superseded
from gateway.core.compaction.stages.tidy import tidied, tidy
from gateway.core.conversation import Image, Message, Prose, ToolCall

Make = Callable[..., Scene]
TASK = Message(role="user", content=(Prose("Write it."),))
LAST = Message(role="assistant", content=(Prose("Next I …"),))
CODE = "def f():\n    return 1\n" * 30


def said(text: str, thinking: str = "") -> Message:
    return Message(role="assistant", content=(Prose(text),), thinking=thinking)


def turn(name: str, given: Mapping[str, object], output: str, number: int = 1) -> list[Message]:
    call = ToolCall(id=f"c{number}", name=name, arguments=json.dumps(given))
    return [Message(role="assistant", calls=(call,)), Message(role="tool", answers=call.id, content=(Prose(output),))]


def told(changes: Iterator[Change]) -> dict[int, str]:
    return {index: message.text for index, message in changes}


def after(scene: Scene, changes: dict[int, Message]) -> Scene:
    live = [replace(e, message=changes.get(i, e.message)) for i, e in enumerate(scene.live)]
    return replace(scene, live=live)


class TestTidy:
    CASES = (
        ("\x1b[31mred\x1b[0m and \x1b]0;title\x07plain", "red and plain"),
        ("10%\r50%\r100%\ndone  \t\nend", "100%\ndone\nend"),
        ("same\n" * 5 + "other", "same\n" + mark("the line above came 5 times") + "\nother"),
        ("same\nsame\nother", "same\nsame\nother"),
        ("a\n\n\n\n\nb ", "a\n\nb"),
        ("x" * 100, "x" * 20 + " " + mark("70 characters of this line left out") + " " + "x" * 10),
        ("tidy\nalready", "tidy\nalready"),
        ("a\r\nb\r\n", "a\nb\n"),
    )

    @pytest.mark.parametrize(("text", "clean"), CASES)
    def test_what_no_terminal_would_show_goes(self, text: str, clean: str) -> None:
        assert tidied(text, 40) == clean

    @pytest.mark.parametrize("text", [text for text, _ in CASES])
    def test_twice_is_once(self, text: str) -> None:
        assert tidied(tidied(text, 400), 400) == tidied(text, 400)

    def test_only_old_outputs_are_tidied(self, scene: Make) -> None:
        noise = "\x1b[1mloud\x1b[0m"
        history = [
            TASK,
            said(noise),
            *turn("bash", {"command": "make"}, noise),
            *turn("bash", {"command": "x"}, noise, 2),
        ]
        assert told(tidy(scene(history))) == {3: "loud"}


class TestSuperseded:
    def test_a_file_that_is_read_again_is_shown_once(self, scene: Make) -> None:
        history = [TASK, *turn("read", {"path": "a.py"}, CODE), *turn("view", {"file_path": "./a.py"}, CODE, 2), LAST]
        assert told(superseded(scene(history))) == {2: mark("a.py: read again later, see there")}

    def test_a_part_is_covered_by_the_whole_and_not_the_other_way(self, scene: Make) -> None:
        part, whole = {"path": "a", "offset": 5, "limit": 5}, {"path": "a"}
        first = [TASK, *turn("read", part, CODE), *turn("read", whole, CODE, 2), LAST]
        second = [TASK, *turn("read", whole, CODE), *turn("read", part, CODE, 2), LAST]
        assert list(told(superseded(scene(first)))) == [2]
        assert told(superseded(scene(second))) == {}

    def test_a_later_read_that_failed_or_was_cleared_supersedes_nothing(self, scene: Make) -> None:
        failing = [
            TASK,
            *turn("read", {"path": "a"}, CODE),
            *turn("read", {"path": "a"}, "Error: no such file", 2),
            LAST,
        ]
        assert told(superseded(scene(failing))) == {}
        cleared = scene([TASK, *turn("read", {"path": "a"}, CODE), *turn("read", {"path": "a"}, CODE, 2), LAST])
        gone = {4: Message(role="tool", answers="c2", content=(Prose("[…]"),))}
        assert told(superseded(after(cleared, gone))) == {}

    def test_commands_that_read_count_too(self, scene: Make) -> None:
        history = [TASK, *turn("bash", {"command": "cat a.py"}, CODE), *turn("read", {"path": "a.py"}, CODE, 2), LAST]
        assert list(told(superseded(scene(history)))) == [2]

    def test_an_output_of_several_files_goes_only_if_all_are_read_again(self, scene: Make) -> None:
        both = turn("read_files", {"files": ["a", "b"]}, CODE)
        once = [TASK, *both, *turn("read", {"path": "a"}, CODE, 2), LAST]
        assert told(superseded(scene(once))) == {}
        twice = [*once[:-1], *turn("read", {"path": "b"}, CODE, 3), LAST]
        assert told(superseded(scene(twice))) == {2: mark("a, b: read again later, see there")}


class TestStale:
    def test_a_file_that_changed_is_not_what_was_read(self, scene: Make) -> None:
        history = [TASK, *turn("read", {"path": "a"}, CODE), *turn("edit", {"path": "a"}, "ok", 2), LAST]
        assert told(stale(scene(history))) == {2: mark("a: changed later; read it again where needed")}

    def test_a_change_before_or_elsewhere_or_in_vain_is_none(self, scene: Make) -> None:
        before = [TASK, *turn("edit", {"path": "a"}, "ok"), *turn("read", {"path": "a"}, CODE, 2), LAST]
        elsewhere = [TASK, *turn("read", {"path": "a"}, CODE), *turn("edit", {"path": "b"}, "ok", 2), LAST]
        in_vain = [TASK, *turn("read", {"path": "a"}, CODE), *turn("edit", {"path": "a"}, "Error: no match", 2), LAST]
        assert [told(stale(scene(history))) for history in (before, elsewhere, in_vain)] == [{}, {}, {}]

    def test_changes_by_commands_and_blocks_count(self, scene: Make) -> None:
        shell = [TASK, *turn("read", {"path": "a"}, CODE), *turn("bash", {"command": "sed -i s/x/y/ a"}, "", 2), LAST]
        block = [
            TASK,
            *turn("read", {"path": "a"}, CODE),
            said("a\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE"),
            LAST,
        ]
        assert [list(told(stale(scene(history)))) for history in (shell, block)] == [[2], [2]]


def test_long_old_outputs_lose_their_middle(scene: Make) -> None:
    rules = CompactionRules(output_chars=200)
    long = "\n".join(f"line {i}" for i in range(200))
    history = [TASK, *turn("bash", {"command": "x"}, long), *turn("bash", {"command": "y"}, "short", 2), LAST]
    changes = dict(middle(scene(history, rules)))
    assert list(changes) == [2]
    assert len(changes[2].text) < 300
    assert told(middle(after(scene(history, rules), changes))) == {}


class TestReasoning:
    def test_thoughts_before_the_latest_request_go(self, scene: Make) -> None:
        history = [TASK, said("a", "hm"), TASK, said("b", "hm"), LAST]
        assert [(i, m.text, m.thinking) for i, m in reasoning(scene(history))] == [(1, "a", "")]

    def test_thoughts_written_into_the_text_go_too(self, scene: Make) -> None:
        history = [TASK, said("<think>hm\nhm</think>\n\nDone."), said("<thinking>x</thinking>y"), TASK, LAST]
        assert told(reasoning(scene(history))) == {1: "Done.", 2: "y"}

    def test_a_message_that_would_be_empty_stays(self, scene: Make) -> None:
        history = [TASK, said("<think>hm</think>"), Message(role="assistant", thinking="hm"), TASK, LAST]
        assert told(reasoning(scene(history))) == {}

    def test_the_running_loop_keeps_its_thoughts(self, scene: Make) -> None:
        call = ToolCall(id="1", name="bash", arguments="{}")
        answer = Message(role="tool", answers="1", content=(Prose("x"),))
        history = [TASK, Message(role="assistant", thinking="hm", calls=(call,)), answer, LAST]
        assert told(reasoning(scene(history))) == {}


class TestMasked:
    def test_old_outputs_keep_their_beginning(self, scene: Make) -> None:
        output = "x" * 50 + "\n" + "y\n" * 400
        history = [TASK, *turn("bash", {"command": "x"}, output), LAST]
        changes = dict(masked(scene(history, CompactionRules(head_chars=20))))
        assert changes[2].text == "x" * 20 + "\n" + mark("the rest of 401 lines cleared")
        assert told(masked(after(scene(history, CompactionRules(head_chars=20)), changes))) == {}

    def test_a_users_output_keeps_its_beginning_and_the_latest_is_left(self, scene: Make) -> None:
        output = Message(role="user", content=(Prose("OBSERVATION:\n" + "y\n" * 400),))
        history = [TASK, said("```\nx\n```"), output, said("```\ny\n```"), output, LAST]
        assert {i: text[:13] for i, text in told(masked(scene(history))).items()} == {2: "OBSERVATION:\n"}

    def test_pictures_are_left(self, scene: Make) -> None:
        picture = Image("aGk=", "image/png")
        result = Message(role="tool", answers="c1", content=(Prose("y\n" * 400), picture))
        history = [TASK, turn("shot", {}, "")[0], result, LAST]
        assert dict(masked(scene(history)))[2].images == (picture,)


class TestArguments:
    def test_big_strings_go_at_any_depth_and_the_rest_stays(self, scene: Make) -> None:
        given = {"path": "a", "edits": [{"old": "x" * 500, "new": "y"}], "n": 1.50, "漢": "z" * 400}
        [(index, message)] = arguments(scene([TASK, *turn("edit", dict(given), "ok"), LAST]))
        kept = json.loads(message.calls[0].arguments)
        assert index == 1
        assert kept["edits"] == [
            {"old": "x" * 160 + " " + mark("340 more characters of this argument cleared"), "new": "y"}
        ]
        assert {key: kept[key] for key in ("path", "n", "漢")} == {key: given[key] for key in ("path", "n", "漢")}
        assert message.calls[0].id == "c1"

    def test_what_is_no_object_or_has_no_big_string_is_left(self, scene: Make) -> None:
        many = {"numbers": list(range(500))}
        bad = Message(role="assistant", calls=(ToolCall(id="1", name="write", arguments='{"a": "' + "x" * 900),))
        assert list(arguments(scene([TASK, *turn("x", dict(many), ""), bad, LAST]))) == []

    def test_what_is_nested_beyond_reason_is_left(self, scene: Make) -> None:
        deep = '{"a": ' + "[" * 900 + json.dumps("x" * 900) + "]" * 900 + "}"
        answer = Message(role="assistant", calls=(ToolCall(id="1", name="write", arguments=deep),))
        assert list(arguments(scene([TASK, answer, LAST]))) == []

    def test_twice_is_once(self, scene: Make) -> None:
        made = scene([TASK, *turn("write", {"content": "x" * 5000}, "ok"), LAST])
        assert list(arguments(after(made, dict(arguments(made))))) == []


class TestNewest:
    def test_outputs_are_cut_more_and_more_and_arguments_between(self, scene: Make) -> None:
        history = [TASK, *turn("write", {"content": "x" * 900}, "line\n" * 8000)]
        changes = list(newest(scene(history, young=2)))
        assert [index for index, _ in changes] == [2, 2, 2, 1, 2, 2, 2]
        sizes = [len(message.text) for index, message in changes if index == 2]
        assert sizes == sorted(sizes, reverse=True)
        assert sizes[-1] < 700

    def test_a_call_that_waits_for_its_result_is_left(self, scene: Make) -> None:
        assert list(newest(scene([TASK, turn("write", {"content": "x" * 900}, "")[0]]))) == []


def test_rules_switch_stages_off() -> None:
    names = [name for name, _ in stages(CompactionRules())]
    assert names == ["tidy", "superseded", "stale", "middle", "reasoning", "masked", "arguments"]
    quiet = CompactionRules(tidy=False, stale=False, masked=False)
    assert [name for name, _ in stages(quiet)] == ["superseded", "middle", "reasoning", "arguments"]


def test_no_stage_touches_what_is_young(scene: Make) -> None:
    history = [
        TASK,
        said("a", "thought"),
        *turn("read", {"path": "a"}, CODE + "\x1b[1m"),
        *turn("write", {"path": "a", "content": "x" * 5000}, "y" * 9000, 2),
        *turn("read", {"path": "a"}, CODE, 3),
    ]
    young = scene(history, young=len(history))
    assert [list(stage(young)) for _, stage in stages(CompactionRules())] == [[]] * 7


def test_an_entry_remembers_what_it_was(scene: Make) -> None:
    entry: Entry = scene([TASK, LAST]).live[0]
    changed = entry.become(LAST, 3, "tidy")
    assert (changed.source, changed.was, changed.message, changed.tokens, changed.stage) == (
        TASK,
        1000,
        LAST,
        3,
        "tidy",
    )
