"""Some samples of one version, to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset._samples import Samples
from penstock.table import Table

if TYPE_CHECKING:
    from penstock.dataset._dataset import Dataset
    from penstock.sampling import SamplingPlan

__all__ = ["View"]


class View(Samples):
    """A read-only snapshot: rows of one version, whatever happens to the dataset afterwards.

    Parameters
    ----------
    table : Table
        The version's table.
    rows : ndarray of int64, shape (num_samples,)
        Rows of the table; order counts, repeats are allowed.
    dataset : Dataset, optional
        Where it was chosen from; a view of a result table has none.
    query_string : str, optional
        The query that chose the rows.
    seed : int
        The seed it was run with.
    names : list of str, optional
        The tensors it shows; by default all.
    plan : SamplingPlan, optional
        The plan the rows were drawn by.
    pool : ndarray of int64, optional
        Rows of the table that sampling drew from.
    """

    def __init__(
        self,
        table: Table,
        rows: NDArray[np.int64],
        *,
        dataset: Dataset | None = None,
        query_string: str | None = None,
        seed: int = 0,
        names: list[str] | None = None,
        plan: SamplingPlan | None = None,
        pool: NDArray[np.int64] | None = None,
    ) -> None:
        self._table = table
        self._rows = np.array(rows, np.int64)
        self._rows.flags.writeable = False
        self._dataset = dataset
        self._query_string = query_string
        self._seed = seed
        self._names = names
        self._plan = plan
        self._pool = pool

    @property
    def table(self) -> Table:
        """The whole table of the view's version; `indices` are its rows."""
        return self._table

    @property
    def indices(self) -> NDArray[np.int64]:
        """Row of each sample in `version`, int64 of shape (num_samples,)."""
        return self._rows

    @property
    def query_string(self) -> str | None:
        """The query that chose the rows, None where they were chosen by number."""
        return self._query_string

    @property
    def seed(self) -> int:
        """The seed the query was run with."""
        return self._seed

    @property
    def pool(self) -> NDArray[np.int64]:
        """Rows that sampling drew from, int64; the view's own where it was not sampled."""
        return self._rows if self._pool is None else self._pool

    def _tensor_names(self) -> list[str]:
        return list(self._table.tensors) if self._names is None else self._names

    def _chosen(self, positions: NDArray[np.int64], **provenance: Any) -> View:  # noqa: ANN401  fields of a View
        fields = {"dataset": self._dataset, "query_string": None, "seed": self._seed, "names": self._names}
        return View(self._table, self._rows[positions], **{**fields, **provenance})
