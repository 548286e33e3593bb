"""Errors: one table, and words on which no client acts by itself."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.errors import TABLE, BadRequest, Code, Problem, calm, quotable, thousands
from gateway.core.failures import Failure, FailureKind
from gateway.core.wire.openai_answer import problem_json
from gateway.service.prompt.fitting import too_small
from gateway.service.turn.endings import problem_of

UNTIMED = settings(deadline=None)  # a busy machine is no failure

STATUS_LIKE = re.compile(r"429|500|502|503|504|524")
# What clients take for an overflow: OpenCode 1.18, Crush 0.90, LiteLLM 1.81 (aider), Cline 4, OpenHands, qwen-code.
OVERFLOW = [
    r"prompt is too long",
    r"request_too_large",
    r"input is too long for requested model",
    r"exceeds the context window",
    r"exceeds (?:the )?(?:model's )?maximum context length",
    r"input token count.*exceeds the maximum",
    r"tokens in request more than max tokens allowed",
    r"maximum prompt length is \d+",
    r"reduce the length of",
    r"maximum context length (?:is|of) \d+ tokens",
    r"exceeds .*maximum allowed input length of",
    r"is longer than the model's context length",
    r"exceeds the limit of \d+",
    r"exceeds the available context size",
    r"greater than the context length",
    r"context window exceeds limit",
    r"exceeded model token limit",
    r"context[_ ]length[_ ]exceeded",
    r"request entity too large",
    r"context length is only \d+ tokens",
    r"input length.*exceeds.*context length",
    r"prompt too long",
    r"exceeded (?:max )?context length",
    r"too large for model with \d+ maximum context length",
    r"prompt has .*tokens, but the configured context size is",
    r"model_context_window_exceeded",
    r"too many tokens",
    r"token limit exceeded",
    r"^4(?:00|13) (?:no body)",
    r"Range of input length should be \[\d+,\s*(\d+)\]",
    r"Input too long:\s*(\d+)\s*input tokens,\s*limit is\s*(\d+)",
    r"exceed context limit",
    r"this model's maximum context length is",
    r"string too long. expected a string with maximum length",
    r"model's maximum context limit",
    r"input tokens exceed the configured limit",
    r"`inputs` tokens \+ `max_new_tokens` must be",
    r"exceeds the maximum number of tokens allowed",
    r"context (?:length|window|limit)",
]
# What OpenCode asks again on, besides those digits.
AGAIN = [
    r"rate.?limit",
    r"overloaded",
    r"service unavailable",
    r"internal error",
    r"server[ _]error",
    r"provider returned error",
    r"terminated",
    r"fetch failed",
    r"socket",
    r"econnreset",
    r"timed?.?out",
    r"try again later",
]
ACTED_ON = re.compile("|".join([*OVERFLOW, *AGAIN]), re.IGNORECASE | re.DOTALL)
tokens = st.integers(0, 10**12) | st.sampled_from([429, 500, 502, 503, 504, 524]).map(lambda status: status * 1000)
said_by_servers = st.lists(st.sampled_from(["429", "500", "15004", "0", "x", " tokens ", "terminated", "prompt is too long"]), max_size=8).map("".join)  # fmt: skip


def body_of(problem: Problem) -> str:
    return json.dumps(problem_json(problem))


def test_every_code_is_in_the_table() -> None:
    assert TABLE.keys() == set(Code)
    assert all(400 <= kind.status < 600 for kind in TABLE.values())
    assert {kind.status for kind in TABLE.values() if kind.again} == {503}


@pytest.mark.parametrize("code", list(Code))
def test_no_code_is_a_word_that_clients_act_on(code: Code) -> None:
    """But for the one that is meant so: a history that the client itself could shorten."""
    problem = Problem(code, "x")
    said = ACTED_ON.search(body_of(problem).replace('"server_error"', '""'))
    assert bool(said) == (code is Code.CONTEXT_OVERFLOW)


@UNTIMED
@given(tokens, tokens, tokens)
def test_a_window_too_small_is_said_so_that_no_client_compacts_or_asks_again(
    size: int, window: int, budget: int
) -> None:
    problem = too_small(size, window, budget=budget)
    assert problem.kind.status == 400
    assert not STATUS_LIKE.search(body_of(problem))
    assert not ACTED_ON.search(body_of(problem))
    assert quotable(problem.message) == problem.message
    assert "#" not in body_of(problem)


@UNTIMED
@given(tokens)
def test_counts_of_tokens_are_rounded_as_people_do(count: int) -> None:
    said = thousands(count)
    assert calm(said) == said
    value = float(said[:-1]) * {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}[said[-1]]
    assert value == pytest.approx(count, rel=0.01, abs=60)


def test_counts_of_tokens_in_words() -> None:
    assert [thousands(count) for count in (0, 512, 12345, 32768, 131072)] == [
        "0.0k",
        "0.5k",
        "12.3k",
        "32.8k",
        "131.1k",
    ]
    assert [thousands(count) for count in (429_000, 500_000, 524_288, 1_500_000, 500_000_000)] == ["0.43M", "0.50M", "0.52M", "1.50M", "0.50G"]  # fmt: skip


@UNTIMED
@given(said_by_servers, said_by_servers, said_by_servers)
def test_no_problem_holds_digits_that_a_client_takes_for_a_status(message: str, param: str, extra: str) -> None:
    problem = Problem(Code.UPSTREAM_FAILED, message, param, extra={"x": extra})
    assert not STATUS_LIKE.search(body_of(problem))
    assert not STATUS_LIKE.search(json.dumps(problem_json(BadRequest(message, param=param).problem)))


@UNTIMED
@given(said_by_servers)
def test_an_upstreams_words_are_quoted_only_where_no_client_acts_on_them(text: str) -> None:
    words = quotable(text)
    assert not STATUS_LIKE.search(words)
    assert not ACTED_ON.search(words)
    assert len(words) <= 300


@pytest.mark.parametrize(
    "said",
    [
        "prompt is too long: 9000 tokens > 8192 maximum",
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
        "Please reduce the length of the messages.",
        "request (9000 tokens) exceeds the available context size (8192 tokens), try increasing it",
        "the input length exceeds the context length",
        "The decoder prompt is longer than the model's context length",
        "The number of tokens to keep from the initial prompt is greater than the context length",
        "the model is loaded with context length is only 4096 tokens",
        "tokens in request more than max tokens allowed",
        "The input token count (9000) exceeds the maximum number of tokens allowed (8192)",
        "Prompt contains 9000 tokens, too large for model with 8192 maximum context length",
        "prompt has 9000 tokens, but the configured context size is 8192",
        "Range of input length should be [1, 8192]",
        "Input too long: 9000 input tokens, limit is 8192",
        "`inputs` tokens + `max_new_tokens` must be <= 8192",
        "string too long. expected a string with maximum length 8192",
        "request_too_large",
        "Request Entity Too Large",
        "model_context_window_exceeded",
        "exceeded model token limit",
        "your request exceeds the limit of 8192",
        "llama runner process has terminated: exit status 2",
        "an internal error occurred",
        "Compute error. server_error",
        "timed out waiting for llama-server to start",
        "server busy, please try again.  maximum pending requests exceeded",
        "rate limit reached",
        "read tcp: ECONNRESET",
    ],
)
def test_words_that_clients_act_on_are_not_quoted(said: str) -> None:
    assert quotable(f"It said: {said}") == ""


def test_harmless_words_are_quoted() -> None:
    assert quotable(" model 'x' not found ") == "model 'x' not found"
    assert quotable("unexpected EOF at 15004") == "unexpected EOF at #"
    assert len(quotable("x" * 1000)) == 300


@pytest.mark.parametrize("kind", list(FailureKind))
def test_final_failures_hold_no_status_and_are_not_asked_again(kind: FailureKind) -> None:
    problem = problem_of(Failure(kind, "it broke at 15004 of 500"))
    assert not STATUS_LIKE.search(body_of(problem))
    assert not problem.kind.again
    assert not ACTED_ON.search(problem_of(Failure(kind)).message)
