"""Folders in which new datasets are built, beside the place of each, and the locks of whoever builds there."""

from __future__ import annotations

import glob
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

__all__ = ["dead_staging", "new_staging", "staging_folders", "staging_lock", "sweep_staging"]

_STAGING = re.compile(r"\..+\.[0-9a-f]{8}\.part(\.lock)?", re.DOTALL)


def new_staging(target: Path) -> Path:
    """Return a free name beside the place of a dataset."""
    return target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")


def staging_lock(staging: Path) -> Path:
    """Return the lock whose holder builds in a staging folder."""
    return staging.with_name(f"{staging.name}.lock")


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
