"""A version of which some rows lie copied elsewhere, in the order they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.table._ragged import Ragged
from penstock.table._table import Table
from penstock.table.drafts._overlay import OverlayTable
from penstock.tensors import TensorSpec

__all__ = ["OptimizedTable"]


class OptimizedTable:
    """A version's table that reads copied rows from the copy and everything else from the version.

    Parameters
    ----------
    source : OverlayTable
        The version.
    copy : Table
        The copied rows; links are images there.
    rows : ndarray of int64, shape (num_copied,)
        Row of the version that each row of the copy is.
    """

    def __init__(self, source: OverlayTable, copy: Table, rows: NDArray[np.int64]) -> None:
        self.source = source
        self.copy = copy
        self._order = np.argsort(rows, kind="stable")
        self._rows = rows[self._order]

    @property
    def num_rows(self) -> int:
        """Number of rows of the version."""
        return self.source.num_rows

    @property
    def max_image_bytes(self) -> int | None:
        """Most bytes an image or mask may have when it is decoded."""
        return self.source.max_image_bytes

    @max_image_bytes.setter
    def max_image_bytes(self, allowed: int | None) -> None:
        self.source.max_image_bytes = allowed
        if isinstance(self.copy, OverlayTable):
            self.copy.max_image_bytes = allowed

    @property
    def version(self) -> str:
        """The version."""
        return self.source.version

    @property
    def tensors(self) -> Mapping[str, TensorSpec]:
        """Spec of each tensor, as in the version."""
        return self.source.tensors

    def revision(self, tensor: str) -> str:
        """Return a key that changes whenever a value of this tensor does."""
        return self.source.revision(tensor)

    def column(self, tensor: str) -> Ragged:
        """Return all samples of a tensor that is no image or mask."""
        return self.source.column(tensor)

    def shapes(self, tensor: str) -> NDArray[np.int64]:
        """Return every sample's shape without decoding; -1 where unknown."""
        return self.source.shapes(tensor)

    def take(self, rows: NDArray[np.int64], tensors: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        """Return raw samples of some rows, from the copy where all of them are copied."""
        rows = np.asarray(rows, np.int64).reshape(-1)
        found = np.searchsorted(self._rows, rows).clip(max=max(len(self._rows) - 1, 0))
        if not len(self._rows) or not (self._rows[found] == rows).all():
            return self.source.take(rows, tensors)
        return self.copy.take(self._order[found], tensors)

    def uids(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the lasting identity of some rows, int64."""
        return self.source.uids(rows)
