"""Threads that run jobs for as long as the object is referenced."""

from __future__ import annotations

import os
import queue
import threading
import weakref
from collections.abc import Callable
from typing import Any

__all__ = ["Job", "Threads"]

_Jobs = queue.SimpleQueue["Job | None"]


class Job:
    """A call that a thread makes; its caller waits for the outcome by a queue, which Ctrl-C cannot leave half taken.

    Parameters
    ----------
    function : callable
        What is called.
    *arguments
        Its arguments.
    """

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._call: tuple[Callable[..., Any], tuple[Any, ...]] | None = (function, arguments)
        self._outcomes: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()

    def run(self) -> None:
        """Run the call, unless it was cancelled."""
        call, self._call = self._call, None
        if call is None:
            return
        outcome: tuple[Any, BaseException | None]
        try:
            outcome = call[0](*call[1]), None
        except BaseException as error:  # noqa: BLE001  raised again in the waiting thread
            outcome = None, error
        self._outcomes.put(outcome)

    def cancel(self) -> None:
        """Let the call not begin any more."""
        self._call = None

    def outcome(self) -> tuple[Any, BaseException | None]:
        """Wait for the call; return what it returned, and what it raised."""
        found = self._outcomes.get()
        self._outcomes.put(found)
        return found


class Threads:
    """Some threads, started as jobs come; they end when this is closed or forgotten.

    Parameters
    ----------
    count : int
        Threads at most.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._begin()

    def _begin(self) -> None:
        self._owner = os.getpid()
        self._jobs: _Jobs = queue.SimpleQueue()
        self._started = 0
        self._finalizer = weakref.finalize(self, _end, self._jobs)
        self._finalizer.atexit = False

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Job:
        """Return a job that one of the threads does, after those before it."""
        if self._owner != os.getpid():  # a forked child has none of the threads
            self._begin()
        job = Job(function, *arguments)
        self._jobs.put(job)
        if self._started < self._count:
            self._started += 1
            threading.Thread(target=_work, args=(self._jobs,), name="penstock-work", daemon=True).start()
        return job

    def close(self) -> None:
        """Let the threads end with the jobs that are under way; jobs that wait are not done."""
        self._finalizer()


def _work(jobs: _Jobs) -> None:
    while True:
        job = jobs.get()
        if job is None:
            jobs.put(None)  # for the other threads
            return
        job.run()
        del job


def _end(jobs: _Jobs) -> None:
    while True:
        try:
            job = jobs.get_nowait()
        except queue.Empty:
            break
        if job is not None:
            job.cancel()
    jobs.put(None)
