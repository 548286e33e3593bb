"""Is this call whole and valid for its tool? Law: a doubtful call is refused with its reason, never guessed at.

Valid means: a JSON object, a declared tool, what is required is there, types are right after a change that keeps the
meaning. Further keys, `enum` and `pattern` are for the agent to answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.core.calls.json_text import read
from gateway.core.calls.json_value import Document, Json, write
from gateway.core.calls.schema import coerced, properties_of, required_of, types_of
from gateway.core.conversation import ToolSpec
from gateway.core.stream import Call, Proof


class Fault(StrEnum):
    """Why a call was refused."""

    UNDECLARED = "undeclared"
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    MISSING = "missing_required"
    WRONG_TYPE = "wrong_type"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that must not go out, and why, in words for the record."""

    fault: Fault
    reason: str


_PREFIXES = ("functions.", "function.", "tools.", "tool.", "default_api.")  # Kimi and harmony, Gemini-trained models
_WRAPPERS = ("arguments", "parameters", "input")


def resolve(name: str, tools: Sequence[ToolSpec]) -> tuple[ToolSpec, tuple[str, ...]] | None:
    """The declared tool that a name means, with the mend where it is written differently; None where none or several."""
    named = {tool.name: tool for tool in tools}
    if name in named:
        return named[name], ()
    bare = name.strip().strip("\"'`").strip()
    if bare in named:
        return named[bare], ("quoted_name",)
    for prefix in _PREFIXES:
        if bare.removeprefix(prefix) in named:
            return named[bare.removeprefix(prefix)], ("tool_name_prefix",)
    alike = [tool for tool in tools if _folded(tool.name) == _folded(bare)]
    return (alike[0], ("tool_name_case",)) if len(alike) == 1 and _folded(bare) else None


def proof_of(tool: ToolSpec, given: Collection[str], *, closed: bool) -> Proof:
    """How far a call is proven whose arguments `given` are; `closed`: the list of them was ended by its own closer."""
    if any(key not in given for key in required_of(tool.parameters)):
        return Proof.UNPROVEN
    described = "properties" in tool.parameters
    if closed or (described and all(key in given for key in properties_of(tool.parameters))):
        return Proof.CLOSERS_ONLY
    return Proof.REQUIRED_COMPLETE


def judge(call: Call, tools: Sequence[ToolSpec], *, cut: bool) -> Call | Refusal:
    """The call as its tool takes it, its mends named; or why it is refused.

    `cut`: the answer ended before its own end, and this call was its last part. Servers that parse calls themselves
    close a cut one (vLLM 0.33, SGLang 0.5.23), so that valid JSON proves only that what is required is there.
    """
    resolved = resolve(call.name, tools)
    if resolved is None:
        return Refusal(Fault.UNDECLARED, f"no tool is called {call.name[:80]!r}")
    tool, mends = resolved
    document = _object(call.arguments, tool, cut=cut)
    if isinstance(document, Refusal):
        return document
    fitted = _fitted(document, tool)
    if isinstance(fitted, Refusal):
        return fitted
    assert isinstance(fitted.value, dict)
    proof = Proof.REQUIRED_COMPLETE if cut else call.proof
    arguments = write(fitted.value) if fitted.mends else call.arguments
    all_mends = tuple(dict.fromkeys((*call.mends, *mends, *fitted.mends)))
    return replace(call, name=tool.name, arguments=arguments, proof=proof, mends=all_mends)


def _folded(name: str) -> str:
    return "".join(mark for mark in name.casefold() if mark.isalnum())


def _object(text: str, tool: ToolSpec, *, cut: bool) -> Document | Refusal:
    """The arguments as an object, unwrapped from a string or from a lone wrapper that the tool does not know."""
    if not text.strip() and not cut:
        return Document({}, ("empty_arguments",))
    document = read(text)
    if document is None:
        return Refusal(Fault.NOT_JSON, f"the arguments of `{tool.name}` are no JSON whose meaning is certain")
    if isinstance(document.value, str):
        inner = read(document.value)
        document = Document(inner.value, (*document.mends, "arguments_as_string", *inner.mends)) if inner else document
    if document.value is None:
        document = Document({}, (*document.mends, "empty_arguments"))
    if not isinstance(document.value, dict):
        return Refusal(Fault.NOT_AN_OBJECT, f"the arguments of `{tool.name}` are no JSON object")
    return _unwrapped(document.value, document.mends, tool)


def _unwrapped(value: dict[str, Json], mends: tuple[str, ...], tool: ToolSpec) -> Document:
    if len(value) == 1:
        [(key, inner)] = value.items()
        if key in _WRAPPERS and isinstance(inner, dict) and key not in properties_of(tool.parameters):
            return Document(inner, (*mends, "wrapped_arguments"))
    return Document(value, mends)


def _fitted(document: Document, tool: ToolSpec) -> Document | Refusal:
    """The arguments in the types of the schema, with all that is required."""
    assert isinstance(document.value, dict)
    properties, required = properties_of(tool.parameters), required_of(tool.parameters)
    given, mends = _renamed(document.value, properties, required)
    mends = [*document.mends, *mends]
    for key in required:
        if key not in given:
            return Refusal(Fault.MISSING, f"`{tool.name}` lacks its required argument `{key}`")
    fitted: dict[str, Json] = {}
    for key, value in given.items():
        types = types_of(properties.get(key), tool.parameters)
        found = coerced(value, types)
        if found is None and value is None and key not in required:
            found = Document(None)  # null for an optional argument: not given; the agent's own validation knows best
        if found is None:
            return Refusal(Fault.WRONG_TYPE, f"`{key}` of `{tool.name}` is no {' or '.join(sorted(types))}")
        fitted[key] = found.value
        mends.extend(found.mends)
    return Document(fitted, tuple(mends))


def _renamed(
    given: dict[str, Json], properties: Mapping[str, object], required: Sequence[str]
) -> tuple[dict[str, Json], list[str]]:
    """A required argument that is missing takes the value of the one unknown key that differs from it in case alone."""
    names: dict[str, str] = {}
    for key in required:
        alike = [k for k in given if k not in properties and _folded(k) == _folded(key)]
        if key not in given and len(alike) == 1:
            names[alike[0]] = key
    if not names:
        return given, []
    return {names.get(key, key): value for key, value in given.items()}, ["argument_name_case"]
