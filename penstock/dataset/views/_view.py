"""The base of datasets and views, and views: some samples of one version."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, overload

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.samples._reserved import ELSEWHERE, is_attribute, reserved_names
from penstock.dataset.samples._rows import row_of, rows_of
from penstock.dataset.samples._sample import Sample
from penstock.dataset.samples._tensor import Tensor
from penstock.dataset.views._drawing import Drawing, Resolve
from penstock.errors import DatasetError, ReadOnlyError, SamplingError, TensorNotFoundError
from penstock.table import ArrayTable, OverlayTable, ProjectedTable, Ragged, Table
from penstock.tensors import TensorSpec, label_tensor

if TYPE_CHECKING:
    import pandas as pd

    from penstock.sampling import ClassCounts, SamplingPlan, SamplingSpec
    from penstock.tql import QueryResult

__all__ = ["Samples", "View"]


class Home(Protocol):
    """The dataset a view is of."""

    def save_rows(self, view: View, *, message: str | None, view_id: str | None) -> str:
        """Keep a view and return its id."""
        ...

    def resolver(self) -> Resolve | None:
        """Return how the names in a query become tables."""
        ...


class Samples(Drawing["View"]):
    """A sequence of samples with named tensors."""

    def _home(self) -> Home | None:
        return None

    def _result(self, result: QueryResult, *, query_string: str, seed: int) -> View:
        provenance: dict[str, Any] = {"query_string": query_string, "seed": seed}
        if not result.is_rows:
            columns = {name: _with_label_rank(column) for name, column in (result.columns or {}).items()}
            names = {name: column.class_names for name, column in columns.items() if column.class_names is not None}
            table = ArrayTable(columns, class_names=names, version=result.table.version)
            return View(table, np.arange(result.num_rows, dtype=np.int64), **provenance)
        source: Table = result.table
        if result.columns is not None:
            source = ProjectedTable(source, result.selection.rows, result.names, result.columns)
        home = self._home() if _place(result.table) == _place(self.table) else None
        return View(source, result.selection.rows, dataset=home, plan=result.plan, pool=result.pool, **provenance)

    def table_rows(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the table's row of each position."""
        return self.indices[positions]

    @property
    def version(self) -> str:
        """The identity of the content: the commit, and the edits on top of it."""
        return self.table.version

    @property
    def tensors(self) -> dict[str, Tensor]:
        """Every tensor by name, in order of creation."""
        return {name: Tensor(self, name) for name in self.tensor_names()}

    def tensor_spec(self, name: str) -> TensorSpec:
        """Return kind and options of a tensor.

        Raises
        ------
        TensorNotFoundError
            If no tensor has this name.
        """
        names = self.tensor_names()
        if name not in names:
            raise TensorNotFoundError(name, names)
        return self.table.tensors[name]

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.indices)

    def __iter__(self) -> Iterator[Sample]:
        """Go through the samples."""
        return (Sample(self, position) for position in range(len(self)))

    @overload
    def __getitem__(self, index: str) -> Tensor: ...
    @overload
    def __getitem__(self, index: int | np.integer[Any]) -> Sample: ...
    @overload
    def __getitem__(self, index: slice | Sequence[int] | NDArray[Any]) -> View: ...
    def __getitem__(self, index: Any) -> Tensor | Sample | View:
        if isinstance(index, str):
            self.tensor_spec(index)
            return Tensor(self, index)
        row = row_of(index, len(self))
        return self._chosen(rows_of(index, len(self))) if row is None else Sample(self, row)

    def __getattr__(self, name: str) -> Tensor:
        if name.startswith("_"):
            raise AttributeError(name)
        names = self.tensor_names()
        if name in names and name not in reserved_names():
            return Tensor(self, name)
        if name in names:
            raise TensorNotFoundError(name, names, hint=f"use ds[{name!r}] to get the tensor with this name")
        hint = f"use {ELSEWHERE[name]}" if name in ELSEWHERE else None
        if name in reserved_names():
            hint = f"only datasets have {name}" if isinstance(self, View) else f"only views have {name}"
        raise TensorNotFoundError(name, names, hint=hint)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *filter(is_attribute, self.tensor_names())]

    def assign(self, name: str, positions: NDArray[np.int64], values: Sequence[Any]) -> None:
        """Replace samples of a tensor; a view refuses."""
        raise ReadOnlyError(
            f"cannot assign {len(values)} of {len(positions)} samples of {name!r} in a view, which is a snapshot",
            hint=f"assign to the dataset: ds.{name}[view.indices[i]] = …",
        )

    def change_classes(self, name: str, action: str, *names: str) -> int:
        """Add or rename a class; a view refuses."""
        raise ReadOnlyError(
            f"cannot {action} class {names[0]!r} of {name!r} in a view, which is a snapshot", hint="use the dataset"
        )

    def merge_classes(self, name: str, names: Sequence[str], into: str) -> None:
        """Merge several classes into one; raises an error for a view."""
        raise ReadOnlyError(
            f"cannot merge {', '.join(names)} of {name!r} into {into!r} in a view, which is a snapshot",
            hint="use the dataset",
        )

    def filter(self, function: Callable[[Sample], bool] | str) -> View:
        """Return the samples for which a function is true; TQL is much faster where it can say the same.

        Parameters
        ----------
        function : callable or str
            Takes a `Sample`; or a TQL condition, as after ``where``.

        Returns
        -------
        View
        """
        if isinstance(function, str):
            return self.query(f"select * where {function}")
        if not callable(function):
            raise DatasetError(
                f"filter({function!r}) is not valid. Expected a function of a sample, or a TQL condition"
            )
        return self._chosen(np.flatnonzero([bool(function(sample)) for sample in self]).astype(np.int64))

    @property
    def num_samples(self) -> int:
        """Number of samples, as ``len``."""
        return len(self)

    def __class_counts__(self) -> ClassCounts:
        """Return the samples' labels by the first class label tensor, for the helpers of `penstock.sampling`."""
        labels = label_tensor({name: self.tensor_spec(name) for name in self.tensor_names()})
        if labels is None:
            raise SamplingError("there is no class_label tensor", hint="pass the labels as an array")
        return self[labels].__class_counts__()

    def summary(self) -> None:
        """Print kind, shape and type of each tensor."""
        import sys

        from penstock.dataset.shown._show import summary_text

        sys.stdout.write(summary_text(self) + "\n")

    def pandas(self, tensors: Sequence[str] | None = None) -> pd.DataFrame:
        """Return samples as a table.

        Parameters
        ----------
        tensors : sequence of str, optional
            The columns; by default all tensors but images and masks.

        Returns
        -------
        DataFrame
            One row per sample, indexed by row of the version. Class labels are
            names (one, where every sample has one; else a list), boxes arrays,
            images encoded bytes, links URLs. A sample without a value is None; among
            numbers NaN, or ``pandas.NA`` where they are whole numbers or bool.
        """
        from penstock.dataset.shown._show import to_frame

        return to_frame(self, tensors)

    def split(
        self, fractions: Mapping[str, float], *, stratify: str | None = None, seed: int | None = 0
    ) -> dict[str, View]:
        """Divide the samples at random.

        Parameters
        ----------
        fractions : mapping of str to float
            Share of each part; at most 1 together.
        stratify : str, optional
            A class label tensor whose label sets are spread evenly.
        seed : int or None
            None takes fresh entropy.

        Returns
        -------
        dict of str to View
            The parts; no sample is in two.

        Raises
        ------
        DatasetError
            If the shares are negative or sum to more than 1.
        """
        from penstock.dataset.views._split import split_positions

        parts = split_positions(self, fractions, stratify=stratify, seed=seed)
        return {name: self._chosen(positions) for name, positions in parts.items()}

    def __repr__(self) -> str:
        from penstock.dataset.shown._show import headline

        return headline(self)

    def _repr_html_(self) -> str:
        from penstock.dataset.shown._show import summary_html

        return summary_html(self)


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
    by_array : bool
        Whether the rows were drawn by an array of weights.
    """

    def __init__(
        self,
        table: Table,
        rows: NDArray[np.int64],
        *,
        dataset: Home | None = None,
        query_string: str | None = None,
        seed: int = 0,
        names: list[str] | None = None,
        plan: SamplingPlan | None = None,
        pool: NDArray[np.int64] | None = None,
        by_array: bool = False,
    ) -> None:
        self._table = table
        self._rows = np.array(rows, np.int64)
        self._rows.flags.writeable = False
        self._dataset = dataset
        self._query_string = query_string
        self._seed_used = seed
        self._names = names
        self._plan = plan
        self._pool = pool
        self._by_array = by_array

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
        return self._seed_used

    @property
    def origin(self) -> Home | None:
        """The dataset the rows were chosen from; None for a view of a result table."""
        return self._dataset

    @property
    def pool(self) -> NDArray[np.int64]:
        """Rows that sampling drew from, int64; the view's own where it was not sampled."""
        return self._rows if self._pool is None else self._pool

    @property
    def spec(self) -> SamplingSpec | None:
        """How the rows were drawn; None if they were not sampled."""
        return None if self._plan is None else self._plan.spec

    def _home(self) -> Home | None:
        return self._dataset

    def state(self) -> tuple[Table, NDArray[np.int64]]:
        """Return the table, and the row in it of each sample."""
        return self._table, self._rows

    def _own_seed(self) -> int:
        return self._seed_used

    def _query_text(self) -> str | None:
        return self._query_string

    def resolver(self) -> Resolve | None:
        """Return how the names in a query become tables."""
        return None if self._dataset is None else self._dataset.resolver()

    def save_view(self, message: str | None = None, *, id: str | None = None) -> str:  # noqa: A002  the contract's name
        """Keep this view: its commit, its rows by identity, its query as text.

        Parameters
        ----------
        message : str, optional
            What it is for.
        id : str, optional
            Letters, digits, ``_`` and ``-``; by default 24 hexadecimal digits.

        Returns
        -------
        str
            The id, for ``ds.load_view``.

        Raises
        ------
        UncommittedChangesError
            If the view's version is not a commit.
        DatasetError
            If the id is taken, or the view was drawn by an array of weights.
        """
        if self._dataset is None:
            raise DatasetError(
                "the result of this query is a table, not samples of the dataset. Expected a view of samples"
            )
        if self._by_array:
            raise DatasetError(
                "the view was drawn by an array of weights, which is not stored with the dataset. "
                "Expected a weight expression",
                hint="store the weights as a tensor: ds.create_tensor('my_weights') and ds.sample_by('my_weights')",
            )
        return self._dataset.save_rows(self, message=message, view_id=id)

    def tensor_names(self) -> list[str]:
        return list(self._table.tensors) if self._names is None else self._names

    def _chosen(self, positions: NDArray[np.int64], **provenance: Any) -> View:
        provenance.pop("table", None)
        fields = {"dataset": self._dataset, "query_string": None, "seed": self._seed_used, "names": self._names}
        return View(self._table, self._rows[positions], **{**fields, **provenance})


def _with_label_rank(column: Ragged) -> Ragged:
    """Return class labels of a result as samples of shape (1,), never 0-d."""
    return replace(column, shapes=None) if column.class_names is not None and column.ndim == 0 else column


def _place(table: Table) -> str | None:
    """Return the location of a table; None if it consists of results."""
    origin = table.origin
    return origin.stored.snapshot.path if isinstance(origin, OverlayTable) else None
