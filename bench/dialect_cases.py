"""Recorded model outputs and their right readings: how a case is read and what is wrong with the reading.

The cases are JSON lines with the fields that `docs/tool-calls.md` names; they are not part of the project.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

from bench.data import DATA
from gateway.core.conversation import ToolSpec
from gateway.core.dialects import AUTOMATIC, DIALECTS, Dialect, ToolReader, choose
from gateway.core.stream import Call, Part, Proof, Reasoning, Text

FOLDER = DATA / "tool-calls"
SIZES = (1, 3, 7, 64, 0)  # of pieces; 0: random ones
WHOLE = 1_000_000
WAYS = ("template", "name", "recognised")  # in which the product comes to know a model's dialect
SPOKEN = {
    "qwen3_coder": "qwen3-coder", "seed_oss": "seed-oss", "hermes": "hermes", "glm45": "glm-4.5", "glm47": "glm-4.7", "deepseek_v3": "deepseek-v3",
    "deepseek_v31": "deepseek-v3.1", "deepseek_dsml": "deepseek-dsml", "mistral_array": "mistral-array", "mistral_args": "mistral-args",
    "llama3_json": "llama3-json", "kimi_k2": "kimi-k2", "minimax_m2": "minimax-m2", "harmony": "harmony", "granite3": "granite3", "granite20b": "granite-20b",
    "phi4_functools": "phi4-functools", "cohere_action": "cohere-action", "cohere_fence": "cohere-fence", "gemma4": "gemma4", "lfm2_pythonic": "pythonic",
    "apertus": "apertus", "toolcall_tag": "nemotron-nano-v2", "tool_calls_tag": "apriel", "minicpm5_xml": "minicpm5", "functionary_v31": "functionary",
    "anthropic_invoke": "invoke", "bare_json": "bare-json", "json_fence": "json-fence", "cline_xml": "cline",
}  # fmt: skip
Case = Mapping[str, object]

_GOOD = (Proof.COMPLETE, Proof.CLOSERS_ONLY)
_PROOFS = {
    "never": Proof.UNPROVEN,
    "required_complete": Proof.REQUIRED_COMPLETE,
    "certain": Proof.CLOSERS_ONLY,
}


def loaded(folder: Path) -> list[Case]:
    """The cases of a folder that were written by a model; those that a server has parsed are for the gate."""
    lines = [line for file in sorted(folder.glob("*.jsonl")) for line in file.read_text(encoding="utf-8").splitlines()]
    return [case for case in map(json.loads, lines) if not case.get("args_only")]


def at(case: Case, *path: str) -> object:
    found: object = case
    for step in path:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def text_at(case: Case, *path: str) -> str:
    found = at(case, *path)
    return found if isinstance(found, str) else ""


def spoken(case: Case, how: str) -> Dialect:
    """The dialect as the product chooses it: from the template, from the model's name, or not before the first marker."""
    if how == "template":
        named = next((dialect for dialect in DIALECTS if dialect.name == SPOKEN[text_at(case, "format")]), AUTOMATIC)
        sample = Call(id="", name="NAME", arguments='{"KEY": "VALUE"}')
        return choose(named="", family="", model="", template=f"{{{{ .System }}}}{named.render(sample)}")
    if how == "name":
        return choose(named="", family="", model=text_at(case, "model_family").lower().replace(" ", "-"), template="")
    return AUTOMATIC


def parts_of(case: Case, dialect: Dialect, size: int = WHOLE) -> list[Part]:
    """What a reader tells of a case's text, in pieces of a size."""
    reader = ToolReader(dialect, _offered(case), thinking=bool(at(case, "starts_in_reasoning")))
    parts = [part for piece in _pieces(text_at(case, "raw_text"), size) for part in reader.feed(piece)]
    return [*parts, *(reader.cut() if at(case, "finish_reason") == "length" else reader.close())]


def _offered(case: Case) -> tuple[ToolSpec, ...]:
    functions = [tool["function"] for tool in cast("list[dict[str, dict[str, object]]]", at(case, "tools"))]
    return tuple(
        ToolSpec(name=str(f["name"]), parameters=cast("Mapping[str, object]", f.get("parameters") or {}))
        for f in functions
    )


def _pieces(text: str, size: int) -> Iterator[str]:
    dice, begin = random.Random(len(text)), 0
    while begin < len(text):
        end = begin + (size or dice.randint(1, 20))
        yield text[begin:end]
        begin = end


def told(parts: Sequence[Part]) -> tuple[str, str, list[object], list[object]]:
    """The visible text, the thought, the calls that may go out, and all that is neither text nor thought."""
    text = "".join(part.text for part in parts if isinstance(part, Text))
    thought = "".join(part.text for part in parts if isinstance(part, Reasoning))
    return text, thought, _calls(parts), [part for part in parts if not isinstance(part, Text | Reasoning)]


def _calls(parts: Sequence[Part]) -> list[object]:
    found = [part for part in parts if isinstance(part, Call) and part.proof in _GOOD]
    return [{"name": call.name, "arguments": json.loads(call.arguments)} for call in found]


def faults(case: Case, parts: Sequence[Part]) -> set[str]:
    """What is wrong: `wrong` calls, a `lost` one, an `unmended` one, the `text`, the `thought`, the `proof` of the cut call."""
    text, thought, calls, _ = told(parts)
    checks = {
        **_calls_amiss(case, calls),
        "text": not _text_fits(case, text),
        "thought": text_at(case, "expect", "reasoning").strip() not in ("", thought.strip()),
        "proof": not _proof_fits(case, parts),
    }
    return {name for name, amiss in checks.items() if amiss}


def _calls_amiss(case: Case, calls: list[object]) -> dict[str, bool]:
    wanted = cast("list[object]", at(case, "expect", "tool_calls"))
    repair, repaired = text_at(case, "incomplete", "repair"), at(case, "incomplete", "repaired_call")
    right = [wanted, *([[*wanted, repaired]] if repair in ("certain", "required_complete") else [])]
    if isinstance(accepted := at(case, "accept_calls"), list):
        right.append(accepted)
    fits = any(_same(option, calls) for option in right)
    lost = not fits and len(calls) < len(wanted) and all(any(_same(one, call) for one in wanted) for call in calls)
    unmended = repair == "certain" and not _same([*wanted, repaired], calls)
    return {"wrong": not fits and not lost, "lost": lost, "unmended": unmended}


def _same(wanted: object, got: object) -> bool:
    """Exact, types included, except that a whole number may be written either way where a fraction is wanted."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        return wanted.keys() == got.keys() and all(_same(wanted[key], got[key]) for key in wanted)
    if isinstance(wanted, list) and isinstance(got, list):
        return len(wanted) == len(got) and all(map(_same, wanted, got))
    if isinstance(wanted, float) and not isinstance(got, bool):
        return wanted == got
    return type(wanted) is type(got) and wanted == got


def _text_fits(case: Case, text: str) -> bool:
    should, did = _plain(case, text_at(case, "expect", "content")), _plain(case, text)
    begun = _plain(case, text_at(case, "raw_text")).startswith(did) and did.startswith(should)
    return should == did or bool(at(case, "content_any")) or bool(at(case, "ambiguous") and begun)


def _plain(case: Case, text: str) -> str:
    return " ".join(text.split()) if at(case, "content_match") == "collapse_ws" else text.strip()


def _proof_fits(case: Case, parts: Sequence[Part]) -> bool:
    wanted = _PROOFS.get(text_at(case, "incomplete", "repair"))
    last = next((part for part in reversed(parts) if isinstance(part, Call)), None)
    return wanted is None or bool(at(case, "ambiguous")) or (last is not None and last.proof is wanted)
