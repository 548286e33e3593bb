"""The call that a server wrote as one JSON object, held to the schema of its tool."""

from __future__ import annotations

from gateway.core import jsontext
from gateway.core.stream import Call


def call_by_schema(text: str) -> Call | None:
    """The call, its id still empty; None where the text is none."""
    try:
        made = jsontext.loads(text)
    except jsontext.NotJson:
        return None
    match made:
        case {"name": str(name), "arguments": dict(arguments)}:
            return Call(id="", name=name, arguments=jsontext.dumps(arguments))
        case _:
            return None
