"""The files of a version, and how they are protected from power failures and failing disks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.errors import StorageError
from penstock.storage._location import Location
from penstock.storage._version_files import root_of
from penstock.storage.reading._columns import owner_columns

if TYPE_CHECKING:
    import lance

    from penstock.storage.reading._snapshot import Snapshot

__all__ = ["VersionFile", "files_of", "names_in", "secure"]

_ENDS = {".lance": b"LANC", ".arrow": b"ARROW1"}  # the last bytes of a whole file


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionFile:
    """A data file, or a file of deletion marks.

    Parameters
    ----------
    name : str
        Below the dataset.
    columns : tuple of str
        The physical columns it holds; empty for a file of deletion marks.
    first, last : int
        The rows it holds, counted as the engine does.
    """

    name: str
    columns: tuple[str, ...]
    first: int
    last: int


def files_of(snapshot: Snapshot) -> Iterator[VersionFile]:
    """Yield the data files and deletion files of a version, with their rows and columns."""
    handle = snapshot.handle
    fields = [(int(field.id()), str(field.name())) for field in handle.lance_schema.fields()]
    bases = handle.base_paths()
    start = 0
    for fragment in handle.get_fragments():
        meta = fragment.metadata
        last = start + fragment.count_rows() - 1
        for data in meta.files:
            name = f"{_root(snapshot, bases, data.base_id)}/data/{data.path}"
            yield VersionFile(name=name, columns=owner_columns(fields, data.fields), first=start, last=last)
        if meta.deletion_file is not None:
            root = _root(snapshot, bases, meta.deletion_file.base_id)
            yield VersionFile(name=f"{root}/{meta.deletion_file.path(meta.id)}", columns=(), first=start, last=last)
        start = last + 1


def _root(snapshot: Snapshot, bases: Mapping[int, Any], base_id: int | None) -> str:
    """Return the folder below the dataset that contains a file: that of its branch, or of one it was created from."""
    if base_id is not None and base_id in bases:
        return f"samples.lance{str(bases[base_id].path).rpartition('/samples.lance')[2]}"
    return root_of(snapshot.branch)


# ---- whole, and on the disk ----------------------------------------------------------------------


def names_in(fragments: Iterable[lance.FragmentMetadata]) -> dict[str, int | None]:
    """Return the files that fragments keep on their own branch, and how long each must be where that is recorded."""
    found: dict[str, int | None] = {}
    for meta in fragments:
        found.update({f"data/{data.path}": data.file_size_bytes for data in meta.files if data.base_id is None})
        marks = meta.deletion_file
        if marks is not None and marks.base_id is None:
            found[marks.path(meta.id)] = None
    return found


def secure(location: Location, branch: str | None, files: Mapping[str, int | None]) -> None:
    """Check that new files are as long as they must be, and make them survive a power failure.

    The engine does not notice every write that a disk refuses: a version may not name a file that was cut short.
    An object store saves a file completely or not at all, so it needs no check.
    """
    if location.is_remote or not files:
        return
    root = Path(location.path, root_of(branch))
    for name, size in files.items():
        _secure(root / name, size)
    location.sync_folders({(root / name).parent for name in files})


def _secure(file: Path, size: int | None) -> None:
    end = _ENDS.get(file.suffix, b"")
    with file.open("rb") as stream:
        there = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, there - len(end)))
        if there == 0 or size not in {None, there} or stream.read() != end:
            raise StorageError(f"the disk did not save {file.name!r} completely ({there} bytes)")
        os.fsync(stream.fileno())
