from __future__ import annotations

from collections.abc import Callable

from gateway.core.compaction.digest import least
from gateway.core.compaction.entries import Entry
from gateway.core.compaction.head import Draft, joined
from gateway.core.compaction.ledger import File, Ledger
from gateway.core.conversation import Image, Message, Prose

PICTURE = Image("aGk=", "image/png")
LEDGER = Ledger(messages=9, files={f"src/{i}.py": File(f"src/{i}.py", 1) for i in range(50)})
Size = Callable[[Message], int]


def entry(text: str, place: int, size: Size, **more: object) -> Entry:
    message = Message(role="user", content=(Prose(text),), **more)  # type: ignore[arg-type]
    return Entry(place=place, source=message, was=size(message), message=message, tokens=size(message))


def test_task_record_and_latest_request_are_one_message(size: Size) -> None:
    task = entry("Write a parser.", 0, size, name="ann", extra={"id": 7})
    draft = Draft(ledger=LEDGER, task=task, latest=entry("Ship it.", 8, size), summary="", size=size)
    head = draft.head(10_000)
    assert head.message.text.startswith("Write a parser.\n\n[holdfast: 7 earlier messages")
    assert head.message.text.endswith("as it was]\n\nShip it.")
    assert (head.message.role, head.message.name, head.message.extra) == ("user", "ann", {"id": 7})
    assert head.tokens == size(head.message)
    assert head.record_tokens == head.tokens - sum(e.was for e in head.whole)


def test_the_record_is_as_telling_as_there_is_room(size: Size) -> None:
    draft = Draft(ledger=LEDGER, task=None, latest=None, summary="", size=size)
    heads = [draft.head(tokens) for tokens in (10_000, 230, 100, 0)]
    assert [head.tokens <= tokens for head, tokens in zip(heads, (10_000, 230, 100, 0), strict=True)] == [
        True,
        True,
        True,
        False,
    ]
    assert [head.message.text.count("\n- ") for head in heads] == [50, 30, 10, 0]
    assert heads[-1].message.text == least(LEDGER)


def test_prose_is_joined_and_all_else_is_kept() -> None:
    cached = Prose("c", {"cache_control": {}})
    assert joined((Prose("a"),), (Prose("b"),)) == (Prose("a\n\nb"),)
    assert joined((Prose("x"), Prose("a")), (Prose("b"), PICTURE)) == (Prose("x"), Prose("a\n\nb"), PICTURE)
    assert joined((PICTURE,), (Prose("b"),)) == (PICTURE, Prose("\n\nb"))
    assert joined((cached,), (Prose("b"),)) == (cached, Prose("\n\nb"))
    assert joined((Prose("a"),), (cached,)) == (Prose("a"), Prose("\n\nc", cached.extra))
    assert joined((Prose("a"),), (PICTURE,)) == (Prose("a"), PICTURE)
    assert joined((), (Prose("b"),)) == joined((Prose("b"),), ()) == (Prose("b"),)
