"""Words and names against what only chance writes."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.privacy.machine_made import entropy, hexadecimal, mixed, numbered, uuid
from gateway.core.privacy.machine_made import random as is_random
from gateway.core.privacy.strangeness import SYMBOLS, folded, strangeness


@pytest.mark.parametrize(
    "written",
    [
        "getPagesInConfluenceSpace", "application/json", "test_every_path_is_absolute", "ultraPictureBox1", "README.md",
        "gateway.core.privacy.strangeness", "2024-01-15T09:30:00", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "x86_64-linux-gnu",
    ],
)  # fmt: skip
def test_what_people_write_is_not_strange(written: str) -> None:
    assert strangeness(written) < 0
    assert not is_random(written)


def test_nearly_every_random_word_is_strange() -> None:
    dice = random.Random(4)
    for alphabet in (string.ascii_letters + string.digits, string.ascii_lowercase + string.digits):
        words = ["".join(dice.choices(alphabet, k=32)) for _ in range(400)]
        assert sum(map(is_random, words)) > 390


@given(st.text())
def test_any_text_folds_into_symbols_and_has_a_number(text: str) -> None:
    assert set(folded(text)) <= set(SYMBOLS)
    assert -4.0 * (2 * len(text)) <= strangeness(text) <= 4.0 * (2 * len(text))


@pytest.mark.parametrize(
    ("value", "hexa", "ids", "counted"),
    [
        ("9f86d081884c7d659a2feaa0c55ad015", True, False, True),
        ("1f0c9d3e-77aa-4b52-9c11-0e5f3a9d2b44", False, True, True),
        ("abcdefabcdefabcdef", False, False, False),
        ("0000000000000000000", False, False, False),
        ("b1c2d3e4f5g6", False, False, True),
        ("version2", False, False, False),
    ],
)
def test_forms_of_machine_made_values(value: str, hexa: bool, ids: bool, counted: bool) -> None:
    assert (hexadecimal(value), uuid(value), numbered(value)) == (hexa, ids, counted)


def test_a_value_beside_a_telling_name_needs_less() -> None:
    assert mixed("b1c2d3e4f5g6h7")
    assert not mixed("some_setting_name")
    assert not mixed("node-v18.17.1-linux-x64")


def test_entropy_is_shannons() -> None:
    assert entropy("aaaa") == 0
    assert entropy("abab") == pytest.approx(1.0)
    assert entropy("abcdefgh") == pytest.approx(3.0)
