"""Results of tasks that a pool does ahead."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from penstock.batchup._numbers import checked_count
from penstock.engines import Job
from penstock.errors import DataSourceError, DataSourceTypeError, PenstockError

__all__ = ["Pool", "WorkStream"]


class Pool(Protocol):
    """The interface of a worker pool."""

    def _apply_async(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Job: ...


class WorkStream:
    """Results of tasks, in the order of the tasks; created by `work_stream` of a pool.

    Parameters
    ----------
    worker_pool : AbstractWorkerPool
        What does the tasks.
    task_generator : iterator of tuple
        Tasks ``(fn,)`` or ``(fn, args)``.
    task_buffer_size : int
        Tasks done or under way ahead at most.
    """

    def __init__(
        self, worker_pool: Pool, task_generator: Iterable[tuple[Any, ...]], task_buffer_size: int = 20
    ) -> None:
        if not hasattr(worker_pool, "_apply_async"):
            raise DataSourceTypeError(f"worker_pool is a {type(worker_pool).__name__}. Expected a worker pool")
        self._pool = worker_pool
        self._tasks = _iterator(task_generator)
        self._size = checked_count("task_buffer_size", task_buffer_size, 1)
        self._jobs: deque[Job] = deque()
        self._lock = threading.RLock()
        self._failures: list[Exception] = []
        weakref.finalize(self, _cancel, self._jobs).atexit = False
        self._top_up()
        if self._failures and len(self._jobs) == 1:  # the first task is wrong
            raise self._failures[0]

    def _top_up(self) -> None:
        with self._lock:
            while len(self._jobs) < self._size:
                try:
                    task = next(self._tasks)
                except StopIteration:
                    return
                except Exception as error:  # noqa: BLE001  raised below, or in its place
                    self._end(error)
                    return
                try:
                    job = self._pool._apply_async(*_checked(task))  # noqa: SLF001  of this package
                except PenstockError as error:
                    self._end(error)
                    return
                self._jobs.append(job)

    def _end(self, error: Exception) -> None:
        """Take no more tasks; what went wrong is raised after the results of the tasks before it."""
        self._tasks = iter(())
        self._failures.append(error)
        failed = Job(_raise, error)
        failed.run()
        self._jobs.append(failed)

    def retrieve(self) -> Any:
        """Return the result of the next task when it is available; None after the last.

        Several threads may call it, each gets other results.

        Raises
        ------
        Exception
            What the task raised, with the traceback of the worker; the next call is of the task after it. What the
            iterator of tasks raised, after the results of the tasks before.
        RuntimeError
            If a task ended with `SystemExit`, `KeyboardInterrupt` or `StopIteration`, which would end the caller.
        """
        results = self.take()
        return results[0] if results else None

    def take(self) -> tuple[Any, ...]:
        """Return the next result in a tuple; an empty one when there are no more."""
        with self._lock:
            if not self._jobs:
                return ()
            job = self._jobs.popleft()
        try:
            value, error = job.outcome()
            self._top_up()
        except BaseException:  # Ctrl-C while waiting: the result is not lost
            self._jobs.appendleft(job)
            raise
        if error is None:
            return (value,)
        if isinstance(error, StopIteration) or not isinstance(error, Exception):
            raise RuntimeError(f"{type(error).__name__} in a worker: {error}") from error  # noqa: TRY004  its type is what is wrong
        raise error

    def retrieve_iter(self) -> Iterator[Any]:
        """Return an iterator of the results of all tasks; several threads may share it.

        Returns
        -------
        iterator
            After an error it goes on with the task after it. Its ``close()`` cancels tasks that have not begun.
        """
        return _Results(self)

    def __reduce__(self) -> Any:
        raise DataSourceTypeError("a WorkStream cannot be pickled or copied. Expected its results instead")


class _Results(Iterator[Any]):
    """The results of a stream, as an iterator."""

    def __init__(self, stream: WorkStream) -> None:
        self._stream: WorkStream | None = stream

    def __next__(self) -> Any:
        results = self._stream.take() if self._stream is not None else ()
        if not results:
            raise StopIteration
        return results[0]

    def close(self) -> None:
        """Give the stream up."""
        self._stream = None


def _raise(error: Exception) -> None:
    raise error


def _iterator(tasks: Any) -> Iterator[tuple[Any, ...]]:
    if getattr(tasks, "shape", None) == () or not hasattr(tasks, "__iter__"):
        raise DataSourceTypeError(f"task_generator={tasks!r} is not valid. Expected an iterator of tasks")
    return iter(tasks)


def _checked(task: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    if not isinstance(task, tuple | list) or not 1 <= len(task) <= 2 or not callable(task[0]):
        raise DataSourceTypeError(f"the task {task!r} is not valid. Expected (fn,) or (fn, args)")
    arguments = task[1] if len(task) > 1 else ()
    if not isinstance(arguments, tuple | list):
        raise DataSourceError(
            f"the arguments of a task are {arguments!r}. Expected a tuple", hint="use (fn, (argument,))"
        )
    return task[0], tuple(arguments)


def _cancel(jobs: deque[Job]) -> None:
    for job in jobs:
        job.cancel()
