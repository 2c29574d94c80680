"""Worker pools under odd use: nothing hangs, nothing is lost, and errors are in words."""

from __future__ import annotations

import copy
import itertools
import os
import pickle
import resource
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from penstock.batchup import work_pool
from penstock.batchup.data_source import ArrayDataSource
from penstock.errors import DataSourceTypeError, LoaderError, PenstockError


@pytest.fixture(scope="module")
def process_pool():
    with work_pool.WorkerProcessPool(2) as pool:
        yield pool


@pytest.fixture(scope="module")
def thread_pool():
    with work_pool.WorkerThreadPool(2) as pool:
        yield pool


@pytest.fixture(params=["threads", "processes"])
def pool(request, thread_pool, process_pool):
    return thread_pool if request.param == "threads" else process_pool


@pytest.fixture(autouse=True)
def no_hang():
    """Fail rather than hang."""

    def stop(*_):
        raise TimeoutError("the test hangs")

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(60)
    yield
    signal.alarm(0)


class HoldsLock(Exception):  # noqa: N818  an error of a user
    """Cannot be pickled."""

    def __init__(self):
        super().__init__("odd")
        self.lock = threading.Lock()


class NeedsArgument:
    def __init__(self, argument):
        self.argument = argument

    def __reduce__(self):
        return NeedsArgument, ()


def raises(kind, *arguments):
    raise kind(*arguments)


def test_error_that_cannot_be_pickled_arrives(pool):
    stream = pool.work_stream(iter([(raises, (HoldsLock,)), (abs, (-4,))]))
    with pytest.raises((HoldsLock, RuntimeError), match="odd"):
        stream.retrieve()
    assert stream.retrieve() == 4


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration])
def test_task_cannot_end_the_caller_or_its_loop(pool, kind):
    results = pool.work_stream(iter([(raises, (kind, 3)), (abs, (-4,))])).retrieve_iter()
    with pytest.raises(RuntimeError, match=kind.__name__):
        next(results)
    assert list(results) == [4]


@pytest.mark.parametrize(
    "make", [threading.Lock, lambda: (n for n in range(2)), lambda: NeedsArgument(1)], ids=["lock", "generator", "odd"]
)
def test_result_that_cannot_be_sent_back_is_named(process_pool, make):
    stream = process_pool.work_stream(iter([(make,), (abs, (-4,))]))
    with pytest.raises(LoaderError, match="pickled"):
        stream.retrieve()
    assert stream.retrieve() == 4


def test_arguments_that_cannot_be_sent_are_named(process_pool):
    stream = process_pool.work_stream(iter([(abs, (threading.Lock(),)), (len, (process_pool,)), (abs, (-4,))]))
    with pytest.raises(LoaderError, match="cannot be sent to a worker process"):
        stream.retrieve()
    with pytest.raises(DataSourceTypeError, match="WorkerProcessPool cannot be pickled"):
        stream.retrieve()
    assert stream.retrieve() == 4


def test_pools_and_what_they_make_are_not_copied(pool):
    for made in (pool, pool.work_stream(iter([(abs, (1,))])), pool.parallel_data_source(ArrayDataSource([np.ones(2)]))):
        for copied in (pickle.dumps, copy.copy if made is pool else copy.deepcopy):
            with pytest.raises(DataSourceTypeError, match="cannot be pickled or copied"):
                copied(made)


# ---- tasks -------------------------------------------------------------------------------------


def broken_tasks(count):
    for number in range(count):
        yield abs, (-number,)
    raise ValueError("broken")


@pytest.mark.parametrize("buffer_size", [1, 7, 100])
@pytest.mark.parametrize(
    ("tasks", "error"),
    [(lambda: broken_tasks(20), ValueError), (lambda: [*((abs, (-n,)) for n in range(20)), None, (abs, (1,))], TypeError)],
    ids=["raises", "no task"],
)  # fmt: skip
def test_what_is_wrong_with_the_tasks_comes_after_the_results_before_it(pool, buffer_size, tasks, error):
    stream = pool.work_stream(tasks(), buffer_size)
    assert [stream.retrieve() for _ in range(20)] == list(range(20))
    with pytest.raises(error):
        stream.retrieve()
    assert stream.retrieve() is None


@pytest.mark.parametrize("buffer_size", [1, 2, 20])
def test_stream_goes_on_after_each_error(pool, buffer_size):
    def tasks():
        for number in range(12):
            yield (raises, (ValueError, number)) if number % 3 == 0 else (abs, (-number,))

    results, found = pool.work_stream(tasks(), buffer_size).retrieve_iter(), []
    while True:
        try:
            found.append(next(results))
        except ValueError as error:
            found.append(str(error))
        except StopIteration:
            break
    assert found == ["0", 1, 2, "3", 4, 5, "6", 7, 8, "9", 10, 11]


@pytest.mark.parametrize("tasks", [0, None, np.array(3), abs], ids=repr)
def test_stream_of_no_tasks_is_refused(thread_pool, tasks):
    with pytest.raises(DataSourceTypeError, match="Expected an iterator of tasks"):
        thread_pool.work_stream(tasks)


def test_tasks_without_end_are_begun_as_results_are_taken(pool):
    results = pool.work_stream((abs, (-number,)) for number in itertools.count()).retrieve_iter()
    assert list(itertools.islice(results, 50)) == list(range(50))
    results.close()
    assert list(results) == []


def test_threads_that_share_a_stream_take_each_result_once(pool):
    batches = pool.parallel_data_source(ArrayDataSource([np.arange(600)])).batch_iterator(3)
    found, errors = [], []

    def take():
        try:
            found.extend(batch for (batch,) in batches)
        except Exception as error:  # noqa: BLE001  shown below
            errors.append(error)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert sorted(np.concatenate(found).tolist()) == list(range(600))


def test_tasks_that_wait_for_tasks_of_their_pool_do_not_hang(thread_pool):
    def inner(number):
        return sum(thread_pool.work_stream((abs, (-n,)) for n in range(number)).retrieve_iter())

    stream = thread_pool.work_stream((inner, (number,)) for number in range(12))
    assert list(stream.retrieve_iter()) == [number * (number - 1) // 2 for number in range(12)]


def test_interrupted_wait_loses_no_result(thread_pool):
    go = threading.Event()
    stream = thread_pool.work_stream(iter([(go.wait, (30,)), (abs, (-4,))]))
    signal.signal(signal.SIGALRM, lambda *_: raises(KeyboardInterrupt))
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    with pytest.raises(KeyboardInterrupt):
        stream.retrieve()
    go.set()
    assert [stream.retrieve(), stream.retrieve()] == [True, 4]


# ---- ends --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [work_pool.WorkerThreadPool, work_pool.WorkerProcessPool])
def test_closed_pool_tells_whoever_waits(kind):
    pool = kind(1)
    stream = pool.work_stream(iter([(abs, (-1,)), *[(time.sleep, (0.2,))] * 3]), task_buffer_size=4)
    assert stream.retrieve() == 1
    pool.close()
    errors = []
    for _ in range(3):
        try:
            stream.retrieve()
        except LoaderError as error:
            errors.append(str(error))
    assert len(errors) >= 2
    assert all("closed" in error or "shut down" in error for error in errors)
    assert stream.retrieve() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forked_child_works_with_threads_of_its_own(thread_pool, process_pool):
    go = threading.Event()
    waiting = thread_pool.work_stream(iter([(go.wait, (30,))] * 4))
    assert process_pool.work_stream(iter([(abs, (-4,))])).retrieve() == 4
    child = os.fork()
    if not child:
        os._exit(_in_child(thread_pool, process_pool, waiting))
    go.set()
    assert os.waitpid(child, 0)[1] == 0
    assert list(waiting.retrieve_iter()) == [True] * 4
    assert process_pool.work_stream(iter([(abs, (-4,))])).retrieve() == 4


def _in_child(thread_pool, process_pool, waiting):
    signal.alarm(20)
    try:
        own = list(thread_pool.work_stream((abs, (-n,)) for n in range(9)).retrieve_iter()) == list(range(9))
        return 0 if own and _refused(waiting) and _refused(process_pool.work_stream(iter([(abs, (1,))]))) else 1
    except BaseException:  # noqa: BLE001  the child ends here whatever happens
        return 2


def _refused(stream):
    try:
        stream.retrieve()
    except PenstockError as error:
        return "forked" in str(error)
    return False


FEW_FILES = """
import resource, sys
from penstock.batchup import work_pool
from penstock.errors import LoaderError
import penstock.engines
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
try:
    work_pool.WorkerProcessPool(30)
except LoaderError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
with work_pool.WorkerProcessPool(1) as pool:
    print(pool.work_stream(iter([(abs, (-4,))])).retrieve())
"""


@pytest.mark.slow
def test_system_without_room_for_processes_is_used_again_later(tmp_path):
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 40
    script = tmp_path / "few.py"
    script.write_text(FEW_FILES)
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=240, check=False)
    assert "cannot be started (Too many open files)" in run.stdout, run.stderr
    assert run.stdout.splitlines()[-1] == "4", run.stderr
