"""A table with columns that a query computed for some of its rows."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.table._checks import checked_column, checked_rows, checked_tensor
from penstock.table._ragged import Ragged
from penstock.table._samples import samples_of_column
from penstock.table._table import Table
from penstock.table.over._over import TableOver
from penstock.tensors import TensorSpec

__all__ = ["ProjectedTable"]


class ProjectedTable(TableOver):
    """Rows of a table under the names of a projection.

    Parameters
    ----------
    source : Table
        The table.
    rows : ndarray of int64, shape (num_samples,)
        The rows the query chose; a row that comes twice has the values of its first place.
    names : sequence of str
        The columns shown: tensors of the source, or computed.
    columns : mapping of str to Ragged
        Values for each of `rows`; those that are the source's own are read from it.
    """

    def __init__(
        self, source: Table, rows: NDArray[np.int64], names: Sequence[str], columns: Mapping[str, Ragged]
    ) -> None:
        super().__init__(source)
        self._token = secrets.token_hex(8)  # computed values never change, and no other projection has them
        computed = {name: column for name, column in columns.items() if not _is_own(source, name, rows, column)}
        first, places = np.unique(rows, return_index=True)
        self._columns = {
            name: _spread(column.take(places.astype(np.int64)), first, source.num_rows)
            for name, column in computed.items()
        }
        self._specs = {
            name: _spec(name, self._columns[name]) if name in computed else source.tensors[name] for name in names
        }

    @property
    def tensors(self) -> Mapping[str, TensorSpec]:
        """Spec of each column, in the query's order."""
        return self._specs

    def revision(self, tensor: str) -> str:
        """Return a key that changes whenever a value of this column does."""
        checked_tensor(self._specs, tensor)
        return f"computed {self._token}" if tensor in self._columns else self.source.revision(tensor)

    def column(self, tensor: str) -> Ragged:
        """Return all samples of a column that is not an image or mask."""
        checked_column(self._specs, tensor)
        return self._columns[tensor] if tensor in self._columns else self.source.column(tensor)

    def shapes(self, tensor: str) -> NDArray[np.int64]:
        """Return every sample's shape without decoding; -1 where unknown."""
        checked_tensor(self._specs, tensor)
        return self._columns[tensor].sample_shapes if tensor in self._columns else self.source.shapes(tensor)

    def take(self, rows: NDArray[np.int64], tensors: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        """Return raw samples of some rows, in their order, repeats kept."""
        return self._taken(self.source.take, rows, tensors)

    def take_views(self, rows: NDArray[np.int64], tensors: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        """Do what `take` does, but give encoded images as views of the memory they were read into."""
        return self._taken(self.source.take_views, rows, tensors)

    def _taken(
        self,
        take: Callable[[NDArray[np.int64], Sequence[str]], Mapping[str, Sequence[Any]]],
        rows: NDArray[np.int64],
        tensors: Sequence[str],
    ) -> Mapping[str, Sequence[Any]]:
        rows = checked_rows(rows, self.num_rows)
        specs = [checked_tensor(self._specs, name) for name in tensors]
        own = [name for name in tensors if name not in self._columns]
        read = take(rows, own) if own else {}
        return {
            spec.name: samples_of_column(self._columns[spec.name], spec, rows)
            if spec.name in self._columns
            else read[spec.name]
            for spec in specs
        }


def _is_own(source: Table, name: str, rows: NDArray[np.int64], column: Ragged) -> bool:
    if name not in source.tensors or source.tensors[name].is_encoded:
        return False
    own = source.column(name).take(rows)
    return (
        own.values.dtype == column.values.dtype
        and own.class_names == column.class_names
        and np.array_equal(own.offsets, column.offsets)
        and np.array_equal(own.sample_shapes, column.sample_shapes)
        and np.array_equal(own.valid_rows, column.valid_rows)
        and np.array_equal(own.values, column.values)
    )


def _spread(column: Ragged, rows: NDArray[np.int64], num_rows: int) -> Ragged:
    """Return a column with `column` in `rows`; the other rows, which no view shows, repeat its first."""
    if not len(rows):
        return replace(
            column,
            offsets=np.zeros(num_rows + 1, np.int64),
            shapes=_empty_shapes(column, num_rows),
            valid=np.zeros(num_rows, bool),
        )
    source = np.zeros(num_rows, np.int64)  # 0: the first row, for those no view shows
    source[rows] = np.arange(len(rows))
    return column.take(source)


def _empty_shapes(column: Ragged, num_rows: int) -> NDArray[np.int64] | None:
    return None if column.shapes is None else np.zeros((num_rows, column.shapes.shape[1]), np.int64)


def _spec(name: str, column: Ragged) -> TensorSpec:
    if column.class_names is not None:
        return TensorSpec(name=name, htype="class_label", dtype="int64", class_names=column.class_names)
    if column.values.dtype.kind == "T":
        return TensorSpec(name=name, htype="text", dtype="str")
    return TensorSpec(name=name, dtype=column.values.dtype.name, ndim=column.ndim)
