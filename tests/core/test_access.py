"""Who comes with which key: strangers stay out where keys are configured, and nobody needs one where none is."""

from __future__ import annotations

import pytest

from gateway.core.access import Caller, Keyring, hash_of
from gateway.core.policy.keys import ClientKey

KEYS = {
    "laptop": ClientKey(sha256=hash_of("hf-one").upper(), label="cloud-ok", root="/home/me/oss", at_once=2),
    "ci": ClientKey(key_env="CI_KEY"),
}
RING = Keyring(KEYS, {"ci": "hf-two"})


def test_a_key_brings_its_label() -> None:
    assert RING.caller("hf-one", near=False, anonymous="local") == Caller(
        name="laptop", label="cloud-ok", root="/home/me/oss", at_once=2
    )


def test_a_key_of_the_environment() -> None:
    found = RING.caller("hf-two", near=True, anonymous="cloud-ok")
    assert found is not None
    assert (found.name, found.label) == ("ci", "local")


@pytest.mark.parametrize("token", ["hf-three", "anonymous", "laptop", hash_of("hf-one"), "\udc80"])
@pytest.mark.parametrize("near", [True, False])
def test_an_unknown_key_is_a_strangers(token: str, near: bool) -> None:
    assert RING.caller(token, near=near, anonymous="cloud-ok") is None


def test_without_a_key_only_this_machine_comes_in() -> None:
    assert RING.caller("", near=False, anonymous="cloud-ok") is None
    near = RING.caller("", near=True, anonymous="cloud-ok")
    assert near is not None
    assert (near.name, near.label) == ("anonymous", "cloud-ok")


def test_where_no_key_is_configured_any_token_is_anonymous_and_the_label_is_for_this_machine_alone() -> None:
    ring = Keyring({}, {})
    near, far = (ring.caller("sk-dummy", near=each, anonymous="cloud-ok") for each in (True, False))
    assert near is not None
    assert far is not None
    assert (near.name, near.label, far.name, far.label) == ("anonymous", "cloud-ok", "anonymous", "local")


def test_a_variable_that_is_not_set_opens_for_nobody() -> None:
    ring = Keyring({"ci": ClientKey(key_env="CI_KEY")}, {"ci": ""})
    assert ring.caller("", near=False, anonymous="local") is None
    assert ring.caller("x", near=False, anonymous="local") is None
