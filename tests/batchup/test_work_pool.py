"""Worker pools: order, errors, memory, and what is left when they end."""

from __future__ import annotations

import os
import sys
import threading
import time

import numpy as np
import psutil
import pytest

from penstock.batchup import data_source, sampling, work_pool
from penstock.batchup.data_source import ArrayDataSource
from penstock.errors import DataSourceError, DataSourceTypeError, LoaderError

X = np.arange(40).reshape(20, 2)


class OddError(Exception):
    """Takes other arguments than it keeps."""

    def __init__(self, number, word):
        super().__init__(f"{word} {number}")


def breaks(number):
    raise OddError(number, "odd")


def wait_until(holds, seconds=20):
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    assert holds()


@pytest.fixture(scope="module")
def process_pool():
    with work_pool.WorkerProcessPool(2) as pool:
        yield pool


@pytest.fixture(scope="module")
def thread_pool():
    with work_pool.WorkerThreadPool(3) as pool:
        yield pool


@pytest.fixture(params=["threads", "processes"])
def pool(request, thread_pool, process_pool):
    return thread_pool if request.param == "threads" else process_pool


# ---- batches -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        ArrayDataSource([X, X[:, 0]], include_indices=True),
        ArrayDataSource([X], indices=[4, 9, 1], repeats=5),
        ArrayDataSource([X], sampler=sampling.WeightedSampler(np.arange(20), num_samples=33)),
        ArrayDataSource([X]).map(lambda x: (x + 1,)),
        data_source.CompositeDataSource([ArrayDataSource([X], repeats=-1), ArrayDataSource([X[:7]])], flatten=False),
        data_source.ChoiceDataSource([ArrayDataSource([X]), ArrayDataSource([-X])], stratified=True),
    ],
    ids=["indices", "subset", "weighted", "mapped", "composite", "choice"],
)
def test_batches_are_those_of_the_source(pool, source):
    expected = list(source.batch_iterator(6, shuffle=np.random.RandomState(1)))
    parallel = pool.parallel_data_source(source, batch_buffer_size=3)
    found = list(parallel.batch_iterator(6, shuffle=np.random.RandomState(1)))
    assert parallel.num_samples() == source.num_samples()
    assert _plain(found) == _plain(expected)


def _plain(batch):
    return [_plain(part) for part in batch] if isinstance(batch, list | tuple) else batch.tolist()


def test_files_are_opened_in_the_processes(process_pool, tmp_path):
    X.tofile(tmp_path / "x.bin")
    memmap = np.memmap(tmp_path / "x.bin", X.dtype, "r", shape=X.shape)
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = X
    with h5py.File(tmp_path / "x.h5") as file:
        source = ArrayDataSource([memmap, file["x"]])
        for one, other in process_pool.parallel_data_source(source).batch_iterator(7, shuffle=2):
            assert np.array_equal(one, other)


def test_results_are_gathered_in_order(pool):
    parallel = pool.parallel_data_source(ArrayDataSource([X]))
    (found,) = parallel.batch_map_concat(lambda x: x[:, 0], 3)
    assert found.tolist() == X[:, 0].tolist()


@pytest.fixture
def begun():
    """Return a stream of ten tasks with three at a time, the tasks begun so far, and the event that lets them end."""
    begun, go = [], threading.Event()

    def task(number):
        begun.append(number)
        go.wait(20)
        return number

    with work_pool.WorkerThreadPool(10) as pool:
        yield pool.work_stream(((task, (number,)) for number in range(10)), task_buffer_size=3), begun, go


def test_work_is_begun_at_once_up_to_the_buffer(begun):
    _, numbers, go = begun
    wait_until(lambda: len(numbers) == 3)
    go.set()


def test_results_of_bounded_work_come_in_order(begun):
    stream, _, go = begun
    go.set()
    assert list(stream.retrieve_iter()) == list(range(10))
    assert stream.retrieve() is None


# ---- shared constants --------------------------------------------------------------------------


def test_constant_is_one_object_for_all_tasks_of_a_process(process_pool):
    constant = process_pool.shared_constant({"x": np.zeros(4)})
    stream = process_pool.work_stream((count_up, (constant, number)) for number in range(6))
    found = list(stream.retrieve_iter())
    assert max(count for _, count in found) >= 3
    assert constant.value["x"].tolist() == [0] * 4


def count_up(constant, number):
    constant["x"][0] += 1
    return os.getpid(), int(constant["x"][0])


@pytest.mark.skipif(sys.platform != "linux", reason="mapped memory is listed on Linux only")
def test_arrays_of_a_constant_lie_in_memory_all_processes_read(process_pool):
    constant = process_pool.shared_constant(np.ones(3_000_000))
    stream = process_pool.work_stream(iter([(mapped_kilobytes, (constant,))] * 4))
    for private, whole in stream.retrieve_iter():
        assert whole > 20_000
        assert private < 2_000


def mapped_kilobytes(array):
    assert array.sum() == 3_000_000
    address = array.__array_interface__["data"][0]
    for mapping in psutil.Process().memory_maps(grouped=False):
        first, last = (int(end, 16) for end in mapping.addr.split("-"))
        if first <= address < last:
            return (mapping.private_clean + mapping.private_dirty) // 1024 if "penstock" not in mapping.path else (
                mapping.private_dirty // 1024
            ), mapping.size // 1024
    raise AssertionError("the array is in no mapping")


def test_what_cannot_be_sent_is_said(process_pool):
    with pytest.raises(DataSourceTypeError, match="cannot be sent to a process"):
        process_pool.parallel_data_source(ArrayDataSource([X]).map(HoldsLock().apply)).batch_iterator(2)


class HoldsLock:
    def __init__(self):
        self.lock = threading.Lock()

    def apply(self, x):
        return (x,)


# ---- errors ------------------------------------------------------------------------------------


def test_error_of_a_thread_has_its_traceback(thread_pool):
    stream = thread_pool.work_stream(iter([(breaks, (3,)), (abs, (-4,))]))
    with pytest.raises(OddError, match="odd 3") as told:
        stream.retrieve()
    assert "breaks" in [frame.name for frame in told.traceback]
    assert stream.retrieve() == 4


def test_error_of_a_process_has_its_traceback(process_pool):
    stream = process_pool.work_stream(iter([(int, ("x",)), (breaks, (3,)), (abs, (-4,))]))
    with pytest.raises(ValueError, match="invalid literal") as told:
        stream.retrieve()
    assert "in worker process" in told.value.__notes__[0]
    with pytest.raises(RuntimeError, match=r"(?s)odd 3.*in breaks|in breaks.*odd 3"):
        stream.retrieve()
    assert stream.retrieve() == 4


def test_process_that_dies_is_replaced(process_pool):
    stream = process_pool.work_stream(iter([(os._exit, (3,)), (abs, (-4,))]))
    with pytest.raises(LoaderError, match="exited with code 3"):
        stream.retrieve()
    assert stream.retrieve() == 4


@pytest.mark.parametrize("task", [3, (), (3,), (abs, 3), (abs, (1,), {})], ids=repr)
def test_no_tasks_are_refused(thread_pool, task):
    with pytest.raises(DataSourceError):
        thread_pool.work_stream(iter([task]))


@pytest.mark.parametrize("kind", [work_pool.WorkerThreadPool, work_pool.WorkerProcessPool])
@pytest.mark.parametrize("count", [0, -1, 1.5, None])
def test_count_of_workers_is_a_positive_number(kind, count):
    with pytest.raises(DataSourceError):
        kind(count)


@pytest.mark.parametrize("kind", [work_pool.WorkerThreadPool, work_pool.WorkerProcessPool])
def test_closed_pool_takes_no_tasks(kind):
    pool = kind(1)
    pool.close()
    pool.close()
    with pytest.raises(DataSourceError, match="closed"):
        pool.work_stream(iter([(abs, (1,))]))
