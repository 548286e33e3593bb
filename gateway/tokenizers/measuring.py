"""The port `Counter` whole: exact where a vocabulary is at hand, calibrated where the server's own counts taught, else estimated."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b

from gateway.core.budget import Count
from gateway.core.conversation import Conversation, Message, ToolSpec
from gateway.core.plan import Try
from gateway.ports import Driver, UpstreamFailed
from gateway.tokenizers.calibration import Calibration, SuspectedCut, compared
from gateway.tokenizers.estimate import estimate_margin, estimated
from gateway.tokenizers.frames import FrameSizes, Part, learnt, probes
from gateway.tokenizers.served_counter import ServedCounter
from gateway.tokenizers.shelf import VocabularyShelf

_MESSAGES = 8192  # sizes of single messages remembered


class MessageSizes:
    """Additive sizes of messages as one model's template renders them; each message is counted once."""

    def __init__(self, frames: FrameSizes, part: Part) -> None:
        self._frames = frames
        self._part = part
        self._known: OrderedDict[bytes, int] = OrderedDict()

    @property
    def opening(self) -> int:
        """Tokens of a prompt without any message or tool."""
        return self._frames.opening

    def tools(self, tools: tuple[ToolSpec, ...]) -> int:
        return self._frames.tools(tools, self._part)

    def message(self, message: Message) -> int:
        key = _key(message)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._frames.message(message, self._part)
            if len(self._known) > _MESSAGES:
                self._known.popitem(last=False)
        return known


def _key(message: Message) -> bytes:
    said = "\x1f".join(
        [message.role, message.text, message.thinking, *(f"{c.name}\x1e{c.arguments}" for c in message.calls)]
    )
    return blake2b(f"{len(message.images)}{said}".encode("utf-8", "replace"), digest_size=16).digest()


class Measuring:
    """Counts prompts by the best means that a model's upstream allows."""

    def __init__(self, shelf: VocabularyShelf) -> None:
        self._served = ServedCounter(shelf)
        self._calibration = Calibration()
        self._sizes: dict[tuple[int, str], MessageSizes] = {}

    async def exact(self, prompt: str, *, model: str, digest: str, driver: Driver) -> int | None:
        return await self._served.exact(prompt, model=model, digest=digest, driver=driver)

    def estimate(self, conversation: Conversation, rendered: str | None, *, model: str) -> Count:
        """Without the vocabulary: a token for three bytes, put right by what the server told of its like."""
        tokens = estimated(rendered if rendered is not None else _written(conversation))
        learnt_ = self._calibration.count(_calibration_key(conversation, model), estimate=tokens, basis="bytes")
        if learnt_ is not None:
            return Count(learnt_.tokens, "calibrated", learnt_.margin)
        return Count(tokens, "estimated", estimate_margin(tokens))

    def observe(
        self, conversation: Conversation, rendered: str | None, count: Count, *, model: str, actual: int
    ) -> str:
        """Learn from the server's own count. Words of alarm where it read far less than was sent, else ""."""
        if count.method == "exact":
            cut = compared(count.tokens, actual)
        else:
            tokens = estimated(rendered if rendered is not None else _written(conversation))
            seen = self._calibration.observe(_calibration_key(conversation, model), estimate=tokens, actual=actual)
            cut = seen if isinstance(seen, SuspectedCut) else None
        if cut is None:
            return ""
        return f"{model}: the server read {cut.actual} tokens of a prompt of about {cut.expected}; it cut the prompt in silence"

    async def sizes(self, *, model: str, digest: str, driver: Driver, probe: Try) -> MessageSizes:
        """Sizes for planning, learnt from how the server renders a few small conversations."""
        key = (id(driver), f"{model} {digest}")
        if key not in self._sizes:
            part = await self._served.part(model=model, digest=digest, driver=driver) or estimated
            rendered = {}
            for name, conversation in probes(model).items():
                try:
                    rendered[name] = await driver.render(conversation, probe) or ""
                except UpstreamFailed:
                    break
            self._sizes[key] = MessageSizes(learnt(rendered, part), part)
        return self._sizes[key]


def _calibration_key(conversation: Conversation, model: str) -> str:
    """What stays the same through a session: model, tools and system text."""
    hashed = blake2b(digest_size=12)
    for tool in conversation.tools:
        hashed.update(f"{tool.name}\x1f{tool.description}".encode("utf-8", "replace"))
    for message in conversation.messages:
        if message.role in ("system", "developer"):
            hashed.update(message.text.encode("utf-8", "replace"))
    return f"{model} {hashed.hexdigest()}"


def _written(conversation: Conversation) -> str:
    """Everything that the prompt will hold, in no template."""
    said = [
        text for message in conversation.messages for text in (message.text, message.thinking, message.name) if text
    ]
    called = [f"{call.name}{call.arguments}" for message in conversation.messages for call in message.calls]
    offered = [f"{tool.name}{tool.description}{dict(tool.parameters)}" for tool in conversation.tools]
    prompt = [conversation.completion.prompt] if conversation.completion else []
    return "\n".join([*said, *called, *offered, *prompt])
