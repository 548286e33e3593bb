"""The simulated server beside recordings of the real one: the same statuses, framing, key order and endings. Only where the data is."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import pytest

from bench.data import DATA
from gateway.testing.client import Answer, Client
from gateway.testing.faults import Fault, FaultKind
from gateway.testing.generations import NEW
from gateway.testing.models.model import FAMILIES, SimModel
from gateway.testing.script import Turn, always

Talk: TypeAlias = Callable[..., Awaitable[Client]]
RECORDED = DATA / "ollama-transcripts"
CANDIDATE = replace(NEW, version="0.33.0-rc2", reports_cached=False)  # what was recorded
TOOL = {
    "type": "function",
    "function": {
        "name": "write_file",
        "parameters": {
            "type": "object",
            "required": ["path", "content"],
            "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
        },
    },
}
_FIRST = "I will write it.\n\n"
_XML = (
    "<tool_call>\n<function=write_file>\n",
    "<parameter=path>\na.py\n</parameter>\n",
    "<parameter=content>\nprint(1",
)
_ONE_CALL = "".join(_XML)
_GLM = "<tool_call>write_file<arg_key>path</arg_key><arg_value>a.py</arg_value><arg_key>content</arg_key><arg_value>print(1"
_THOUGHT = "<|channel|>analysis<|message|>think<|end|>"
_HARMONY = '<|start|>assistant<|channel|>commentary to=functions.write_file <|constrain|>json<|message|>{"path":"a.py","content":"print(1'


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What was played when a file was recorded. `cap`: the runner says `length` at the end of the text."""

    family: str
    pieces: tuple[str, ...] = ("Part", "ial", " answer")
    fault: FaultKind | None = None
    cap: bool = False


SCENES: Mapping[str, Scene] = {
    "out_glm_glm_noend": Scene(family="glm-4.7", pieces=("ok</think>Sure.", f"{_GLM})</arg_value>")),
    "out_glm_glm_trunc": Scene(family="glm-4.7", pieces=("ok</think>Sure.", _GLM)),
    "out_gt_trunc": Scene(family="qwen2.5-coder", pieces=(_FIRST, *_XML), cap=True),
    "out_harm_trunc": Scene(family="gpt-oss", pieces=(_THOUGHT, _HARMONY)),
    "out_length": Scene(family="qwen3-coder", cap=True),
    "out_native_ctx400": Scene(family="native", fault=FaultKind.OVERFLOW),
    "out_native_err_event_mid": Scene(family="native", fault=FaultKind.COMPUTE_ERROR),
    "out_native_kill_mid": Scene(family="native", fault=FaultKind.CRASH),
    "out_native_trunc_tool": Scene(family="native", pieces=(_FIRST, *_XML), cap=True),
    "out_normal": Scene(family="qwen3-coder", pieces=("Hello", ",", " world")),
    "out_qc_crash_first": Scene(family="qwen3-coder", fault=FaultKind.GONE_MEMORY),
    "out_qc_crash_mid": Scene(family="qwen3-coder", fault=FaultKind.OUT_OF_MEMORY),
    "out_qc_ctx400": Scene(family="qwen3-coder", fault=FaultKind.OVERFLOW),
    "out_qc_err500": Scene(family="qwen3-coder", fault=FaultKind.COMPUTE_FAILS),
    "out_qc_err_event_mid": Scene(family="qwen3-coder", fault=FaultKind.COMPUTE_ERROR),
    "out_qc_kill_mid": Scene(family="qwen3-coder", fault=FaultKind.CRASH),
    "out_qc_repeat": Scene(family="qwen3-coder", pieces=("go",), fault=FaultKind.LOOP),
    "out_qc_tools_bad_tool": Scene(family="qwen3-coder", pieces=(_FIRST, f"{_ONE_CALL}\n</function>\n</tool_call>")),
    "out_qc_tools_bad_tool_only": Scene(family="qwen3-coder", pieces=(f"{_ONE_CALL}\n</function>\n</tool_call>",)),
    "out_qc_tools_good_tool": Scene(
        family="qwen3-coder", pieces=(_FIRST, f"{_ONE_CALL}\n</parameter>\n</function>\n</tool_call>")
    ),
    "out_qc_tools_no_open": Scene(
        family="qwen3-coder", pieces=("I will look.", "\n\n<function=write_file>\n</function>\n</tool_call>")
    ),
    "out_qc_tools_trunc_tool": Scene(family="qwen3-coder", pieces=(_FIRST, *_XML), cap=True),
    "out_qc_tools_trunc_tool_close": Scene(family="qwen3-coder", pieces=(_FIRST, f"{_ONE_CALL}\n</tool_call>")),
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """One exchange of a transcript."""

    path: str
    answer: Answer


def exchanges(name: str) -> Iterator[Recorded]:
    """What a file holds, as far as the simulator has the API."""
    blocks = re.split(r"^--- ", (RECORDED / f"{name}.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    for block in blocks:
        head, _, body = block.partition("\n")
        found = re.search(r"POST (\S+) -> (\d+) (.+?) te=(\S+) cl=(\S+)", head)
        assert found
        path, status, kind, framing, length = found.groups()
        if path in ("/api/chat", "/v1/chat/completions"):
            headers = {"Content-Type": kind} | ({"Transfer-Encoding": framing} if framing != "None" else {})
            yield Recorded(path, Answer(int(status), headers | {"Content-Length": length}, body.strip().encode()))


def shape(value: object) -> object:
    """Keys in their order, and the values that do not depend on the text."""
    if isinstance(value, dict):
        return [(key, item if key in _TELLING else shape(item)) for key, item in value.items()]
    if isinstance(value, list):
        return [shape(item) for item in value]
    return type(value).__name__


_TELLING = (
    "done",
    "done_reason",
    "finish_reason",
    "role",
    "object",
    "system_fingerprint",
    "type",
    "param",
    "code",
    "name",
    "index",
)


def told(answer: Answer) -> list[object]:
    """The records of an answer by their shape."""
    texts = [text.removeprefix("data: ") for text in answer.text.split("\n") if text.strip()]
    return [
        text if text == "[DONE]" else [json.loads(text).get("model") == "", shape(json.loads(text))] for text in texts
    ]


def error(answer: Answer) -> str:
    """The error text; the JSON inside it without its white space, which the recording's stand-in put there."""
    found = re.findall(r'\{"error":(?:\{"message":)?("(?:[^"\\]|\\.)*")', answer.text)
    return json.loads(found[-1]).replace('": ', '":').replace(', "', ',"') if found else ""


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recordings are not here")
async def test_it_answers_as_the_real_server_did(name: str, talk: Talk) -> None:
    scene = SCENES[name]
    for recorded in exchanges(name):
        body = {
            "messages": [{"role": "user", "content": "hi"}],
            "tools": [TOOL],
            "stream": "x-ndjson" in str(recorded.answer.headers),
        }
        if recorded.path.startswith("/v1"):
            body |= {"stream": "chunked" in str(recorded.answer.headers), "stream_options": {"include_usage": True}}
        elif recorded.answer.status != 200:
            body["stream"] = "chunked" in str(recorded.answer.headers)
        played = await (await talk(_model(scene), generation=CANDIDATE, faults=_faults(scene))).post(
            recorded.path, {"model": "m", **body}
        )
        assert (played.status, told(played)) == (recorded.answer.status, told(recorded.answer))
        assert played.headers["Content-Type"] == recorded.answer.headers["Content-Type"]
        assert ("Transfer-Encoding" in played.headers) == ("Transfer-Encoding" in recorded.answer.headers)
        if "Broken pipe" not in recorded.answer.text and "crash_first" not in name:
            assert error(played) == error(recorded.answer)


def _model(scene: Scene) -> SimModel:
    """A model to which the recorded pieces are one token each."""
    family = FAMILIES[scene.family]
    dialect = replace(family.dialect, user_defined=scene.pieces)
    return SimModel(name="m", family=replace(family, dialect=dialect), script=always(Turn(raw="".join(scene.pieces))))


def _faults(scene: Scene) -> list[Fault]:
    at = 0 if scene.fault in (FaultKind.LOOP, FaultKind.OVERFLOW) else len(scene.pieces)
    cap = [Fault(kind=FaultKind.CAP, at=len(scene.pieces))] if scene.cap else []
    return [*cap, Fault(kind=scene.fault, at=at)] if scene.fault else cap
