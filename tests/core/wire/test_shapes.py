"""The small shapes that formats share: pictures, sampling, tools, records, whole answers."""

from __future__ import annotations

from base64 import b64encode

import pytest

from gateway.core import jsontext
from gateway.core.conversation import Image, Sampling, ToolCall, ToolSpec
from gateway.core.stream import Call, Did, Part, Reasoning, Stop, StopReason, Text, Usage
from gateway.core.wire.fields import Fields
from gateway.core.wire.images import image_of_base64, image_of_url, url_of
from gateway.core.wire.records import count_of, record_of
from gateway.core.wire.sampling import completed, options_sampling, sampling_json
from gateway.core.wire.tools import arguments_object, arguments_text, call_of, tool_json, tool_of
from gateway.core.wire.whole import did_json, whole_of


@pytest.mark.parametrize(
    ("url", "image"),
    [
        ("data:image/png;base64,AAAA", Image("AAAA", "image/png")),
        ("DATA:image/PNG;BASE64,AAAA", Image("AAAA", "image/PNG")),
        ("data:image/svg+xml;charset=utf-8;base64,AAAA", Image("AAAA", "image/svg+xml")),
        ("data:;base64,iVBORw0KGgoAAA", Image("iVBORw0KGgoAAA", "image/png")),
        ("data:;base64,AAAA", Image("AAAA")),
        ("data:image/png,AAAA", None),
        ("https://example.org/a.png", None),
        ("", None),
    ],
)
def test_data_urls(url: str, image: Image | None) -> None:
    assert image_of_url(url) == image


@pytest.mark.parametrize(
    ("begins", "mime"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF....WEBP", "image/webp"),
        (b"BM......", "image/bmp"),
        (b"%PDF", ""),
    ],
)
def test_the_type_of_a_bare_picture(begins: bytes, mime: str) -> None:
    image = image_of_base64(b64encode(begins + b"\0" * 8).decode())
    assert image.mime == mime
    assert image_of_url(url_of(image)) == image


def test_settings_of_two_places_complete_each_other() -> None:
    said = completed(
        Sampling(temperature=0.0, stop=("a",)), Sampling(temperature=1.0, top_k=3, stop=("b",), max_tokens=5)
    )
    assert said == Sampling(temperature=0.0, top_k=3, stop=("a",), max_tokens=5)
    assert sampling_json(said) == {"temperature": 0.0, "top_k": 3, "stop": ["a"]}
    assert sampling_json(Sampling()) == {}


def test_settings_are_taken_out_of_the_options() -> None:
    options = Fields({"num_predict": 5, "temperature": 1, "mirostat": 2}, "options")
    assert options_sampling(options) == Sampling(temperature=1.0, max_tokens=5)
    assert options.rest == {"mirostat": 2}


def test_a_tool_comes_back_in_its_order() -> None:
    given = {
        "type": "function",
        "function": {"name": "f", "description": "d", "parameters": {"b": 1, "a": 2}, "strict": True},
    }
    tool = tool_of(Fields(given, "tools[0]"))
    assert tool == ToolSpec(name="f", description="d", parameters={"b": 1, "a": 2}, extra={"strict": True})
    assert jsontext.dumps(tool_json(tool)) == jsontext.dumps(given)


def test_a_call_without_a_function_is_kept_with_what_it_has() -> None:
    assert call_of(Fields({"id": "c", "function": None}, "x")) == ToolCall(id="c", name="", arguments="{}")


def test_arguments_as_text_and_as_object() -> None:
    assert arguments_text('{"a": 1}') == '{"a": 1}'
    assert arguments_text({"a": [1]}) == '{"a":[1]}'
    assert arguments_text(None) == "{}"
    assert arguments_object(' {"a": 1} ') == {"a": 1}
    assert arguments_object("  ") == {}


def test_counts_that_servers_tell() -> None:
    record = {"a": 5, "b": 5.0, "c": -1, "d": True, "e": "5", "f": None}
    assert [count_of(record, key) for key in "abcdefg"] == [5, 5, 0, 0, 0, 0, 0]


def test_records_keep_the_digits_of_calls() -> None:
    line = b'{"tool_calls":[{"function":{"arguments":{"n":123456789012345678901234}}}]}'
    assert jsontext.dump(record_of(line)) == line
    assert record_of(b'{"a":"\\ud83d"}') == {"a": "\ufffd"}
    with pytest.raises(jsontext.NotJson):
        record_of(b'{"a":')


def test_a_whole_answer() -> None:
    call = Call(id="c", name="f", arguments="{}")
    parts: list[Part] = [
        Reasoning("h"),
        Text("a"),
        Text("b"),
        call,
        Usage(prompt_tokens=1),
        Did(("mended",)),
        Stop(StopReason.STOP),
    ]
    whole = whole_of(parts)
    assert (whole.text, whole.thought, list(whole.calls), whole.did) == ("ab", "h", [call], ("mended",))
    assert (whole.usage, whole.reason) == (Usage(prompt_tokens=1), StopReason.STOP)
    assert whole_of([Text("a")]).reason is StopReason.LENGTH
    assert (did_json(()), did_json(("a",))) == ({}, {"holdfast": {"did": ["a"]}})
