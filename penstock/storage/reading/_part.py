"""Some consecutive rows of a version, as if they were all it has."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.storage._wrap import wrapped
from penstock.storage.reading._columns import UID
from penstock.storage.reading._parts import Part
from penstock.storage.reading._served import ServedVersion
from penstock.storage.reading._snapshot import Snapshot

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["SnapshotPart"]


class SnapshotPart(Snapshot):
    """The rows from `start` up to `stop` of a version; nothing of the others is read.

    Parameters
    ----------
    whole : Snapshot
        The version.
    start, stop : int
        The rows.
    """

    def __init__(self, whole: Snapshot, start: int, stop: int) -> None:
        super().__init__(whole.source, whole.location, whole.branch)
        self._whole = whole
        self._start = start
        self._stop = stop

    @property
    def num_rows(self) -> int:
        """Number of samples."""
        return self._stop - self._start

    @property
    def files(self) -> tuple[Part, ...]:
        """None: the rows are no whole files."""
        return ()

    @property
    def parts(self) -> None:
        """None: the rows are no whole files."""
        return

    @property
    def knows_parts(self) -> bool:
        """Never."""
        return False

    @cached_property
    def uids(self) -> NDArray[np.int64]:
        """Identity of each row."""
        uids: NDArray[np.int64] = self.read([UID])[UID].to_numpy()
        return uids

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Return columns of these rows, in the order of samples."""
        told = [name for name in columns if not name.startswith("_")] or ["samples"]
        with wrapped(f"read {', '.join(told)} of {self.path!r}"):
            if not self._whole.is_in_order:
                return self._whole.take(np.arange(self._start, self._stop), columns)
            return self.handle.scanner(columns=list(columns), offset=self._start, limit=self.num_rows).to_table()

    def lists(self, column: str) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.bool_] | None] | None:
        """Return values, offsets and validity of a column of lists in these rows, as of the whole version."""
        if not self.num_rows or isinstance(self.source, ServedVersion) or not self._whole.is_in_order:
            return None
        return self._scanned_lists(column, offset=self._start, limit=self.num_rows)

    def take(self, rows: NDArray[np.int64], columns: Sequence[str]) -> pa.Table:
        """Return some of these rows, counted from the first of them."""
        return self._whole.take(rows + self._start, columns)

    def missing(self, column: str) -> NDArray[np.bool_]:
        """Return whether each sample is NULL in a column."""
        found: NDArray[np.bool_] = self.read([column])[column].is_null().to_numpy()
        return found
