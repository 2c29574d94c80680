"""What every test may use."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell started the tests in its background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # else processes the tests interrupt would not notice

_SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse to run where pytest-xdist would send the tests of a group to several workers, as with pytest 9.2.0."""
    if not session.config.getoption("loadgroup", False):
        return
    for item in session.items:
        if item.get_closest_marker("xdist_group") and "@" not in item.nodeid.rsplit("]", 1)[-1]:
            raise pytest.UsageError(f"{item.nodeid} has lost its xdist_group. Expected another version of pytest")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data beside the checkout; its FACTS.md says what tests may assert."""
    if not _SHARED_DATA.is_dir():
        pytest.skip("real data not found beside the checkout (../shared/data)")
    return _SHARED_DATA
