"""Pictures inside requests: data URLs and bare base64, both ways. An address is never fetched: that would be a door to the inside."""

from __future__ import annotations

import re

from gateway.core.conversation import Image

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w=.+-]+)*?;base64,(.*)", re.DOTALL | re.IGNORECASE)
_BEGINNINGS = {
    "iVBORw0KGgo": "image/png",
    "/9j/": "image/jpeg",
    "R0lGOD": "image/gif",
    "UklGR": "image/webp",
    "Qk": "image/bmp",
}


def image_of_url(url: str) -> Image | None:
    """The picture in a data URL; None where it is no such URL."""
    found = _DATA_URL.fullmatch(url)
    return Image(found[2], found[1] or _type_of(found[2])) if found else None


def image_of_base64(data: str) -> Image:
    """A picture as Ollama's clients send it: base64 alone. Its type is told from its first bytes."""
    return Image(data, _type_of(data))


def url_of(image: Image) -> str:
    """The picture as a data URL."""
    return f"data:{image.mime};base64,{image.data}"


def _type_of(data: str) -> str:
    return next((mime for begins, mime in _BEGINNINGS.items() if data.startswith(begins)), "")
