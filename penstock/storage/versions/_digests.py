"""Checksums of the files of a version, so that damage is found.

The engine's data files carry no checksums. Each commit records those of the files it added; files
never change once they are written, so one record of a file holds for every later version.
"""

from __future__ import annotations

import json
import secrets
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.errors import StorageError
from penstock.storage._location import Location
from penstock.storage._wrap import wrapped
from penstock.storage.writing._files import files_of

if TYPE_CHECKING:
    from penstock.storage.reading._snapshot import Snapshot
    from penstock.storage.writing._store import Store

__all__ = ["DamagedFile", "Digests"]

_FOLDER = "digests"
_BLOCK = 4 * 2**20
_THREADS = 2
_MANY = 16


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
        """Record the files of a version that no earlier record has."""
        known = self.known()
        with wrapped(f"read the files of {self._location.path!r}"):
            new = [file.name for file in files_of(snapshot) if file.name not in known]
        if not new:
            return
        with ThreadPoolExecutor(_THREADS) as workers:
            digests = dict(zip(new, workers.map(lambda file: _digest(self._location, file), new), strict=True))
        found = {file: digest for file, digest in digests.items() if digest}
        self._location.write(f"{_FOLDER}/{name}.json", json.dumps(found).encode())

    def merge(self) -> None:
        """Write many records as one, without files that are gone; until the others are deleted they only repeat it."""
        names = self._location.names(_FOLDER)
        if len(names) <= _MANY:
            return
        known = self.known()
        if not self._location.is_remote:
            known = {file: digest for file, digest in known.items() if Path(self._location.path, file).exists()}
        self._location.write(f"{_FOLDER}/merged-{secrets.token_hex(12)}.json", json.dumps(known).encode())
        self._location.delete(names)

    def damaged(self, snapshot: Snapshot, mapped: Callable[..., Iterable[Any]] | None = None) -> list[DamagedFile]:
        """Return the files of a version that are not what was committed; those never committed are left out.

        Parameters
        ----------
        snapshot : Snapshot
            The version.
        mapped : callable, optional
            Runs the reading of each file, as `Engine.map`; by default threads do.
        """
        known = self.known()
        with wrapped(f"read the files of {self._location.path!r}"):
            files = [file for file in files_of(snapshot) if file.name in known]
        asked = [(file.name, known[file.name]) for file in files]
        check = partial(_wrong, self._location.path)
        if mapped is not None:
            reasons = list(mapped(check, asked))
        else:
            with ThreadPoolExecutor(_THREADS) as workers:
                reasons = list(workers.map(check, asked))
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


def _digest(location: Location, file: str) -> dict[str, Any] | None:
    """Return size and checksum of a file: CRC-32 of a local file, the store's own tag of an object."""
    if not location.is_remote:
        return _checksum(location, file)
    with wrapped(f"read {file!r} of {location.path!r}"):
        found = location.object_tag(file)
    return found and {**found, "at": location.path}


def _checksum(location: Location, file: str) -> dict[str, Any] | None:
    """Return size and CRC-32 of a file wherever it is; it is read."""
    with wrapped(f"read {file!r} of {location.path!r}"):
        checksum, size = 0, 0
        try:
            for block in _blocks(location, file):
                checksum, size = zlib.crc32(block, checksum), size + len(block)
        except FileNotFoundError:
            return None
    return {"size": size, "crc32": checksum}


def _blocks(location: Location, file: str) -> Iterator[bytes]:
    if location.is_remote:
        yield from map(bytes, location.object_store().get(file).stream(min_chunk_size=_BLOCK))
        return
    with Path(location.path, file).open("rb") as stream:
        while block := stream.read(_BLOCK):
            yield block


def _found(location: Location, file: str, recorded: dict[str, Any]) -> dict[str, Any] | None:
    """Return what is known now of a file, as far as it can be compared with what is recorded.

    A dataset may have been copied since: a folder into a bucket, where the CRC-32 still holds but has to be computed
    from what is read; or out of a bucket, or into another, whose tags are not those that were recorded.
    """
    if "crc32" in recorded:
        return _checksum(location, file)
    if not location.is_remote:
        path = Path(location.path, file)
        return {**recorded, "size": path.stat().st_size} if path.is_file() else None
    with wrapped(f"read {file!r} of {location.path!r}"):
        found = location.object_tag(file)
    if found is None or recorded.get("at", location.path) == location.path:
        return found and {**recorded, **found}
    return {**recorded, "size": found["size"]}


def _wrong(path: str, asked: tuple[str, dict[str, Any]]) -> str | None:
    """Return what is wrong with a file of the dataset at `path`, by its name and what is recorded of it."""
    file, recorded = asked
    try:
        found = _found(Location(path), file, recorded)
    except StorageError as error:
        return str(error)
    if found is None:
        return f"the stored file {file!r} is missing"
    return None if found == recorded else f"the content of {file!r} differs from what was committed"
