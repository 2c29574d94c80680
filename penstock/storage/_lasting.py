"""Names and contents on a local disk that outlast a power cut."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["make_folders", "sync_folder", "sync_tree"]


def make_folders(folder: Path) -> None:
    """Create a folder and its parents; the names of new ones survive a power failure."""
    new = [made for made in (folder, *folder.parents) if not made.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in new:
        sync_folder(made.parent)


def sync_tree(folder: Path) -> None:
    """Sync all files below a folder, so that they survive a power failure."""
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            sync_folder(path)
        else:
            with path.open("rb") as stream:
                os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder, so that they survive a power failure, if the system supports it."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
