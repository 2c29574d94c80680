"""What every test may use."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from shutil import disk_usage

import pytest

from tests.s3 import Bucket, Server, running_server
from tests.schedule import FileScheduling, group_of, longest_first

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell started the tests in its background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # else processes the tests interrupt would not notice

_MEMORY = "/dev/shm"
_ROOM = 6 << 30  # bytes, four times what a run leaves
_SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_configure(config: pytest.Config) -> None:
    """Keep what tests write in memory, where there is room: a test that commits waits for the disk some fifty times.

    Each process computes in one thread: threads of several that wait for one another take the processors from all.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if config.option.basetemp is None and os.access(_MEMORY, os.W_OK) and disk_usage(_MEMORY).free >= _ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", _MEMORY)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> FileScheduling | None:
    """Hand out whole files in place of single tests."""
    return FileScheduling(config, log) if config.getoption("dist") == "loadgroup" else None


@pytest.hookimpl(wrapper=True)
def pytest_collect_file() -> Iterator[list[pytest.Collector]]:
    """Look for doctests in the package alone: no file of this folder has any."""
    collectors = yield
    return [collector for collector in collectors if type(collector) is pytest.Module]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Spare the collector of garbage what is there for good: a quarter of the time that 11,800 tests are collected in."""
    gc.disable()
    result = yield
    gc.freeze()
    gc.enable()
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Let one worker of pytest-xdist alone import tensorflow, and all start with what is longest."""
    for item in items:
        if item.get_closest_marker("tensorflow"):
            item.add_marker(pytest.mark.xdist_group("tensorflow"))
    result = yield
    if config.getoption("loadgroup", False):
        items[:] = longest_first(items)
    else:
        items.sort(key=lambda item: group_of(item) != "deeplake")
    return result


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse to run where pytest-xdist would send the tests of a group to several workers, as with pytest 9.2.0."""
    if not session.config.getoption("loadgroup", False):
        return
    for item in session.items:
        if item.get_closest_marker("xdist_group") and "@" not in item.nodeid.rsplit("]", 1)[-1]:
            raise pytest.UsageError(f"{item.nodeid} has lost its xdist_group. Expected another version of pytest")


@pytest.fixture(scope="session", autouse=True)
def _cache_of_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep samples that tests read from stores and the web out of the user's own cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PENSTOCK_CACHE_DIR", str(tmp_path_factory.mktemp("samples")))
        yield


@pytest.fixture(scope="session")
def object_store() -> Iterator[Server]:
    """An S3 server on the loopback, in a process of its own; it takes some seconds to start."""
    with running_server() as server:
        yield server


@pytest.fixture
def bucket(object_store: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Bucket]:
    """A bucket of this test, which the environment gives access to, and an empty cache."""
    for name, value in {**object_store.environment, "PENSTOCK_CACHE_DIR": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)
    bucket = object_store.new_bucket()
    object_store.asked()
    yield bucket
    object_store.set_rules()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data beside the checkout; its FACTS.md says what tests may assert."""
    if not (_SHARED / "data").is_dir():
        pytest.skip("real data not found beside the checkout (../shared/data)")
    return _SHARED / "data"


@pytest.fixture(scope="session")
def shared_seeds() -> Path:
    """Folder of the documents that the package comes from, beside the checkout."""
    if not (_SHARED / "seeds").is_dir():
        pytest.skip("documents not found beside the checkout (../shared/seeds)")
    return _SHARED / "seeds"
