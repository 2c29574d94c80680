"""Tables with the rows of another table."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penstock.storage import Location
from penstock.table._table import Table

__all__ = ["TableOver"]


class TableOver(Table):
    """What a table shares with the table under it: both have the same rows.

    Parameters
    ----------
    source : Table
        The table under this one.
    """

    def __init__(self, source: Table) -> None:
        self.source = source

    @property
    def num_rows(self) -> int:
        """Number of rows of the table under this one."""
        return self.source.num_rows

    @property
    def version(self) -> str:
        """Version of the table under this one."""
        return self.source.version

    @property
    def max_image_bytes(self) -> int | None:
        """Most bytes an image may have when it is decoded, as in the table under this one."""
        return self.source.max_image_bytes

    @property
    def origin(self) -> Table:
        """The dataset's own table, under all others."""
        return self.source.origin

    @property
    def location(self) -> Location | None:
        """Where the dataset of the table under this one is stored."""
        return self.source.location

    def uids(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the lasting identity of some rows, int64."""
        return self.source.uids(rows)
