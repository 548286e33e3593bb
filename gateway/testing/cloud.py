"""A fake cloud in Mistral's wire form, that keeps every byte it is sent: for tests of what leaves the house, and for the leak test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

from aiohttp import web

from gateway.core import jsontext

Says = Callable[[str], str]


@dataclass(slots=True)
class FakeCloud:
    """Listens on a free port of this machine. `says` makes the answer from the request's body; `status` other than 200 is an error."""

    says: Says = field(default=lambda _: "From the cloud.")
    status: int = 200
    refusal: str = "no"
    gone: frozenset[str] = frozenset()
    received: list[bytes] = field(default_factory=list)
    url: str = ""
    _runner: web.ServerRunner | None = None

    async def __aenter__(self) -> FakeCloud:
        self._runner = web.ServerRunner(web.Server(self._answer))
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{next(iter(self._runner.addresses))[1]}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    @property
    def bodies(self) -> list[str]:
        """The bodies of all requests, as text."""
        return [each.partition(b"\r\n\r\n")[2].decode() for each in self.received]

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        self.received.append(f"{request.method} {request.raw_path}\r\n{head}\r\n".encode() + body)
        asked = jsontext.loads(body)
        model = str(asked.get("model")) if isinstance(asked, dict) else ""
        if model in self.gone:
            return web.json_response({"message": f"Invalid model: {model}", "type": "invalid_model"}, status=400)
        if self.status != web.HTTPOk.status_code:
            return web.json_response({"message": self.refusal}, status=self.status)
        return await self._stream(request, model, self.says(body.decode()))

    async def _stream(self, request: web.BaseRequest, model: str, text: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        half = len(text) // 2
        for delta, reason in (
            ({"role": "assistant", "content": text[:half]}, None),
            ({"content": text[half:]}, None),
            ({"content": ""}, "stop"),
        ):
            event: dict[str, object] = {
                "id": "c",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": model,
                "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
            }
            if reason:
                event["usage"] = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
            await response.write(b"data: " + jsontext.dump(event) + b"\n\n")
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
        return response
