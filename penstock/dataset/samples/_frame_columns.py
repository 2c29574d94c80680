"""Columns of a pandas table, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.samples._content import Content
from penstock.dataset.samples._tensor import Tensor
from penstock.table import Ragged, Table
from penstock.tensors import TensorSpec

__all__ = ["column_for_frame"]


def column_for_frame(samples: Content, name: str) -> Any:
    """Return a tensor of some samples as pandas takes it."""
    spec = samples.spec(name)
    if spec.is_encoded:
        if spec.link:
            return [None if link is None else link.url for link in Tensor(samples, name).links()]
        return list(samples.table.take(samples.rows, [name])[name])
    return _column_series(samples.table, spec, samples.rows)


def _column_series(table: Table, spec: TensorSpec, rows: Any) -> Any:
    if spec.htype in {"text", "json"}:
        return _objects(table.take(rows, [spec.name])[spec.name])
    return _column_values(spec, table.column(spec.name).take(rows))


def _column_values(spec: TensorSpec, column: Ragged) -> Any:
    if spec.htype == "class_label":
        names = np.array([*spec.class_names], dtype=object)
        values = names[column.values] if len(names) else column.values.astype(object)
        if spec.single_valued:
            return values
        return _objects(
            [values[start:stop].tolist() for start, stop in zip(column.offsets, column.offsets[1:], strict=False)]
        )
    if column.shapes is not None and column.shapes.shape[1] == 0:
        return column.values if column.valid is None else _with_missing(column.values, column.valid)
    rows = range(len(column))
    return _objects([column.row(row) if column.valid is None or column.valid[row] else None for row in rows])


def _with_missing(values: NDArray[Any], valid: NDArray[np.bool_]) -> Any:
    """Return numbers with missing ones: NaN for floats, otherwise pandas.NA, so that none is rounded."""
    import pandas as pd

    scattered = np.full(len(valid), np.nan if values.dtype.kind == "f" else 0, values.dtype)
    scattered[valid] = values
    if values.dtype.kind == "f":
        return scattered
    kind = pd.arrays.BooleanArray if values.dtype.kind == "b" else pd.arrays.IntegerArray
    return kind(scattered, ~valid)


def _objects(values: Sequence[Any]) -> Any:
    holder = np.empty(len(values), object)
    for index, value in enumerate(values):
        holder[index] = value
    return holder
