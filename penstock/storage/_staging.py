"""What is not finished: folders in which new datasets are built, with their locks, and files of dead processes."""

from __future__ import annotations

import glob
import os
import re
import shutil
import socket
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from penstock.storage._readers import dead_readers
from penstock.storage._version_files import detached_versions

__all__ = [
    "dead_staging",
    "is_dead",
    "left_inside",
    "new_staging",
    "part_of",
    "size_of",
    "staging_folders",
    "staging_lock",
    "sweep_staging",
]

_HOUR = 3600.0  # seconds
_STAGING = re.compile(r"\..+\.[0-9a-f]{8}\.part(\.lock)?", re.DOTALL)


def new_staging(target: Path) -> Path:
    """Return a free name beside the place of a dataset."""
    return target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")


def staging_lock(staging: Path) -> Path:
    """Return the lock whose holder builds in a staging folder."""
    return staging.with_name(f"{staging.name}.lock")


def part_of(target: Path) -> Path:
    """Return where a small file is written before it takes its place; the name says by whom."""
    return target.with_name(f".{target.name}.{os.getpid()}@{_host()}.part")


def is_dead(part: Path) -> bool:
    """Return whether the process that began a file is no more; where that cannot be known, an hour must have passed."""
    process, _, host = part.name.removesuffix(".part").rpartition(".")[2].partition("@")
    if host == _host() and process.isdigit():
        return not _is_alive(int(process))
    with suppress(OSError):
        return time.time() - part.stat().st_mtime > _HOUR
    return False


def _host() -> str:
    return socket.gethostname().partition(".")[0]


def _is_alive(process: int) -> bool:
    if os.name != "posix":  # there is no harmless signal
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # of another user
        return True
    return True


def staging_folders(folder: Path) -> list[Path]:
    """Return the staging folders in a folder, also those of which only the lock is left."""
    names = {path.name.removesuffix(".lock") for path in folder.iterdir() if _STAGING.fullmatch(path.name)}
    return [folder / name for name in sorted(names)]


def dead_staging(target: Path) -> list[Path]:
    """Return what was left beside the place of a dataset by those that died while they built it."""
    return [path for lock in _dead_locks(target) for path in (lock, lock.with_suffix("")) if path.exists()]


def sweep_staging(target: Path, *, folders: bool) -> None:
    """Delete the locks of those that died after the dataset was in its place; `folders`: also those of all others."""
    for lock in _dead_locks(target):
        if folders:
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
        if not lock.with_suffix("").exists():
            lock.unlink(missing_ok=True)


def _dead_locks(target: Path) -> Iterator[Path]:
    """Yield the locks of processes that died, each while it is held."""
    from filelock import FileLock, Timeout

    for lock in target.parent.glob(f".{glob.escape(target.name)}.*.part.lock"):
        with suppress(Timeout, OSError), FileLock(lock, timeout=0):
            yield lock


# ---- inside a dataset ----------------------------------------------------------------------------


def left_inside(home: Path, folders: Sequence[str]) -> list[Path]:
    """Return files that were never finished, and marks of processes that are no more.

    Parameters
    ----------
    home : Path
        The dataset.
    folders : sequence of str
        The folder of the samples, and those of small files.
    """
    samples, *small = folders
    parts = [part for folder in small for part in (home / folder).glob("**/.*.part") if is_dead(part)]
    return [*parts, *detached_versions(home / samples), *dead_readers(home)]


def size_of(leftovers: Iterable[Path]) -> int:
    """Return the bytes of files and folders."""
    files = [file for left in leftovers for file in ([left, *left.rglob("*")] if left.is_dir() else [left])]
    return sum(file.stat().st_size for file in files if file.is_file())
