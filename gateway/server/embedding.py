"""Embeddings, for both tongues: one request, one upstream, no attempts beyond those of its targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.ports import Embeddings, UpstreamFailed
from gateway.server.front import Knock
from gateway.service.refusal import Refusal
from gateway.service.turn.endings import problem_of


async def embed(knock: Knock, model: str, texts: Sequence[str], extra: Mapping[str, object]) -> Embeddings:
    """Vectors from the first target that gives them. Raises Refusal."""
    targets = await knock.gateway.targets(model)
    refusal: Refusal | None = None
    for target in targets:
        try:
            return await knock.gateway.driver(target).embed(target.model, texts, extra)
        except UpstreamFailed as error:
            refusal = refusal or Refusal(problem_of(error.failure))
    assert refusal is not None
    raise refusal
