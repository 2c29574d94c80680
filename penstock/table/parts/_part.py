"""A table in parts, each read by itself: what an engine's tasks work on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.storage import SnapshotPart
from penstock.table._ragged import Ragged
from penstock.table._stored import StoredTable
from penstock.table.drafts._overlay import OverlayTable

__all__ = ["Rows", "TablePart", "part_rows"]

Rows = tuple[int, int]
"""The first row of a part, and the first one after it."""


def part_rows(num_rows: int, size: int) -> list[Rows]:
    """Return consecutive parts of up to `size` rows, which depend on nothing else.

    Examples
    --------
    >>> part_rows(5, 2)
    [(0, 2), (2, 4), (4, 5)]
    """
    return [(start, min(start + size, num_rows)) for start in range(0, num_rows, size)]


class TablePart:
    """Consecutive rows of a table; they keep their numbers in it.

    Parameters
    ----------
    whole : OverlayTable
        The table; only these rows of it are read.
    rows : (int, int)
        The first row, and the first one after the part.
    """

    def __init__(self, whole: OverlayTable, rows: Rows) -> None:
        self.start, self.stop = rows
        self._whole = whole

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return self.stop - self.start

    @cached_property
    def table(self) -> OverlayTable:
        """The rows of the part as a table of their own, edits included, numbered from 0."""
        whole = self._whole
        part = SnapshotPart(whole.stored.snapshot, self.start, self.stop)
        return whole.over(StoredTable(part, whole.stored.label))

    @property
    def rows(self) -> NDArray[np.int64]:
        """The numbers of the rows in the whole table."""
        return np.arange(self.start, self.stop)

    def column(self, tensor: str) -> Ragged:
        """Return the samples of a tensor that is no image or mask."""
        return self.table.column(tensor)

    def take(self, rows: NDArray[np.int64], tensors: Sequence[str]) -> dict[str, Sequence[Any]]:
        """Return raw samples of some rows by their numbers in the whole table."""
        return self.table.take(rows - self.start, tensors)
