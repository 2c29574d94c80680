"""Worker processes and the memory they share."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from penstock.engines import lease_processes, worker_number
from penstock.engines._memory import SharedMemory
from penstock.engines._messages import load, store
from penstock.errors import LoaderError


@pytest.fixture(scope="module", autouse=True)
def pool():
    lease = lease_processes(int, 2)
    yield
    lease.close()


@pytest.fixture
def memory():
    memory = SharedMemory()
    yield memory
    memory.close()


def test_memory_keeps_what_it_holds_when_it_grows(memory):
    memory.view(3)[:] = b"abc"
    assert bytes(memory.view(5 << 20)[:3]) == b"abc"


def test_memory_is_seen_through_another_descriptor(memory):
    memory.view(5 << 20)[-1] = 7
    other = SharedMemory(os.dup(memory.descriptor))
    assert other.view(5 << 20)[-1] == 7
    other.close()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="descriptors are listed on Linux only")
def test_memory_has_no_name(memory):
    assert "deleted" in str(Path(f"/proc/self/fd/{memory.descriptor}").readlink())


def test_memory_that_is_closed_has_no_descriptor():
    memory = SharedMemory()
    memory.close()
    assert memory.descriptor == -1


@pytest.mark.parametrize(
    "value",
    [
        {"a": np.arange(10), "b": [np.zeros((0, 4), np.float32), "ä", None, 3.5, b"raw"]},
        (np.asfortranarray(np.arange(6).reshape(2, 3)), np.arange(10)[::3], np.array(3)),
        {"t": torch.arange(6).reshape(2, 3)[:, 1:], "f": torch.ones(2, requires_grad=True), "h": torch.ones(2).bfloat16()},
    ],
    ids=["containers", "layouts", "tensors"],
)  # fmt: skip
def test_what_is_stored_is_loaded(value):
    memory = SharedMemory()
    loaded = load(memory, store(value, memory))
    np.testing.assert_equal(_plain(loaded), _plain(value))
    memory.close()


def _plain(value):
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.detach().float().numpy() if isinstance(value, torch.Tensor) else value


def test_loaded_arrays_are_the_readers_own():
    memory = SharedMemory()
    sizes = store(np.zeros(4), memory)
    first, second = load(memory, sizes), load(memory, sizes)
    first[:] = 1
    assert second.sum() == 0
    memory.close()


def test_functions_keep_the_variables_around_them():
    base = 40
    lease = lease_processes(lambda x: x + base, 2)
    assert lease.run(2) == 42
    lease.close()


def test_functions_run_in_a_numbered_process():
    lease = lease_processes(lambda _: (os.getpid(), worker_number()), 2)
    pid, number = lease.run(None)
    assert pid != os.getpid()
    assert number in {0, 1}
    lease.close()


def test_count_bounds_what_runs_at_once():
    def busy(folder):
        mark = Path(folder) / str(os.getpid())
        mark.touch()
        seen = len(list(Path(folder).iterdir()))
        mark.unlink()
        return seen

    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        lease = lease_processes(busy, 1)
        found = []
        threads = [threading.Thread(target=lambda: found.append(lease.run(folder))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        lease.close()
    assert found == [1] * 8


@pytest.mark.parametrize(
    ("leave", "told"), [(lambda _: os._exit(3), "exited with code 3"), (lambda _: os._exit(0), "without an error message")], ids=["3", "0"]
)  # fmt: skip
def test_process_that_ends_at_work_is_told(leave, told):
    lease = lease_processes(leave, 2)
    with pytest.raises(LoaderError, match=told):
        lease.run(1)
    lease.close()


def test_exit_in_a_job_is_an_error_of_the_job():
    import sys

    lease = lease_processes(lambda code: sys.exit(code), 2)
    with pytest.raises(RuntimeError, match="SystemExit"):
        lease.run(4)
    lease.close()


def test_error_that_cannot_be_pickled_is_told_as_text():
    def breaks():
        class OddError(Exception):
            def __reduce__(self):
                raise TypeError("no")

        raise OddError("odd")

    lease = lease_processes(breaks, 2)
    with pytest.raises(RuntimeError, match="odd"):
        lease.run()
    lease.close()


def test_closed_lease_runs_nothing():
    lease = lease_processes(int, 1)
    lease.close()
    with pytest.raises(LoaderError, match="shut down"):
        lease.run("3")


def test_forgotten_lease_is_given_back():
    import gc

    before = len(psutil.Process().children())
    lease_processes(int, 3)
    gc.collect()
    assert len(psutil.Process().children()) <= before


def test_worker_processes_are_refused_where_handles_are_not_inherited(monkeypatch):
    with monkeypatch.context() as windows:
        windows.setattr("os.name", "nt")
        with pytest.raises(LoaderError, match="num_workers=0"):
            lease_processes(abs, 1)
