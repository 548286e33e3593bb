"""The secret of a state directory: one, for good, and for its owner alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.store.secret import key_for, secret_in


def test_it_is_made_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: secret_in(tmp_path), range(16)))
    assert len(made) == 1
    assert len(made.pop()) == 32
    (path,) = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_damaged_one_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"short")
    with pytest.raises(OSError, match="is damaged"):
        secret_in(tmp_path)


def test_each_purpose_has_its_own_key(tmp_path: Path) -> None:
    secret = secret_in(tmp_path)
    assert key_for("audit", secret) == key_for("audit", secret)
    assert len({key_for("audit", secret), key_for("taints", secret), key_for("audit", b"x" * 32), secret}) == 4
