"""Tasks in this process and its threads, or in worker processes of this machine."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

from penstock.engines._process import EndedError
from penstock.engines._processes import Lease, lease_processes
from penstock.errors import EngineError, LoaderError

__all__ = ["TRIES", "ProcessEngine", "ThreadEngine", "died"]

TRIES = 4
"""How often a task is begun whose worker dies."""

_Task = Callable[[Any], Any]


class ThreadEngine:
    """Runs tasks here: in the caller's own thread, or as many threads as there are workers."""

    def map(self, task: _Task, items: Sequence[Any], *, num_workers: int = 0) -> Iterator[Any]:
        """Yield what the task returns for each item; see `Engine.map`."""
        if num_workers < 2:
            yield from map(task, items)
            return
        with ThreadPoolExecutor(num_workers) as pool:
            yield from _in_order(pool, task, items, 2 * num_workers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is open."""


class ProcessEngine:
    """Worker processes of this machine, one for each of its CPUs unless told otherwise; they stay until it is left."""

    def __init__(self) -> None:
        self._lease: Lease | None = None

    def map(self, task: _Task, items: Sequence[Any], *, num_workers: int = 0) -> Iterator[Any]:
        """Yield what the task returns for each item; see `Engine.map`."""
        if not len(items):
            return
        count = min(num_workers or os.cpu_count() or 1, len(items))
        lease = lease_processes(task, count, shared=True)
        self._close()  # after the new lease, which keeps the processes
        self._lease = lease
        try:
            with ThreadPoolExecutor(count) as pool:
                yield from _in_order(pool, lambda item: _run(lease, item), items, 2 * count)
        except KeyboardInterrupt:
            lease.abort()
            raise

    def _close(self) -> None:
        if self._lease is not None:
            self._lease.close()
            self._lease = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()


def _run(lease: Lease, item: Any) -> Any:
    """Run a task, again where its process died."""
    for _ in range(TRIES):
        try:
            return lease.run(item)
        except LoaderError as error:
            if not isinstance(error.__cause__, EndedError):
                raise
            last = error
    raise died(item) from last


def died(item: Any) -> EngineError:
    """Return the error of a task whose workers die."""
    return EngineError(
        f"{TRIES} worker processes in a row ended while they ran the task for {_shown(item)}. Nothing was changed",
        hint="workers that the system kills usually need more memory: use fewer of them",
    )


def _shown(item: Any) -> str:
    if isinstance(item, tuple) and len(item) == 2 and all(isinstance(end, int) for end in item):
        return f"rows {item[0]} to {item[1] - 1}"
    if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str):
        return f"{_shown(item[1])} of {item[0]!r}"
    return repr(item)[:80]


def _in_order(pool: ThreadPoolExecutor, call: _Task, items: Sequence[Any], ahead: int) -> Iterator[Any]:
    """Yield the results in the order of the items; some tasks are ahead, and none begins after an error."""
    waiting: deque[Future[Any]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(call, item))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
