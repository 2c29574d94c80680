"""The engine's records of versions as files: their names, and whether one is whole."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["has_end", "is_version", "newest_version", "record_of", "root_of", "version_of"]

_LAST_VERSION = 2**64 - 1
_MAGIC = b"LANC"  # the last bytes of every record of a version


def newest_version(folder: Path) -> Path | None:
    """Return the record of the newest version; the newer one is, the less is its number in the name (`version_of`)."""
    names = [name for name in os.listdir(folder) if is_version(name)] if folder.is_dir() else []  # noqa: PTH208  names are enough
    return folder / min(names) if len(names) > 1 else None


def has_end(record: Path) -> bool:
    """Return whether a record of a version was written completely."""
    try:
        with record.open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - len(_MAGIC)))
            return stream.read() == _MAGIC
    except FileNotFoundError:
        return True


def is_version(name: str) -> bool:
    """Return whether a file is the record of a visible version, not of a detached one."""
    last = name.rpartition("/")[2]
    return last.endswith(".manifest") and not last.startswith("d")


def record_of(version: int) -> str:
    """Return the name of the record of a version."""
    return f"{_LAST_VERSION - version:020d}.manifest"


def version_of(record: Path) -> int:
    """Return the version a record is of: the engine names records by their distance from the last there can be."""
    return _LAST_VERSION - int(record.stem)


def root_of(branch: str | None) -> str:
    """Return the folder below the dataset where the engine keeps the files of a branch."""
    return "samples.lance" if branch is None else f"samples.lance/tree/{branch}"
