"""The OpenAI chat request: its many spellings in, one spelling out."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from gateway.core.conversation import Conversation, Image, Message, Named, Prose, Sampling, ToolCall
from gateway.core.errors import BadRequest, Code
from gateway.core.wire import openai_request
from gateway.core.wire.openai_request import Wish, decode, encode

USER = {"role": "user", "content": "hi"}
TOOLS = [{"type": "function", "function": {"name": "read", "parameters": {"type": "object"}}}]


def read(**fields: object) -> Conversation:
    return decode(json.dumps({"model": "m", "messages": [USER], **fields}).encode())[0]


def sent(conversation: Conversation, max_tokens: int | None = None) -> Mapping[str, object]:
    body: Mapping[str, object] = json.loads(encode(conversation, model="m", max_tokens=max_tokens))
    return body


def refused(**fields: object) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        read(**fields)
    return caught.value


def test_the_least_request() -> None:
    conversation, wish = decode(b'{"model":"m","messages":[{"role":"user","content":"hi"}]}')
    assert conversation == Conversation(model="m", messages=(Message(role="user", content=(Prose("hi"),)),))
    assert wish == Wish(stream=False, usage=False)


def test_what_goes_upstream_always_streams_and_counts() -> None:
    assert sent(read(stream=False, stream_options={"include_usage": False}), max_tokens=9) == {
        "model": "m",
        "messages": [USER],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 9,
    }


@pytest.mark.parametrize(
    ("fields", "limit"),
    [
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 7}, 7),
        ({"max_tokens": 5, "max_completion_tokens": 7}, 7),
        ({"max_tokens": 5, "max_completion_tokens": None}, 5),
        ({"max_tokens": 5.0}, 5),
        ({"max_tokens": -1}, None),  # LM Studio's way to say "no limit"
        ({"options": {"num_predict": 3}}, 3),
        ({"max_tokens": 5, "options": {"num_predict": 3}}, 5),
        ({"options": {"num_predict": -2}}, None),
        ({}, None),
    ],
)
def test_the_clients_limit(fields: dict[str, object], limit: int | None) -> None:
    assert read(**fields).sampling.max_tokens == limit


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_limit_of_nothing_is_refused_by_its_own_name(name: str) -> None:
    assert refused(**{name: 0}).problem.param == name


@pytest.mark.parametrize(
    ("stop", "read_as"),
    [("###", ("###",)), (["a", "b"], ("a", "b")), ("", ()), ([""], ()), (["a", ""], ("a",)), (None, ()), ([], ())],
)
def test_stop_is_a_text_or_several(stop: object, read_as: tuple[str, ...]) -> None:
    assert read(stop=stop).sampling.stop == read_as


def test_several_answers_are_a_clear_no() -> None:
    problem = refused(n=2).problem
    assert (problem.code, problem.kind.status, problem.param) == (Code.UNSUPPORTED, 400, "n")
    assert "send one request for each answer" in problem.message
    assert read(n=1) == read(n=None) == read()


@pytest.mark.parametrize(
    ("wanted", "output"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, "json"),
        ({"type": "json_object", "schema": {"type": "array"}}, {"type": "array"}),
        ({"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": {"type": "object"}}}, {"type": "object"}),
        ({"type": "json_schema", "schema": {"type": "object"}}, {"type": "object"}),
        ({"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}, {}),
        ({"type": "json_schema", "json_schema": {"name": "a"}}, "json"),
        ({"type": "json_schema"}, "json"),
        (None, None),
    ],
)  # fmt: skip
def test_structured_output(wanted: object, output: object) -> None:
    assert read(response_format=wanted).output == output


def test_ollamas_format_counts_where_nothing_else_is_said() -> None:
    assert read(format="json").output == "json"
    assert read(format={"type": "object"}, response_format={"type": "text"}).output is None


def test_an_unknown_format_is_refused() -> None:
    assert refused(response_format={"type": "yaml"}).problem.param == "response_format.type"


def test_structured_output_goes_upstream() -> None:
    assert sent(read(response_format={"type": "json_object"}))["response_format"] == {"type": "json_object"}
    schema = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "array"}}}
    assert sent(read(format={"type": "array"}))["response_format"] == schema


@pytest.mark.parametrize(
    ("fields", "think"),
    [
        ({"reasoning_effort": "high"}, "high"),
        ({"reasoning_effort": "Minimal"}, "minimal"),
        ({"reasoning_effort": "none"}, "none"),
        ({"reasoning": {"effort": "low"}}, "low"),
        ({"reasoning_effort": "high", "reasoning": {"effort": "low"}, "think": False}, "high"),
        ({"reasoning": {"max_tokens": 5}}, None),
        ({"reasoning": "odd"}, None),
        ({"think": True}, True),
        ({"think": "low"}, "low"),
        ({"chat_template_kwargs": {"enable_thinking": False}}, False),
        ({"chat_template_kwargs": {"enable_thinking": "yes"}}, None),
        ({"think": True, "chat_template_kwargs": {"enable_thinking": False}}, True),
        ({}, None),
    ],
)
def test_how_hard_to_think(fields: dict[str, object], think: object) -> None:
    assert read(**fields).think == think


def test_efforts_go_upstream_in_the_clients_words_and_switches_as_the_template_reads_them() -> None:
    assert sent(read(reasoning_effort="none"))["reasoning_effort"] == "none"
    assert "chat_template_kwargs" not in sent(read(reasoning_effort="none"))
    off = sent(read(chat_template_kwargs={"enable_thinking": False, "preserve": 1}))
    assert off["chat_template_kwargs"] == {"preserve": 1, "enable_thinking": False}
    assert "reasoning_effort" not in off
    assert sent(read(think=True))["chat_template_kwargs"] == {"enable_thinking": True}


@pytest.mark.parametrize(
    ("choice", "read_as"),
    [
        ("auto", "auto"),
        (None, "auto"),
        ("none", "none"),
        ("required", "required"),
        ("any", "required"),
        ({"type": "auto"}, "auto"),
        ({"type": "none"}, "none"),
        ({"type": "any"}, "required"),
        ({"type": "function", "function": {"name": "read"}}, Named("read")),
        ({"function": {"name": "read"}}, Named("read")),
        ({"type": "tool", "name": "read"}, Named("read")),
    ],
)
def test_tool_choices(choice: object, read_as: object) -> None:
    assert read(tools=TOOLS, tool_choice=choice).tool_choice == read_as


@pytest.mark.parametrize(
    "choice", ["always", 5, {}, {"type": "function"}, {"type": "function", "function": "read"}, []]
)
def test_choices_that_are_none(choice: object) -> None:
    assert refused(tools=TOOLS, tool_choice=choice).problem.param == "tool_choice"


def test_a_choice_must_be_possible() -> None:
    assert "offer the tools" in refused(tool_choice="required").problem.message
    assert "'write'" in refused(tools=TOOLS, tool_choice={"function": {"name": "write"}}).problem.message
    assert read(tool_choice="auto") == read(tool_choice=None)


def test_no_tools_go_upstream_where_the_client_wants_none() -> None:
    assert "tools" not in sent(read(tools=TOOLS, tool_choice="none"))
    named = sent(read(tools=TOOLS, tool_choice={"function": {"name": "read"}}))
    assert named["tool_choice"] == {"type": "function", "function": {"name": "read"}}


def test_other_kinds_of_tools_are_refused() -> None:
    problem = refused(tools=[{"type": "web_search"}]).problem
    assert (problem.code, problem.param) == (Code.UNSUPPORTED, "tools[0].type")
    assert refused(tools=[{"function": {}}]).problem.param == "tools[0].function.name"


def test_unknown_fields_reach_the_upstream_and_reserved_ones_never() -> None:
    upstream = sent(
        read(metadata={"a": 1}, parallel_tool_calls=False, chat_template_kwargs={"x": 1}, extra_body={"y": 2})
    )
    assert upstream["metadata"] == {"a": 1}
    assert upstream["parallel_tool_calls"] is False
    assert upstream["chat_template_kwargs"] == {"x": 1}
    assert upstream["extra_body"] == {"y": 2}
    kept = sent(read(logprobs=True, top_logprobs=5, best_of=3, keep_alive="5m", options={"num_ctx": 9}))
    assert kept.keys() == {"model", "messages", "stream", "stream_options"}


def test_every_unknown_field_of_another_tongue_is_held_back_where_it_is_reserved() -> None:
    native = Conversation(
        model="m",
        messages=(Message(role="user"),),
        extra={name: 3 for name in openai_request.RESERVED} | {"seen": 1},
    )
    upstream = sent(native)
    assert upstream.keys() == {"model", "messages", "stream", "stream_options", "seen"}
    assert upstream["stream"] is True


def test_runner_options_that_goose_sends_here_count() -> None:
    conversation = read(temperature=0.5, options={"temperature": 1, "top_k": 7, "stop": "x", "num_ctx": 4096})
    assert conversation.sampling == Sampling(temperature=0.5, top_k=7, stop=("x",))
    assert conversation.options == {"num_ctx": 4096}


def test_numbers_keep_their_digits() -> None:
    body = b'{"model":"m","messages":[{"role":"user","content":"hi"}],"x":[123456789012345678901234567890,0.10000000000000000001,1.10,1E400],"tools":[{"function":{"name":"f","parameters":{"maximum":98765432109876543210}}}]}'
    out = encode(decode(body)[0], model="m", max_tokens=None)
    for digits in (
        b"123456789012345678901234567890",
        b"0.10000000000000000001",
        b"1.10",
        b"1E+400",
        b"98765432109876543210",
    ):
        assert digits in out


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 1.5])
def test_integers_that_no_server_can_hold(number: float) -> None:
    assert refused(seed=number).problem.param == "seed"


def test_a_number_beyond_every_float() -> None:
    for digits in (b"1e999", b"1" + b"0" * 400):
        with pytest.raises(BadRequest) as caught:
            decode(b'{"model":"m","messages":[{"role":"user"}],"temperature":' + digits + b"}")
        assert caught.value.problem.param == "temperature"


def test_a_trailing_assistant_message_goes_on_upstream_too() -> None:
    prefixed = read(messages=[USER, {"role": "assistant", "content": "Sure, ", "prefix": True}])
    upstream = sent(prefixed)
    assert (upstream["add_generation_prompt"], upstream["continue_final_message"]) == (False, True)
    assert decode(encode(prefixed, model="m", max_tokens=None))[0] == prefixed
    wants_a_new_turn = read(messages=prefixed_json(), continue_final_message=False)
    assert sent(wants_a_new_turn)["continue_final_message"] is False
    assert "continue_final_message" not in sent(read())


def prefixed_json() -> list[object]:
    return [USER, {"role": "assistant", "content": "Sure, "}]


def test_calls_and_results_without_ids_get_them_upstream() -> None:
    """A native client's history at a strict server."""
    history = Conversation(
        model="m",
        messages=(
            Message(role="assistant", calls=(ToolCall(id="", name="a", arguments="{}"), ToolCall(id="", name="b", arguments="{}"))),
            Message(role="tool", name="b", content=(Prose("2"),)),
            Message(role="tool", name="a", content=(Prose("1"),)),
        ),
    )  # fmt: skip
    calls, second, first = decode(encode(history, model="m", max_tokens=None))[0].messages
    assert [call.id for call in calls.calls] == [first.answers, second.answers]


@pytest.mark.parametrize(
    ("arguments", "upstream"),
    [
        ('{"a": 1.0}', '{"a": 1.0}'),
        ("[1]", "[1]"),
        ("", "{}"),
        ('{"path":"a.py","content":"print(1', '{"arguments":"{\\"path\\":\\"a.py\\",\\"content\\":\\"print(1"}'),
    ],
)
def test_a_cut_call_in_the_history_stays_readable_and_wedges_no_server(arguments: str, upstream: str) -> None:
    call = ToolCall(id="c", name="write", arguments=arguments)
    history = Conversation(
        model="m", messages=(Message(role="assistant", calls=(call,)), Message(role="tool", answers="c"))
    )
    back = decode(encode(history, model="m", max_tokens=None))[0]
    assert back.messages[0].calls[0].arguments == upstream


def test_developers_speak_as_the_system_upstream() -> None:
    """Qwen's template drops a role that it does not know, without a word."""
    upstream = sent(read(messages=[{"role": "developer", "content": "Be brief."}, USER]))
    assert upstream["messages"] == [{"role": "system", "content": "Be brief."}, USER]


def test_pictures_go_upstream_as_data_urls() -> None:
    picture = Message(role="user", content=(Prose("What?"), Image("iVBORw0KGgo=", "image/png")))
    upstream = sent(Conversation(model="m", messages=(picture,)))
    assert upstream["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
            ],
        }
    ]


@pytest.mark.parametrize(
    "fields",
    [{"messages": []}, {"messages": None}, {"messages": {}}, {"messages": "hi"}, {"model": ""}, {"model": None}],
)
def test_what_must_not_be_missing(fields: dict[str, object]) -> None:
    assert refused(**fields).problem.param == next(iter(fields))
