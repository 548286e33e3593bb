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


_TIGHT = ThinkTags("<think>", "</think>")
_BY_DIALECT = {  # families that write no white space around their tags, or whose thoughts stand in channels of their own
    **dict.fromkeys(("glm-4.5", "glm-4.7", "deepseek-v3", "deepseek-v3.1"), _TIGHT),
    "harmony": ThinkTags(
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
        says="<|channel|>final<|message|>",
    ),
    "gemma4": ThinkTags("<|channel>thought\n", "<channel|>"),
}


def tags_of(dialect: str, rendered: str, template: str) -> ThinkTags:
    """The tags of the model whose dialect, prompt and template these are."""
    if dialect in _BY_DIALECT:
        return _BY_DIALECT[dialect]
    if rendered.endswith(_TIGHT.opens):
        return _TIGHT
    for opener, tags in _TAGS.items():
        if rendered.rstrip().endswith(opener) or opener in template:
            return tags
    return _PLAIN
