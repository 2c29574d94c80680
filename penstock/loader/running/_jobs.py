"""Jobs done ahead by threads that end when there is nothing to do, so that none is ever left behind."""

from __future__ import annotations

import _thread
import atexit
import queue
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from penstock.storage import renew_in_children

__all__ = ["Pipeline", "PipelineEnded"]

_T = TypeVar("_T")
_LONGEST_FAREWELL = 10.0


class PipelineEnded(Exception):  # noqa: N818  an end, no error; IndexError could come out of a job
    """All jobs are delivered, or the pipeline is closed."""


def _nothing(number: int) -> Callable[[], Any]:
    raise PipelineEnded(number)


class Pipeline(Generic[_T]):
    """Results of numbered jobs, in order, some done ahead.

    A thread takes job after job until the window ahead of the caller is full,
    then ends; the caller's next step starts it again. An abandoned pipeline
    has thus no thread once the jobs under way are done.

    The caller may be interrupted at any point: it only uses locks and queues
    written in C, which Ctrl-C cannot leave half acquired. `threading.Condition`
    and `threading.Thread.start` can be. One caller at a time takes results;
    several take turns (`Turns`). Any thread may close.

    Parameters
    ----------
    claim : callable
        Prepares the job of a number; called for 0, 1, 2, ... in order, one at a time.
    num_jobs : int
        How many jobs there are.
    num_threads : int
        Threads at work at most; 0 does each job in the caller's thread.
    window : int
        Jobs done or under way ahead of the caller at most.
    """

    def __init__(
        self, claim: Callable[[int], Callable[[], _T]], num_jobs: int, *, num_threads: int, window: int
    ) -> None:
        self._claim = claim
        self._num_jobs = num_jobs
        self._num_threads = num_threads
        self._window = max(window, 1)
        self._delivered = 0
        self._closed = False
        self.renew()
        renew_in_children(self)

    def renew(self) -> None:
        """Begin anew after the last result that was taken: a forked child has no threads, and locks of threads."""
        self._lock = threading.RLock()  # the collector may close this within a claim
        self._done: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._results: dict[int, tuple[_T | None, BaseException | None]] = {}
        self._next = self._delivered
        self._active = 0
        self._awaited_now = False

    def take(self) -> _T:
        """Return the next result; raise what its job raised.

        Raises
        ------
        PipelineEnded
            If all jobs are delivered, or the pipeline is closed.
        """
        if self._delivered >= self._num_jobs or self._closed:
            raise PipelineEnded
        if self._num_threads == 0:
            self._delivered += 1
            done = self._claim(self._delivered - 1)()
            if self._closed:
                raise PipelineEnded
            return done
        result, error = self._awaited()
        if error is not None:
            raise error
        return result  # type: ignore[return-value]  # a job without error has its result

    def _awaited(self) -> tuple[_T | None, BaseException | None]:
        while True:
            with self._lock:
                if self._closed:
                    raise PipelineEnded
                outcome = self._results.pop(self._delivered, None)
                self._delivered += outcome is not None
                self._awaited_now = outcome is None
                self._top_up()
            if outcome is not None:
                return outcome
            self._done.get()

    def _wake(self) -> None:
        """Wake the caller, where it waits; the lock is held."""
        if self._awaited_now:
            self._awaited_now = False
            self._done.put(None)

    def close(self) -> None:
        """Start no more jobs, forget the results, and end the wait of a caller."""
        with self._lock:
            self._closed = True
            self._results.clear()
            self._claim = _nothing
            self._wake()

    def replace_claim(self, claim: Callable[[int], Callable[[], _T]]) -> None:
        """Prepare the jobs that have not begun by another function, called for their numbers in order."""
        self._claim = claim

    @property
    def active(self) -> int:
        """Threads at work."""
        return self._active

    @property
    def _has_room(self) -> bool:
        return not self._closed and self._next < self._num_jobs and self._next - self._delivered < self._window

    def _top_up(self) -> None:
        room = min(self._num_jobs, self._delivered + self._window) - self._next
        for _ in range(0 if self._closed else min(self._num_threads - self._active, room)):
            self._active += 1
            _RUNNING.add(self)
            _thread.start_new_thread(self._work, ())  # Thread.start is Python, which Ctrl-C can interrupt midway

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._has_room:
                    self._active -= 1
                    return
                number = self._next
                self._next += 1
                job = self._prepared(number)
            result = self._outcome(job)
            with self._lock:
                if not self._closed:
                    self._results[number] = result
                self._wake()
            del job, result

    def _prepared(self, number: int) -> Callable[[], _T]:
        try:
            return self._claim(number)
        except BaseException as error:  # noqa: BLE001  raised again where the result is taken
            failed = error

            def again() -> _T:
                raise failed

            return again

    @staticmethod
    def _outcome(job: Callable[[], _T]) -> tuple[_T | None, BaseException | None]:
        try:
            return job(), None
        except BaseException as error:  # noqa: BLE001  raised again where the result is taken
            return None, error


_RUNNING: weakref.WeakSet[Pipeline[Any]] = weakref.WeakSet()


@atexit.register
def _say_goodbye() -> None:
    """Let threads finish the job they are at before the interpreter goes."""
    running = list(_RUNNING)
    for pipeline in running:
        pipeline.close()
    end = time.monotonic() + _LONGEST_FAREWELL
    while any(pipeline.active for pipeline in running) and time.monotonic() < end:
        time.sleep(0.001)
