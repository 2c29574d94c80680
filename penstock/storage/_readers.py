"""Versions that somebody reads, marked for whoever cleans up: a file in the dataset, locked while they are read."""

from __future__ import annotations

import os
import secrets
import sys
import weakref
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":  # which does not delete a file that is open
    import fcntl

__all__ = ["dead_readers", "hold", "read_versions"]

_FOLDER = ".readers"
_MAIN = "main"


def hold(home: Path, reader: object, branch: str | None, version: int, record: Path) -> bool:
    """Keep a version from being cleaned up while its reader exists; return whether the version is there.

    The operating system gives the lock back when the process dies. Where nothing can be locked, such as in a folder
    that is not writable, only the age of a version protects it.

    Parameters
    ----------
    home : Path
        The dataset.
    reader : object
        What reads the version.
    branch : str or None
        The branch.
    version : int
        The version's number on it.
    record : Path
        The file that is there as long as the version is.
    """
    if sys.platform == "win32":
        return True
    file = home / _FOLDER / f"{branch or _MAIN}@{version}@{secrets.token_hex(4)}"
    try:
        file.parent.mkdir(exist_ok=True)
        lock = os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC)
        fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError:
        return True
    weakref.finalize(reader, _release, file, lock, os.getpid())
    return file.exists() and record.exists()  # the file is not there if it was swept before it was locked


def _release(file: Path, lock: int, process: int) -> None:
    with suppress(OSError):
        os.close(lock)  # the lock of a forked child is that of its parent, which has it until both have closed it
        if os.getpid() == process:
            file.unlink(missing_ok=True)


def read_versions(home: Path) -> set[tuple[str | None, int]]:
    """Return the versions that are read now, by branch and number."""
    found = set()
    for file in _files(home):
        branch, _, rest = file.name.rpartition("@")[0].rpartition("@")
        if rest.isdigit() and _is_locked(file):
            found.add((None if branch == _MAIN else branch, int(rest)))
    return found


def dead_readers(home: Path) -> list[Path]:
    """Return the marks of processes that died."""
    return [file for file in _files(home) if not _is_locked(file)]


def _files(home: Path) -> list[Path]:
    folder = home / _FOLDER
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _is_locked(file: Path) -> bool:
    if sys.platform == "win32":
        return True
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
