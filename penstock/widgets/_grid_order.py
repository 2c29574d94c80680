"""Which samples of the pool the grid shows, and in which order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penstock.widgets._query_run import QueryRun

__all__ = ["GridOrder"]


class GridOrder:
    """Filter and order of the grid; positions are kept for the last snapshot.

    Attributes
    ----------
    class_index : int, optional
        Only samples with this class; None means all.
    sort : {"query", "row", "labels"}
        As `QueryRun.arranged` orders.
    """

    def __init__(self) -> None:
        self.class_index: int | None = None
        self.sort = "query"
        self._kept: tuple[QueryRun, int | None, str, NDArray[np.int64]] | None = None

    def positions(self, run: QueryRun) -> NDArray[np.int64]:
        """Return positions in the pool as the grid shows them, int64; safe from any thread."""
        kept, wanted = self._kept, (self.class_index, self.sort)
        if kept is None or kept[0] is not run or kept[1:3] != wanted:
            kept = run, *wanted, run.arranged(*wanted)
            self._kept = kept
        return kept[3]
