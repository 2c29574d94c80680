"""Threads that run jobs for as long as the object is referenced."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import weakref
from collections.abc import Callable
from typing import Any

from penstock.errors import LoaderError

__all__ = ["Job", "Threads"]

_Jobs = queue.SimpleQueue["Job | None"]


class _Here(threading.local):
    """Whether the thread at hand is one of `Threads`."""

    is_worker = False


_HERE = _Here()


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
        self._calls = [(function, arguments)]  # whoever takes it out, which one thread alone can, makes the call
        self._outcomes: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        self._owner = os.getpid()

    def run(self) -> None:
        """Make the call, unless it was cancelled or another thread makes it."""
        try:
            function, arguments = self._calls.pop()
        except IndexError:
            return
        outcome: tuple[Any, BaseException | None]
        try:
            outcome = function(*arguments), None
        except BaseException as error:  # noqa: BLE001  raised again in the waiting thread
            outcome = None, error
        self._outcomes.put(outcome)

    def cancel(self) -> None:
        """Let the call not begin; whoever waits for it gets an error."""
        if self._calls:
            with contextlib.suppress(IndexError):
                self._calls.pop()
                self._outcomes.put((None, LoaderError("the task was canceled: its worker pool was closed")))

    def outcome(self) -> tuple[Any, BaseException | None]:
        """Wait for the call; return what it returned, and what it raised.

        A worker that waits for a call which has not begun makes it, so that tasks of a pool can wait for others.
        """
        if _HERE.is_worker and self._calls:
            self.run()
        if self._owner != os.getpid() and self._outcomes.empty():
            raise LoaderError(
                "the task belongs to the process this one was forked from", hint="begin tasks in the child"
            )
        found = self._outcomes.get()
        self._outcomes.put(found)  # for whoever else waits
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
            self._start()
        return job

    def _start(self) -> None:
        try:
            threading.Thread(target=_work, args=(self._jobs,), name="penstock-work", daemon=True).start()
        except RuntimeError as error:  # the system has no more threads; those there are do the work
            if not self._started:
                raise LoaderError(f"no worker thread could be started ({error}). Expected at least one") from error
        else:
            self._started += 1

    def close(self) -> None:
        """Let the threads end with the jobs that are under way; jobs that wait are not done."""
        self._finalizer()


def _work(jobs: _Jobs) -> None:
    _HERE.is_worker = True
    while True:
        job = jobs.get()
        if job is None:
            jobs.put(None)  # for the other threads
            return
        job.run()
        del job  # else its result would live until the next job comes


def _end(jobs: _Jobs) -> None:
    while True:
        try:
            job = jobs.get_nowait()
        except queue.Empty:
            break
        if job is not None:
            job.cancel()
    jobs.put(None)
