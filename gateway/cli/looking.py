"""Looking at a request without sending it: one from a file, and a gateway that nobody else can reach."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from gateway.app import assemble
from gateway.cli.outcome import CannotRun
from gateway.cli.settings import Settings, add_upstream_flags, settings_of
from gateway.core import jsontext
from gateway.core.conversation import Conversation
from gateway.core.errors import BadRequest, Code
from gateway.core.wire import openai_request
from gateway.core.wire.fields import body, is_object
from gateway.service.front.gateway import Gateway
from gateway.service.refusal import Refusal
from gateway.telemetry.log import configure

T = TypeVar("T")
_NAMED = 12  # models named in an error


@dataclass(frozen=True, slots=True)
class Request:
    """A chat request, with its messages as they were written."""

    conversation: Conversation
    messages: Sequence[Mapping[str, object]]


def add_flags(parser: argparse.ArgumentParser) -> None:
    """What all commands take that look at a request."""
    parser.add_argument("file", metavar="FILE", help="an OpenAI chat request as JSON; - reads standard input")
    parser.add_argument("--model", metavar="NAME", help="the model it is for (default: as the request names it)")
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    add_upstream_flags(parser)


def look(arguments: argparse.Namespace, see: Callable[[Gateway, Request], Awaitable[T]]) -> T:
    """What `see` finds of the request that a command line names. Raises CannotRun, BadPolicy."""
    configure(level="error")
    settings = settings_of(arguments)
    return asyncio.run(_look(settings, read(arguments.file, arguments.model), see))


def read(file: str, model: str | None) -> Request:
    """The request in a file, for `model` where one is given. Raises CannotRun."""
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise CannotRun(f"{file} can't be read: {error.strerror}") from None
    try:
        fields = body(data)
        if model:
            data = jsontext.dump({**fields.rest, "model": model})
        elif not fields.rest.get("model"):
            raise CannotRun(f"{file} names no model; say which it is for: --model NAME")
        conversation, _ = openai_request.decode(data)
    except BadRequest as error:
        raise CannotRun(f"{file} is no chat request: {error.problem.message}") from None
    messages = fields.rest.get("messages")
    return Request(conversation, [each for each in messages if is_object(each)] if isinstance(messages, list) else [])


async def _look(settings: Settings, request: Request, see: Callable[[Gateway, Request], Awaitable[T]]) -> T:
    try:
        assembly = assemble(settings.policy, state=settings.state)
    except OSError as error:
        raise CannotRun(f"{settings.state} can't be used: {error.strerror}; say another place: --state DIR") from None
    gateway = assembly.front.gateway
    try:
        return await see(gateway, request)
    except Refusal as refusal:
        raise CannotRun(await _why(refusal, gateway, request.conversation.model)) from None
    finally:
        await assembly.close()


async def _why(refusal: Refusal, gateway: Gateway, model: str) -> str:
    """A refusal in words for the command line, which may name every address and model."""
    places = ", ".join(live.rule.url for live in gateway.upstreams.live.values())
    if refusal.problem.code is Code.UPSTREAM_UNREACHABLE:
        return f"no model server answers at {places}. Start it (ollama serve), or say where it is: --ollama URL"
    if refusal.problem.code is not Code.MODEL_NOT_FOUND:
        return refusal.problem.message
    names = [served.name for served in await gateway.served(facts=False)]
    more = f", … ({len(names) - _NAMED} more)" if len(names) > _NAMED else ""
    there = f"there are: {', '.join(names[:_NAMED])}{more}" if names else "there is none"
    return f"there is no model {model} at {places}; {there}. Say another (--model NAME), or get it: ollama pull {model}"
