"""The engine's records of versions as files: their names, and whether one is whole."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["detached_versions", "has_end", "is_version", "newest_version", "record_of", "root_of", "version_of"]

_LAST_VERSION = 2**64 - 1
_RECORD, _DETACHED = ".manifest", "d"
_MAGIC = b"LANC"  # the last bytes of every record of a version


def newest_version(folder: Path) -> Path | None:
    """Return the record of the newest version; the newer one is, the less is its number in the name (`version_of`)."""
    there = os.listdir(folder) if folder.is_dir() else []  # noqa: PTH208  names are enough
    names = [name for name in there if name[0] != _DETACHED and name.endswith(_RECORD)]
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
    return last.endswith(_RECORD) and not last.startswith(_DETACHED)


def detached_versions(samples: Path) -> list[Path]:
    """Return the records of versions of no branch, which a step has while it is prepared."""
    folders = [samples / "_versions", *(branch / "_versions" for branch in _folders(samples / "tree"))]
    return [
        folder / name
        for folder in folders
        if folder.is_dir()
        for name in os.listdir(folder)  # noqa: PTH208  names are enough
        if name.startswith(_DETACHED) and name.endswith(_RECORD)
    ]


def _folders(tree: Path) -> list[Path]:
    return [Path(entry.path) for entry in os.scandir(tree) if entry.is_dir()] if tree.is_dir() else []


def record_of(version: int) -> str:
    """Return the name of the record of a version."""
    return f"{_LAST_VERSION - version:020d}.manifest"


def version_of(record: Path) -> int:
    """Return the version a record is of: the engine names records by their distance from the last there can be."""
    return _LAST_VERSION - int(record.stem)


def root_of(branch: str | None) -> str:
    """Return the folder below the dataset where the engine keeps the files of a branch."""
    return "samples.lance" if branch is None else f"samples.lance/tree/{branch}"
