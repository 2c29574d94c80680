"""Tables with the rows of another table."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penstock.table._table import Table

__all__ = ["TableOver"]


class TableOver(Table):
    """What a table has from the one it is laid over, whose rows are its own.

    Parameters
    ----------
    source : Table
        The table below.
    """

    def __init__(self, source: Table) -> None:
        self.source = source

    @property
    def num_rows(self) -> int:
        """Number of rows of the table below."""
        return self.source.num_rows

    @property
    def version(self) -> str:
        """Version of the table below."""
        return self.source.version

    @property
    def max_image_bytes(self) -> int | None:
        """Most bytes an image may have when it is decoded, as in the table below."""
        return self.source.max_image_bytes

    @property
    def origin(self) -> Table:
        """The dataset's own table, below all that is laid over it."""
        return self.source.origin

    def uids(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the lasting identity of some rows, int64."""
        return self.source.uids(rows)
