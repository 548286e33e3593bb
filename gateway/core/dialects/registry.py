"""The dialects there are, and which of them a model speaks."""

from __future__ import annotations

from functools import lru_cache

from gateway.core.dialects.bare_json import BARE_JSON, JSON_FENCE
from gateway.core.dialects.cline import CLINE
from gateway.core.dialects.cohere import COHERE_ACTION, COHERE_FENCE
from gateway.core.dialects.deepseek import DEEPSEEK_V3, DEEPSEEK_V31
from gateway.core.dialects.dialect import Dialect
from gateway.core.dialects.dsml import DSML
from gateway.core.dialects.functionary import FUNCTIONARY
from gateway.core.dialects.gemma4 import GEMMA4
from gateway.core.dialects.glimmer import GLIMMER
from gateway.core.dialects.glm import GLM45, GLM47
from gateway.core.dialects.granite import GRANITE3, GRANITE_20B
from gateway.core.dialects.harmony import HARMONY
from gateway.core.dialects.hermes import HERMES
from gateway.core.dialects.invoke import INVOKE
from gateway.core.dialects.kimi import KIMI_K2
from gateway.core.dialects.listed import APERTUS, APRIEL, NEMOTRON_NANO2
from gateway.core.dialects.llama3 import LLAMA3_JSON
from gateway.core.dialects.minicpm5 import MINICPM5
from gateway.core.dialects.minimax import MINIMAX_M2
from gateway.core.dialects.mistral import MISTRAL_ARGS, MISTRAL_ARRAY
from gateway.core.dialects.phi4 import PHI4_FUNCTOOLS
from gateway.core.dialects.pythonic import PYTHONIC
from gateway.core.dialects.qwen3_coder import QWEN3_CODER
from gateway.core.dialects.seed_oss import SEED_OSS

# In the order in which a template is asked for their signs: the more particular sign comes first.
DIALECTS: tuple[Dialect, ...] = (
    SEED_OSS, MINIMAX_M2, DSML, DEEPSEEK_V3, DEEPSEEK_V31, KIMI_K2, HARMONY, GLIMMER, GEMMA4, COHERE_ACTION, PYTHONIC, APERTUS,
    NEMOTRON_NANO2, MINICPM5, QWEN3_CODER, GLM45, GLM47, MISTRAL_ARGS, MISTRAL_ARRAY, PHI4_FUNCTOOLS,
    GRANITE3, GRANITE_20B, FUNCTIONARY, INVOKE, CLINE, APRIEL, COHERE_FENCE, HERMES, LLAMA3_JSON, JSON_FENCE, BARE_JSON,
)  # fmt: skip

AUTOMATIC = Dialect(name="automatic", read=HERMES.read, render=HERMES.render)
"""Whatever the markers in the answer tell."""


@lru_cache(maxsize=256)  # asked several times for every request
def choose(*, named: str, family: str, model: str, template: str) -> Dialect:
    """The dialect that a model speaks: as policy names it, else as its template teaches, else as its name tells.

    `family` is the architecture that the server tells (`qwen3moe`), `model` its name there. None of them known: it is
    recognised in the answer.
    """
    for dialect in DIALECTS:
        if dialect.name == named:
            return dialect
    if named:
        return AUTOMATIC
    for dialect in DIALECTS:
        if any(sign in template for sign in dialect.taught):
            return dialect
    return _told_by(model) or _told_by(family) or AUTOMATIC


def _told_by(name: str) -> Dialect | None:
    """The dialect with the longest part in common with a model's name, which may come with its owner and a tag."""
    found = {part: dialect for dialect in DIALECTS for part in dialect.models if part in name.lower()}
    return found[max(found, key=len)] if found else None
