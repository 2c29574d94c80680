"""One version of a stored dataset, to read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.storage._fork import renew_in_children
from penstock.storage._location import Location
from penstock.storage._wrap import wrapped
from penstock.storage.reading._cached_version import CachedVersion
from penstock.storage.reading._columns import UID, flat_batches
from penstock.storage.reading._parts import Part, part_starts, parts_of, runs
from penstock.storage.reading._served import ServedVersion
from penstock.storage.reading._stored_version import Version

if TYPE_CHECKING:
    import lance
    import pyarrow as pa

__all__ = ["ID", "META_KEY", "Snapshot"]

META_KEY = b"penstock"
_DENSE = 16  # rows of a part for each one that is wanted, up to which it is read whole
_FEW = 1024  # samples that are read at a time where only a part of each is kept
ID = "id"  # of the dataset's description: what tells it from another made at its path
_BATCH = 1 << 17  # row ids that are read at a time
_KEPT: list[Any] = []  # the parent's handles in a forked child, where giving them back would call the engine


class Snapshot:
    """A version that never changes; safe to read from many threads.

    Sample ``i`` is the ``i``-th by row id, which is the order of appending: another
    tool's update moves rows inside the files, but not their ids.

    Parameters
    ----------
    version : Version
        Who reads it.
    location : Location
        Where the dataset is.
    branch : str, optional
        The branch.
    """

    def __init__(self, version: Version, location: Location, branch: str | None) -> None:
        self.source = version
        self.location = location
        self.path = location.path
        self.branch = branch
        self.version = version.version
        self._uids_then: tuple[tuple[Part, ...], NDArray[np.int64]] | None = None
        renew_in_children(self)

    def renew(self) -> None:
        """Read through another process in a forked child."""
        _KEPT.append(self.source)
        self.source = ServedVersion(self.location, self.branch, self.version)

    def from_store(self) -> Snapshot:
        """Return the same version, read without the local cache."""
        source = self.source.direct if isinstance(self.source, CachedVersion) else self.source
        return Snapshot(source, Location(self.path), self.branch)

    @cached_property
    def num_rows(self) -> int:
        """Number of samples."""
        with wrapped(f"count the samples of {self.path!r}"):
            return self.source.count_rows()

    @cached_property
    def meta(self) -> dict[str, Any]:
        """The metadata of the dataset: tensors, credential names, notes."""
        with wrapped(f"read the metadata of the dataset at {self.path!r}"):
            meta: dict[str, Any] = json.loads((self.source.schema.metadata or {}).get(META_KEY, b"{}"))
        return meta

    @cached_property
    def columns(self) -> frozenset[str]:
        """Names of the existing physical columns."""
        with wrapped(f"read the columns of {self.path!r}"):
            return frozenset(self.source.schema.names)

    def element_type(self, column: str) -> str:
        """Return the numpy name of the elements of a column of lists."""
        name: str = np.dtype(self.source.schema.field(column).type.value_type.to_pandas_dtype()).name
        return name

    @cached_property
    def files(self) -> tuple[Part, ...]:
        """The parts as they lie in the files, whatever the order of the samples; empty after a fork."""
        if isinstance(self.source, ServedVersion):
            return ()
        with wrapped(f"read the files of {self.path!r}"):
            return parts_of(self.source.handle, self.branch)

    @property
    def parts(self) -> tuple[Part, ...] | None:
        """The parts of the samples, in their order; None where another tool moved rows, or after a fork."""
        return self.files if not isinstance(self.source, ServedVersion) and self._order is None else None

    @property
    def knows_parts(self) -> bool:
        """Whether `parts` are known without reading anything."""
        return self.__dict__.get("_order", self) is None and not isinstance(self.source, ServedVersion)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """First row of each part, and after the last one the number of rows, int64."""
        return part_starts(self.parts or ())

    @cached_property
    def _order(self) -> NDArray[np.int64] | None:
        if not isinstance(self.source, ServedVersion) and self._lies_in_order():
            return None
        with wrapped(f"read the row order of {self.path!r}"):
            table = self.source.to_table([], with_row_id=True)
        row_ids: NDArray[np.uint64] = table["_rowid"].to_numpy()
        return None if (row_ids[1:] > row_ids[:-1]).all() else np.argsort(row_ids.astype(np.int64), kind="stable")

    def learn(self, before: Snapshot) -> None:
        """Take over what is known of another version of the dataset, as far as it holds for this one."""
        if before.__dict__.get("_order", before) is not None or isinstance(self.source, ServedVersion):
            return  # the order of the other version is not known, or not that of its files
        then = before.parts
        if then is None or before.path != self.path:
            return
        if "_order" not in self.__dict__ and self._follows(then):
            self.__dict__["_order"] = None
        if "uids" in before.__dict__:
            self._uids_then = (then, before.uids)
        elif before._uids_then is not None:
            self._uids_then = before._uids_then

    def _follows(self, then: Sequence[Part]) -> bool:
        """Return whether the samples are in the order of appending because they are those of an ordered version."""
        places = {part.name: place for place, part in enumerate(then)}
        mine = [places.get(part.name, -1) for part in self.files]
        return -1 not in mine and all(one < two for one, two in pairwise(mine))

    @cached_property
    def is_in_order(self) -> bool:
        """Whether the rows lie in the files in the order of samples; told without holding a number for each."""
        if "_order" in self.__dict__:
            return self._order is None
        return self._lies_in_order()

    def _lies_in_order(self) -> bool:
        with wrapped(f"read the row order of {self.path!r}"):
            last = -1
            for batch in self.handle.scanner(columns=[], with_row_id=True, batch_size=_BATCH).to_batches():
                row_ids = batch["_rowid"].to_numpy().astype(np.int64)
                if len(row_ids) and (row_ids[0] <= last or (row_ids[1:] <= row_ids[:-1]).any()):
                    return False
                last = int(row_ids[-1]) if len(row_ids) else last
        return True

    @cached_property
    def uids(self) -> NDArray[np.int64]:
        """Identity of every sample, int64 of shape (num_rows,)."""
        known, self._uids_then = self._uids_then, None
        if known is None or self.parts is None:
            uids: NDArray[np.int64] = self.read([UID])[UID].to_numpy()
            return uids
        then, uids = known
        found = runs(then, self.parts, [UID])
        if len(found) == 1 and found[0].place is None and found[0].end - found[0].begin == len(uids):
            return uids
        pieces = [
            uids[run.begin : run.end] if run.place is None else self.read_parts([run.place], [UID])[UID].to_numpy()
            for run in found
        ]
        return np.concatenate([np.empty(0, np.int64), *pieces])

    @property
    def has_uids(self) -> bool:
        """Whether `uids` are known without reading anything."""
        return "uids" in self.__dict__ or self._uids_then is not None

    def uids_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the identity of a few rows, which are increasing; only they are read."""
        uids: NDArray[np.int64] = self.take(rows, [UID])[UID].to_numpy()
        return uids

    @cached_property
    def samples_key(self) -> str:
        """A text that two versions share only where they have the same samples in the same order."""
        parts = self.parts
        if parts is None:
            return hashlib.blake2b(np.ascontiguousarray(self.uids).data, digest_size=16).hexdigest()
        known = repr([(part.name, part.marks, part.num_rows) for part in parts])
        return hashlib.blake2b(known.encode(), digest_size=16).hexdigest()

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Return whole columns, in the order of samples."""
        told = [name for name in columns if not name.startswith("_")] or ["samples"]
        with wrapped(f"read {', '.join(told)} of {self.path!r}"):
            table = self.source.to_table(columns)
            return table if self._order is None else table.take(self._order)

    def lists(self, column: str) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.bool_] | None] | None:
        """Return values, offsets and validity of a column of lists, in the order of samples, as `flat_values` does.

        What is read is not held beside them; None where it has to be: where another tool moved rows, or after a fork.
        """
        if not self.num_rows or isinstance(self.source, ServedVersion) or self._order is not None:
            return None
        return self._scanned_lists(column)

    def _scanned_lists(
        self, column: str, **rows: int
    ) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.bool_] | None]:
        with wrapped(f"read {column} of {self.path!r}"):
            scanner = self.handle.scanner(columns=[column], batch_size=_BATCH // 4, **rows)
            return flat_batches(scanner.to_batches(), self.num_rows)

    def fragments_of(self, rows: NDArray[np.int64]) -> list[int] | None:
        """Return the numbers of the fragments that some rows are in; None where that is not known."""
        parts = self.parts
        if parts is None:
            return None
        return [parts[place].number for place in self._places(rows).tolist()]

    def read_parts(self, places: Sequence[int], columns: Sequence[str]) -> pa.Table:
        """Return columns of some parts, by their place in `files`, in this order."""
        numbers = [self.files[place].number for place in places]
        with wrapped(f"read {', '.join(columns)} of {self.path!r}"):
            handle = self.source.handle
            parts = [handle.get_fragment(one) for one in numbers]
            return handle.scanner(columns=list(columns), fragments=parts).to_table()

    def some(self, rows: NDArray[np.int64], columns: Sequence[str]) -> pa.Table:
        """Return columns in some rows, which are increasing; the parts they are in are read whole if they are many."""
        parts = self.parts
        if parts is None or len(rows) <= _FEW:
            return self.take(rows, columns)
        places = self._places(rows)
        sizes = self.starts[places + 1] - self.starts[places]
        if len(rows) * _DENSE < sizes.sum():
            return self.take(rows, columns)
        table = self.read_parts(places.tolist(), columns)
        if len(rows) == table.num_rows:
            return table
        unread = self.starts[places] - np.concatenate([[0], np.cumsum(sizes[:-1])])  # rows before each part
        counts = np.diff(np.searchsorted(rows, [*self.starts[places], rows[-1] + 1]))
        return table.take(rows - np.repeat(unread, counts))

    def _places(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the places of the parts that some rows are in, increasing."""
        return np.flatnonzero(np.bincount(np.searchsorted(self.starts, rows, side="right") - 1))

    def missing(self, column: str) -> NDArray[np.bool_]:
        """Return whether each sample is NULL in a column, which is read a part at a time."""
        starts = range(0, self.num_rows, _FEW)
        with wrapped(f"read {column} of {self.path!r}"):
            parts = [
                self.source.take(np.arange(start, min(start + _FEW, self.num_rows)), [column])[column].is_null()
                for start in starts  # a scan of the whole column reads far ahead
            ]
        found: NDArray[np.bool_] = np.concatenate([part.to_numpy() for part in parts] or [np.empty(0, bool)])
        return found if self._order is None else found[self._order]

    def take(self, rows: NDArray[np.int64], columns: Sequence[str]) -> pa.Table:
        """Return some rows, which must be increasing and within bounds."""
        with wrapped(f"read samples of {self.path!r}"):
            if self._order is None:
                return self.source.take(rows, columns)
            # read by increasing place in the files, then put back into the order of the rows
            places = self._order[rows]
            ranks = np.argsort(places)
            return self.source.take(places[ranks], columns).take(np.argsort(ranks))

    def place_of(self, row: int) -> int:
        """Return the place in the files of a row."""
        with wrapped(f"read the row order of {self.path!r}"):
            return row if self._order is None else int(self._order[row])

    @property
    def handle(self) -> lance.LanceDataset:
        """The engine's own dataset, for use in this room only."""
        return self.source.handle
