"""Which parser reads a model's own text: its dialect, for the tools that were offered."""

from __future__ import annotations

from collections.abc import Callable

from gateway.core.dialects import ToolReader, choose
from gateway.core.turn import Reader
from gateway.service.fitting import Fitted


def reader_for(fitted: Fitted) -> Callable[[bool], Reader]:
    """Makes readers for one turn; the argument says that a thought is open where the text begins."""
    conversation, facts = fitted.conversation, fitted.facts
    named = "" if fitted.rule.dialect == "auto" else fitted.rule.dialect
    dialect = choose(named=named, family=facts.family, model=fitted.target.model, template=facts.template)
    tools = () if conversation.tool_choice == "none" else conversation.tools
    return lambda thinking: ToolReader(dialect, tools, thinking=thinking)
