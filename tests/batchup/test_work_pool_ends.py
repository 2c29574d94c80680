"""What is left of worker pools when they end: nothing. No pool of another test is open here."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import psutil
import pytest

from penstock.batchup import work_pool
from penstock.batchup.data_source import ArrayDataSource

X = np.arange(40).reshape(20, 2)


def workers():
    return {child.pid for child in psutil.Process().children() if _is_worker(child)}


def _is_worker(process):
    try:
        return "penstock.engines" in " ".join(process.cmdline())
    except psutil.Error:  # gone, or ended and not yet waited for
        return False


def wait_until(holds, seconds=20):
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    assert holds()


def endless():
    time.sleep(600)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["close", "forget", "exception"])
def test_processes_end_with_the_pool_also_those_at_work(how):
    gc.collect()
    before = workers()
    pool = work_pool.WorkerProcessPool(4)
    stream = pool.work_stream(iter([(os.getpid, ())] * 8 + [(endless, ())] * 3), task_buffer_size=11)
    for _ in range(8):
        stream.retrieve()
    mine = workers() - before
    assert mine
    if how == "close":
        pool.close()
    elif how == "exception":
        with pytest.raises(ZeroDivisionError):
            _raises_with(pool, stream)
    del pool, stream
    gc.collect()
    wait_until(lambda: not mine & workers())


def _raises_with(pool, stream):
    with pool:
        raise ZeroDivisionError


def test_threads_end_with_the_pool():
    before = threading.active_count()
    pool = work_pool.WorkerThreadPool(3)
    iterator = pool.parallel_data_source(ArrayDataSource([X], repeats=-1)).batch_iterator(2)
    next(iterator)
    del pool, iterator
    gc.collect()
    wait_until(lambda: threading.active_count() <= before)


def test_abandoned_iterator_cancels_what_waits():
    thread_pool = work_pool.WorkerThreadPool(3)
    begun, go = [], threading.Event()

    def task(number):
        begun.append(number)
        go.wait(20)

    stream = thread_pool.work_stream((task, (number,)) for number in range(20))
    wait_until(lambda: len(begun) == 3)
    del stream
    gc.collect()
    go.set()
    assert thread_pool.work_stream(iter([(abs, (-1,))])).retrieve() == 1
    assert len(begun) == 3


INTERRUPTED = """
import os, sys, time
import numpy as np
from penstock.batchup import work_pool

def slow(seconds):
    time.sleep(seconds)
    return os.getpid()

if __name__ == "__main__":
    pool = getattr(work_pool, sys.argv[1])(2)
    stream = pool.work_stream(((slow, (0.01 if number < 4 else 600,)) for number in range(20)))
    print(*{stream.retrieve() for _ in range(4)}, flush=True)
    stream.retrieve()
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["WorkerThreadPool", "WorkerProcessPool"])
def test_interrupt_ends_all(kind, tmp_path):
    script = tmp_path / "run.py"
    script.write_text(INTERRUPTED)
    run = subprocess.Popen([sys.executable, script, kind], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    pids = [int(word) for word in run.stdout.readline().split()]
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate(timeout=240)
    assert "KeyboardInterrupt" in errors
    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in pids))


@pytest.mark.slow
def test_killed_parent_leaves_no_process(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(INTERRUPTED.replace("600", "0.01").replace("    stream.retrieve()\n", "    time.sleep(600)\n"))
    run = subprocess.Popen([sys.executable, script, "WorkerProcessPool"], stdout=subprocess.PIPE, text=True)
    pids = [int(word) for word in run.stdout.readline().split()]
    run.kill()
    run.communicate(timeout=240)
    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in pids))
