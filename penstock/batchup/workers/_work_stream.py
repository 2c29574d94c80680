"""Results of tasks that a pool does ahead."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from penstock.batchup._numbers import checked_count
from penstock.engines import Job
from penstock.errors import DataSourceError, DataSourceTypeError

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
        if not hasattr(task_generator, "__iter__"):
            raise DataSourceTypeError(f"task_generator={task_generator!r} is not valid. Expected an iterator of tasks")
        self._pool = worker_pool
        self._tasks = iter(task_generator)
        self._size = checked_count("task_buffer_size", task_buffer_size, 1)
        self._jobs: deque[Job] = deque()
        weakref.finalize(self, _cancel, self._jobs).atexit = False
        self._top_up()

    def _top_up(self) -> None:
        while len(self._jobs) < self._size:
            task = next(self._tasks, None)
            if task is None:
                return
            self._jobs.append(self._pool._apply_async(*_checked(task)))  # noqa: SLF001  of this package

    def retrieve(self) -> Any:
        """Return the result of the next task when it is available; None after the last.

        Raises
        ------
        BaseException
            What the task raised, with the traceback of the worker; the next call is of the task after it.
        """
        if not self._jobs:
            return None
        value, error = self._jobs[0].outcome()
        self._jobs.popleft()
        if error is not None:
            raise error
        self._top_up()
        return value

    def retrieve_iter(self) -> Iterator[Any]:
        """Return an iterator of the results of all tasks.

        Returns
        -------
        iterator
        """
        while self._jobs:
            yield self.retrieve()


def _checked(task: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    if not isinstance(task, tuple | list) or not 1 <= len(task) <= 2 or not callable(task[0]):  # noqa: PLR2004
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
