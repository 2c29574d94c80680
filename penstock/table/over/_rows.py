"""Some rows of a table, seen as a table."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.storage import renewed_lock
from penstock.table._checks import checked_rows
from penstock.table._ragged import Ragged
from penstock.table._table import Table
from penstock.tensors import TensorSpec

__all__ = ["RowsTable"]


class RowsTable(Table):
    """Rows of another table in a given order; repeats are allowed.

    Parameters
    ----------
    table : Table
        The whole.
    rows : ndarray of int64, shape (num_rows,)
        Rows of it.
    """

    def __init__(self, table: Table, rows: NDArray[np.int64]) -> None:
        self._table = table
        self._rows = np.asarray(rows, np.int64)
        self._columns: dict[str, Ragged] = {}
        self._lock = renewed_lock(threading.Lock())

    def __reduce__(self) -> tuple[Any, ...]:
        return RowsTable, (self._table, self._rows)

    @cached_property
    def _digest(self) -> str:
        return hashlib.sha256(np.ascontiguousarray(self._rows).data).hexdigest()[:16]

    @property
    def num_rows(self) -> int:
        """Number of rows, repeats counted."""
        return len(self._rows)

    @property
    def max_image_bytes(self) -> int | None:
        """Most bytes an image may have when it is decoded, as the whole has it."""
        return self._table.max_image_bytes

    @property
    def version(self) -> str:
        """Identity of what is read: of the whole, and of the rows."""
        return f"{self._table.version}#{self._digest}"

    @property
    def tensors(self) -> Mapping[str, TensorSpec]:
        """Spec of each tensor."""
        return self._table.tensors

    def revision(self, tensor: str) -> str:
        """Return a key that changes whenever a value of this tensor does."""
        return f"{self._table.revision(tensor)}#{self._digest}"

    def column(self, tensor: str) -> Ragged:
        """Return all samples of a tensor that is not an image, in memory and cached."""
        with self._lock:
            if tensor not in self._columns:
                self._columns[tensor] = self._table.column(tensor).take(self._rows)
            return self._columns[tensor]

    def shapes(self, tensor: str) -> NDArray[np.int64]:
        """Return the shape of every sample; -1 where unknown."""
        return self._table.shapes(tensor)[self._rows]

    def take(self, rows: NDArray[np.int64], tensors: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        """Return raw samples of some rows, in their order, repeats kept."""
        return self._table.take(self._rows[checked_rows(rows, self.num_rows)], tensors)

    def take_views(self, rows: NDArray[np.int64], tensors: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        """Do what `take` does, but give encoded images as views of the memory they were read into."""
        return self._table.take_views(self._rows[checked_rows(rows, self.num_rows)], tensors)

    def uids(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the lasting identity of some rows."""
        return self._table.uids(self._rows[checked_rows(rows, self.num_rows)])
