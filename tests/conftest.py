"""What every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest

_SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data beside the checkout; its FACTS.md says what tests may assert."""
    if not _SHARED_DATA.is_dir():
        pytest.skip("real data not found beside the checkout (../shared/data)")
    return _SHARED_DATA
