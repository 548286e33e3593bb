"""All cases of the recorded data, where it is at hand: exact arguments, nothing from a tail that proves nothing, no markup in the text.

The data lies in the folder that HOLDFAST_DATA names, else beside the project; it is not part of it.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

import pytest

from gateway.core.conversation import ToolSpec
from gateway.core.dialects import AUTOMATIC, DIALECTS, Dialect, ToolReader, choose
from gateway.core.stream import Call, Part, Proof, Reasoning, Text

DATA = Path(os.environ.get("HOLDFAST_DATA", Path(__file__).parents[4] / "shared" / "data")) / "tool-calls"
SPOKEN = {
    "qwen3_coder": "qwen3-coder", "seed_oss": "seed-oss", "hermes": "hermes", "glm45": "glm-4.5", "glm47": "glm-4.7", "deepseek_v3": "deepseek-v3",
    "deepseek_v31": "deepseek-v3.1", "deepseek_dsml": "deepseek-dsml", "mistral_array": "mistral-array", "mistral_args": "mistral-args",
    "llama3_json": "llama3-json", "kimi_k2": "kimi-k2", "minimax_m2": "minimax-m2", "harmony": "harmony", "granite3": "granite3", "granite20b": "granite-20b",
    "phi4_functools": "phi4-functools", "cohere_action": "cohere-action", "cohere_fence": "cohere-fence", "gemma4": "gemma4", "lfm2_pythonic": "pythonic",
    "apertus": "apertus", "toolcall_tag": "nemotron-nano-v2", "tool_calls_tag": "apriel", "minicpm5_xml": "minicpm5", "functionary_v31": "functionary",
    "anthropic_invoke": "invoke", "bare_json": "bare-json", "json_fence": "json-fence", "cline_xml": "cline",
}  # fmt: skip
Case = Mapping[str, object]


def cases() -> list[Case]:
    return [
        json.loads(line)
        for file in sorted(DATA.glob("*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]


CASES = cases()
pytestmark = pytest.mark.skipif(not CASES, reason="the recorded data is not at hand")


def at(case: Case, *path: str) -> object:
    found: object = case
    for step in path:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def text_at(case: Case, *path: str) -> str:
    found = at(case, *path)
    return found if isinstance(found, str) else ""


def offered(case: Case) -> tuple[ToolSpec, ...]:
    functions = [tool["function"] for tool in cast("list[dict[str, dict[str, object]]]", at(case, "tools"))]
    return tuple(
        ToolSpec(name=str(f["name"]), parameters=cast("Mapping[str, object]", f.get("parameters") or {}))
        for f in functions
    )


def spoken(case: Case, how: str) -> Dialect:
    """The dialect as the product chooses it: from the template, from the model's name, or not before the first marker."""
    if how == "template":
        named = next((dialect for dialect in DIALECTS if dialect.name == SPOKEN[text_at(case, "format")]), AUTOMATIC)
        sample = Call(id="", name="NAME", arguments='{"KEY": "VALUE"}')
        return choose(named="", family="", model="", template=f"{{{{ .System }}}}{named.render(sample)}")
    if how == "name":
        return choose(named="", family="", model=text_at(case, "model_family").lower().replace(" ", "-"), template="")
    return AUTOMATIC


def pieces(text: str, size: int) -> Iterator[str]:
    dice, begin = random.Random(len(text)), 0
    while begin < len(text):
        end = begin + (size or dice.randint(1, 20))
        yield text[begin:end]
        begin = end


def read(case: Case, dialect: Dialect, size: int) -> list[Part]:
    reader = ToolReader(dialect, offered(case), thinking=bool(at(case, "starts_in_reasoning")))
    parts = [part for piece in pieces(text_at(case, "raw_text"), size) for part in reader.feed(piece)]
    return [*parts, *(reader.cut() if at(case, "finish_reason") == "length" else reader.close())]


def same(wanted: object, got: object) -> bool:
    """Exact, types included, except that a whole number may be written either way where a fraction is wanted."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        return wanted.keys() == got.keys() and all(same(wanted[key], got[key]) for key in wanted)
    if isinstance(wanted, list) and isinstance(got, list):
        return len(wanted) == len(got) and all(map(same, wanted, got))
    if isinstance(wanted, float) and not isinstance(got, bool):
        return wanted == got
    return type(wanted) is type(got) and wanted == got


def calls_of(parts: Sequence[Part]) -> list[object]:
    good = (Proof.COMPLETE, Proof.CLOSERS_ONLY)
    found = [part for part in parts if isinstance(part, Call) and part.proof in good]
    return [{"name": call.name, "arguments": json.loads(call.arguments)} for call in found]


def plain(case: Case, text: str) -> str:
    return " ".join(text.split()) if at(case, "content_match") == "collapse_ws" else text.strip()


def told(parts: Sequence[Part]) -> tuple[str, str, list[object], list[object]]:
    text = "".join(part.text for part in parts if isinstance(part, Text))
    thought = "".join(part.text for part in parts if isinstance(part, Reasoning))
    return text, thought, calls_of(parts), [part for part in parts if not isinstance(part, Text | Reasoning)]


def faults(case: Case, parts: Sequence[Part]) -> set[str]:
    """What is wrong with the parts of a case: `calls`, `unmended`, `text`, `thought`, `proof`."""
    found: set[str] = set()
    text, thought, calls, _ = told(parts)
    wanted = cast("list[object]", at(case, "expect", "tool_calls"))
    repair, repaired = text_at(case, "incomplete", "repair"), at(case, "incomplete", "repaired_call")
    right = [wanted, *([[*wanted, repaired]] if repair in ("certain", "required_complete") else [])]
    if accepted := at(case, "accept_calls"):
        right.append(cast("list[object]", accepted))
    if not any(same(option, calls) for option in right):
        found.add("calls")
    if repair == "certain" and not same([*wanted, repaired], calls):
        found.add("unmended")
    should, did = plain(case, text_at(case, "expect", "content")), plain(case, text)
    loose = at(case, "ambiguous") and plain(case, text_at(case, "raw_text")).startswith(did) and did.startswith(should)
    if not (should == did or loose or at(case, "content_any")):
        found.add("text")
    if (reasoning := text_at(case, "expect", "reasoning").strip()) and reasoning != thought.strip():
        found.add("thought")
    last = next((part for part in reversed(parts) if isinstance(part, Call)), None)
    proof = {"never": Proof.UNPROVEN, "required_complete": Proof.REQUIRED_COMPLETE, "certain": Proof.CLOSERS_ONLY}.get(
        repair
    )
    if proof and not at(case, "ambiguous") and (last is None or last.proof is not proof):
        found.add("proof")
    return found


@pytest.mark.parametrize("how", ["template", "name", "recognised"])
@pytest.mark.parametrize("case", CASES, ids=[text_at(case, "id") for case in CASES])
def test_case(case: Case, how: str) -> None:
    dialect = spoken(case, how)
    whole = read(case, dialect, 1_000_000)
    assert not faults(case, whole), (dialect.name, whole)
    for size in (1, 3, 7, 64, 0):
        assert told(read(case, dialect, size)) == told(whole), (dialect.name, size)


def test_table_by_format(record_property: object) -> None:
    """Cases of each format that hold when the dialect is recognised in the answer."""
    table = Counter[str]()
    for case in CASES:
        table[text_at(case, "format")] += not faults(case, read(case, AUTOMATIC, 16))
    assert sum(table.values()) == len(CASES)
