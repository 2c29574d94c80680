"""What killed processes left in a local dataset."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from penstock.storage._readers import dead_readers
from penstock.storage._staging import is_dead
from penstock.storage._version_files import detached_versions

__all__ = ["left_inside", "size_of"]


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
