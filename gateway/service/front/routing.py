"""What would be decided of a request, for whom, why and at what price. Nothing is sent on."""

from __future__ import annotations

from gateway.core.privacy.finding import counted
from gateway.core.routing import HEAVY, Size
from gateway.core.spending import most_prompt
from gateway.service.asked import Asked
from gateway.service.front.gateway import Gateway
from gateway.service.prompt.fitting import Fitted
from gateway.service.refusal import Refusal
from gateway.service.targets.road import Road


async def routed(gateway: Gateway, asked: Asked) -> dict[str, object]:
    """The way that a request would take, in plain data. Raises Refusal where no model at home can be asked for its size."""
    road, away = Road(asked, gateway.map), gateway.map.away
    home = await road.here()
    conversation = road.named(asked.conversation)
    try:
        found: Fitted | Refusal = await gateway.fitting.fit(conversation, home, asked.policy)
    except Refusal as refusal:
        found = refusal
    verdict = await away.verdict(asked, conversation)
    await road.turns(found)
    count = gateway.fitting.guessed(conversation)
    size = Size(prompt=most_prompt(count), asked=conversation.sampling.max_tokens)
    route = road.route
    return {
        "key": asked.caller.name,
        "label": asked.caller.label,
        "targets": [str(target) for target in route.targets] if route else [str(home)],
        "away": bool(route and route.away),
        "heavy": list(route.heavy) if route else [],
        "reasons": list(route.reasons) if route else ["no target is named in cloud.heavy"],
        "tokens": found.count.tokens if isinstance(found, Fitted) else None,
        "window": found.window if isinstance(found, Fitted) else None,
        "home": "fits" if isinstance(found, Fitted) else found.problem.message,
        "gate": {
            "leaves": verdict.leaves,
            "label": verdict.label,
            "redact": verdict.redact,
            "reasons": [
                {"step": reason.step.value, "words": reason.words, "about": reason.about} for reason in verdict.reasons
            ],
            "rules": dict(counted(verdict.findings)),
        },
        "offers": [
            {"target": str(offer.target), "worst_micro_dollars": offer.worst, "why_not": offer.why_not}
            for offer in await away.offers(asked, size)
        ],
        "role": asked.conversation.model if asked.conversation.model == HEAVY else "",
    }
