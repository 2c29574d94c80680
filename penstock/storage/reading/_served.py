"""Reading in a forked child, through a fresh process: the engine does not survive a fork."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import threading
from collections.abc import Sequence
from functools import cached_property
from multiprocessing.connection import Connection
from pathlib import Path
from socket import socketpair
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from penstock.errors import StorageError
from penstock.storage._fork import ENGINE, renew_in_children
from penstock.storage._location import Location

if TYPE_CHECKING:
    import lance
    import pyarrow as pa

__all__ = ["Refused", "ServedVersion"]

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); from penstock.storage._server import main; main()"
)


class Refused:
    """Replacement for the engine's dataset in a forked child: every access raises an error."""

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        ENGINE.check()
        raise StorageError(f"{name} of a dataset in a forked process")


class ServedVersion:
    """A version read by a process that may call the engine, for one that may not; see `Version`.

    Parameters
    ----------
    location : Location
        Where the dataset is.
    branch : str, optional
        The branch.
    version : int
        The version.
    """

    def __init__(self, location: Location, branch: str | None, version: int) -> None:
        self._key = (location, branch, version)
        self.version = version

    @property
    def handle(self) -> lance.LanceDataset:
        """Stand for the engine's dataset: whatever it is asked is an error."""
        refused: Any = Refused()
        return refused

    @cached_property
    def schema(self) -> pa.Schema:
        """The schema of the version."""
        return _SERVER.ask(self._key, "schema")

    def count_rows(self) -> int:
        """Return the number of rows."""
        rows: int = _SERVER.ask(self._key, "count_rows")
        return rows

    def to_table(self, columns: Sequence[str], *, with_row_id: bool = False) -> pa.Table:
        """Return whole columns."""
        return _SERVER.ask(self._key, "to_table", list(columns), with_row_id)

    def take(self, places: NDArray[np.int64], columns: Sequence[str]) -> pa.Table:
        """Return rows by increasing place."""
        return _SERVER.ask(self._key, "take", np.asarray(places), list(columns))


class _Server:
    """The server process, started on first use; every forked process starts its own."""

    def __init__(self) -> None:
        self._channel: Connection[Any, Any] | None = None
        self.renew()
        renew_in_children(self)

    def renew(self) -> None:
        """Do not use the parent's process."""
        self._lock = threading.Lock()
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    def ask(self, key: tuple[Location, str | None, int], what: str, *arguments: Any) -> Any:
        with self._lock:
            try:
                channel = self._channel = self._channel or _started()
                channel.send_bytes(pickle.dumps((key, what, arguments), protocol=5))
                answer = channel.recv_bytes()
            except (EOFError, OSError) as error:
                self._channel = None
                raise StorageError(
                    f"the process that reads {key[0].path!r} for this forked process has exited"
                ) from error
        told, given = pickle.loads(answer)  # noqa: S301  from this process's own child
        if told == "failed":
            raise StorageError(given)
        return given


def _started() -> Connection[Any, Any]:
    ours, theirs = socketpair()
    paths = [path or str(Path.cwd()) for path in sys.path]
    command = [sys.executable, "-c", _START, json.dumps(paths), str(theirs.fileno())]
    process = subprocess.Popen(  # noqa: S603  this interpreter, own arguments
        command, pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL, start_new_session=True
    )
    process.returncode = 0  # it ends when this process does, and is not waited for
    theirs.close()
    return Connection(ours.detach())


_SERVER = _Server()
