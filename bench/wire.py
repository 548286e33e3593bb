"""What the wire formats cost: `python -m bench.wire` prints milliseconds for a 200 KB history, microseconds for an event."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from random import Random
from typing import Protocol

from gateway.core import jsontext
from gateway.core.conversation import Conversation, ToolSpec
from gateway.core.dialects import AUTOMATIC, ToolReader
from gateway.core.identity import Question
from gateway.core.plan import Mode
from gateway.core.stream import Part
from gateway.core.turn import Turn
from gateway.core.wire import ollama_answer, ollama_request, openai_answer, openai_request

EVENTS = 200
CODE = 'def bend(stone):\n    return {"river": [1, 2, stone]}\n\n' * 40
WORDS = [
    "the",
    "river",
    "bends",
    "where",
    "a",
    "stone",
    "was",
    "left",
    "so",
    "I",
    "first",
    "looked",
    "at",
    "what",
    "had",
    "changed",
    "after",
    "that",
    "it",
    "was",
    "easy",
    "to",
    "find",
    "its",
    "cause",
]
NATIVE = '{"model":"m","created_at":"2026-01-01T00:00:00.000000001Z","message":{"role":"assistant","content":%s},"done":false}\n'
VERBATIM = NATIVE.replace(
    "}\n", ',"logprobs":[{"token":" stone","logprob":-0.0123456789,"bytes":[32,115,116,111,110,101]}]}\n'
)
OPENAI = 'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":%s},"finish_reason":null}]}\n\n'


class Decoder(Protocol):
    def feed(self, item: bytes) -> Iterable[Part]: ...


class Encoder(Protocol):
    def feed(self, item: Part) -> Iterable[bytes]: ...


def history() -> bytes:
    """An agent's request of about 200 KB: 12 tools, 60 rounds of a call, its result and a word from the user."""
    messages: list[object] = [{"role": "system", "content": "You are an agent. " * 200}]
    for number in range(60):
        arguments = json.dumps({"path": f"src/a{number}.py", "content": CODE[:800]})
        call = {"id": f"call_{number}", "type": "function", "function": {"name": "write", "arguments": arguments}}
        messages += [
            {"role": "user", "content": f"step {number}"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"call_{number}", "content": CODE},
        ]
    properties = {f"p{number}": {"type": "string", "description": "A thing. " * 5} for number in range(6)}
    tools = [
        {"type": "function", "function": {"name": f"tool{number}", "description": "Does things. " * 40, "parameters": {"type": "object", "properties": properties}}}
        for number in range(12)
    ]  # fmt: skip
    return json.dumps({"model": "m", "messages": messages, "tools": tools, "stream": True}).encode()


def best(work: Callable[[], object], rounds: int = 30) -> float:
    """Seconds of the fastest round."""
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took)


def prose(dice: Random) -> str:
    return "".join(f"{' '.join(dice.choices(WORDS, k=9))},\n" for _ in range(30))


def code(dice: Random) -> str:
    line = "def {}_{}(self, {}):\n    return {{'{}': self.{}[{}]}}\n\n"
    return "".join(line.format(*dice.choices(WORDS, k=6)) for _ in range(20))


def stream(form: str, says: Callable[[Random], str] = prose) -> list[bytes]:
    """The lines of an answer, about a token in each. It does not repeat itself."""
    text = says(Random(1))
    pieces = re.findall(r" ?\w+|\s+(?!\w)|.", text, re.DOTALL)[:EVENTS]
    return [(form % json.dumps(piece)).encode() for piece in pieces]


def relay(lines: list[bytes], decoder: Callable[[], Decoder], encoder: Callable[[], Encoder]) -> Callable[[], object]:
    """A stream through a decoder and an encoder."""

    def run() -> None:
        reads, writes = decoder(), encoder()
        for line in lines:
            for part in reads.feed(line):
                b"".join(writes.feed(part))

    return run


def through_a_turn(lines: list[bytes]) -> Callable[[], object]:
    """The same with what keeps one answer well-formed whatever dies, and a reader of tool calls, in between."""
    tools = (ToolSpec(name="write", parameters={}),)

    def run() -> None:
        reads, writes = ollama_answer.Decoder(), to_openai()
        turn = Turn(reader=lambda thinking: ToolReader(AUTOMATIC, tools, thinking=thinking))
        turn.begin(Mode.FRESH)
        for line in lines:
            for part in turn.receive(reads.feed(line)):
                b"".join(writes.feed(part))

    return run


def to_openai() -> openai_answer.StreamEncoder:
    return openai_answer.StreamEncoder(openai_answer.Envelope(id="chatcmpl-1", created=1, model="m"))


def to_native() -> ollama_answer.StreamEncoder:
    return ollama_answer.StreamEncoder(ollama_answer.NativeEnvelope(model="m", created_at="2026-01-01T00:00:00Z"))


def to_render_and_ask(asked: Conversation, pinned: ollama_request.Pinned) -> None:
    prompts = ollama_request.Prompts()
    for each in (replace(pinned, render=True), pinned):
        prompts.encode(asked, model="m", pinned=each)


def main() -> None:
    body = history()
    asked, _ = openai_request.decode(body)
    pinned = ollama_request.Pinned(num_ctx=32768, num_predict=4096)
    native = ollama_request.encode_chat(asked, model="m", pinned=pinned)
    again, _ = openai_request.decode(body)
    once: dict[str, Callable[[], object]] = {
        "JSON alone": lambda: jsontext.loads(body),
        "OpenAI decode, JSON included": lambda: openai_request.decode(body),
        "Ollama decode, JSON included": lambda: ollama_request.decode_chat(native),
        "Ollama encode": lambda: ollama_request.encode_chat(asked, model="m", pinned=pinned),
        "Ollama encode, rendered and asked": lambda: to_render_and_ask(asked, pinned),
        "OpenAI encode": lambda: openai_request.encode(asked, model="m", max_tokens=4096),
        "to look up whether it joins": lambda: {Question(asked, ("key",)): 1}.get(Question(again, ("other",))),
        "to find the one that it joins": lambda: {Question(asked, ("key",)): 1}[Question(again, ("key",))],
    }
    print(f"a history of {len(body) / 1000:.0f} KB, ms")
    for name, work in once.items():
        print(f"  {best(work) * 1e3:6.2f}  {name}")
    streams = {
        "Ollama to OpenAI": relay(stream(NATIVE), ollama_answer.Decoder, to_openai),
        "Ollama to OpenAI, through a turn": through_a_turn(stream(NATIVE)),
        "the same, of code": through_a_turn(stream(NATIVE, code)),
        "Ollama to Ollama": relay(stream(NATIVE), ollama_answer.Decoder, to_native),
        "Ollama with log-probabilities to OpenAI": relay(stream(VERBATIM), ollama_answer.Decoder, to_openai),
        "OpenAI to OpenAI": relay(stream(OPENAI), openai_answer.Decoder, to_openai),
    }
    print("an event of a stream, decoded and encoded, us")
    for name, work in streams.items():
        print(f"  {best(work) / EVENTS * 1e6:6.2f}  {name}")


if __name__ == "__main__":
    main()
