"""Frames learnt from rendered probes, with templates written here."""

from __future__ import annotations

import pytest

from gateway.core import jsontext
from gateway.core.conversation import Conversation, Image, Message, Prose, ToolCall
from gateway.tokenizers.frames import IMAGE, FrameSizes, Probe, learnt, probes

PROBES = probes("m")


def part(text: str) -> int:
    """A token for every character: sums are easy to see."""
    return len(text)


def chatml(conversation: Conversation) -> str:
    offered = "".join(
        jsontext.dumps(
            {"type": "function", "function": {"name": t.name, "description": t.description, "parameters": t.parameters}}
        )
        + "\n"
        for t in conversation.tools
    )
    toolbox = f"[tools]{offered}[/tools]" if offered else ""
    said = []
    for message in conversation.messages:
        calls = "".join(f"<call>{call.name}:{call.arguments}</call>" for call in message.calls)
        said.append(f"<{message.role}>{message.text}{calls}</>")
    return toolbox + "".join(said) + "<assistant>"


@pytest.fixture(name="rendered")
def rendered_fixture() -> dict[Probe, str]:
    return {name: chatml(conversation) for name, conversation in PROBES.items()}


def test_sizes_add_up_to_the_whole(rendered: dict[Probe, str]) -> None:
    sizes = learnt(rendered, part)
    for name, conversation in PROBES.items():
        asked = conversation.messages[2:]
        frames = sum(sizes.message(message, part) for message in asked)
        spoken = sum(part(message.text) for message in conversation.messages[:2])
        whole = sizes.opening + spoken + frames + sizes.tools(conversation.tools, part)
        assert part(rendered[name]) <= whole <= part(rendered[name]) + 8 * len(asked), name


def test_what_was_learnt(rendered: dict[Probe, str]) -> None:
    sizes = learnt(rendered, part)
    assert sizes.opening == len("<system></><user></><assistant>")
    assert sizes.toolbox == len("[tools][/tools]")
    assert sizes.tool == len("\n")
    assert sizes.call + sizes.result >= len("<call>:</call>") + len("<tool></>")


@pytest.mark.parametrize("missing", PROBES)
def test_a_probe_that_was_not_rendered_leaves_the_defaults(rendered: dict[Probe, str], missing: Probe) -> None:
    del rendered[missing]
    assert learnt(rendered, part) == FrameSizes()


def test_a_template_that_drops_things_has_no_negative_frames() -> None:
    sizes = learnt(dict.fromkeys(PROBES, "always the same"), part)
    assert min(sizes.opening, sizes.turn, sizes.call, sizes.result, sizes.toolbox, sizes.tool) == 0


def test_all_of_a_message_counts() -> None:
    sizes = FrameSizes(opening=0, turn=1, call=10, result=100, toolbox=0, tool=0)
    call = ToolCall(id="1", name="ab", arguments="{}")
    said = Message(role="assistant", content=(Prose("abc"),), thinking="abcd", calls=(call, call))
    assert sizes.message(said, part) == 1 + 3 + 4 + 2 * (10 + 2 + 2)
    assert sizes.message(Message(role="tool", content=(Prose("abc"),)), part) == 103
    assert sizes.message(Message(role="user", content=(Image("aa"), Image("bb"))), part) == 1 + 2 * IMAGE
    assert sizes.tools((), part) == 0


def test_every_template_can_render_the_probes() -> None:
    """Some insist on a user message, on calls that have results, or on ids of nine letters and digits."""
    for conversation in PROBES.values():
        roles = [message.role for message in conversation.messages]
        assert roles[:2] == ["system", "user"]
        calls = [call.id for message in conversation.messages for call in message.calls]
        assert calls == [message.answers for message in conversation.messages if message.role == "tool"]
        assert all(len(each) == 9 and each.isalnum() for each in calls)
