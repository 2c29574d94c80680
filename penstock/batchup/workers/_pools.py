"""Pools of threads and of processes that do tasks ahead of whoever wants the results."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Self

from penstock.batchup._numbers import checked_count
from penstock.batchup.sources._abstract import AbstractDataSource
from penstock.batchup.workers._parallel import ParallelDataSource
from penstock.batchup.workers._work_stream import WorkStream
from penstock.engines import Job, Lease, Threads, lease_processes
from penstock.errors import DataSourceError, DataSourceTypeError, NotSupportedError, PenstockError

__all__ = ["AbstractWorkerPool", "WorkerProcessPool", "WorkerThreadPool"]


class AbstractWorkerPool:
    """The base of pools of threads and of processes."""

    def shared_constant(self, x: Any) -> Any:  # noqa: ARG002  anything; for a subclass
        """Return a value in the form in which tasks may have it among their arguments.

        Parameters
        ----------
        x : any
            A value that many tasks use. A pool of processes sends it to each process once rather than with each
            task; its arrays are in memory that all processes read.

        Returns
        -------
        any
            To be passed to tasks in its place.
        """
        raise NotSupportedError(f"{type(self).__name__} does not define shared_constant")

    def _apply_async(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Job:  # noqa: ARG002  for a subclass
        raise NotSupportedError(f"{type(self).__name__} does not define _apply_async")

    def work_stream(self, task_generator: Iterator[tuple[Any, ...]], task_buffer_size: int = 20) -> WorkStream:
        """Return the results of tasks, which are begun at once and done ahead.

        Parameters
        ----------
        task_generator : iterator of tuple
            Tasks ``(fn,)`` or ``(fn, args)``. Streams of one pool share its workers.
        task_buffer_size : int
            Tasks done or under way ahead at most.

        Returns
        -------
        WorkStream

        Examples
        --------
        >>> with WorkerThreadPool(processes=2) as pool:
        ...     stream = pool.work_stream((pow, (number, 2)) for number in range(4))
        ...     list(stream.retrieve_iter())
        [0, 1, 4, 9]
        """
        return WorkStream(self, task_generator, task_buffer_size=task_buffer_size)

    def parallel_data_source(self, ds: AbstractDataSource, batch_buffer_size: int = 20) -> ParallelDataSource:
        """Return a source whose batches are prefetched by the workers, in the order of `ds`.

        Parameters
        ----------
        ds : AbstractDataSource
            A source whose samples can be read by index.
        batch_buffer_size : int
            Batches made ahead at most.

        Returns
        -------
        ParallelDataSource

        Raises
        ------
        DataSourceTypeError
            If `ds` is not such a source, or cannot be sent to processes.

        Examples
        --------
        >>> import numpy as np
        >>> from penstock.batchup.data_source import ArrayDataSource
        >>> with WorkerThreadPool(processes=2) as pool:
        ...     source = pool.parallel_data_source(ArrayDataSource([np.arange(5)]))
        ...     [x.tolist() for (x,) in source.batch_iterator(batch_size=2)]
        [[0, 1], [2, 3], [4]]
        """
        return ParallelDataSource(ds, batch_buffer_size, self)

    def close(self) -> None:
        """End the workers; tasks that wait are not done."""
        raise NotSupportedError(f"{type(self).__name__} does not define close")

    def __reduce__(self) -> Any:
        raise DataSourceTypeError(
            f"a {type(self).__name__} cannot be pickled or copied. Expected it to be used where it was created",
            hint="make a pool in the process that uses it",
        )

    def __enter__(self) -> Self:
        """Return this pool, to be closed at the end."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the pool."""
        self.close()


class WorkerThreadPool(AbstractWorkerPool):
    """Threads that do tasks; for tasks that wait, or leave Python's lock free as most of numpy does.

    The threads end when the pool is closed or forgotten.

    Parameters
    ----------
    processes : int
        Number of threads.

    Raises
    ------
    DataSourceError
        If `processes` is less than 1.
    """

    def __init__(self, processes: int = 1) -> None:
        self._threads = Threads(checked_count("processes", processes, 1))
        self._closed = False

    def shared_constant(self, x: Any) -> Any:
        """Return the value itself: threads share it as it is."""
        return x

    def _apply_async(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Job:
        _check_open(self._closed)
        return self._threads.submit(fn, *args)

    def close(self) -> None:
        """End the threads when they are done with the tasks under way; tasks that wait are not done."""
        self._closed = True
        self._threads.close()


class WorkerProcessPool(AbstractWorkerPool):
    """Processes that do tasks; for tasks that keep Python busy, and for code that is not safe to run in threads.

    Processes are fresh interpreters, shared with penstock's loaders: nothing is forked. What tasks consist of is
    sent to them, functions and classes of a notebook or script too. They end when the pool is closed or forgotten,
    and with this process.

    Parameters
    ----------
    processes : int
        Number of processes.

    Raises
    ------
    DataSourceError
        If `processes` is less than 1.
    LoaderError
        On Windows.
    """

    def __init__(self, processes: int = 1) -> None:
        self._count = checked_count("processes", processes, 1)
        self._threads = Threads(self._count)  # each waits for one process
        self._plain = lease_processes(_Task(()), self._count, persistent=True)
        self._with_constants: dict[tuple[int, ...], Lease] = {}
        leases = self._with_constants
        self._finalizer = weakref.finalize(self, _close_elsewhere, self._threads, self._plain, leases)
        self._finalizer.atexit = False  # the engine ends its processes by itself

    def shared_constant(self, x: Any) -> SharedConstant:
        """Return a value as a constant, which each process is sent once.

        Parameters
        ----------
        x : any
            The value. Arrays in it lie in memory that all processes read; what a task writes to them its own
            process alone sees.

        Returns
        -------
        SharedConstant
        """
        return SharedConstant(x)

    def _apply_async(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Job:
        _check_open(not self._finalizer.alive)
        constants = tuple(argument for argument in args if isinstance(argument, SharedConstant))
        if not constants:
            return self._threads.submit(self._plain.run, fn, args)
        lease = self._lease_of(constants)
        places = iter(range(len(constants)))
        sent = tuple(_Place(next(places)) if isinstance(arg, SharedConstant) else arg for arg in args)
        return self._threads.submit(_run_holding, constants, lease, fn, sent)

    def _lease_of(self, constants: tuple[SharedConstant, ...]) -> Lease:
        key = tuple(map(id, constants))
        lease = self._with_constants.get(key)
        if lease is None:
            task = _Task(tuple(constant.value for constant in constants))
            try:
                lease = lease_processes(task, self._count, persistent=True, shared=True)
            except PenstockError:
                raise
            except Exception as error:
                raise DataSourceTypeError(
                    f"{_named(constants[0].value)} cannot be sent to a process: {error}",
                    hint="store file names instead of open files, or use a WorkerThreadPool",
                ) from error
            self._with_constants[key] = lease
            for constant in constants:
                weakref.finalize(constant, _forget, self._with_constants, key).atexit = False
        return lease

    def close(self) -> None:
        """End the processes, even busy ones; callers that wait for a task get an error."""
        if self._finalizer.detach() is not None:
            _close(self._threads, self._plain, self._with_constants)


class SharedConstant:
    """A value that is sent once to each process; created by `WorkerProcessPool.shared_constant`.

    Parameters
    ----------
    value : any
        The value.
    """

    def __init__(self, value: Any) -> None:
        self.value = value


class _Place(int):
    """Stands for a constant among the arguments of a task."""


class _Task:
    """A task of a process: a function with its arguments, constants included."""

    def __init__(self, constants: tuple[Any, ...]) -> None:
        self._constants = constants

    def __call__(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        return fn(*(self._constants[arg] if type(arg) is _Place else arg for arg in args))


def _run_holding(_: object, lease: Lease, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Run a task; its constants are not forgotten before."""
    return lease.run(fn, args)


def _forget(leases: dict[tuple[int, ...], Lease], key: tuple[int, ...]) -> None:
    lease = leases.pop(key, None)
    if lease is not None:
        threading.Thread(target=lease.close, daemon=True).start()  # the collector may be within the engine's lock


def _close(threads: Threads, plain: Lease, leases: dict[tuple[int, ...], Lease]) -> None:
    threads.close()
    for lease in (plain, *leases.values()):
        lease.abort()
    leases.clear()


def _close_elsewhere(threads: Threads, plain: Lease, leases: dict[tuple[int, ...], Lease]) -> None:
    """Close what a pool held that was forgotten; the collector may be within the engine's lock."""
    threading.Thread(target=_close, args=(threads, plain, leases), daemon=True).start()


def _check_open(closed: bool) -> None:
    if closed:
        raise DataSourceError("the worker pool is closed. Expected an open one")


def _named(value: Any) -> str:
    return f"a {type(value).__name__}"
