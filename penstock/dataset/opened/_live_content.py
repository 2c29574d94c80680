"""The content of a dataset: every row in its current state, including those not written yet."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.history._history import history_of_row
from penstock.dataset.opened._editor import Editor
from penstock.dataset.opened._opened import OpenDataset
from penstock.dataset.opened._watched import Listeners, WatchedLock
from penstock.dataset.samples._content import Resolve
from penstock.dataset.shown._history import SampleHistory
from penstock.dataset.writing._working import open_working
from penstock.errors import TensorNotFoundError
from penstock.storage import Credentials, Location, Store
from penstock.table import OverlayTable, Table
from penstock.tensors import TensorSpec

__all__ = ["LiveContent"]


class LiveContent:
    """The samples of an open dataset as they are now.

    Parameters
    ----------
    opened : OpenDataset
        The dataset.
    """

    seed = 0
    query_string = None
    shown = None
    is_whole = True

    def __init__(self, opened: OpenDataset) -> None:
        self.opened = opened
        self.edits = Editor(opened)
        self._rows: NDArray[np.int64] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return LiveContent, (self.opened,)

    # ---- reading -------------------------------------------------------------------------

    @property
    def table(self) -> OverlayTable:
        """Every row as it is now, edits included; a snapshot."""
        return self.opened.table

    @property
    def rows(self) -> NDArray[np.int64]:
        """Row of each sample: 0, 1, 2, ..."""
        return self.state()[1]

    def state(self) -> tuple[OverlayTable, NDArray[np.int64]]:
        """Return every row as it is now, and their numbers: of one moment, whoever writes."""
        table = self.opened.table
        rows = self._rows
        if rows is None or len(rows) < table.num_rows:
            rows = np.arange(table.num_rows, dtype=np.int64)
            rows.flags.writeable = False
            self._rows = rows
        return table, rows if len(rows) == table.num_rows else rows[: table.num_rows]

    def __len__(self) -> int:
        """Return the number of samples, those not written yet included."""
        opened = self.opened
        with opened.lock:
            return opened.working.table.num_rows + opened.buffer.num_rows

    def names(self) -> list[str]:
        """Return the names of the tensors, in order of creation."""
        return list(self.opened.buffer.specs)

    def spec(self, name: str) -> TensorSpec:
        """Return kind and options of a tensor."""
        buffer, working = self.opened.buffer, self.opened.working
        if name not in buffer.specs:
            raise TensorNotFoundError(name, list(buffer.specs))
        if buffer.num_rows or name not in working.specs:
            return buffer.specs[name]
        return working.table.tensors[name]

    @property
    def resolve(self) -> Resolve:
        """The resolver of names in a query: paths, also those next to this dataset."""
        return self._named_table

    def _named_table(self, name: str, at: str | None) -> OverlayTable:
        location = self.opened.working.store.location
        path = location.path
        own = os.path.basename(path)  # noqa: PTH119  also of a URL
        if name in {own, os.path.splitext(own)[0]}:  # noqa: PTH122  also of a URL
            return self.table if at is None else open_working(location, at, read_only=True).table
        beside = f"{os.path.dirname(path)}/{name}"  # noqa: PTH120  also of a URL
        place = name if "://" in name or os.path.isabs(name) or not Location(beside).exists() else beside  # noqa: PTH117  also of a URL
        return open_working(Location(place, location.cache), at, read_only=True).table

    # ---- what views and widgets ask of their dataset -------------------------------------

    @property
    def lock(self) -> WatchedLock:
        """The lock under which the dataset is read and written."""
        return self.opened.lock

    @property
    def store(self) -> Store:
        """The stored dataset."""
        return self.opened.working.store

    @property
    def credentials(self) -> Credentials:
        """The credentials of this session."""
        return self.opened.working.credentials

    @property
    def max_image_bytes(self) -> int | None:
        """Most bytes of a decoded image; None allows any size."""
        return self.opened.max_image_bytes

    def history_of(self, table: Table, rows: NDArray[np.int64], index: Any) -> SampleHistory:
        """Return the edits of a sample by its position among some rows of a table."""
        return history_of_row(self.store, table, rows, index)

    def check_may_name(self) -> None:
        """Refuse names for versions and rows where the dataset was opened with read_only=True."""
        self.opened.check_may_name()

    @property
    def listeners(self) -> Listeners:
        """Listeners, called after each change, also by another `Dataset` of the same path in this process."""
        return self.opened.listeners

    @property
    def is_grouping(self) -> bool:
        """Whether a `with` block is open; its rows and edits are written at its end."""
        return self.opened.is_grouping
