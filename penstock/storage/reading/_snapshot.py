"""One version of a stored dataset, to read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.storage._fork import renew_in_children
from penstock.storage._location import Location
from penstock.storage._wrap import wrapped
from penstock.storage.reading._cached_version import CachedVersion
from penstock.storage.reading._columns import UID
from penstock.storage.reading._served import ServedVersion
from penstock.storage.reading._stored_version import Version

if TYPE_CHECKING:
    import lance
    import pyarrow as pa

__all__ = ["ID", "META_KEY", "Snapshot"]

META_KEY = b"penstock"
_FEW = 1024  # samples that are read at a time where only a part of each is kept
ID = "id"  # of the dataset's description: what tells it from another made at its path
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
    def _order(self) -> NDArray[np.int64] | None:
        with wrapped(f"read the row order of {self.path!r}"):
            table = self.source.to_table([], with_row_id=True)
        row_ids = table["_rowid"].to_numpy().astype(np.int64)
        return None if (row_ids[1:] > row_ids[:-1]).all() else np.argsort(row_ids, kind="stable")

    @cached_property
    def uids(self) -> NDArray[np.int64]:
        """Identity of every sample, int64 of shape (num_rows,)."""
        uids: NDArray[np.int64] = self.read([UID])[UID].to_numpy()
        return uids

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Return whole columns, in the order of samples."""
        told = [name for name in columns if not name.startswith("_")] or ["samples"]
        with wrapped(f"read {', '.join(told)} of {self.path!r}"):
            table = self.source.to_table(columns)
            return table if self._order is None else table.take(self._order)

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

    @property
    def handle(self) -> lance.LanceDataset:
        """The engine's own dataset, for use in this room only."""
        return self.source.handle
