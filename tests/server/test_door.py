"""Who may knock and with what: browsers, broken HTTP, bombs and slow senders get a clear answer and cost little."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import pytest

from gateway.core.access import hash_of
from gateway.core.policy import Policy
from gateway.core.policy.keys import ClientKey
from gateway.testing.models.model import SimModel
from gateway.testing.script import always
from tests.server.listening import Listening, request

Listen = Callable[..., AbstractAsyncContextManager[Listening]]

CHAT = json.dumps({"model": "sim", "messages": [{"role": "user", "content": "hi"}]}).encode()
JSON = "Content-Type: application/json"


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def body_of(answer: bytes) -> dict[str, object]:
    found = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("headers", "host", "status"),
    [
        ((JSON,), "127.0.0.1:8484", 200),
        ((JSON,), "localhost", 200),
        ((JSON,), "gateway.localhost", 200),
        ((JSON,), "[::1]:8484", 200),
        ((), "127.0.0.1", 200),
        ((JSON,), "evil.example", 403),
        ((JSON,), "127.0.0.1.evil.example", 403),
        ((JSON,), "8.8.8.8", 403),
        ((JSON, "Origin: https://evil.example"), "127.0.0.1", 403),
        ((JSON, "Origin: null"), "127.0.0.1", 403),
        ((JSON, "Sec-Fetch-Site: cross-site"), "127.0.0.1", 403),
        (("Content-Type: text/plain",), "127.0.0.1", 415),
        (("Content-Type: application/x-www-form-urlencoded",), "127.0.0.1", 415),
        (("Content-Type: application/json; charset=bogus",), "127.0.0.1", 415),
        ((JSON, "Content-Encoding: br"), "127.0.0.1", 415),
        ((JSON, "Content-Encoding: gzip"), "127.0.0.1", 400),
    ],
)
async def test_a_web_page_and_a_foreign_name_are_kept_out(
    listening: Listen, headers: tuple[str, ...], host: str, status: int
) -> None:
    async with listening() as it:
        answer = await it.raw(request("POST", "/v1/chat/completions", CHAT, *headers, host=host))
        assert status_of(answer) == status, answer
        if status != 200:
            assert "message" in body_of(answer)["error"]  # type: ignore[operator]  # an object, as the format has it
            assert it.ollama.generations == []


async def test_policy_may_open_the_door(listening: Listen) -> None:
    base = Policy()
    policy = replace(base, server=replace(base.server, hosts=("gateway",), origins=("http://localhost:3000",)))
    async with listening(policy) as it:
        headers = (JSON, "Origin: http://localhost:3000")
        assert (
            status_of(await it.raw(request("POST", "/v1/chat/completions", CHAT, *headers, host="gateway:8484"))) == 200
        )


async def test_a_zipped_body_is_inflated_and_a_bomb_is_not(listening: Listen) -> None:
    base = Policy()
    policy = replace(base, limits=replace(base.limits, body_bytes=1 << 20))
    async with listening(policy) as it:
        zipped = request("POST", "/v1/chat/completions", gzip.compress(CHAT), JSON, "Content-Encoding: gzip")
        assert status_of(await it.raw(zipped)) == 200
        bomb = request(
            "POST", "/v1/chat/completions", gzip.compress(b" " * (200 << 20)), JSON, "Content-Encoding: gzip"
        )
        answer = await it.raw(bomb)
        assert status_of(answer) == 413
        assert "larger than 1 MB" in str(body_of(answer))


async def test_a_body_that_says_it_is_too_large_is_not_read(listening: Listen) -> None:
    async with listening() as it:
        head = request("POST", "/api/chat", b"", JSON).replace(b"Content-Length: 0", b"Content-Length: 99999999999")
        answer = await it.raw(head)
        assert status_of(answer) == 413
        assert isinstance(body_of(answer)["error"], str), "in the tongue of the surface"


async def test_a_body_that_trickles_in_is_cut_off(listening: Listen) -> None:
    base = Policy()
    policy = replace(base, timeouts=replace(base.timeouts, request_body=0.3))
    async with listening(policy) as it:
        head = request("POST", "/v1/chat/completions", b"", JSON).replace(b"Content-Length: 0", b"Content-Length: 500")
        answer = await it.raw(head + b'{"model"')
        assert status_of(answer) == 408
        assert body_of(answer)["error"]["code"] == "request_too_slow"  # type: ignore[index]  # an object


async def test_a_header_that_never_ends_is_cut_off(listening: Listen) -> None:
    base = Policy()
    policy = replace(base, timeouts=replace(base.timeouts, request_body=0.3))
    async with listening(policy) as it:
        answer = await it.raw(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        assert status_of(answer) == 408
        assert await it.raw(b"") != b"", "a connection that says nothing is told so too"


async def test_the_bounds_of_the_door_are_those_of_the_policy_of_that_moment(listening: Listen) -> None:
    async with listening() as it:
        asked = request("GET", "/healthz", b"", "X-Long: " + "x" * 40_000)
        assert b" 400 " in (await it.raw(asked, seconds=1.0)).splitlines()[0]
        it.edit(replace(it.policy, limits=replace(it.policy.limits, header_bytes=50_000)))
        assert b" 200 " in (await it.raw(asked, seconds=1.0)).splitlines()[0]


async def test_a_header_that_is_too_large_is_refused(listening: Listen) -> None:
    async with listening() as it:
        answer = await it.raw(request("GET", "/healthz", b"", "X-Long: " + "x" * 200_000))
        assert status_of(answer) == 400


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x02\x00", b"GARBAGE\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"])
async def test_what_is_no_http_gets_a_400(listening: Listen, data: bytes) -> None:
    base = Policy()
    policy = replace(base, timeouts=replace(base.timeouts, request_body=0.5))
    async with listening(policy) as it:
        assert status_of(await it.raw(data)) in (400, 403, 408)


async def test_more_connections_than_allowed_are_turned_away(listening: Listen) -> None:
    base = Policy()
    policy = replace(base, limits=replace(base.limits, connections=0))
    async with listening(policy) as it:
        answer = await it.raw(request("GET", "/healthz"))
        assert status_of(answer) == 503
        assert b"Retry-After" in answer


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no body"),
        (b"{", "not valid JSON"),
        (b"[1]", "an array"),
        (b'{"model":"sim"}', "`messages`"),
        (b'{"model":"sim","messages":[]}', "`messages`"),
        (b'{"model":"sim","messages":[{"role":"owl","content":"hi"}]}', "'owl'"),
        (b'{"model":"sim","messages":[{"role":"user","content":7}]}', "`messages[0].content`"),
        (b'{"model":"sim","messages":[{"role":"user","content":"hi"}],"temperature":NaN}', "NaN"),
        (b'{"model":"sim","messages":[{"role":"user","content":"hi"}],"n":2}', "`n`"),
        (b'{"model":"sim","messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "deep"),
        (b'{"model":"nobody","messages":[{"role":"user","content":"hi"}]}', "nobody"),
    ],
)
async def test_bad_input_is_told_what_to_change(listening: Listen, body: bytes, said: str) -> None:
    async with listening() as it:
        for path in ("/v1/chat/completions", "/chat/completions"):
            answer = await it.raw(request("POST", path, body, JSON))
            assert 400 <= status_of(answer) < 500, answer
            assert said in json.dumps(body_of(answer), ensure_ascii=False)
            assert b"x-should-retry: false" in answer


@pytest.mark.parametrize("path", ["//v1//chat/completions", "/v1/chat/completions/", "//chat/completions//"])
async def test_slashes_do_not_matter(listening: Listen, path: str) -> None:
    async with listening() as it:
        assert status_of(await it.raw(request("POST", path, CHAT, JSON))) == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/chat/completions", 405),
        ("GET", "/nowhere", 404),
        ("GET", "/v1/../api/tags", 404),
        ("GET", "/v1/..%2fapi/tags", 404),
        ("POST", "/api/pull", 403),
        ("DELETE", "/api/delete", 403),
        ("HEAD", "/", 200),
        ("GET", "/", 200),
    ],
)
async def test_paths_are_taken_literally(listening: Listen, method: str, path: str, status: int) -> None:
    async with listening() as it:
        assert (
            status_of(await it.raw(request(method, path, b"{}" if method in ("POST", "DELETE") else b"", JSON)))
            == status
        )


async def test_a_gateway_that_is_its_own_upstream_says_so(listening: Listen) -> None:
    async with listening() as it:
        answer = await it.raw(request("GET", "/api/version", b"", "x-holdfast-hop: 1"))
        assert status_of(answer) == 400
        assert "own upstream" in str(body_of(answer))


KEYED = Policy(
    keys={"laptop": ClientKey(sha256=hash_of("hf-one"), at_once=1), "ci": ClientKey(sha256=hash_of("hf-two"))}
)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer hf-wrong"},
        {"Authorization": "bearer ollama"},
        {"x-api-key": "hf-wrong"},
        {"api-key": "x"},
    ],
)
@pytest.mark.parametrize("path", ["/v1/models", "/api/tags", "/readyz", "/holdfast/status", "/nowhere"])
async def test_an_unknown_key_stays_outside(listening: Listen, headers: dict[str, str], path: str) -> None:
    async with listening(KEYED) as it, it.session.get(path, headers=headers) as response:
        body = await response.json()
        assert response.status == 401
        assert response.headers["x-should-retry"] == "false"
    assert "hf-wrong" not in str(body)


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer hf-one"}, {"x-api-key": "hf-one"}, {"Authorization": "Basic eDp5"}]
)
async def test_a_known_key_and_this_machine_come_in(listening: Listen, headers: dict[str, str]) -> None:
    async with listening(KEYED) as it, it.session.get("/v1/models", headers=headers) as response:
        assert response.status == 200


async def test_health_needs_no_key(listening: Listen) -> None:
    async with listening(KEYED) as it:
        for path in ("/", "/healthz"):
            async with it.session.get(path, headers={"x-api-key": "hf-wrong"}) as response:
                assert response.status == 200


async def test_a_key_has_its_own_bound(listening: Listen) -> None:
    slow = SimModel(name="sim", script=always("Slow."), load_seconds=0.5, parameters={"num_ctx": 8192})
    async with listening(KEYED, [slow]) as it:

        async def ask(key: str, text: str) -> tuple[int, bool]:
            body = {"model": "sim", "messages": [{"role": "user", "content": text}]}
            async with it.session.post("/v1/chat/completions", json=body, headers={"x-api-key": key}) as response:
                await response.read()
                return response.status, "Retry-After" in response.headers

        first, second, other = await asyncio.gather(ask("hf-one", "1"), ask("hf-one", "2"), ask("hf-two", "3"))
        assert sorted([first, second]) == [(200, False), (503, True)]
        assert other == (200, False)
        assert await ask("hf-one", "4") == (200, False)
