"""Who asks: the key of a request, and what policy says of its owner. Whoever may not come in gets 401 in their own format."""

from __future__ import annotations

from aiohttp.web_request import BaseRequest

from gateway.core.access import Caller, Keyring
from gateway.core.errors import BadRequest, Code
from gateway.core.policy import Policy
from gateway.server.door import is_near

OPEN = frozenset({"/", "/healthz"})  # for load balancers and the first question of Ollama's clients
_HEADERS = ("x-api-key", "api-key")


def caller_of(http: BaseRequest, path: str, *, policy: Policy, keyring: Keyring) -> Caller:
    """Raises BadRequest for a stranger."""
    near = is_near(http, policy)
    caller = keyring.caller(_token(http), near=near, anonymous=policy.privacy.anonymous)
    if caller is not None:
        return caller
    if path in OPEN:
        return Caller(near=near)
    raise BadRequest(
        "this gateway asks for an API key, and this is none of its keys; set it where your agent takes its key "
        "(OPENAI_API_KEY)",
        code=Code.UNAUTHORIZED,
    )


def _token(http: BaseRequest) -> str:
    """The key that a request carries, "" for none."""
    scheme, _, token = http.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return next((value.strip() for name in _HEADERS if (value := http.headers.get(name))), "")
