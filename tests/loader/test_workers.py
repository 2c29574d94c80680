"""Transforms in worker processes: the same batches, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import psutil
import pytest
import torch

from penstock.engines import lease_processes
from penstock.errors import LoaderError, TransformError
from penstock.loader import Loader
from penstock.table import ArrayTable


def children():
    return [child for child in psutil.Process().children(recursive=True) if is_worker(child)]


def is_worker(process):
    try:
        return "penstock" in " ".join(process.cmdline())
    except psutil.Error:  # gone, or ended and not yet waited for
        return False


@pytest.fixture(scope="module", autouse=True)
def pool():
    """Keep the processes for this module's tests; each start takes a good part of a second."""
    lease = lease_processes(int, 2)
    yield lease
    lease.close()
    assert children() == []


def jitter():
    import random

    def transform(sample, scale=1):
        return {
            "image": sample["images"].astype(np.float32) + np.random.rand() * scale,  # noqa: NPY002  what users write
            "draws": np.array([random.random(), torch.rand(1).item()]),
            "label": torch.from_numpy(sample["labels"]),
            "pid": os.getpid(),
        }

    return transform


def values(loader):
    return [(batch["image"].sum().item(), batch["draws"].tolist(), batch["index"].tolist()) for batch in loader]


@pytest.mark.parametrize(("workers", "threads"), [(1, 1), (2, 2), (2, 0)], ids=str)
def test_any_number_of_workers_gives_the_same_batches(table, workers, threads):
    plain = Loader(table, seed=2).shuffle().batch(8).transform(jitter(), scale=9).pytorch()
    spread = Loader(table, seed=2).shuffle().batch(8).transform(jitter(), scale=9)
    with spread.pytorch(num_workers=workers, num_threads=threads) as loader:
        for _ in range(2):
            assert values(loader) == values(plain)


def process_ids(table):
    with Loader(table).batch(5).transform(jitter()).pytorch(num_workers=2) as loader:
        return {pid for batch in loader for pid in batch["pid"].tolist()}


def test_transform_runs_in_other_processes(table):
    assert os.getpid() not in process_ids(table)


def test_transform_runs_in_no_more_processes_than_asked_for(table):
    assert 1 <= len(process_ids(table)) <= 2


def test_later_loaders_and_epochs_use_the_same_processes(table):
    before = {child.pid for child in children()}
    for _ in range(2):
        with Loader(table).batch(10).transform(jitter()).pytorch(num_workers=2) as loader:
            list(loader)
            assert {child.pid for child in children()} == before


def test_collate_fn_runs_in_the_worker(table):
    with (
        Loader(table).batch(4).pytorch(num_workers=1, collate_fn=lambda samples: (os.getpid(), len(samples))) as loader
    ):
        assert {size for _, size in loader} == {4, 2}
        assert os.getpid() not in {pid for pid, _ in loader}


def test_worker_init_fn_is_called_in_each_process_with_its_number(table):
    loader = Loader(table).batch(5).transform(lambda s: {"mark": int(os.environ["MARK"])}).numpy(num_workers=2)
    loader.worker_init_fn = lambda number: os.environ.update(MARK=str(number))
    with loader:
        assert {mark for batch in loader for mark in batch["mark"].tolist()} <= {0, 1}


@pytest.fixture
def worker_error(table):
    def breaks(sample):
        raise KeyError("no such thing")

    with Loader(table).transform(breaks).batch(3).numpy(num_workers=1) as loader:
        with pytest.raises(TransformError) as caught:
            list(loader)
        return caught.value


def test_error_in_a_worker_names_the_sample(worker_error):
    assert "row 0 (uid 0): KeyError" in str(worker_error)
    assert (worker_error.row, worker_error.uid) == (0, 0)


def test_error_in_a_worker_has_the_transforms_traceback(worker_error):
    assert "in breaks" in str(worker_error)


def lose_a_worker(table):
    def dies(sample):
        if sample["index"] == 7:
            os.kill(os.getpid(), signal.SIGKILL)
        return {"x": sample["index"]}

    with Loader(table).transform(dies).batch(5).numpy(num_workers=2) as loader:
        list(loader)


def test_worker_that_is_killed_ends_the_loop_with_an_error(table):
    with pytest.raises(LoaderError, match="exited with code -9"):
        lose_a_worker(table)


def test_worker_that_is_killed_is_replaced(table):
    with pytest.raises(LoaderError):
        lose_a_worker(table)
    with Loader(table).transform(lambda s: {"x": 1}).batch(5).numpy(num_workers=2) as loader:
        assert len(list(loader)) == 10


@pytest.fixture
def two_batches(table):
    with Loader(table).batch(25).transform(lambda s: {"image": s["images"]}).numpy(num_workers=1) as loader:
        return list(loader)


def test_what_a_transform_returns_may_be_kept(two_batches):
    assert two_batches[0]["image"][:, 0, 0, 0].tolist() == list(range(25))


def test_what_a_transform_returns_may_be_written_to(two_batches):
    two_batches[1]["image"][...] = 0
    assert not two_batches[1]["image"].any()


def test_persistent_workers_keep_what_a_transform_keeps_others_begin_anew(table):
    class Counting:
        def __init__(self):
            self.calls = 0

        def __call__(self, sample):
            self.calls += 1
            return {"calls": self.calls}

    def highest(persistent):
        chain = Loader(table).batch(50).transform(Counting())
        with chain.numpy(num_workers=1, persistent_workers=persistent) as loader:
            return [batch["calls"].max() for _ in range(2) for batch in loader]

    assert highest(False) == [50, 50]
    assert highest(True) == [50, 100]


def test_state_is_exact_with_workers(table):
    def loader():
        return Loader(table).shuffle().batch(4).transform(jitter()).pytorch(num_workers=2, prefetch_factor=3)

    with loader() as first, loader() as second:
        iterator = iter(first)
        given = [next(iterator)["index"].tolist() for _ in range(3)]
        second.load_state_dict(first.state_dict())
        given += [batch["index"].tolist() for batch in second]
    assert given == [batch["index"].tolist() for batch in Loader(table).shuffle().batch(4).numpy()]


def test_odd_types_come_back_from_a_worker(table):
    def transform(sample):
        return {
            "half": torch.ones(3, dtype=torch.bfloat16),
            "grad": torch.ones(2, requires_grad=True).detach(),
            "text": "ä",
            "nothing": None,
        }

    with Loader(table).batch(2).transform(transform).pytorch(num_workers=1) as loader:
        batch = next(iter(loader))
    assert batch["half"].dtype == torch.bfloat16
    assert batch["text"] == ["ä", "ä"]
    assert batch["nothing"] == [None, None]


SCRIPT = """
import _thread, os, signal, sys, time
import numpy as np, psutil
from penstock.loader import Loader
from penstock.table import ArrayTable
from penstock.table import ArrayTable

class Scale:                                   # a class of __main__, as in a notebook cell
    def __init__(self, by): self.by = by
    def __call__(self, sample): return {"x": sample["x"] * self.by}

def left():
    me = psutil.Process()
    return [c for c in me.children() if c.is_running()], _thread._count()

def settled():
    end = time.monotonic() + 10
    while time.monotonic() < end and left() != ([], 0):
        time.sleep(0.02)
    return left()

def shared():
    names = os.listdir("/dev/shm") if os.path.isdir("/dev/shm") else ()
    return {name for name in names if "penstock" in name and not name.startswith("penstock-faults")}  # tests/faults' own

others = shared()
table = ArrayTable({"x": np.arange(4000.0)})
loader = Loader(table).batch(4).transform(Scale(3)).numpy(num_workers=2)
"""


def run(body, **options):
    script = SCRIPT + textwrap.dedent(body)
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=240, check=False, **options
    )


def test_classes_of_main_work_without_a_second_run_of_the_script():
    done = run("""
        print("once", next(iter(loader))["x"].tolist())
        loader.close()
        print(settled())
    """)
    assert done.stdout == "once [0.0, 3.0, 6.0, 9.0]\n([], 0)\n", done.stderr


@pytest.mark.parametrize(
    "leave",
    [
        "loader.close()",
        "del iterator, loader; gc.collect()",
        "signal.setitimer(signal.ITIMER_REAL, 0.3)\ntry:\n    while True: list(loader)\nexcept KeyboardInterrupt: pass",
    ],
    ids=["close", "garbage", "interrupt"],
)
def test_nothing_is_left_behind(leave):
    body = f"""
import gc
def interrupted(*_): raise KeyboardInterrupt
signal.signal(signal.SIGALRM, interrupted)
iterator = iter(loader)
next(iterator)
{leave}
print(settled(), sorted(shared() - others))
"""
    done = run(body)
    assert done.stdout == "([], 0) []\n", done.stderr


def test_killed_parent_leaves_no_process():
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT + "\nnext(iter(loader))\nprint('up', flush=True)\ntime.sleep(60)"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "up\n"
    workers = psutil.Process(process.pid).children()
    assert len(workers) == 2
    process.kill()
    process.wait()
    process.stdout.close()
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert alive == []


def test_abandoned_loop_leaves_no_thread(table):
    import _thread

    before = _thread._count()
    for _ in Loader(table).batch(2).numpy(num_threads=4):
        break
    end = time.monotonic() + 30
    while time.monotonic() < end and _thread._count() > before:
        time.sleep(0.01)
    assert _thread._count() <= before


def sized(sample):
    """Tell this process's memory, in bytes, with every five-thousandth sample."""
    size = 0
    if sample["index"] % 5000 == 0:
        import psutil

        size = psutil.Process().memory_info().rss
    return {"number": sample["number"], "pid": os.getpid(), "size": size}


@pytest.mark.slow
@pytest.mark.exhaustive
def test_memory_is_flat_over_an_epoch_of_a_million_rows():
    table = ArrayTable({"number": np.arange(1_000_000, dtype=np.float32)})
    workers, own, seen = {}, [], 0
    with Loader(table, seed=1).shuffle().transform(sized).batch(1000).numpy(num_workers=2) as loader:
        for step, batch in enumerate(loader):
            seen += len(batch["number"])
            for place in np.flatnonzero(batch["size"]).tolist():
                workers.setdefault(int(batch["pid"][place]), []).append(int(batch["size"][place]))
            if step % 50 == 0:
                own.append(psutil.Process().memory_info().rss)
    assert seen == 1_000_000
    assert len(workers) == 2
    for sizes in (*workers.values(), own):
        settled = sizes[len(sizes) // 5]
        assert max(sizes) - settled < 8 * 2**20
