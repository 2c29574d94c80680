"""What a session reads: a dataset as it is now, or the rows of a view in it; edits go through the dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from penstock.errors import DatasetError
from penstock.table import Table
from penstock.widgets._edits import edit_stack

if TYPE_CHECKING:
    from penstock.dataset import Dataset, View

__all__ = ["Source"]


class Source:
    """The rows a session works on, with edits in them.

    Parameters
    ----------
    opened : Dataset or View
        A view's rows are found again by uid, so that they show what is edited since.
    """

    dataset: Dataset
    view: View | None

    def __init__(self, opened: Dataset | View) -> None:
        from penstock.dataset import Dataset, View

        if isinstance(opened, Dataset):
            self.dataset, self.view = opened, None
        elif isinstance(opened, View):
            origin = opened.origin
            if not isinstance(origin, Dataset):
                raise DatasetError(
                    "cannot explore a view of a result table; expected a dataset or a view of its rows",
                    hint="explore the dataset and give the query: penstock.explore(ds, query=...)",
                )
            self.dataset, self.view = origin, opened
            self._uids = opened.table.uids(opened.indices)
        else:
            raise DatasetError(
                f"cannot explore a {type(opened).__name__}; expected a dataset or a view",
                hint="penstock.load(path) opens a dataset, penstock.from_arrays(...) makes one",
            )

    def reader(self) -> Dataset | View:
        """Return what loaders and views are made of: the dataset, or the view's rows as they are now."""
        return self.dataset if self.view is None else self.dataset[self._rows(self.dataset.table)]

    def table(self) -> tuple[Table, NDArray[np.int64] | None]:
        """Return the table queries run on, and which of its rows; None means all."""
        table = self.dataset.table
        return table, None if self.view is None else self._rows(table)

    def _rows(self, table: Table) -> NDArray[np.int64]:
        return edit_stack(self.dataset).rows.rows(table, self._uids)
