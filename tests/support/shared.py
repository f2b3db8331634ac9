"""The development data beside a checkout, which is not part of the project."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
MISSING = "the development data (../shared/data) is not here"

needs_shared_data = pytest.mark.skipif(
    not (SHARED / "clips" / "index.csv").is_file(), reason=MISSING
)
