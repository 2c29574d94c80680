"""Worker processes that all loaders and pools of this process share."""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import sys
import threading
import uuid
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from penstock.engines._process import IDLE_SECONDS, Constant, EndedError, Gone, Process, stop_all
from penstock.errors import LoaderError

__all__ = ["Lease", "lease_processes"]

_ATTEMPTS = 3
_NUMBERS = itertools.count()


class _Pool:
    """The worker processes: as many as the largest lease requests, none without a lease."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._lock = threading.Lock()  # "with" on it cannot be interrupted half way, on a Condition it can
        self._changed = threading.Condition(self._lock)
        self._idle: list[Process] = []
        self._busy: dict[Process, int] = {}  # and the lease it works for
        self._leases: dict[int, tuple[int, str]] = {}

    def enter(self, number: int, count: int, key: str) -> None:
        """Start what is missing of `count` processes; again under another key: let them forget the old."""
        with self._lock:
            self._leases[number] = (count, key)
            missing = set(range(count)) - {process.number for process in (*self._idle, *self._busy)}
            for absent in sorted(missing):
                self._idle.append(Process(absent))
            self._changed.notify_all()

    def abandon(self) -> None:
        """Let go of processes that are the parent's, in a forked child."""
        for process in (*self._idle, *self._busy):
            process.abandon()
        self._idle, self._busy = [], {}

    def leave(self, number: int, *, at_once: bool = False) -> None:
        """Return a lease; the last one ends the processes. At once: even those that are working for it."""
        if self.owner != os.getpid():
            return
        with self._lock:
            self._leases.pop(number, None)
            for process, lease in self._busy.items():
                if at_once and lease == number:
                    process.kill()
            self._trim()
            self._changed.notify_all()

    @property
    def _most(self) -> int:
        return max((count for count, _ in self._leases.values()), default=0)

    def _trim(self) -> None:
        most = self._most
        leaving = [process for process in self._idle if process.number >= most]
        self._idle = [process for process in self._idle if process.number < most]
        stop_all(leaving)

    @contextlib.contextmanager
    def process(self, lease: int) -> Iterator[Process]:
        """Lend a process for one job."""
        with self._lock:
            while lease in self._leases and not self._idle:
                if not self._busy:  # none could be started in place of one that ended
                    self._idle.append(Process(0))
                    break
                self._changed.wait()
            if lease not in self._leases:
                raise LoaderError("the worker processes were shut down while a job was waiting for them")
            key = self._leases[lease][1]
            taken = next((process for process in self._idle if key in process.defined), self._idle[0])
            self._idle.remove(taken)
            self._busy[taken] = lease
            wanted = {key for _, key in self._leases.values()}
        try:
            for unwanted in taken.defined - wanted:
                taken.forget(unwanted)
            yield taken
        finally:
            self._returned(taken)

    def _returned(self, process: Process) -> None:
        with self._lock:
            self._busy.pop(process, None)
            if process.alive:
                self._idle.append(process)
            else:
                process.stop()
                if process.number < self._most:
                    with contextlib.suppress(LoaderError):  # it is tried again when none is left
                        self._idle.append(Process(process.number))
            self._trim()
            self._changed.notify()

    def stop(self) -> None:
        """End all processes, also those at work."""
        with self._lock:
            self._leases.clear()
            stop_all([*self._idle, *self._busy])
            self._idle, self._busy = [], {}
            self._changed.notify_all()


class Lease:
    """The right to run a function in some of the shared processes; created by `lease_processes`.

    Parameters
    ----------
    function : callable
        What is run; functions and classes of a notebook or script are taken by value.
    count : int
        Processes used at the same time at most.
    persistent : bool
        Whether the processes wait for jobs without end; else they end after
        30 seconds without one, and start again when one comes.
    shared : bool
        Whether the arrays of `function` lie in memory that all processes read, rather than in each process.
    """

    def __init__(
        self, pool: _Pool, function: Callable[..., Any], count: int, *, persistent: bool, shared: bool
    ) -> None:
        self._pool = pool
        self._function: Callable[..., Any] | Constant = Constant(function) if shared else function
        self._count = count
        self._slots = threading.BoundedSemaphore(count)
        self._patience = None if persistent else IDLE_SECONDS
        self._number = next(_NUMBERS)
        self._finalizer = weakref.finalize(self, pool.leave, self._number)
        self.renew()

    def renew(self) -> None:
        """Let the processes forget what the function keeps from call to call."""
        self._key = uuid.uuid4().hex
        if self._finalizer.alive:
            self._pool.enter(self._number, self._count, self._key)

    def run(self, *arguments: Any) -> Any:
        """Run the function in a process.

        Returns
        -------
        Any
            What it returned; arrays are the caller's own.

        Raises
        ------
        LoaderError
            If the process dies, or the lease is closed.
        """
        if self._pool.owner != os.getpid():
            raise LoaderError(
                "the worker processes belong to the parent of this forked process",
                hint="lease worker processes in the child process",
            )
        with self._slots:
            for _ in range(_ATTEMPTS):
                try:
                    with contextlib.suppress(Gone), self._pool.process(self._number) as process:
                        return self._run_in(process, arguments)
                except EndedError as error:
                    if self._finalizer.alive:
                        raise LoaderError(error.message, hint=error.hint) from error
                    raise LoaderError("the worker processes were shut down while they did a job") from error
        raise LoaderError(f"{_ATTEMPTS} worker processes in a row exited without an error message")

    def _run_in(self, process: Process, arguments: tuple[Any, ...]) -> Any:
        key = self._key
        if key not in process.defined:
            if isinstance(self._function, Constant):
                process.attach(key, self._function, self._patience)
            else:
                process.ask("define", key, self._function, self._patience)
            process.defined.add(key)
        return process.ask("run", key, arguments, self._patience)

    def close(self) -> None:
        """Return the lease; the last one ends the processes."""
        self._finalizer()

    def abort(self) -> None:
        """Return the lease and end its processes immediately; callers that wait for them get an error."""
        self._finalizer.detach()
        self._pool.leave(self._number, at_once=True)


class _Shared:
    """Holds the pool of this process; a forked child gets one of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: _Pool | None = None

    def pool(self) -> _Pool:
        with self._lock:
            if self._pool is None or self._pool.owner != os.getpid():
                self._pool = _Pool()
            return self._pool

    def renew(self) -> None:
        self._lock = threading.Lock()
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.abandon()

    def stop(self) -> None:
        if self._pool is not None and self._pool.owner == os.getpid():
            self._pool.stop()


_SHARED = _Shared()
atexit.register(_SHARED.stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_SHARED.renew)


def lease_processes(
    function: Callable[..., Any], count: int, *, persistent: bool = False, shared: bool = False
) -> Lease:
    """Return the right to run a function in `count` worker processes, which start where they are missing.

    Parameters
    ----------
    function : callable
        What is to run.
    count : int
        Processes, at least 1.
    persistent : bool
        Whether the processes wait for jobs without end.
    shared : bool
        Whether the arrays of `function` lie in memory that all processes read, rather than in each process. What a
        process writes to them it alone sees.

    Returns
    -------
    Lease
        To be closed; with the last one the processes end.

    Raises
    ------
    LoaderError
        On a system without inherited file descriptors (Windows).
    """
    if os.name != "posix":
        raise LoaderError(
            f"worker processes do not work on {sys.platform!r}. Expected Linux or macOS",
            hint="use num_threads and num_workers=0",
        )
    return Lease(_SHARED.pool(), function, count, persistent=persistent, shared=shared)
