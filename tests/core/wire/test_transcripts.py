"""Recorded Ollama transcripts, where they are at hand: each must read as what it says, however its bytes were cut."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from random import Random

import pytest

from bench.data import DATA
from gateway.core.stream import Usage
from gateway.core.wire.ollama_answer import Decoder
from gateway.core.wire.openai_answer import Envelope, StreamEncoder
from tests.core.wire.answers import decoded, encoded
from tests.core.wire.json_values import chunked

RECORDED = DATA / "ollama-transcripts"
HEAD = re.compile(r"^--- (.+ POST /api/(?:chat|generate) -> \d+ application/x-ndjson.*)$")
ENVELOPE = Envelope(id="chatcmpl-1", created=1700000000, model="m", usage=True)
Record = dict[str, object]


def recorded() -> Iterator[tuple[str, list[str]]]:
    """The name and the lines of every recorded NDJSON answer."""
    for file in sorted(RECORDED.glob("*.txt")):
        name, lines = "", list[str]()
        for line in [*file.read_text().split("\n"), "--- end"]:
            if line.startswith("--- "):
                if name and lines:
                    yield name, lines
                found = HEAD.match(line)
                name, lines = f"{file.stem}: {found[1]}" if found else "", []
            elif name and line:
                lines.append(line)


ANSWERS = list(recorded())
pytestmark = pytest.mark.skipif(not ANSWERS, reason="no recorded transcripts here")


def expected_deltas(records: list[Record]) -> Iterator[Record]:
    """By rule: a delta for each thought, text and call of each line, in this order."""
    calls = 0
    for record in records:
        message = record.get("message") or {"content": record.get("response"), "thinking": record.get("thinking")}
        assert isinstance(message, dict)
        if thought := message.get("thinking"):
            yield {"reasoning_content": thought}
        if text := message.get("content"):
            yield {"content": text}
        for call in message.get("tool_calls", []):
            function = {"name": call["function"]["name"], "arguments": compact(call["function"]["arguments"])}
            yield {
                "content": None,
                "tool_calls": [{"index": calls, "id": call["id"], "type": "function", "function": function}],
            }
            calls += 1


def expected_chunks(records: list[Record]) -> list[Record]:
    said = list(expected_deltas([record for record in records if "error" not in record]))
    ends = [record for record in records if record.get("done")]
    if ends:
        said.append({} if said else {"content": ""})
    if said:
        said[0] = {"role": "assistant", **said[0]}
    choices: list[Record] = [{"index": 0, "delta": delta, "finish_reason": None} for delta in said]
    chunks: list[Record] = [{"choices": [choice]} for choice in choices]
    for end in ends:
        choices[-1]["finish_reason"] = end["done_reason"]
        prompt, made = end.get("prompt_eval_count", 0), end.get("eval_count", 0)
        assert isinstance(prompt, int)
        assert isinstance(made, int)
        chunks.append(
            {
                "choices": [],
                "usage": {"prompt_tokens": prompt, "completion_tokens": made, "total_tokens": prompt + made},
            }
        )
    return chunks


def compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def chunks_of(stream: bytes) -> tuple[list[Record], bool]:
    """The JSON of a stream's events, without what every one of them repeats; and whether it says that it is done."""
    data = [event.removeprefix("data: ") for event in stream.decode().split("\n\n") if event]
    done = bool(data) and data[-1] == "[DONE]"
    chunks = [json.loads(each) for each in (data[:-1] if done else data)]
    return [{key: chunk[key] for key in ("choices", "usage") if key in chunk} for chunk in chunks], done


def splits(data: bytes) -> Iterator[list[bytes]]:
    yield [data]
    yield [data[place : place + 1] for place in range(len(data))]
    dice = Random(7)
    for size in (3, 10, 50, 200):
        yield chunked(data, [dice.randrange(len(data) + 1) for _ in range(size)])


@pytest.mark.parametrize(("name", "lines"), ANSWERS, ids=[name for name, _ in ANSWERS])
def test_a_recorded_answer(name: str, lines: list[str]) -> None:
    records = [json.loads(line) for line in lines]
    errors = [record["error"] for record in records if "error" in record]
    for chunks in splits("".join(f"{line}\n" for line in lines).encode()):
        parts, error = decoded(Decoder, chunks)
        out, done = chunks_of(b"".join(encoded(StreamEncoder(ENVELOPE), parts)))
        assert error == (errors[0] if errors else None)
        assert out == expected_chunks(records)
        assert done == any(record.get("done") for record in records)


@pytest.mark.parametrize(("name", "lines"), ANSWERS, ids=[name for name, _ in ANSWERS])
def test_times_and_counts(name: str, lines: list[str]) -> None:
    last = json.loads(lines[-1])
    parts, _ = decoded(Decoder, ["\n".join(lines).encode()])
    usages = [part for part in parts if isinstance(part, Usage)]
    if "eval_count" not in last:
        assert usages == [Usage()] * bool(last.get("done"))
        return
    assert usages == [
        Usage(
            prompt_tokens=last["prompt_eval_count"],
            completion_tokens=last["eval_count"],
            load_seconds=last["load_duration"] / 1e9,
            prompt_seconds=last["prompt_eval_duration"] / 1e9,
            completion_seconds=last["eval_duration"] / 1e9,
        )
    ]
