"""A worker process that answers questions, and the side that asks."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import threading
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue

ROOT = Path(__file__).resolve().parents[2]


def serve(answering):
    """Answer questions until there are no more; what is printed meanwhile goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    while True:
        try:
            question = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer = ("done", answering(*question))
        except Exception as error:  # noqa: BLE001  told to the other side
            answer = ("raised", f"{type(error).__name__}: {error}")
        pickle.dump(answer, answers)
        answers.flush()


class Worker:
    """A worker process and its folder."""

    def __init__(self, module, home, environment):
        home.mkdir()
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", module, str(home)],
            cwd=ROOT,
            env=environment,
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
            raise EOFError(f"the worker ended at {question}") from error
        if outcome != "done":
            raise RuntimeError(f"{question}: {answer}")
        return answer

    def close(self):
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()


def memory_folder():
    """Return a folder in memory, None where there is none."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def in_a_folder(function, number):
    """Run one trial in a folder that is gone afterwards."""
    warnings.simplefilter("ignore")
    home = tempfile.mkdtemp(prefix="penstock-faults-", dir=memory_folder())
    try:
        return function(Path(home, "ds"), number)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _workers(module, count, environment):
    home = Path(tempfile.mkdtemp(prefix="penstock-faults-", dir=memory_folder()))
    started = [Worker(module, home / f"place{number}", environment) for number in range(count)]
    try:
        yield started
    finally:
        for worker in started:
            worker.close()
        shutil.rmtree(home, ignore_errors=True)


def plain_environment():
    """Return an environment in which the workers find what this process finds."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def shared_out(module, jobs, job_of, *, num_workers, environment):
    """Give jobs to workers as they become free; return what `job_of(worker, job)` returned, in the jobs' order."""
    waiting, found, failed = SimpleQueue(), {}, []
    for place, job in enumerate(jobs):
        waiting.put((place, job))

    def work(worker):
        while not failed:
            try:
                place, job = waiting.get_nowait()
            except Empty:
                return
            try:
                found[place] = job_of(worker, job)
            except Exception as error:  # noqa: BLE001  raised again in the caller's thread
                failed.append(error)

    with _workers(module, num_workers, environment) as started:
        threads = [threading.Thread(target=work, args=(worker,)) for worker in started]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if failed:
        raise failed[0]
    return [found[place] for place in sorted(found)]
