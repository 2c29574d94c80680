"""What a session reads: a dataset as it is now, or the rows of a view in it; edits go through the dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from penstock import tql
from penstock.errors import DatasetError
from penstock.table import OverlayTable

if TYPE_CHECKING:
    from penstock.dataset import Dataset, View

__all__ = ["Source", "same_state"]


class Source:
    """The rows a session works on, with edits in them.

    Parameters
    ----------
    opened : Dataset or View
        A view's rows are found again by uid, so that they show what is edited since;
        rows that were removed are left out.
    """

    dataset: Dataset
    view: View | None

    def __init__(self, opened: Dataset | View) -> None:
        from penstock.dataset import Dataset, View
        from penstock.dataset.samples import content_of

        if isinstance(opened, Dataset):
            self.dataset, self.view = opened, None
        elif isinstance(opened, View):
            content = content_of(opened)
            origin = content.dataset
            if not isinstance(origin, Dataset):
                raise DatasetError(
                    "cannot explore a view of a result table. Expected a dataset or a view of its rows",
                    hint="explore the dataset and give the query: penstock.explore(ds, query=...)",
                )
            self.dataset, self.view = origin, opened
            self._uids = content.table.uids(content.rows)
        else:
            raise DatasetError(
                f"cannot explore a {type(opened).__name__}. Expected a dataset, a view or an ArrayDataSource",
                hint="penstock.load(path) opens a dataset, penstock.from_arrays(...) makes one",
            )

    def reader(self, table: OverlayTable) -> View:
        """Return what loaders and views are made of: the rows in one state of the dataset."""
        rows = self.rows(table)
        return self.whole(table) if rows is None else self.whole(table)[rows]

    def whole(self, table: OverlayTable) -> View:
        """Return every row of the dataset in one state of it."""
        from penstock.dataset import View
        from penstock.dataset.views import FixedContent

        every = np.arange(table.num_rows, dtype=np.int64)
        return View(FixedContent(table=table, rows=every, dataset=self.dataset))

    def rows(self, table: OverlayTable) -> NDArray[np.int64] | None:
        """Return the rows of `table` that queries run on; None means all."""
        if self.view is None:
            return None
        found = table.positions(self._uids)
        return found[found >= 0]

    @property
    def kind(self) -> Literal["dataset", "view", "frozen view"]:
        """What was opened; a frozen view has the rows that sampling drew once, some of them repeated."""
        if self.view is None:
            return "dataset"
        text = self.view.query_string
        sampled = self.view.spec is not None or (bool(text) and tql.parse(str(text)).sample is not None)
        return "frozen view" if sampled or len(np.unique(self._uids)) < len(self._uids) else "view"

    def num_gone(self, table: OverlayTable) -> int:
        """Return how many rows of the view are no longer in the dataset."""
        return 0 if self.view is None else int((table.positions(self._uids) < 0).sum())


def same_state(one: OverlayTable, other: OverlayTable) -> bool:
    """Tell whether two tables are the same version with the same edits."""
    if one is other:
        return True
    first, second = one.stored.snapshot, other.stored.snapshot
    return (first.branch, first.version, one.version) == (second.branch, second.version, other.version)
