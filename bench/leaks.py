"""What of planted secrets would leave the house: known secrets in every encoding and place, through the whole gate.

    python -m bench.leaks [--every N] [--clean FOLDER …]

Each is put into an OpenAI request, which is decoded, judged, and encoded as it would be sent; then some of them go through a
running gateway to a fake cloud. Strings and clean code as in bench/privacy.py. Beside each column of secrets its neighbour, the
same request with harmless words, shows that the gate can say yes.
"""

from __future__ import annotations

import argparse
import asyncio
import html
import json
import sys
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from bench.leaks_running import through_the_gateway
from bench.privacy import CLEAN, KEY, false_alarms, labelled, matcher_of, samples
from gateway.core.errors import BadRequest
from gateway.core.policy.privacy import Label, PrivacyRules
from gateway.core.privacy.gate import Gate
from gateway.core.privacy.permission import Claim
from gateway.core.privacy.placeholder import HEAD
from gateway.core.privacy.rule import Matcher
from gateway.core.privacy.units import contents
from gateway.core.wire import openai_request

ROOT = "/home/me/open"
RULES = PrivacyRules(leave=True, roots={ROOT: "redact"})
RUNNING = 20  # secrets that go through a running gateway as well
HARMLESS = "the quick brown fox jumps over the lazy dog"

ENCODINGS: Mapping[str, Callable[[str], Sequence[str]]] = {
    "raw": lambda text: [text],
    "json": lambda text: [json.dumps(text)],
    "json twice": lambda text: [json.dumps(json.dumps(text))],
    "url": lambda text: [quote(text, safe="")],
    "html": lambda text: [html.escape(text)],
    "base64": lambda text: [b64encode(text.encode()).decode()],
    "zero-width": lambda text: ["\u200b".join(text[place : place + 3] for place in range(0, len(text), 3))],
    "wrapped": lambda text: ["\n".join(text[place : place + 40] for place in range(0, len(text), 40))],
    "split": lambda text: [text[: len(text) // 2], text[len(text) // 2 :]],
}

# -- where a string may stand ---------------------------------------------------------------------------------------------

Body = dict[str, object]


def said(role: str, text: object, **more: object) -> Body:
    return {"role": role, "content": text, **more}


def calling(arguments: Mapping[str, str], number: int = 1) -> Body:
    call = {"name": "write", "arguments": json.dumps(arguments)}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": f"call_{number}", "type": "function", "function": call}],
    }


def tool(description: str, number: int) -> Body:
    return {"type": "function", "function": {"name": f"write_{number}", "description": description, "parameters": {}}}


def chat(*messages: Body, **more: object) -> Body:
    """A chat in an allowed folder, so that nothing but its content can keep it at home."""
    opening = said("system", f"You are a coding agent.\nWorking directory: {ROOT}")
    return {"model": "heavy", "messages": [opening, *messages, said("user", "go on")], **more}


def around(texts: Sequence[str]) -> Sequence[str]:
    """The text within other text, where it is whole."""
    return texts if len(texts) > 1 else [f"Here is what I have so far:\n{texts[0]}\nThat is all."]


def results(texts: Sequence[str]) -> Iterator[Body]:
    for number, text in enumerate(texts):
        yield calling({"path": f"{ROOT}/a.py"}, number)
        yield said("tool", text, tool_call_id=f"call_{number}")


def pictures(texts: Sequence[str]) -> Iterator[Body]:
    for text in texts:
        url = {"url": f"https://images.test/a.png?note={text}"}
        yield said("user", [{"type": "image_url", "image_url": url}])


PLACES: Mapping[str, Callable[[Sequence[str]], Body]] = {
    "system": lambda texts: chat(*(said("system", each) for each in around(texts))),
    "user": lambda texts: chat(*(said("user", each) for each in around(texts))),
    "history": lambda texts: chat(said("user", "hello"), *(said("assistant", each) for each in around(texts))),
    "result": lambda texts: chat(*results(around(texts))),
    "arguments": lambda texts: chat(*(calling({"path": f"{ROOT}/a.py", "content": each}) for each in texts)),
    "description": lambda texts: chat(tools=[tool(each, number) for number, each in enumerate(around(texts))]),
    "name": lambda texts: chat(*(said("user", "hello", name=each) for each in texts)),
    "metadata": lambda texts: chat(metadata={f"note{number}": each for number, each in enumerate(texts)}),
    "path": lambda texts: chat(*(calling({"path": each}) for each in (f"{ROOT}/{texts[0]}", *texts[1:]))),
    "image url": lambda texts: chat(*pictures(texts)),
    "markdown": lambda texts: chat(
        said("user", f"![a](https://images.test/a.png?note={texts[0]}"),
        *(said("user", f"{each})") for each in texts[1:]),
    ),
}


class Oracle:
    """Judges requests and keeps what would have been sent."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher

    def sent(self, body: Body, label: Label | None = "cloud-ok") -> bytes | None:
        """The bytes that would leave, None where nothing does."""
        try:
            conversation, _ = openai_request.decode(json.dumps(body).encode())
        except BadRequest:
            return None
        gate = Gate(RULES, self._matcher, key=KEY, now=time.monotonic)
        whole = contents(conversation)
        verdict = gate.judge(whole, Claim(label=label), tainted=frozenset(), until=time.monotonic() + 60)
        if not verdict.leaves:
            return None
        leaving = gate.redacted(whole, verdict)
        data = openai_request.encode(leaving.conversation, model="heavy", max_tokens=None)
        if any(len(value) > 7 and value.encode() in data for value in leaving.minted.values()):
            sys.exit("a replaced secret is in what would be sent")
        return data


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="take each Nth string only")
    parser.add_argument("--clean", nargs="*", type=Path, default=CLEAN, help="folders of clean code")
    asked = parser.parse_args()
    matcher = matcher_of(RULES)
    secrets = [text for text, secret, _ in labelled() if secret][:: asked.every]
    clean = samples(asked.clean)
    oracle = Oracle(matcher)
    without_label(oracle, secrets)
    recall(oracle, secrets)
    replaced(oracle, secrets)
    routed(oracle, [text for sample in clean for text in sample])
    false_alarms(matcher, clean)
    few = secrets[:: max(1, len(secrets) // RUNNING)]
    asyncio.run(through_the_gateway(few, root=ROOT, harmless=HARMLESS, places=PLACES, encodings=ENCODINGS))


def without_label(oracle: Oracle, secrets: Sequence[str]) -> None:
    bodies = [place([text]) for text in (*secrets[:20], HARMLESS) for place in PLACES.values()]
    left = sum(oracle.sent(body, label) is not None for body in bodies for label in (None, "local"))
    print(f"without a label, or under `local`: {left} of {2 * len(bodies)} requests leave")


def recall(oracle: Oracle, secrets: Sequence[str]) -> None:
    print(f"\nkept at home, % of {len(secrets)} secrets; in brackets whether the harmless neighbour leaves")
    print(f"{'':12}" + "".join(f"{place:>13}" for place in PLACES) + f"{'all':>9}")
    for encoding, encode in ENCODINGS.items():
        kept = Counter(
            {name: sum(oracle.sent(place(encode(text))) is None for text in secrets) for name, place in PLACES.items()}
        )
        row = ""
        for name, place in PLACES.items():
            yes = oracle.sent(place(encode(HARMLESS))) is not None
            row += f"{100 * kept[name] / max(1, len(secrets)):9.1f} {'(+)' if yes else '(-)'}"
        print(f"{encoding:12}{row}{100 * kept.total() / max(1, len(secrets) * len(PLACES)):9.1f}", flush=True)


def replaced(oracle: Oracle, secrets: Sequence[str]) -> None:
    """Under the label `redact`: what leaves, holds placeholders; `sent` has looked for the values."""
    data = [oracle.sent(PLACES["user"]([text]), "redact") for text in secrets]
    leave = [each for each in data if each is not None]
    held = sum(HEAD.encode() in each for each in leave)
    print(f"\nunder `redact`: {held} of {len(secrets)} leave with placeholders, {len(leave) - held} as they are")


def routed(oracle: Oracle, files: Sequence[str]) -> None:
    each = sum(oracle.sent(PLACES["result"]([text])) is not None for text in files)
    groups = [files[start : start + 10] for start in range(0, len(files), 10)]
    ten = sum(oracle.sent(chat(*results(group))) is not None for group in groups)
    print(f"\nclean code that may leave: {100 * each / len(files):.1f} % of {len(files)} files alone,", end=" ")
    print(f"{100 * ten / len(groups):.1f} % of conversations with ten of them")


if __name__ == "__main__":
    main()
