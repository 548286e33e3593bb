"""Whole responses: JSON answers and errors, each in the tongue of its surface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from aiohttp import web

from gateway.core import jsontext
from gateway.core.errors import Problem
from gateway.core.wire.openai_answer import problem_json

Tongue: TypeAlias = Literal["openai", "ollama"]
JSON = "application/json"


def json_reply(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return bytes_reply(jsontext.dump(value), status=status, headers=headers)


def bytes_reply(body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(body=body, status=status, content_type=JSON, charset="utf-8", headers=headers)


def problem_reply(
    problem: Problem, tongue: Tongue = "openai", headers: Mapping[str, str] | None = None
) -> web.Response:
    """The HTTP error for a problem. A final one says so to the SDKs that ask (`x-should-retry`)."""
    said = dict(headers or {})
    if problem.kind.again:
        said["Retry-After"] = str(problem.retry_after or 5)
    else:
        said["x-should-retry"] = "false"
    return json_reply(problem_body(problem, tongue), status=problem.kind.status, headers=said)


def problem_body(problem: Problem, tongue: Tongue) -> dict[str, object]:
    if tongue == "ollama":
        return {"error": problem.message, "code": problem.code, **problem.extra}
    return problem_json(problem)
