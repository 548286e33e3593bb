"""How Ollama's own parsers read the text of one tool call: strict where it is strict, damaged where it damages.

Each reader takes the text between the outer markers and the declared tools; it raises ParserError where Ollama fails the request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from html import escape, unescape

from gateway.testing.ask import Messages
from gateway.testing.parsers.go_syntax import Elements, ParserError, go_object
from gateway.testing.parsers.parsed import overlap
from gateway.testing.parsers.tool_schema import function_of, required_of, typed, types_of
from gateway.testing.script import ToolUse

_SHORT_TAG = re.compile(r"<(\w+)=([^>]+)>")
_QWEN_TAG = re.compile(r'<(/?)(function|parameter)(?:\s+name="([^"]*)")?>')
_GLM_TAG = re.compile(r"<(/?)(arg_key|arg_value)>")
_GEMMA_QUOTE = '<|"|>'
_GEMMA_STRING = re.compile(r'<\|"\|>(.*?)<\|"\|>', re.DOTALL)


def read_qwen_xml(body: str, tools: Messages) -> list[ToolUse]:
    """`<function=N><parameter=K>V</parameter></function>`, the text between `<tool_call>` tags.

    Ollama makes XML of it first; a parameter inside a value is then lost, as is a value outside a parameter.
    """
    text = _SHORT_TAG.sub(lambda tag: f'<{tag[1]} name="{escape(tag[2])}">', body)
    walk = Elements(text)
    name, values, key, last = "", dict[str, str](), "", 0
    for tag in _QWEN_TAG.finditer(text):
        between, last = walk.text(last, tag.start()), tag.end()
        if walk.path == ("function", "parameter"):
            values[key] += between
        if tag[1]:
            walk.leave(tag[2], tag.end())
            if not walk.path:
                return [_typed_call(name, {key: _unwrapped(value) for key, value in values.items()}, tools)]
            continue
        if not walk.path:
            name = _root(tag)
        elif walk.path == ("function",) and tag[2] == "parameter":
            key = unescape(tag[3] or "")
            values[key] = ""
        walk.enter(tag[2])
    raise walk.cut() if walk.path else ParserError("EOF")


def _root(tag: re.Match[str]) -> str:
    if tag[2] != "function":
        raise ParserError(f"expected element type <function> but have <{tag[2]}>")
    return unescape(tag[3] or "")


def _unwrapped(text: str) -> str:
    return text.removeprefix("\n").removesuffix("\n")


def read_hermes(body: str, _: Messages) -> list[ToolUse]:
    """`{"name": N, "arguments": {…}}`."""
    try:
        call = go_object(body)
    except ParserError as error:
        raise ParserError(f"failed to parse JSON: {error.text}") from None
    if not call.get("name"):
        raise ParserError("empty function name")
    arguments = call.get("arguments")
    return [ToolUse(str(call["name"]), arguments if isinstance(arguments, dict) else {})]


def read_glm(body: str, tools: Messages) -> list[ToolUse]:
    """`N<arg_key>K</arg_key><arg_value>V</arg_value>`; a missing tag is put in, which may lose what follows."""
    try:
        name, keys, values = _glm_strict(body)
    except ParserError:
        name, keys, values = _glm_repaired(body)
    return _glm_call(name, keys, values, tools)


def read_cut_glm(body: str, tools: Messages) -> list[ToolUse]:
    """A GLM call whose end never came: taken where only the outer closer is missing, else an error."""
    try:
        name, keys, values = _glm_strict(_without_partial_closer(body))
        calls = _glm_call(name, keys, values, tools)
        _check_declared(calls[0], tools)
    except ParserError as error:
        raise ParserError(f"incomplete GLM tool call: {error.text}") from None
    return calls


def read_cut_laguna(body: str, tools: Messages) -> list[ToolUse]:
    """A cut call of Laguna's parser: handed over without the argument that was being written. Dangerous, and real."""
    proven, closer, _ = _without_partial_closer(body).rpartition("</arg_value>")
    name, keys, values = _glm_repaired(proven + closer or body.partition("<")[0])
    return [_typed_call(name, dict(zip(keys, values, strict=False)), tools)] if name else []


def _without_partial_closer(body: str) -> str:
    held = overlap(body, "</tool_call>")
    return body[: len(body) - held].rstrip() if held else body


def _glm_strict(body: str) -> tuple[str, list[str], list[str]]:
    walk, last, found = Elements(body, root="tool_call"), 0, {"": [""], "arg_key": [], "arg_value": []}
    inside = ""
    for tag in _GLM_TAG.finditer(body):
        found[inside][-1] += walk.text(last, tag.start())
        last = tag.end()
        if tag[1]:
            walk.leave(tag[2], tag.end())
        else:
            walk.enter(tag[2])
            found[tag[2]].append("")
        inside = "" if tag[1] else tag[2]
    found[inside][-1] += walk.text(last, len(body))
    walk.leave("tool_call", len(body))
    return found[""][0].strip(), found["arg_key"], found["arg_value"]


def _glm_repaired(body: str) -> tuple[str, list[str], list[str]]:
    parts = re.split(r"(</?arg_(?:key|value)>)", body)
    name, _, glued = parts[0].strip().partition(" ")
    keys, values = ([glued] if glued else []), list[str]()
    for tag, text in zip(parts[1::2], parts[2::2], strict=True):
        if tag == "<arg_key>" or (tag == "</arg_value>" and text.strip()):
            keys.append(text)
        elif tag == "<arg_value>" or (tag == "</arg_key>" and text.strip()):
            values.append(text)
    return name, keys, values


def _glm_call(name: str, keys: list[str], values: list[str], tools: Messages) -> list[ToolUse]:
    if not name:
        raise ParserError("empty function name")
    if len(keys) != len(values):
        raise ParserError(f"mismatched arg_key and arg_value counts: {len(keys)} keys, {len(values)} values")
    return [_typed_call(name, dict(zip(keys, values, strict=True)), tools)]


def _typed_call(name: str, pairs: Mapping[str, str], tools: Messages) -> ToolUse:
    types = types_of(tools, name)
    return ToolUse(name, {key.strip(): typed(value, types.get(key.strip(), ())) for key, value in pairs.items()})


def _check_declared(use: ToolUse, tools: Messages) -> None:
    declared = function_of(tools, use.name)
    if declared is None:
        raise ParserError(f'tool "{use.name}" is not declared')
    for required in required_of(declared):
        if required not in use.arguments:
            raise ParserError(f'required argument "{required}" is missing for tool "{use.name}"')


def read_gemma(body: str, _: Messages) -> list[ToolUse]:
    """`call:N{k:<|"|>v<|"|>}`; what can't be read is dropped without a word."""
    name, brace, rest = body.removeprefix("call:").partition("{")
    if not body.startswith("call:") or not brace:
        return []
    try:
        return [ToolUse(name.strip(), go_object(_gemma_json(brace + rest)))]
    except ParserError:
        return []


def read_cut_gemma(body: str, tools: Messages) -> list[ToolUse]:
    """A Gemma call that was cut: a half string, or a value not yet begun, is closed and handed over. Dangerous, and real."""
    return next(filter(None, (read_gemma(text, tools) for text in (body, *_gemma_closed(body, tools)))), [])


def _gemma_closed(body: str, tools: Messages) -> Iterator[str]:
    """The texts that Ollama tries where strict reading fails."""
    if body.count(_GEMMA_QUOTE) % 2:
        yield _braced(f"{body}{_GEMMA_QUOTE}")
    name = body.removeprefix("call:").partition("{")[0].strip()
    raw = re.search(r'[{,]\s*(\w+):(?!<\|"\|>)([^{}\[\]]*)$', body)
    if raw and "string" in types_of(tools, name).get(raw[1], ()):
        yield _braced(f"{body[: raw.start(2)]}{_GEMMA_QUOTE}{raw[2]}{_GEMMA_QUOTE}")


def _braced(text: str) -> str:
    return text if text.endswith("}") else text + "}"


def _gemma_json(text: str) -> str:
    strings: list[str] = []

    def keep(match: re.Match[str]) -> str:
        strings.append(match[1])
        return f"\0{len(strings) - 1}\0"

    bare = re.sub(r"([{,]\s*)(\w+):", r'\1"\2":', _GEMMA_STRING.sub(keep, text))
    return re.sub(r"\0(\d+)\0", lambda match: json.dumps(strings[int(match[1])]), bare)


def read_mistral(body: str, tools: Messages) -> list[ToolUse]:
    """`N[ARGS]{…}`, the name must be declared."""
    name, _, arguments = body.partition("[ARGS]")
    if function_of(tools, name) is None:
        raise ParserError(f"tool '{name}' not found")
    return [ToolUse(name, go_object(arguments))]


def read_deepseek(body: str, _: Messages) -> list[ToolUse]:
    """`N<｜tool▁sep｜>{…}`; what can't be read is dropped without a word."""
    name, _sep, arguments = body.rpartition("<｜tool▁call▁begin｜>")[2].partition("<｜tool▁sep｜>")
    try:
        return [ToolUse(name.strip(), go_object(arguments))]
    except ParserError:
        return []


def read_anything(body: str, tools: Messages) -> list[ToolUse]:
    """The generic reader for models with a template only: a declared name and the first JSON object after it."""
    try:
        call = go_object(body[body.find("{") :])
    except ParserError:
        return []
    arguments = call.get("arguments", call.get("parameters"))
    name = str(call.get("name", ""))
    return [ToolUse(name, arguments)] if function_of(tools, name) and isinstance(arguments, dict) else []
