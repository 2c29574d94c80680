"""Samples of a column, as `Table.take` returns them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.table._ragged import Ragged
from penstock.tensors import TensorSpec, decode_json

__all__ = ["samples_of_column"]


def samples_of_column(column: Ragged, spec: TensorSpec, rows: NDArray[np.int64]) -> list[Any]:
    """Return some rows of a column as samples of their own; None where a sample is missing."""
    valid = column.valid
    places = rows.tolist()
    if spec.htype == "json":
        read = column.values
        return [decode_json(spec, str(read[row])) if valid is None or valid[row] else None for row in places]
    if spec.htype == "text" and column.ndim:  # what GROUP BY, unique(...) and keys(...) make: several texts a row
        return [column.row(row).tolist() if valid is None or valid[row] else None for row in places]
    if spec.htype == "text":
        return [str(column.values[row]) if valid is None or valid[row] else None for row in places]
    return [column.row(row).copy() if valid is None or valid[row] else None for row in places]
