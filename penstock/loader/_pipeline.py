"""Jobs done ahead by threads that end when there is nothing to do, so that none is ever left behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Pipeline", "PipelineEnded"]

_T = TypeVar("_T")


class PipelineEnded(Exception):  # noqa: N818  an end, no error; IndexError could come out of a job
    """All jobs are delivered, or the pipeline is closed."""


class Pipeline(Generic[_T]):
    """Results of numbered jobs, in order, some done ahead.

    A thread takes job after job until the window ahead of the caller is full,
    then ends; the caller's next step starts it again. An abandoned pipeline
    has thus no thread once the jobs under way are done.

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
        self._changed = threading.Condition()
        self._results: dict[int, tuple[_T | None, BaseException | None]] = {}
        self._next = 0
        self._delivered = 0
        self._active = 0
        self._closed = False

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
            return self._claim(self._delivered - 1)()
        with self._changed:
            self._top_up()
            while self._delivered not in self._results:
                self._changed.wait()
            result, error = self._results.pop(self._delivered)
            self._delivered += 1
            self._top_up()
        if error is not None:
            raise error
        return result  # type: ignore[return-value]  # a job without error has its result

    def close(self) -> None:
        """Start no more jobs and forget the results."""
        with self._changed:
            self._closed = True
            self._results.clear()

    @property
    def _has_room(self) -> bool:
        return not self._closed and self._next < self._num_jobs and self._next - self._delivered < self._window

    def _top_up(self) -> None:
        room = min(self._num_jobs, self._delivered + self._window) - self._next
        for _ in range(min(self._num_threads - self._active, room)):
            self._active += 1
            threading.Thread(target=self._work, name="penstock-loader").start()

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._has_room:
                    self._active -= 1
                    return
                number = self._next
                self._next += 1
                job = self._prepared(number)
            result = self._outcome(job)
            with self._changed:
                if not self._closed:
                    self._results[number] = result
                self._changed.notify_all()

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
