"""A table with columns that a query computed for some of its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.table._ragged import Ragged
from penstock.table._table import Table
from penstock.tensors import MAX_IMAGE_BYTES, TensorSpec, decode_json

__all__ = ["ProjectedTable"]


class ProjectedTable:
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
        self.source = source
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
    def num_rows(self) -> int:
        """Number of rows of the source."""
        return self.source.num_rows

    @property
    def max_image_bytes(self) -> int | None:
        """Most bytes an image may have when it is decoded, as the source has it."""
        return getattr(self.source, "max_image_bytes", MAX_IMAGE_BYTES)

    @property
    def version(self) -> str:
        """The source's version."""
        return self.source.version

    @property
    def tensors(self) -> Mapping[str, TensorSpec]:
        """Spec of each column, in the query's order."""
        return self._specs

    def revision(self, tensor: str) -> str:
        """Return a key that changes whenever a value of this column does."""
        return f"computed {id(self._columns[tensor])}" if tensor in self._columns else self.source.revision(tensor)

    def column(self, tensor: str) -> Ragged:
        """Return all samples of a column that is no image or mask."""
        return self._columns[tensor] if tensor in self._columns else self.source.column(tensor)

    def shapes(self, tensor: str) -> NDArray[np.int64]:
        """Return every sample's shape without decoding; -1 where unknown."""
        if tensor not in self._columns:
            return self.source.shapes(tensor)
        column = self._columns[tensor]
        return column.lengths[:, None] if column.shapes is None else column.shapes

    def take(self, rows: NDArray[np.int64], tensors: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        """Return raw samples of some rows, in their order, repeats kept."""
        own = [name for name in tensors if name not in self._columns]
        taken = dict(self.source.take(rows, own)) if own else {}
        for name in tensors:
            if name in self._columns:
                taken[name] = [_sample(self._specs[name], self._columns[name], int(row)) for row in rows]
        return {name: taken[name] for name in tensors}

    def uids(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the lasting identity of some rows, int64."""
        return self.source.uids(rows)


def _is_own(source: Table, name: str, rows: NDArray[np.int64], column: Ragged) -> bool:
    if name not in source.tensors or source.tensors[name].is_encoded:
        return False
    own = source.column(name).take(rows)
    return (
        own.values.dtype == column.values.dtype
        and own.ndim == column.ndim
        and np.array_equal(own.offsets, column.offsets)
        and np.array_equal(own.values, column.values)
    )


def _spread(column: Ragged, rows: NDArray[np.int64], num_rows: int) -> Ragged:
    """Return a column with `column` in `rows`; the other rows, which no view shows, repeat its first."""
    if not len(rows):
        return replace(
            column, offsets=np.zeros(num_rows + 1, np.int64), shapes=_empty_shapes(column, num_rows), valid=None
        )
    source = np.zeros(num_rows, np.int64)
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


def _sample(spec: TensorSpec, column: Ragged, row: int) -> Any:
    if column.valid is not None and not column.valid[row]:
        return None
    if spec.htype in {"text", "json"}:
        text = str(column.row(row).item())
        return decode_json(spec, text) if spec.htype == "json" else text
    return column.row(row).copy()
