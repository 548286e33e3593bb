"""Offsets learnt from the server's own counts; a cut prompt is an alarm and no lesson."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.tokenizers.calibration import Calibrated, Calibration, Sample, SuspectedCut, compared
from gateway.tokenizers.estimate import estimate_margin, estimated

sizes = st.integers(0, 300_000)


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("abc", 1), ("abcd", 2), ("日本", 2), ("\ud800", 1)])
def test_a_token_for_three_bytes(text: str, tokens: int) -> None:
    assert estimated(text) == tokens
    assert estimate_margin(100) == 35


def test_an_offset_holds_at_another_length() -> None:
    calibration = Calibration()
    assert calibration.count("k", estimate=1000, basis="vocabulary") is None
    assert calibration.observe("k", estimate=1000, actual=1055) == Sample(1000, 1055)
    assert calibration.count("k", estimate=9000, basis="vocabulary") == Calibrated(9055, 182)
    assert calibration.count("other", estimate=1000, basis="vocabulary") is None


def test_what_an_estimate_has_too_much_is_a_rate() -> None:
    calibration = Calibration()
    calibration.observe("k", estimate=40_000, actual=30_000)
    assert calibration.count("k", estimate=4_000, basis="bytes") == Calibrated(3_000, 450)
    assert calibration.count("k", estimate=50_000, basis="bytes") == Calibrated(40_000, 6_000 + 3_500)


def test_a_silent_cut_is_told_and_not_learnt() -> None:
    calibration = Calibration()
    calibration.observe("k", estimate=15_000, actual=15_750)
    assert calibration.observe("k", estimate=15_800, actual=2_051) == SuspectedCut(15_800, 2_051)
    assert calibration.count("k", estimate=15_000, basis="vocabulary") == Calibrated(15_750, 315)


def test_a_server_that_reports_uncached_tokens_alone_is_told_too() -> None:
    assert isinstance(Calibration().observe("k", estimate=700, actual=38), SuspectedCut)


@pytest.mark.parametrize(("actual", "cut"), [(1000, False), (985, False), (979, True), (514, True), (1100, False)])
def test_an_exact_count_sees_smaller_cuts(actual: int, cut: bool) -> None:
    assert (compared(1000, actual) == SuspectedCut(1000, actual)) is cut


@given(sizes, sizes, sizes)
def test_the_sample_itself_comes_back(estimate: int, actual: int, other: int) -> None:
    calibration = Calibration()
    if isinstance(calibration.observe("k", estimate=estimate, actual=actual), Sample):
        same = calibration.count("k", estimate=estimate, basis="bytes")
        assert same is not None
        assert same.tokens == actual
        found = calibration.count("k", estimate=other, basis="bytes")
        assert found is not None
        assert found.tokens >= 0.5 * other - 1
        assert found.margin >= 0


def test_keys_are_bounded() -> None:
    calibration = Calibration(kept=3)
    for key in "abc":
        calibration.observe(key, estimate=10, actual=11)
    calibration.count("a", estimate=5, basis="bytes")
    calibration.observe("d", estimate=10, actual=12)
    assert list(calibration.export()) == ["c", "a", "d"]


def test_it_survives_json() -> None:
    calibration = Calibration()
    calibration.observe("a", estimate=10, actual=11)
    calibration.observe("b", estimate=100, actual=90)
    again = Calibration.restored(json.loads(json.dumps(calibration.export())))
    assert again.export() == calibration.export()
