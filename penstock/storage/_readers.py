"""Versions that somebody reads, marked for whoever cleans up: a file in the dataset, locked while they are read."""

from __future__ import annotations

import os
import secrets
import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.storage._version_files import record_of

if TYPE_CHECKING:
    from penstock.storage._location import Location
    from penstock.storage.reading._snapshot import Snapshot

try:
    import fcntl
except ImportError:  # Windows does not delete a file that is open
    fcntl = None  # type: ignore[assignment]

__all__ = ["dead_readers", "hold", "read_versions"]

_FOLDER = ".readers"
_MAIN = "main"


def hold(location: Location, snapshot: Snapshot, root: str) -> bool:
    """Keep a version from being cleaned up while a snapshot of it exists; return whether the version is there.

    The operating system gives the lock back when the process dies. Where nothing can be locked, in an object store or
    a folder that is not writable, only the age of a version protects it.

    Parameters
    ----------
    location : Location
        The dataset.
    snapshot : Snapshot
        The version that is read.
    root : str
        The folder of its branch below the dataset.
    """
    if location.is_remote or fcntl is None:
        return True
    name = f"{snapshot.branch or _MAIN}@{snapshot.version}@{secrets.token_hex(4)}"
    file = Path(location.path, _FOLDER, name)
    with suppress(OSError):
        file.parent.mkdir(exist_ok=True)
        lock = os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC)
        fcntl.flock(lock, fcntl.LOCK_EX)
        weakref.finalize(snapshot, _release, file, lock, os.getpid())
        there = file.exists()  # not if it was swept between the two lines above
        return there and Path(location.path, root, "_versions", record_of(snapshot.version)).exists()
    return True


def _release(file: Path, lock: int, process: int) -> None:
    with suppress(OSError):
        os.close(lock)  # the lock of a forked child is that of its parent, which has it until both have closed it
        if os.getpid() == process:
            file.unlink(missing_ok=True)


def read_versions(location: Location) -> set[tuple[str | None, int]]:
    """Return the versions that are read now, by branch and number."""
    found = set()
    for file in [] if location.is_remote else _files(Path(location.path)):
        branch, _, rest = file.name.rpartition("@")[0].rpartition("@")
        if rest.isdigit() and _is_locked(file):
            found.add((None if branch == _MAIN else branch, int(rest)))
    return found


def dead_readers(home: Path) -> list[Path]:
    """Return the marks of processes that died."""
    return [file for file in _files(home) if not _is_locked(file)]


def _files(home: Path) -> list[Path]:
    folder = home / _FOLDER
    return sorted(folder.iterdir()) if fcntl is not None and folder.is_dir() else []


def _is_locked(file: Path) -> bool:
    try:
        lock = os.open(file, os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError:  # of another user: whether it is locked cannot be known
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False
