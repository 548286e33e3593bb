"""A gateway over scripted upstreams, with a clock that leaps over every wait."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # scripted.py is shared by the tests of this folder alone
