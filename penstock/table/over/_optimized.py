"""A version of which some rows are copied elsewhere, in the order they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.table._checks import checked_rows
from penstock.table._ragged import Ragged
from penstock.table._table import Table
from penstock.table.over._over import TableOver
from penstock.tensors import TensorSpec

__all__ = ["OptimizedTable"]


class OptimizedTable(TableOver):
    """A version's table that reads copied rows from the copy and everything else from the version.

    Parameters
    ----------
    source : Table
        The version.
    copy : Table
        The copied rows; links are images there.
    rows : ndarray of int64, shape (num_copied,)
        Row of the version that each row of the copy is.
    """

    def __init__(self, source: Table, copy: Table, rows: NDArray[np.int64]) -> None:
        super().__init__(source)
        self.copy = copy
        self._order = np.argsort(rows, kind="stable")
        self._rows = rows[self._order]

    @property
    def tensors(self) -> Mapping[str, TensorSpec]:
        """Spec of each tensor, as in the version."""
        return self.source.tensors

    def revision(self, tensor: str) -> str:
        """Return a key that changes whenever a value of this tensor does."""
        return self.source.revision(tensor)

    def column(self, tensor: str) -> Ragged:
        """Return all samples of a tensor that is not an image or mask."""
        return self.source.column(tensor)

    def shapes(self, tensor: str) -> NDArray[np.int64]:
        """Return every sample's shape without decoding; -1 where unknown."""
        return self.source.shapes(tensor)

    def take(self, rows: NDArray[np.int64], tensors: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        """Return raw samples of some rows, from the copy where all of them are copied."""
        table, rows = self._where(rows)
        return table.take(rows, tensors)

    def take_views(self, rows: NDArray[np.int64], tensors: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        """Do what `take` does, but give encoded images as views of the memory they were read into."""
        table, rows = self._where(rows)
        return table.take_views(rows, tensors)

    def _where(self, rows: NDArray[np.int64]) -> tuple[Table, NDArray[np.int64]]:
        """Return which table some rows are read from, and which rows of it they are."""
        rows = checked_rows(rows, self.num_rows)
        if not len(self._rows):
            return self.source, rows
        found = np.searchsorted(self._rows, rows).clip(max=len(self._rows) - 1)  # a row past the last finds the last
        if not (self._rows[found] == rows).all():  # one that was not copied: all of them are read from the version
            return self.source, rows
        return self.copy, self._order[found]

    def has_nulls(self, tensor: str) -> bool:
        """Tell whether a sample of a tensor that is not an image or mask is missing."""
        return self.source.has_nulls(tensor)

    def stacked(self, tensor: str, shape: tuple[int, ...]) -> NDArray[Any] | None:
        """Return all samples of a tensor as one array; None where that cannot be."""
        return self.source.stacked(tensor, shape)
