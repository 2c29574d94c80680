"""The files of a saved view: its record, without which it does not exist, and its rows."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ReadOnlyError, StorageError
from penstock.storage import Location, Mark, Store, decoded, delete_tag_named, encoded, is_abandoned, tags_named

__all__ = [
    "ViewRecord",
    "damaged_records",
    "delete_record",
    "read_places",
    "read_rows",
    "sweep_views",
    "view_records",
    "write_record",
    "write_view",
    "write_views",
]

_CHECK = "sha256"
_MANY = 2**32
_TAG = "view-"  # where datasets of before kept their records


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewRecord:
    """The record of a saved view.

    Parameters
    ----------
    commit : str
        The commit it is bound to.
    branch : str or None
        The branch of that commit.
    version : int
        Its version on the branch.
    message, query, author : str
        The message, the query and the author.
    seed, num_samples : int
        Seed of the query, and number of samples.
    time : float
        Seconds since 1970, UTC.
    rows_sha256 : str
        Checksum of the file of rows; empty if none was recorded.
    places_sha256 : str
        Checksum of the file of row numbers; empty where the view was saved without one.
    copy : str
        Name of the copy of its samples below the dataset; empty without one.
    together : tuple of str
        Ids of the views it was saved with, its own among them: none exists until the record of each is there.
    """

    commit: str
    branch: str | None
    version: int
    message: str = ""
    query: str = ""
    author: str = "unknown"
    seed: int = 0
    num_samples: int = 0
    time: float = 0.0
    rows_sha256: str = ""
    copy: str = ""
    places_sha256: str = ""
    together: tuple[str, ...] = ()

    @property
    def saved_at(self) -> datetime:
        """When it was saved."""
        try:
            return datetime.fromtimestamp(self.time, UTC)
        except (ValueError, OverflowError, OSError):
            return datetime.fromtimestamp(0, UTC)


def _record_file(view_id: str) -> str:
    return f"views/{encoded(view_id)}.json"


def _rows_file(view_id: str) -> str:
    return f"views/{view_id}.npy"


def _places_file(view_id: str) -> str:
    return f"views/{view_id}.places.npy"


def write_view(
    location: Location, view_id: str, record: ViewRecord, uids: NDArray[np.int64], rows: NDArray[np.int64]
) -> None:
    """Save a view: its samples by identity and by row number first, then the record, which makes it exist."""
    content, places = _packed(uids, "<i8"), _packed(rows, "<u4" if rows.max(initial=0) < _MANY else "<i8")
    with location.lock():
        location.write(_rows_file(view_id), content)
        location.write(_places_file(view_id), places)
        kept = replace(record, rows_sha256=_sha256(content), places_sha256=_sha256(places))
        write_record(location, view_id, kept)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write_views(
    location: Location, views: Mapping[str, tuple[ViewRecord, NDArray[np.int64], NDArray[np.int64]]]
) -> None:
    """Save views that name one another: they exist from the moment the last record is written."""
    with location.lock():
        try:
            for view_id, (record, uids, rows) in views.items():
                write_view(location, view_id, record, uids, rows)
        except BaseException:
            files = (_record_file, _rows_file, _places_file)
            location.delete([file(view_id) for file in files for view_id in views])
            raise


def write_record(location: Location, view_id: str, record: ViewRecord) -> None:
    """Write the record of a view, replacing the existing one."""
    with location.lock():
        written = asdict(record)
        location.write(_record_file(view_id), json.dumps({**written, _CHECK: _checksum(written)}).encode())


def _checksum(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def damaged_records(store: Store) -> list[str]:
    """Return the files of records that cannot be read, or are not what was written."""
    files = [name for name in store.location.names("views") if name.endswith(".json")]
    return [name for name in files if _parsed(store.location.read(name)) is None]


def _packed(numbers: NDArray[np.int64], dtype: str) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(numbers, dtype), allow_pickle=False)
    return buffer.getvalue()


def view_records(store: Store) -> dict[str, ViewRecord]:
    """Return the records of a dataset's views by id; what cannot be read is a leftover and left out."""
    found = {}
    names = set(store.location.names("views"))
    for name in sorted(names):
        if name.endswith(".json"):
            record = _parsed(store.location.read(name))
            if record is not None:
                found[decoded(name.removeprefix("views/").removesuffix(".json"))] = record
    found = {view_id: record for view_id, record in found.items() if _is_complete(record, names)}
    for name, mark in tags_named(store, _TAG).items():
        if mark.note.get("commit"):
            found.setdefault(decoded(name), _of_tag(decoded(name), mark))
    return found


def _is_complete(record: ViewRecord, names: Collection[str]) -> bool:
    """Return whether the records of all views that a view was saved with are there, readable or not."""
    return all(_record_file(each) in names for each in record.together)


def _parsed(content: bytes | None) -> ViewRecord | None:
    try:
        stored = json.loads(content or b"")
        checksum = stored.pop(_CHECK, None)
        if checksum is not None and checksum != _checksum(stored):
            return None
        kinds: Mapping[str, Any] = {
            "branch": lambda value: None if value is None else str(value),
            **dict.fromkeys(("version", "seed", "num_samples"), int),
            "together": lambda value: tuple(map(str, value)),
            "time": float,
        }
        known = ViewRecord.__dataclass_fields__
        return ViewRecord(**{key: kinds.get(key, str)(value) for key, value in stored.items() if key in known})
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def _of_tag(view_id: str, mark: Mark) -> ViewRecord:
    note = mark.note
    return ViewRecord(
        commit=note.get("commit", ""),
        branch=mark.branch,
        version=mark.version,
        message=note.get("message", ""),
        query=note.get("query", ""),
        author=note.get("author", "unknown"),
        seed=int(note.get("seed", 0)),
        num_samples=int(note.get("num_samples", 0)),
        time=float(note.get("time", 0)),
        copy=f"views/{view_id}.penstock" if note.get("optimized") == "1" else "",
    )


def read_rows(location: Location, view_id: str, record: ViewRecord) -> NDArray[np.int64]:
    """Return the uids of a view's samples, int64, checked against the record."""
    content = location.read(_rows_file(view_id))
    if content is None:
        raise StorageError(f"the rows of view {view_id!r} are missing ({_rows_file(view_id)})")
    if record.rows_sha256 and _sha256(content) != record.rows_sha256:
        raise StorageError(f"the rows of view {view_id!r} differ from those that were saved ({_rows_file(view_id)})")
    try:
        return _unpacked(content)
    except Exception as error:  # numpy parses the header as Python, whose tokenizer has errors of its own
        raise StorageError(f"the rows of view {view_id!r} cannot be read ({_rows_file(view_id)})") from error


def _unpacked(content: bytes) -> NDArray[np.int64]:
    numbers: NDArray[np.int64] = np.load(io.BytesIO(content), allow_pickle=False).astype(np.int64)
    return numbers


def read_places(location: Location, view_id: str, record: ViewRecord) -> NDArray[np.int64] | None:
    """Return the row numbers of a view's samples in its version, int64; None unless they are those that were saved."""
    content = location.read(_places_file(view_id)) if record.places_sha256 else None
    return _unpacked(content) if content is not None and _sha256(content) == record.places_sha256 else None


def delete_record(store: Store, view_id: str, record: ViewRecord) -> None:
    """Delete a view: the record first, then what nothing names any more."""
    with store.location.lock():
        _set_apart(store, view_id, record)
        if view_id in {decoded(name) for name in tags_named(store, _TAG)}:
            delete_tag_named(store, f"{_TAG}{encoded(view_id)}")
        store.location.delete([_record_file(view_id)])
        store.location.sync_folder("views")
        store.location.delete([_rows_file(view_id), _places_file(view_id)])
    if record.copy:
        store.location.below(record.copy).remove()


def _set_apart(store: Store, view_id: str, record: ViewRecord) -> None:
    """Let the views that one was saved with exist without it."""
    others = [each for each in record.together if each != view_id]
    records = view_records(store) if others else {}
    for other in others:
        if other in records:
            write_record(store.location, other, replace(records[other], together=()))


def sweep_views(store: Store, older_than: timedelta | None = None) -> None:
    """Delete rows and copies that no record refers to and that no process is writing.

    Parameters
    ----------
    store : Store
        The dataset.
    older_than : timedelta, optional
        In an object store, where nothing shows whether a process on another machine is alive: the time after which
        what nothing is written to counts as left. By default nothing is deleted there.
    """
    location = store.location
    if location.is_remote:
        if older_than is not None:
            _sweep_in_store(store, older_than)
        return
    there = location.names("views")
    if not there:
        return
    with suppress(StorageError, ReadOnlyError), location.lock(timeout=0):
        records = view_records(store)
        named = _named(records)
        left = [name for name in location.names("views") if name not in named and not name.endswith(".json")]
        location.delete([name for name in left if name.endswith(".npy")])
        location.delete([name for name in there if name.endswith(".json") and _is_alone(location, name, set(there))])
        for name in (name for name in left if name.endswith(".penstock")):
            copy = location.below(name)
            with suppress(StorageError, ReadOnlyError):
                with copy.lock(timeout=0):
                    pass  # whoever makes it holds this lock
                copy.remove()


def _named(records: Mapping[str, ViewRecord]) -> set[str]:
    """Return the files and copies of views."""
    files = {file for view_id in records for file in (_rows_file(view_id), _places_file(view_id))}
    return files | {record.copy for record in records.values()}


def _is_alone(location: Location, name: str, names: Collection[str]) -> bool:
    """Return whether a record names views beside it that were never written."""
    record = _parsed(location.read(name))
    return record is not None and not _is_complete(record, names)


def _sweep_in_store(store: Store, older_than: timedelta) -> None:
    location = store.location
    written = dict(location.written("views/"))
    records = view_records(store)
    named = _named(records)
    left = [name for name in location.names("views") if name not in named and not name.endswith(".json")]
    now = datetime.now(UTC)
    location.delete([name for name in left if name in written and now - written[name] > older_than])
    for copy in (location.below(name) for name in left if name.endswith(".penstock")):
        if is_abandoned(copy, older_than):
            copy.remove()
