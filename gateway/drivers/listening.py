"""The wire under litellm: one request, to one address, once; and an ear on its answer. Law: what is sent elsewhere is not sent.

httpx comes with litellm, so that nothing may import this file before a cloud is needed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx

from gateway.core.failures import FailureKind
from gateway.drivers.cloud_truth import Heard, cloud_failure

_ERROR_BODY = 64 << 10


class Line(httpx.AsyncBaseTransport):
    """The transport of one request. litellm asks a second time after a refused connection: that is for the gateway to do."""

    def __init__(self, inner: httpx.AsyncBaseTransport, heard: Heard, *, base: str, connect: float) -> None:
        self._inner = inner
        self._heard = heard
        self._base = base
        self._connect = connect

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._heard.asked or not str(request.url).startswith(f"{self._base}/"):
            self._heard.fail(FailureKind.REFUSED, "was to be asked twice, or elsewhere, which is not allowed")
            raise httpx.ReadError("not sent", request=request)
        self._heard.asked = True
        request.headers["accept-encoding"] = "identity"  # what is heard must be plain
        request.extensions["timeout"] = {"connect": self._connect, "read": None, "write": None, "pool": self._connect}
        try:
            response = await self._inner.handle_async_request(request)
        except httpx.ConnectTimeout:
            self._heard.fail(FailureKind.UNREACHABLE, "could not be reached in time")
            raise
        except httpx.TransportError as error:
            self._heard.fail(FailureKind.UNREACHABLE, f"could not be reached ({type(error).__name__})")
            raise httpx.ReadError("unreachable", request=request) from None
        return await self._refused(response) if response.status_code >= 300 else self._tapped(response)

    async def aclose(self) -> None:
        """The pool below belongs to the driver."""

    def _tapped(self, response: httpx.Response) -> httpx.Response:
        assert isinstance(response.stream, httpx.AsyncByteStream)
        self._heard.open = response.stream
        tap = _Tap(response.stream, self._heard)
        return httpx.Response(
            response.status_code, headers=response.headers, stream=tap, extensions=response.extensions
        )

    async def _refused(self, response: httpx.Response) -> httpx.Response:
        """An error: read for its kind, and handed on without its words, which litellm would put into its exceptions."""
        body = b""
        try:
            async for data in response.aiter_raw():
                body += data
                if len(body) > _ERROR_BODY:
                    break
        except httpx.HTTPError:
            pass  # its status says enough
        await response.aclose()
        after = response.headers.get("retry-after", "")
        self._heard.failure = cloud_failure(
            self._heard.provider,
            response.status_code,
            body.decode("utf-8", "replace"),
            retry_after=float(after) if after.isdigit() else None,
        )
        return httpx.Response(response.status_code, json={"error": {"message": "see the gateway's log"}})


class _Tap(httpx.AsyncByteStream):
    """The answer on its way to litellm."""

    def __init__(self, inner: httpx.AsyncByteStream, heard: Heard) -> None:
        self._inner = inner
        self._heard = heard

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for data in self._inner:
                self._heard.listen(data)
                yield data
        except httpx.HTTPError as error:
            self._heard.fail(FailureKind.CUT, f"broke its answer off ({type(error).__name__})")
            raise
        self._heard.listened()

    async def aclose(self) -> None:
        await self._inner.aclose()
