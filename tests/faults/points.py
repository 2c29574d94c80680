"""Points tried over several workers, and what came of them."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue

import numpy as np

from tests.faults import preload
from tests.faults.operations import ALL
from tests.faults.power import KINDS

ROOT = Path(__file__).resolve().parents[2]
CRASHES = ("kill", "full", "broken")


class Worker:
    """A worker process and its folder."""

    def __init__(self, home):
        home.mkdir()
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.faults.worker", str(home)],
            cwd=ROOT,
            env=preload.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def ask(self, *question):
        pickle.dump(question, self._process.stdin)
        self._process.stdin.flush()
        try:
            outcome, answer = pickle.load(self._process.stdout)
        except EOFError as error:
            raise RuntimeError(f"the worker ended at {question}") from error
        if outcome != "done":
            raise RuntimeError(f"{question}: {answer}")
        return answer

    def close(self):
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()


def _folder():
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() else None


@contextmanager
def workers(count):
    """Start some workers in a folder that is gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="penstock-faults-", dir=_folder()))
    started = [Worker(home / f"place{number}") for number in range(count)]
    try:
        yield started
    finally:
        for worker in started:
            worker.close()
        shutil.rmtree(home, ignore_errors=True)


@dataclass
class Row:
    """What came of one call under one kind of fault."""

    operation: str
    kind: str
    points: int = 0
    before: int = 0
    after: int = 0
    wrong: list = field(default_factory=list)
    litter: list = field(default_factory=list)
    raw: list = field(default_factory=list)

    def take(self, at, verdict, told):
        self.points += 1
        if verdict == "else":
            self.wrong.append((at, told))
            return
        if verdict == "after":
            self.after += 1
        else:
            self.before += 1
        if told:
            (self.raw if told.startswith("raw") else self.litter).append((at, told))


def all_points(counts, operation, kinds):
    """Return every point of a call: (question, kind, point)."""
    found = [(kind, at) for kind in CRASHES if kind in kinds for at in range(1, counts[kind] + 1)]
    for kind in KINDS:
        if "power" in kinds:
            found.append((kind, None))
            found += [(kind, at) for at in range(1, counts["kill"] + 1) if operation.durable]
    return found


def sampled(points, rng, most, last):
    """Return some of the points, the last few of each kind always among them."""
    ends = {}
    for kind, at in points:
        ends[kind] = max(ends.get(kind, 0), at or 0)
    late = [point for point in points if point[1] is None or point[1] > ends[point[0]] - last]
    rest = [point for point in points if point not in late]
    late = [late[index] for index in sorted(rng.permutation(len(late))[:most])]
    return late + [rest[index] for index in sorted(rng.permutation(len(rest))[: most - len(late)])]


def ask_point(worker, operation, kind, at):
    what = "power" if kind in KINDS else "point"
    return worker.ask(what, operation.name, kind, at)


def try_points(operations=ALL, *, kinds=(*CRASHES, "power"), num_workers=2, sample=None, seed=0, told=None):
    """Try points of calls; return a row for each call and kind of fault.

    `sample` is how many points of a call are tried (None: all); `told` is called with each row that is done.
    """
    waiting = SimpleQueue()
    for operation in operations:
        waiting.put(operation)
    rows, failed, lock = [], [], threading.Lock()

    def work(worker):
        while not failed:
            try:
                operation = waiting.get_nowait()
            except Empty:
                return
            try:
                made = _tried(worker, operation, kinds, sample, seed)
            except Exception as error:  # noqa: BLE001  raised again in the caller's thread
                failed.append(error)
                return
            with lock:
                rows.extend(made)
                for row in made if told else ():
                    told(row)

    with workers(num_workers) as started:
        threads = [threading.Thread(target=work, args=(worker,)) for worker in started]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if failed:
        raise failed[0]
    order = {operation.name: place for place, operation in enumerate(operations)}
    return sorted(rows, key=lambda row: order[row.operation])


def _tried(worker, operation, kinds, sample, seed):
    counts = worker.ask("expected", operation.name)
    points = all_points(counts, operation, kinds)
    if sample is not None:
        rng = np.random.default_rng([seed, *operation.name.encode()])
        points = sampled(points, rng, sample, last=3)
    rows = {}
    for kind, at in points:
        row = rows.setdefault(kind, Row(operation.name, kind))
        row.take(at, *ask_point(worker, operation, kind, at))
    return list(rows.values())
