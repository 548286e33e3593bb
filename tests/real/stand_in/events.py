"""The stream events of llama.cpp's server, as bodies of `data:` lines, for both of its endpoints that generate."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from tests.real.stand_in import native_chat
from tests.real.stand_in.completion import Ended, Said
from tests.real.stand_in.faults import Fault

Json = dict[str, object]

_LOGPROB = -0.001  # a saying model is sure of itself
_MILLISECONDS = 0.5  # for each token, in the timings


def of_completion(parts: Iterable[Said | Ended | Fault], body: Json) -> Iterator[Json]:
    """Events of /completion: one for each token, then one with `stop` and the timings."""
    for part in parts:
        match part:
            case Said(text):
                probabilities = {"completion_probabilities": [_probability(text)]} if body.get("n_probs") else {}
                yield {"index": 0, "content": text, "stop": False, **probabilities}
            case Ended():
                yield {"index": 0, "content": "", "stop": True, "stop_type": part.why, "timings": _timings(part)}
            case Fault():
                yield json.loads(part.text)


def of_chat(parts: Iterable[Said | Ended | Fault], body: Json) -> Iterator[Json]:
    """Events of /v1/chat/completions: deltas, then one with `finish_reason` and the timings."""
    rest = iter(parts)
    last: list[Ended | Fault] = []
    for delta in native_chat.deltas(_until_end(rest, last)):
        text = delta.get("content")
        logprobs = {"logprobs": {"content": [_probability(str(text))]}} if text and body.get("logprobs") else {}
        yield {"choices": [{"index": 0, "delta": delta, "finish_reason": None, **logprobs}]}
    for end in last:
        if isinstance(end, Fault):
            yield json.loads(end.text)
        else:
            reason = "length" if end.why == "limit" else "stop"
            yield {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}], "timings": _timings(end)}


def _until_end(parts: Iterator[Said | Ended | Fault], last: list[Ended | Fault]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, Said):
            yield part.text
        else:
            last.append(part)


def _probability(text: str) -> Json:
    top = {"token": text, "logprob": _LOGPROB, "bytes": list(text.encode())}
    return {**top, "top_logprobs": [top]}


def _timings(end: Ended) -> Json:
    return {
        "cache_n": end.cached,
        "prompt_n": end.processed,
        "prompt_ms": end.processed * _MILLISECONDS,
        "predicted_n": end.made,
        "predicted_ms": end.made * _MILLISECONDS,
    }
