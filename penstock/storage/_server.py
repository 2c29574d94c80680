"""The process that reads for a forked one; see `ServedVersion`."""

from __future__ import annotations

import contextlib
import pickle
import signal
import sys
from multiprocessing.connection import Connection
from typing import Any

from penstock.storage._location import Location
from penstock.storage.reading._snapshot import Snapshot
from penstock.storage.writing._store import Store

__all__ = ["main"]

_KEPT_VERSIONS = 8
Key = tuple[Location, str | None, int]
"""Location, branch and version."""


def main() -> None:
    """Answer until the process that asks has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel: Connection[Any, Any] = Connection(int(sys.argv[1]))
    versions: dict[Key, Snapshot] = {}
    with contextlib.suppress(EOFError, OSError):
        while True:
            channel.send_bytes(_answer(versions, *pickle.loads(channel.recv_bytes())))  # noqa: S301  from the parent


def _answer(
    versions: dict[Key, Snapshot],
    key: Key,
    what: str,
    arguments: tuple[Any, ...],
) -> bytes:
    try:
        return pickle.dumps(("done", _asked(_version(versions, key), what, *arguments)), protocol=5)
    except Exception as error:  # noqa: BLE001  sent to the process that asked
        return pickle.dumps(("failed", getattr(error, "message", None) or str(error)), protocol=5)


def _version(versions: dict[Key, Snapshot], key: Key) -> Snapshot:
    if key not in versions:
        while len(versions) >= _KEPT_VERSIONS:
            versions.pop(next(iter(versions)))
        location, branch, number = key
        versions[key] = Store.open(location, branch).at(number)
    return versions[key]


def _asked(snapshot: Snapshot, what: str, *arguments: Any) -> Any:
    if what == "take":
        return snapshot.source.take(*arguments)
    if what == "schema":
        return snapshot.source.schema
    if what == "count_rows":
        return snapshot.source.count_rows()
    columns, with_row_id = arguments
    return snapshot.source.to_table(columns, with_row_id=with_row_id)
