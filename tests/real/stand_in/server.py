"""A stand-in for llama.cpp's `llama-server`, which the new generation of Ollama starts: it plays saying models and planned faults.

Standard library only, since Ollama starts it in its own environment. It speaks what llm/llama_server.go of Ollama
v0.33.3 asks for: /health, /completion (streamed), /tokenize, /detokenize, /apply-template, /v1/chat/completions,
/v1/embeddings, /props. `copy` is the only work of the stand-in for `llama-quantize`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.real.stand_in import events, native_chat
from tests.real.stand_in.completion import Asked, Ended, Player, Said
from tests.real.stand_in.faults import At, Fault, take
from tests.real.stand_in.spoken import read_spoken

Json = dict[str, object]

PLAN = "HOLDFAST_STAND_IN_PLAN"  # environment: the file of planned faults
PACE = "HOLDFAST_STAND_IN_PACE"  # environment: seconds for each token


class Server(ThreadingHTTPServer):
    """The listening socket; `player` is None while the model loads."""

    daemon_threads = True
    player: Player | None = None

    def fault(self, at: At, after: int = 0) -> Fault | None:
        return take(Path(os.environ[PLAN]), lambda fault: fault.at == at and fault.after == after)


class Handler(BaseHTTPRequestHandler):
    """One request of Ollama's."""

    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *_: object) -> None:
        """Ollama reads errors out of this program's log; requests do not belong there."""

    def do_GET(self) -> None:
        if self.server.player is None:
            self._reply(503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}})
        elif self.path == "/health":
            self._reply(200, {"status": "ok"})
        else:
            self._reply(200, {"default_generation_settings": {"n_ctx": self.server.player.window}, "total_slots": 1})

    def do_POST(self) -> None:
        player = self.server.player
        assert player is not None, "Ollama waits for /health"
        body: Json = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            self._answer(player, body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _answer(self, player: Player, body: Json) -> None:
        spoken = player.spoken
        match self.path:
            case "/completion":
                self._generate(player, _tokens(player, body["prompt"]), body)
            case "/v1/chat/completions":
                self._generate(player, spoken.tokenise(native_chat.render(body)), body)
            case "/apply-template":
                self._reply(200, {"prompt": native_chat.render(body)})
            case "/tokenize":
                self._reply(200, {"tokens": spoken.tokenise(str(body["content"]))})
            case "/detokenize":
                self._reply(200, {"content": spoken.spell(_numbers(body["tokens"]))})
            case "/v1/embeddings":
                self._reply(200, _embedding(spoken.tokenise(str(body["input"]))))
            case _:
                self._reply(404, {"error": {"code": 404, "message": "File Not Found", "type": "not_found_error"}})

    def _generate(self, player: Player, prompt: list[int], body: Json) -> None:
        fault = self.server.fault("prompt")
        if fault is not None and fault.does == "status":
            self._send(fault.code, fault.text.encode())
            return
        if fault is not None:
            _suffer(fault)
        if len(prompt) >= player.window:
            self._reply(400, _overflow(len(prompt), player.window))
            return
        self._stream(self._events(player, prompt, body))

    def _events(self, player: Player, prompt: list[int], body: Json) -> Iterator[Json]:
        """The events of a stream; a planned fault changes what comes after its token."""
        asked = Asked(
            _number(body.get("n_predict", -1)), _texts(body.get("stop")), _texts(body.get("preserved_tokens"))
        )
        parts = self._faulty(player.play(prompt, asked))
        return events.of_chat(parts, body) if self.path == "/v1/chat/completions" else events.of_completion(parts, body)

    def _faulty(self, parts: Iterator[Said | Ended]) -> Iterator[Said | Ended | Fault]:
        pace = float(os.environ.get(PACE, "0"))
        for count, part in enumerate(parts, start=1):
            yield part
            time.sleep(pace)
            fault = self.server.fault("token", count)
            if fault is None:
                continue
            if fault.does == "event":
                yield fault
            if fault.does in ("event", "end"):
                return
            if fault.does == "repeat":
                yield from [part] * 40
            _suffer(fault)

    def _stream(self, bodies: Iterator[Json]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for body in bodies:
            data = b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.write(b"0\r\n\r\n")

    def _reply(self, status: int, body: Json) -> None:
        self._send(status, json.dumps(body, ensure_ascii=False).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main(arguments: list[str]) -> int:
    """What Ollama starts: the server itself, or a short run that only tells the devices."""
    options = _options().parse_known_args(arguments)[0]
    if options.list_devices:
        print("Available devices:")
        return 0
    print("system_info: n_threads = 2 (n_threads_batch = 2) / 2 | CPU : SSE3 = 1 |", file=sys.stderr, flush=True)
    with Server(("127.0.0.1", options.port), Handler) as server:
        if options.model is not None:
            threading.Thread(target=_load, args=(server, options), daemon=True).start()
        server.serve_forever()
    return 0


def copy(arguments: list[str]) -> int:
    """`llama-quantize … INPUT OUTPUT TYPE`, for the type that changes nothing."""
    source, target, _ = arguments[-3:]
    shutil.copyfile(source, target)
    return 0


def _load(server: Server, options: argparse.Namespace) -> None:
    if (fault := server.fault("load")) is not None:
        _suffer(fault)
    size = options.model.stat().st_size / 2**20
    print(f"load_tensors: CPU_Mapped model buffer size = {size:.2f} MiB", file=sys.stderr, flush=True)
    server.player = Player(read_spoken(options.model), options.ctx_size // options.parallel, options.context_shift)


def _suffer(fault: Fault) -> None:
    """Wait or die, as planned."""
    time.sleep(fault.seconds)
    if fault.does in ("exit", "kill"):
        print(fault.text, file=sys.stderr, flush=True)
    if fault.does == "exit":
        os._exit(fault.code)
    if fault.does == "kill":
        os.kill(os.getpid(), signal.SIGKILL)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="llama-server", allow_abbrev=False)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("-c", "--ctx-size", type=int, default=4096)
    parser.add_argument("-np", "--parallel", type=int, default=1)
    parser.add_argument("--context-shift", action="store_true")
    parser.add_argument("--list-devices", action="store_true")
    return parser


def _tokens(player: Player, prompt: object) -> list[int]:
    """A prompt comes as text, or as tokens where Ollama has truncated it."""
    return player.spoken.tokenise(prompt) if isinstance(prompt, str) else _numbers(prompt)


def _overflow(prompt: int, window: int) -> Json:
    text = f"request ({prompt} tokens) exceeds the available context size ({window} tokens), try increasing it"
    kind = "exceed_context_size_error"
    return {"error": {"code": 400, "message": text, "type": kind, "n_prompt_tokens": prompt, "n_ctx": window}}


def _embedding(tokens: list[int]) -> Json:
    counts = [float(sum(token % 8 == place for token in tokens)) for place in range(8)]
    return {"data": [{"embedding": counts, "tokens_evaluated": len(tokens)}], "usage": {"prompt_tokens": len(tokens)}}


def _numbers(value: object) -> list[int]:
    return [_number(entry) for entry in value] if isinstance(value, list) else []


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(entry) for entry in value) if isinstance(value, list) else ()


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value


if __name__ == "__main__":
    sys.exit((copy if sys.argv[1] == "quantize" else main)(sys.argv[2:]))
