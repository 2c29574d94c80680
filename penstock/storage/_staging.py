"""Folders in which new datasets are built, beside the place of each, and the locks of whoever builds there."""

from __future__ import annotations

import glob
import re
import uuid
from contextlib import suppress
from pathlib import Path

__all__ = ["new_staging", "staging_folders", "staging_lock", "sweep_staging_locks"]

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


def sweep_staging_locks(target: Path) -> None:
    """Delete the locks of those that died once the dataset was in its place."""
    from filelock import FileLock, Timeout

    for lock in target.parent.glob(f".{glob.escape(target.name)}.*.part.lock"):
        if not lock.with_suffix("").exists():
            with suppress(Timeout, OSError), FileLock(lock, timeout=0):
                lock.unlink(missing_ok=True)
