"""Other readings of a text: what is encoded is read wherever it stands, and however much stands around it."""

from __future__ import annotations

import random
import string
from base64 import b32encode, b64encode, urlsafe_b64encode
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.privacy.views import views

SAID = "password=Kj8sdf2mQ??>>~~"
ENCODED: dict[str, Callable[[str], str]] = {
    "base64": lambda text: b64encode(text.encode()).decode(),
    "base64 without its end": lambda text: b64encode(text.encode()).decode().rstrip("="),
    "base64 for addresses": lambda text: urlsafe_b64encode(text.encode()).decode(),
    "base64 of UTF-16": lambda text: b64encode(text.encode("utf-16-le")).decode(),
    "base64 behind a path": lambda text: "https://host.test/some/path/" + b64encode(text.encode()).decode(),
    "base32": lambda text: b32encode(text.encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "escapes": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
    "entities": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "full width": lambda text: "".join(chr(ord(letter) + 0xFEE0) for letter in text),
}


def read(text: str) -> list[str]:
    return [view.text for view in views(text)]


@pytest.mark.parametrize("encoding", ENCODED)
@pytest.mark.parametrize("before", [0, 31, 32, 33, 500])
def test_what_is_encoded_is_read_among_any_number_of_names(encoding: str, before: int) -> None:
    dice = random.Random(before)
    names = ["_".join("".join(dice.choices(string.ascii_lowercase, k=9)) for _ in range(3)) for _ in range(2 * before)]
    text = " ".join((*names[:before], ENCODED[encoding](SAID), *names[before:]))
    assert any(SAID in each for each in read(text))


@given(st.text("abcXYZ09_/+=-. \n", max_size=300), st.sampled_from(["base64", "base32", "hexadecimal"]))
def test_what_is_encoded_is_read_beside_anything(around: str, encoding: str) -> None:
    assert any(SAID in each for each in read(f"{around} {ENCODED[encoding](SAID)} {around}"))


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert all(isinstance(each, str) for each in read(text))


def test_plain_code_has_no_other_reading() -> None:
    assert read("def total(numbers):\n    return sum(numbers)\n") == []
