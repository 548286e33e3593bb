"""How families write a thought into their text, and whether a rendered prompt has begun one already."""

from __future__ import annotations

from gateway.core.transcript import ThinkTags

_PLAIN = ThinkTags()
_TAGS = {
    "<think>": _PLAIN,
    "<seed:think>": ThinkTags("<seed:think>", "</seed:think>"),
    "[THINK]": ThinkTags("[THINK]", "[/THINK]"),
    "<|START_THINKING|>": ThinkTags("<|START_THINKING|>", "<|END_THINKING|>"),
}


def opened(rendered: str) -> bool:
    """Whether the template leaves a thought open at the end of the prompt (Qwen3-Thinking, DeepSeek-R1, GLM-4.7)."""
    return rendered.rstrip().endswith(tuple(_TAGS))


_OTHERWISE = frozenset({"harmony", "gemma4"})  # families whose thoughts stand in channels of their own


def tags_of(dialect: str, rendered: str, template: str) -> ThinkTags | None:
    """The tags of the model whose dialect, prompt and template these are; None where a thought is not written in tags."""
    if dialect in _OTHERWISE:
        return None
    for opener, tags in _TAGS.items():
        if rendered.rstrip().endswith(opener) or opener in template:
            return tags
    return _PLAIN
