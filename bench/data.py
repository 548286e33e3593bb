"""Where recorded data lies that the project itself does not hold: HOLDFAST_DATA, else `shared/data` beside the checkout. It may be absent."""

from __future__ import annotations

import os
from pathlib import Path

DATA = Path(os.environ.get("HOLDFAST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
