"""What every test may use."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell started the tests in its background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # else processes the tests interrupt would not notice

_SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data beside the checkout; its FACTS.md says what tests may assert."""
    if not _SHARED_DATA.is_dir():
        pytest.skip("real data not found beside the checkout (../shared/data)")
    return _SHARED_DATA
