"""All cases of the recorded data, where it is at hand: exact arguments, nothing from a tail that proves nothing, no markup in the text.

The data lies in the folder that HOLDFAST_DATA names, else beside the project; it is not part of it.
"""

from __future__ import annotations

import pytest

from bench.dialect_cases import FOLDER, SIZES, WAYS, Case, faults, loaded, parts_of, spoken, text_at, told
from gateway.core.stream import Call, Proof

CASES = loaded(FOLDER)
pytestmark = pytest.mark.skipif(not CASES, reason="the recorded data is not at hand")


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("case", CASES, ids=[text_at(case, "id") for case in CASES])
def test_case(case: Case, how: str) -> None:
    dialect = spoken(case, how)
    whole = parts_of(case, dialect)
    assert not faults(case, whole), (dialect.name, whole)
    for size in SIZES:
        assert told(parts_of(case, dialect, size)) == told(whole), (dialect.name, size)


@pytest.mark.parametrize("end", ["length", "stop"])
def test_an_object_that_only_a_count_of_braces_closes_is_never_proven(end: str) -> None:
    """lmstudio#942: gpt-oss ended an answer by itself, one brace short."""
    for case in CASES:
        if text_at(case, "id") == "issue-lmstudio-942":
            parts = parts_of({**case, "finish_reason": end}, spoken(case, "template"))
            assert [part.proof for part in parts if isinstance(part, Call)] == [Proof.UNPROVEN]
