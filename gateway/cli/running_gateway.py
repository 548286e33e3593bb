"""Asks a Holdfast that runs: where it listens by flags and policy, and what it answers. Nothing is kept, followed or proxied."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from gateway.cli.outcome import CannotRun
from gateway.cli.settings import settings_of
from gateway.core import jsontext
from gateway.core.policy.server import ServerRules
from gateway.core.wire.fields import is_object
from gateway.core.wire.openai_answer import error_text

_PATIENCE = 10.0  # seconds
_MOST = 256 << 20  # bytes; a record may hold the originals of a whole history
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  # bind addresses: as a target they mean this machine


class NoGateway(CannotRun):
    """Nothing that is a Holdfast answers there."""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer of the gateway: an object, and its status."""

    status: int
    body: Mapping[str, object]

    @property
    def problem(self) -> str:
        """The words of an error."""
        return error_text(self.body.get("error"))


def add_flags(parser: argparse.ArgumentParser) -> None:
    """What all commands take that ask a running gateway."""
    parser.add_argument(
        "--url", metavar="URL", help="where it listens (default: as HOLDFAST_HOST, HOLDFAST_PORT or the policy say)"
    )
    parser.add_argument("--policy", metavar="FILE", help="policy file (default: ./policy.yaml where there is one)")
    parser.add_argument("--json", action="store_true", help="one object on stdout")


def url_of(arguments: argparse.Namespace) -> str:
    """Where the gateway is that a command line means. Raises CannotRun, BadPolicy."""
    return arguments.url or address(settings_of(arguments).policy.server)


def address(server: ServerRules) -> str:
    """Where this machine's gateway listens by its policy."""
    host = _ANYWHERE.get(server.host, server.host)
    return f"http://[{host}]:{server.port}" if ":" in host and "[" not in host else f"http://{host}:{server.port}"


def ask(url: str, path: str) -> Said:
    """GET a path of the gateway at `url`, with the key in HOLDFAST_KEY where there is one. Raises NoGateway."""
    base = (url if "://" in url else f"http://{url}").rstrip("/").removesuffix("/v1")
    if urlsplit(base).scheme not in ("http", "https"):
        raise NoGateway(f"{url} is no address of a gateway; say --url http://HOST:PORT")
    opener, key = build_opener(ProxyHandler({}), _Unfollowed()), os.environ.get("HOLDFAST_KEY", "")
    request = Request(base + path, headers={"Authorization": f"Bearer {key}"} if key else {})  # noqa: S310  # checked above
    try:
        with opener.open(request, timeout=_PATIENCE) as response:
            return _said(base, response.status, response.read(_MOST), response.headers.get("Server", ""))
    except HTTPError as error:
        return _said(base, error.code, error.read(_MOST), error.headers.get("Server", ""))
    except (URLError, OSError, HTTPException, ValueError) as error:
        why = getattr(error, "reason", error)
        raise NoGateway(
            f"no Holdfast answers at {base} ({why}). Start it (holdfast serve), or say where it is: --url URL"
        ) from None


def objects(value: object) -> list[tuple[str, Mapping[str, object]]]:
    """The objects in an object of an answer, by name."""
    return [(name, each) for name, each in value.items() if is_object(each)] if is_object(value) else []


class _Unfollowed(HTTPRedirectHandler):
    """A gateway redirects nobody."""

    def redirect_request(self, *_: object) -> None:
        return None


def _said(base: str, status: int, data: bytes, server: str) -> Said:
    try:
        body = jsontext.loads(data)
    except jsontext.NotJson:
        body = None
    if not is_object(body) or not server.startswith("holdfast"):
        raise NoGateway(f"what answers at {base} is no Holdfast. Say where it is: --url URL")
    return Said(status, body)
