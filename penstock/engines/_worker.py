"""The loop of a worker process."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle
from typing import Any

from penstock.engines._memory import SharedMemory
from penstock.engines._messages import Sizes, load, load_shared, store
from penstock.errors import LoaderError

__all__ = ["WORKER_NUMBER", "main", "worker_number"]

WORKER_NUMBER = "PENSTOCK_WORKER"
"""Environment variable that tells a worker its number."""


def worker_number() -> int:
    """Return the number of the worker process this is; 0 in any other process."""
    return int(os.environ.get(WORKER_NUMBER, "0"))


def main() -> None:
    """Serve the process that started this one until it ends or nothing comes for a while."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel, incoming, outgoing = (int(number) for number in sys.argv[1:4])
    with contextlib.suppress(EOFError, OSError):  # the parent has exited
        _Served(Connection(channel), SharedMemory(incoming), SharedMemory(outgoing)).serve()


class _Served:
    def __init__(self, channel: Connection[Any, Any], incoming: SharedMemory, outgoing: SharedMemory) -> None:
        self._channel = channel
        self._incoming = incoming
        self._outgoing = outgoing
        self._functions: dict[str, Callable[..., Any]] = {}

    def serve(self) -> None:
        patience: float | None = None
        while self._channel.poll(patience):
            kind, key, sizes, patience = self._channel.recv()
            if kind == "forget":
                self._functions.pop(key, None)
            else:
                self._channel.send(self._answer(kind, key, sizes))

    def _answer(self, kind: str, key: str, sizes: Sizes) -> tuple[str, Sizes]:
        try:
            if kind == "attach":
                self._functions[key] = self._attached(sizes)
                return "done", []
            given = load(self._incoming, sizes)
            if kind == "define":
                self._functions[key] = given
                return "done", []
            return "done", self._stored(self._functions[key](*given))
        except BaseException as error:  # noqa: BLE001  goes to the parent, also SystemExit
            return "failed", self._told(error)

    def _stored(self, result: Any) -> Sizes:
        try:
            return store(result, self._outgoing)
        except MemoryError:
            raise
        except Exception as error:
            raise LoaderError(
                f"a {type(result).__name__} cannot be sent back from a worker process ({error}). "
                "Expected a result that can be pickled"
            ) from error

    def _attached(self, sizes: Sizes) -> Callable[..., Any]:
        memory = SharedMemory(recv_handle(self._channel))
        try:
            function: Callable[..., Any] = load_shared(memory, sizes)
        finally:
            memory.close()
        return function

    def _told(self, error: BaseException) -> Sizes:
        told = traceback.format_exc()
        error.add_note(f"in worker process {os.getpid()}:\n{told}")
        try:
            sizes = store(error, self._outgoing)
            load(self._outgoing, sizes)  # an error whose class takes other arguments than it keeps fails here
            return sizes  # noqa: TRY300  nothing else is tried
        except Exception:  # noqa: BLE001  an error that cannot be pickled is sent as text
            return store(
                RuntimeError(f"{type(error).__name__} in worker process {os.getpid()}:\n{told}"), self._outgoing
            )
