"""The response headers that tell what the gateway knows of an answer when its headers go."""

from __future__ import annotations

from gateway.service.front.flights import Flight

_LONGEST = 1000


def known_of(flight: Flight, request_id: str) -> dict[str, str]:
    """`x-holdfast-*` headers, as far as they are known now; what is unknown is left out."""
    said = {"x-holdfast-request": request_id}
    fitted = flight.conductor.fitted
    if fitted is None:
        return said
    count = fitted.count
    window = f"; window={fitted.window}" if fitted.window is not None else ""
    said["x-holdfast-model"] = _plain(fitted.target.model)
    said["x-holdfast-upstream"] = _plain(fitted.target.upstream)
    said["x-holdfast-tokens"] = f"{count.tokens}; method={count.method}; margin={count.margin}{window}"
    if route := flight.conductor.account.route:
        said["x-holdfast-route"] = _plain("; ".join(["away" if route.away else "home", *route.reasons]))[:_LONGEST]
    if flight.conductor.account.did:
        said["x-holdfast-did"] = ", ".join(flight.conductor.account.did)
    return said


def _plain(text: str) -> str:
    """Header values are ASCII without control characters."""
    return "".join(char if " " <= char <= "~" else "?" for char in text)
