"""How a model writes tool calls, which parser reads its text, and whether its server must be asked for the text itself."""

from __future__ import annotations

from collections.abc import Callable

from gateway.core.conversation import Conversation
from gateway.core.dialects import AUTOMATIC, Dialect, ToolReader, choose
from gateway.core.plan import ModelFacts
from gateway.core.policy.models import ModelRule
from gateway.core.transcript import ThinkTags
from gateway.core.turn import Reader

# Dialects whose markers are ordinary text to the model, so that raw mode shows them. Those of other families are control
# tokens, which Ollama from v0.30 on neither prints nor keeps in raw mode. Log-probabilities show the markers of all its
# parsers (measured on v0.24.0 and v0.33.3 over 45 of them).
_PLAIN_TEXT = frozenset({"qwen3-coder", "hermes", "glm-4.5", "glm-4.7", "bare-json", "json-fence", "cline", "invoke"})


def dialect_of(facts: ModelFacts, rule: ModelRule) -> Dialect:
    """As policy names it, else as its server's parser, its template or its name tells."""
    if rule.dialect != "auto":
        return choose(named=rule.dialect, family="", model="", template="")
    told = choose(named="", family="", model=facts.parser, template="") if facts.parser else AUTOMATIC
    if told is not AUTOMATIC:
        return told
    return choose(named="", family=facts.family, model=facts.name, template=facts.template)


def reader_for(conversation: Conversation, facts: ModelFacts, rule: ModelRule) -> Callable[[bool], Reader]:
    """Makes readers for one turn; the argument says that a thought is open where the text begins."""
    dialect = dialect_of(facts, rule)
    tools = () if conversation.tool_choice == "none" else conversation.tools
    return lambda thinking: ToolReader(dialect, tools, thinking=thinking)


def wants_verbatim(conversation: Conversation, facts: ModelFacts, rule: ModelRule) -> bool:
    """Whether to ask for the model's own text beside what its server makes of it.

    Every parser of Ollama drops cut calls in silence, or ends the answer with an error; without tools there is nothing to
    drop. A server without a parser hands the text over anyway.
    """
    if rule.verbatim != "auto":
        return rule.verbatim == "on"
    parsed = bool(facts.parser) or ".ToolCalls" in facts.template
    return bool(conversation.tools) and parsed


def raw_shows_thoughts(tags: ThinkTags | None, *, prints_control: bool) -> bool:
    """Whether a raw continuation would show where a thought ends. `<think>` is ordinary text in all vocabularies known."""
    return prints_control or (tags is not None and tags.closes.strip() == "</think>")


def raw_shows_calls(conversation: Conversation, facts: ModelFacts, rule: ModelRule, *, prints_control: bool) -> bool:
    """Whether a raw continuation would show the calls that this model may write in it."""
    if prints_control or not conversation.tools or conversation.tool_choice == "none":
        return True
    return dialect_of(facts, rule).name in _PLAIN_TEXT
