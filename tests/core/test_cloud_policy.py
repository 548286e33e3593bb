"""The cloud section of a policy: what it complains of, and the example that comes with the gateway."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.load import load
from gateway.core.policy import Policy
from gateway.core.policy.cloud import Budgets, CloudRules, CloudTarget, HeavyRules, Price, complaints

FINE = CloudTarget(accepts_terms=True, window=100_000, price=Price(input=1.0, output=1.0))
EXAMPLE = Path(__file__).parents[2] / "policies" / "cloud.yaml"


def with_target(**said: object) -> CloudRules:
    known = {"accepts_terms": True, "window": 100_000, "price": FINE.price, **said}
    return CloudRules(heavy=("gemini/m",), targets={"gemini/m": CloudTarget(**known)})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (CloudRules(), ""),
        (with_target(), ""),
        (CloudRules(heavy=("gemini/x",)), "cloud.heavy[0]: 'gemini/x' is not among cloud.targets"),
        (CloudRules(targets={"vertex/m": FINE}), "cloud.targets.vertex/m: is no name of a model here"),
        (CloudRules(targets={"gemini/": FINE}), "cloud.targets.gemini/: is no name"),
        (with_target(window=0), "window: 0 is too small"),
        (with_target(answer=0), "answer: 0 leaves no room"),
        (with_target(url="http://evil.example"), "would carry the key in the open"),
        (with_target(url="http://127.0.0.1.evil.example"), "would carry the key in the open"),
        (with_target(url="https://[evil"), "would carry the key in the open"),
        (with_target(url="http://127.0.0.1:9"), ""),
        (with_target(key_env="sk-123"), "key_env: is no variable's name"),
        (with_target(price=Price(input=1.0)), "price: is not known"),
        (with_target(price=Price(input=-1.0, output=1.0)), "price.input: -1.0 is no price"),
        (with_target(price=Price(input=1.0, output=float("nan"))), "price.output: nan is no price"),
        (with_target(price=Price(input=1.0, output=1.0, long_output=float("inf"))), "long_output: inf is no price"),
        (with_target(accepts_terms=False), "accepts_terms: is not set"),
        (CloudRules(budgets=Budgets(per_day=-1.0)), "cloud.budgets.per_day: -1.0 is below 0"),
        (CloudRules(heavy_when=HeavyRules(share_of_timeout=60.0)), "share_of_timeout: 60.0 is no share"),
        (CloudRules(slots=0), "cloud.slots: 0 serves nobody"),
    ],
)
def test_complaints(rules: CloudRules, words: str) -> None:
    found = list(complaints(rules))
    assert len(found) == bool(words)
    assert words in "".join(found)


def test_the_example_is_off_and_would_be_right_once_it_is_on() -> None:
    rules = load(EXAMPLE).cloud
    assert rules.heavy == ()
    assert not load(EXAMPLE).privacy.leave
    assert list(complaints(rules)) == []
    on = CloudRules(heavy=tuple(rules.targets), targets=rules.targets)
    assert {each.partition(": ")[2].partition(";")[0] for each in complaints(on)} == {"is not set"}


def test_models_that_are_gone_are_not_shipped() -> None:
    named = load(EXAMPLE).cloud.targets
    assert not [name for name in named if "devstral" in name or "gemini-2.5" in name]


def test_by_default_there_is_no_cloud() -> None:
    assert Policy().cloud.by_provider() == {}
    assert with_target().by_provider() == {"gemini": {"m": FINE}}
