"""One worker process, seen from its parent."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.reduction import send_handle
from pathlib import Path
from socket import socketpair
from typing import Any

from penstock.engines._memory import SharedMemory
from penstock.engines._messages import Sizes, load, store
from penstock.engines._worker import WORKER_NUMBER
from penstock.errors import LoaderError, PenstockError

__all__ = ["IDLE_SECONDS", "Constant", "EndedError", "Gone", "Process", "stop_all"]

IDLE_SECONDS = 30.0
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); from penstock.engines._worker import main; main()"
)


class Gone(Exception):  # noqa: N818  a process that ended while idle is no error
    """A worker ended before it took a job."""


class EndedError(LoaderError):
    """A worker ended while it did a job."""


class Constant:
    """A function stored once, in memory that every worker reads; freed with the last reference."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.memory = SharedMemory()
        weakref.finalize(self, self.memory.close)
        self.sizes = store(function, self.memory)


class Process:
    """One worker process, seen from its parent."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.defined: set[str] = set()
        with contextlib.ExitStack() as opened, _in_words():
            self._outgoing = SharedMemory()
            opened.callback(self._outgoing.close)
            self._incoming = SharedMemory()
            opened.callback(self._incoming.close)
            ours, theirs = socketpair()
            opened.enter_context(ours)
            with theirs:
                passed = (theirs.fileno(), self._outgoing.descriptor, self._incoming.descriptor)
                self._process = _start(number, passed)
            self._channel: Connection[Any, Any] = Connection(ours.detach())
            opened.pop_all()

    def ask(self, kind: str, key: str, value: Any, patience: float | None) -> Any:
        """Send a function or a job; return its result or raise its error."""
        sizes = _stored(kind, value, self._outgoing)
        try:
            self._channel.send((kind, key, sizes, patience))
            outcome, sizes = self._channel.recv()
        except (EOFError, OSError) as error:
            raise self._ended() from error
        return self._result(outcome, sizes)

    def attach(self, key: str, constant: Constant, patience: float | None) -> None:
        """Send the worker a function that is in memory shared by all workers."""
        try:
            self._channel.send(("attach", key, constant.sizes, patience))
            send_handle(self._channel, constant.memory.descriptor, self._process.pid)
            outcome, sizes = self._channel.recv()
        except (EOFError, OSError) as error:
            raise self._ended() from error
        self._result(outcome, sizes)

    def _result(self, outcome: str, sizes: Sizes) -> Any:
        if outcome == "done":
            return self._loaded(sizes) if sizes else None
        failed: BaseException = load(self._incoming, sizes)
        if not isinstance(failed, Exception):
            failed = RuntimeError(f"{type(failed).__name__} in worker process {self._process.pid}: {failed}")
        raise failed

    def _loaded(self, sizes: Sizes) -> Any:
        try:
            return load(self._incoming, sizes)
        except MemoryError:
            raise
        except Exception as error:
            raise LoaderError(
                f"what a worker process returned cannot be read here ({type(error).__name__}: {error}). "
                "Expected something that can be pickled"
            ) from error

    def _ended(self) -> Exception:
        code = self._process.wait()
        if code == 0:
            return Gone()
        return EndedError(
            f"worker process {self._process.pid} exited with code {code} while it was running a job",
            hint="a negative code is the signal that killed the process; -9 usually means that it ran out of memory",
        )

    def forget(self, key: str) -> None:
        """Let the worker drop a function."""
        self.defined.discard(key)
        with contextlib.suppress(OSError):
            self._channel.send(("forget", key, [], IDLE_SECONDS))

    @property
    def alive(self) -> bool:
        """Return whether the process is running."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End the process immediately; callers that wait for it get an error."""
        self._process.kill()

    def hang_up(self) -> None:
        """End the process by closing its channel."""
        self._channel.close()

    def abandon(self) -> None:
        """Let go of a process that is the parent's, in a forked child."""
        self._process.returncode = 0  # not this process's child: it must not be waited for
        self._channel.close()
        self._outgoing.close()
        self._incoming.close()

    def stop(self) -> None:
        """End the process and give its memory back."""
        self.hang_up()
        try:
            self._process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._outgoing.close()
        self._incoming.close()


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    """Say why a process cannot be started."""
    try:
        yield
    except OSError as error:
        raise LoaderError(
            f"a worker process cannot be started ({error.strerror or error})",
            hint="ask for fewer processes, or raise the limits of the system (ulimit -n, ulimit -u)",
        ) from error


def _stored(kind: str, value: Any, memory: SharedMemory) -> Sizes:
    try:
        return store(value, memory)
    except (MemoryError, PenstockError):
        raise
    except Exception as error:
        what = "a function" if kind == "define" else "what a function is called with"
        raise LoaderError(
            f"{what} cannot be sent to a worker process ({type(error).__name__}: {error})",
            hint="it holds something that cannot be pickled, such as a lock, an open file or a generator",
        ) from error


def _start(number: int, passed: tuple[int, ...]) -> subprocess.Popen[bytes]:
    """Start a fresh interpreter: nothing is forked, and a user's script is not run again."""
    import json

    environment = {
        **os.environ, WORKER_NUMBER: str(number), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1",
    }  # fmt: skip
    paths = [path or str(Path.cwd()) for path in sys.path]
    command = [sys.executable, "-c", _START, json.dumps(paths), *map(str, passed)]
    return subprocess.Popen(  # noqa: S603  this interpreter, own arguments
        command, pass_fds=passed, stdin=subprocess.DEVNULL, env=environment, start_new_session=True
    )


def stop_all(processes: list[Process]) -> None:
    for process in processes:  # all first, so that they end at the same time
        process.hang_up()
    for process in processes:
        process.stop()
