"""Saying models before any server: pieces are unique, a cut falls where it was asked for, and the stand-in plays the same tokens."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.real.dialects import DIALECTS, Dialect
from tests.real.saying import Model, write_gguf
from tests.real.script import Line, Script, write_script
from tests.real.spelling import PLACES
from tests.real.stand_in.completion import Asked, Ended, Player, Said
from tests.real.stand_in.spoken import read_spoken

CUE = "<|im_start|>assistant\n"
CODE = "def one():\n    return 1\n\n\ndef two():\n    return 1 + 1\n\n\ndef three():\n    return 1 + 1 + 1\n"


@given(st.text(alphabet="ab \n<é", max_size=200))
def test_pieces_spell_the_line_and_each_has_one_place(text: str) -> None:
    (pieces,) = write_script(Line((CUE,), text)).pieces
    assert "".join(pieces) == text
    assert all(text.find(piece) == text.rfind(piece) for piece in pieces)


def test_no_piece_ends_in_a_blank_or_inside_a_marker() -> None:
    text = "Now.\n\n  <tool_call>\n{}\n</tool_call>"
    (pieces,) = write_script(Line((CUE,), text), markers=("<tool_call>", "</tool_call>")).pieces
    ends = [text[: len("".join(pieces[:count]))] for count in range(1, len(pieces))]
    assert not [end for end in ends if end[-1].isspace()]
    assert not [end for end in ends if end.rpartition("<")[2] and ">" not in end.rpartition("<")[2] and "<" in end]


def test_a_break_is_the_end_of_a_token() -> None:
    offset = CODE.index("return 1 +")
    script = write_script(Line((CUE,), CODE, (offset,)))
    assert "".join(script.pieces[0][: script.tokens_to(offset)]) == CODE[:offset]


def test_a_text_that_stands_twice_between_breaks_is_refused() -> None:
    with pytest.raises(ValueError, match="several places"):
        write_script(Line((CUE,), "<p>one</p><p>two</p>", (6, 10)))


def test_an_offset_without_a_break_is_no_cut() -> None:
    with pytest.raises(ValueError, match=r"Line\.breaks"):
        write_script(Line((CUE,), "a text of one line")).tokens_to(1)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: f"{dialect.name}-{'-'.join(dialect.generations)}")
def test_every_dialect_can_be_cut_at_every_place(dialect: Dialect) -> None:
    places = [place for _, limits in dialect.cut() for place in limits]
    short = {"closers"} if len(dialect.spelling.parts[6]) < 4 else set()
    assert set(places) == set(PLACES) - short
    assert len(places) == len(set(places))


def test_the_stand_in_says_each_line_after_its_own_cue(tmp_path: Path) -> None:
    script = write_script(Line((CUE,), CODE), Line((f"and stop.{CUE}", f"and end.{CUE}"), "So be it."))
    player = _player(tmp_path, script)
    assert _says(player, f"Begin{CUE}") == CODE
    assert _says(player, f"Begin and end.{CUE}") == "So be it."


@settings(max_examples=25, deadline=None)
@given(st.text(alphabet="ab \n<é", max_size=120))
def test_the_stand_in_goes_on_from_any_end_of_a_token(text: str) -> None:
    script = write_script(Line((CUE,), text))
    with TemporaryDirectory() as folder:
        player = _player(Path(folder), script)
    for count in range(len(script.pieces[0])):
        said = "".join(script.pieces[0][:count])
        assert said + _says(player, CUE + said) == text


def test_the_stand_in_ends_at_a_limit_a_stop_string_and_the_window(tmp_path: Path) -> None:
    player = _player(tmp_path, write_script(Line((CUE,), CODE)))
    assert _ends(player, Asked(limit=3)) == Ended("limit", made=3, processed=1, cached=0)
    assert _ends(player, Asked(stop=("two",))).why == "word"
    assert _ends(Player(player.spoken, window=6, shift=False), Asked()) == Ended("limit", made=5, processed=1, cached=0)


def test_a_prompt_that_was_seen_is_found_in_the_cache_but_for_its_last_token(tmp_path: Path) -> None:
    player = _player(tmp_path, write_script(Line((CUE,), "Yes.")))
    prompt = player.spoken.tokenise(f"Hello.{CUE}")
    counts = [list(player.play(prompt, Asked()))[-1] for _ in range(2)]
    assert counts == [Ended("eos", 2, processed=7, cached=0), Ended("eos", 2, processed=1, cached=6)]


def test_hidden_markers_are_printed_only_where_they_are_preserved(tmp_path: Path) -> None:
    script = write_script(Line((CUE,), "Now.[CALL]one"), markers=("[CALL]",))
    player = _player(tmp_path, script, Model(hidden=("[CALL]",)))
    assert _says(player, CUE) == "Now.one"
    assert _says(player, CUE, Asked(preserved=("[CALL]",))) == "Now.[CALL]one"


def _player(folder: Path, script: Script, model: Model | None = None) -> Player:
    return Player(read_spoken(write_gguf(folder / "model.gguf", script, model)), window=4096, shift=False)


def _says(player: Player, prompt: str, asked: Asked | None = None) -> str:
    parts = player.play(player.spoken.tokenise(prompt), asked or Asked())
    return "".join(part.text for part in parts if isinstance(part, Said))


def _ends(player: Player, asked: Asked) -> Ended:
    *_, last = player.play(player.spoken.tokenise(CUE), asked)
    assert isinstance(last, Ended)
    return last
