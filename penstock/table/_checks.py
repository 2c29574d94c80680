"""Names and rows that a table is asked for, checked in one way for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import DatasetError, SampleIndexError, TensorNotFoundError
from penstock.tensors import TensorSpec

__all__ = ["checked_column", "checked_rows", "checked_tensor", "is_every_row"]

_BLOCK = 1 << 16


def checked_tensor(specs: Mapping[str, TensorSpec], name: str) -> TensorSpec:
    """Return a tensor's spec, or raise which tensors there are."""
    if name not in specs:
        raise TensorNotFoundError(name, specs)
    return specs[name]


def checked_column(specs: Mapping[str, TensorSpec], name: str) -> TensorSpec:
    """Return the spec of a tensor that can be read as a column."""
    spec = checked_tensor(specs, name)
    if spec.is_encoded:
        raise DatasetError(
            f"tensor {name!r} ({spec.shown_htype}) as a column. Expected a tensor that is not an image or mask"
        )
    return spec


def is_every_row(rows: NDArray[np.int64], num_rows: int) -> bool:
    """Return whether rows are all of a table in their order, which need not be picked out of it."""
    if len(rows) != num_rows or not num_rows or rows[0] != 0 or rows[-1] != num_rows - 1:
        return False
    starts = range(0, num_rows, _BLOCK)
    return all(bool((np.diff(rows[start : start + _BLOCK + 1]) > 0).all()) for start in starts)


def checked_rows(rows: NDArray[Any], num_rows: int) -> NDArray[np.int64]:
    """Return row numbers as int64 of shape (num_taken,), or raise which row does not exist."""
    rows = np.asarray(rows, np.int64).reshape(-1)
    if len(rows) and (rows.min() < 0 or rows.max() >= num_rows):
        wrong = rows[(rows < 0) | (rows >= num_rows)][0]
        raise SampleIndexError(
            f"row {wrong} does not exist. Expected 0 to {num_rows - 1}"
            if num_rows
            else f"row {wrong} does not exist. The table has no rows"
        )
    return rows
