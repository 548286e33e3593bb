"""What holds for every test: Hypothesis sets no deadlines, since tests time nothing."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("default", deadline=None)
settings.load_profile("default")
