"""Our count of a prompt beside the server's own `prompt_eval_count`, over generated conversations, on the real v0.24.0."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.data import DATA
from tests.real.conversations import conversations, features
from tests.real.dialects import DIALECTS
from tests.real.holdfast import serve
from tests.real.ollama import Ollama
from tests.real.saying import Model, Vocabulary, bytes_vocabulary, read_vocabulary
from tests.real.script import Line, write_script

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

VOCABULARIES = DATA / "vocabularies"
SAYS = "Qx!Zj?Wq"  # pieces that stand in no conversation
EACH = 12  # conversations


@dataclass(frozen=True, slots=True)
class Served:
    """A model by the parser that its dialect is told by; `vocabulary` is a real one, used where it is at hand."""

    parser: str
    vocabulary: str
    thinks: bool = False


MODELS = (
    Served("qwen3-coder", "qwen2"),
    Served("qwen3.5", "starcoder", thinks=True),
    Served("glm-4.7", "llama-bpe", thinks=True),
    Served("ministral", "llama-spm"),
    Served("", "deepseek-coder"),
    Served("harmony", "gpt-2", thinks=True),
)


def _vocabulary(name: str) -> Vocabulary:
    file = VOCABULARIES / f"ggml-vocab-{name}.gguf"
    return read_vocabulary(file) if file.exists() else bytes_vocabulary()


async def test_our_count_is_the_servers_for_every_generated_conversation(old_ollama: Ollama, tmp_path: Path) -> None:
    names = [await _taught(old_ollama, served) for served in MODELS]
    told, wrong = [], []
    with serve(old_ollama.url, tmp_path / "state") as url:
        gateway = Ollama(url, "gateway", tmp_path, 0)
        for number, (name, served) in enumerate(zip(names, MODELS, strict=True)):
            for body in conversations(EACH, seed=number, thinks=served.thinks):
                ours, servers = await _counts(old_ollama, gateway, {"model": name, **body})
                told.append(f"{name}: {features(body)}: {ours} and {servers}")
                if ours != servers:
                    wrong.append(told[-1])
    assert len(told) >= 50
    print(f"{len(told)} conversations, {len(wrong)} counted otherwise than the server does")
    assert wrong == [], "\n".join(wrong)


async def _taught(ollama: Ollama, served: Served) -> str:
    dialect = next(each for each in DIALECTS if each.parser == served.parser and "old" in each.generations)
    name = f"counted-{dialect.name}"
    model = Model(ending=dialect.ending, vocabulary=_vocabulary(served.vocabulary))
    script = write_script(Line((dialect.cue,), SAYS))
    await ollama.teach(name, script, model, parameters={"num_ctx": 16384, "num_thread": 1}, **dialect.fields())
    return name


async def _counts(ollama: Ollama, gateway: Ollama, body: dict[str, object]) -> tuple[int, int]:
    """The same body to the gateway, which counts by itself, and to the server, which counts what it reads."""
    own = await gateway.ask("/api/chat", body)
    assert own.error is None, own.error
    bare = {**body, "truncate": False, "shift": False, "options": {"num_predict": 1}}
    return own.count("prompt_eval_count"), (await ollama.ask("/api/chat", bare)).count("prompt_eval_count")
