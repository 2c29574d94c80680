"""Checksums of the files a version is made of, so that damage is found and not read.

The engine's data files carry no checksums. Each commit records those of the files it added; files
never change once they are written, so one record of a file holds for every later version.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.errors import StorageError
from penstock.storage._location import Location, sync_folder
from penstock.storage._wrap import wrapped

if TYPE_CHECKING:
    from penstock.storage._snapshot import Snapshot
    from penstock.storage._store import Store

__all__ = ["DamagedFile", "Digests"]

_FOLDER = "digests"
_BLOCK = 4 * 2**20
_THREADS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class DamagedFile:
    """A file that is not what was committed.

    Parameters
    ----------
    file : str
        Its name below the dataset.
    columns : tuple of str
        The physical columns it holds; empty for a file of deletion marks.
    first, last : int
        The rows it holds, counted as the engine does.
    reason : str
        What is wrong with it.
    """

    file: str
    columns: tuple[str, ...]
    first: int
    last: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    name: str
    columns: tuple[str, ...]
    first: int
    last: int


class Digests:
    """The recorded checksums of a dataset; each record is read once.

    Parameters
    ----------
    store : Store
        The dataset.
    """

    def __init__(self, store: Store) -> None:
        self._location = store.location
        self._read: set[str] = set()
        self._known: dict[str, dict[str, Any]] = {}

    def known(self) -> dict[str, dict[str, Any]]:
        """Return the checksum of each recorded file by its name."""
        for name in self._location.names(_FOLDER):
            if name not in self._read:
                self._read.add(name)
                self._known.update(_parsed(self._location.read(name)))
        return self._known

    def record(self, snapshot: Snapshot, name: str) -> None:
        """Record the files of a version that no earlier record has, and make them outlast a power cut."""
        known = self.known()
        with wrapped(f"read the files of {self._location.path!r}"):
            new = [file.name for file in _files(snapshot) if file.name not in known]
        if not new:
            return
        with ThreadPoolExecutor(_THREADS) as workers:
            digests = dict(
                zip(new, workers.map(lambda file: _digest(self._location, file, sync=True), new), strict=True)
            )
        if not self._location.is_remote:
            for folder in {Path(self._location.path, file).parent for file in new}:
                sync_folder(folder)
        found = {file: digest for file, digest in digests.items() if digest}
        self._location.write(f"{_FOLDER}/{name}.json", json.dumps(found).encode())

    def damaged(self, snapshot: Snapshot) -> list[DamagedFile]:
        """Return the files of a version that are not what was committed; those never committed are left out."""
        known = self.known()
        with wrapped(f"read the files of {self._location.path!r}"):
            files = [file for file in _files(snapshot) if file.name in known]
        with ThreadPoolExecutor(_THREADS) as workers:
            reasons = list(workers.map(lambda file: _wrong(self._location, file.name, known[file.name]), files))
        return [
            DamagedFile(file=file.name, columns=file.columns, first=file.first, last=file.last, reason=reason)
            for file, reason in zip(files, reasons, strict=True)
            if reason
        ]


def _parsed(content: bytes | None) -> dict[str, dict[str, Any]]:
    """Return a record's checksums; one that is damaged itself vouches for nothing."""
    try:
        found = json.loads(content or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _files(snapshot: Snapshot) -> Iterator[_File]:
    """Give the data files and files of deletion marks of a version, and what rows and columns they hold."""
    handle = snapshot.handle
    fields = [(int(field.id()), str(field.name())) for field in handle.lance_schema.fields()]
    bases = handle.base_paths()
    start = 0
    for fragment in handle.get_fragments():
        meta = fragment.metadata
        last = start + fragment.count_rows() - 1
        for data in meta.files:
            name = f"{_root(snapshot, bases, data.base_id)}/data/{data.path}"
            yield _File(name=name, columns=_columns(fields, data.fields), first=start, last=last)
        if meta.deletion_file is not None:
            root = _root(snapshot, bases, meta.deletion_file.base_id)
            yield _File(name=f"{root}/{meta.deletion_file.path(meta.id)}", columns=(), first=start, last=last)
        start = last + 1


def _root(snapshot: Snapshot, bases: Mapping[int, Any], base_id: int | None) -> str:
    """Return the folder below the dataset where the engine keeps a file: its branch's, or one it was made from."""
    if base_id is not None and base_id in bases:
        return f"samples.lance{str(bases[base_id].path).rpartition('/samples.lance')[2]}"
    return "samples.lance" if snapshot.branch is None else f"samples.lance/tree/{snapshot.branch}"


def _columns(fields: Sequence[tuple[int, str]], ids: Sequence[int]) -> tuple[str, ...]:
    """Return the columns of some field numbers: the parts of a list follow its own number."""
    found: dict[str, None] = {}
    for leaf in ids:
        before = [name for number, name in fields if number <= leaf]
        if before:
            found[before[-1]] = None
    return tuple(found)


def _digest(location: Location, file: str, *, sync: bool = False) -> dict[str, Any] | None:
    """Return size and checksum of a file: CRC-32 of a local file, the store's own tag of an object."""
    with wrapped(f"read {file!r} of {location.path!r}"):
        if location.is_remote:
            return location.object_tag(file)
        path = Path(location.path, file)
        if not path.is_file():
            return None
        checksum, size = 0, 0
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                checksum, size = zlib.crc32(block, checksum), size + len(block)
            if sync:
                os.fsync(stream.fileno())
        return {"size": size, "crc32": checksum}


def _wrong(location: Location, file: str, recorded: dict[str, Any]) -> str | None:
    try:
        found = _digest(location, file)
    except StorageError as error:
        return str(error)
    if found is None:
        return f"the stored file {file!r} is missing"
    return None if found == recorded else f"the bytes of {file!r} are not those that were committed"
