"""Row numbers a user gives: integers, slices, lists and masks."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SampleIndexError

__all__ = ["row_of", "rows_of"]


def row_of(index: Any, num_rows: int) -> int | None:
    """Return a row number for an integer, counted from the end if negative; None for anything else."""
    if isinstance(index, (bool, np.bool_)):
        return None
    try:
        row = operator.index(index)
    except TypeError:
        return None
    if not -num_rows <= row < num_rows:
        bounds = f"Expected {-num_rows} to {num_rows - 1}" if num_rows else "There are no samples"
        raise SampleIndexError(f"sample {row} does not exist. {bounds}")
    return row % num_rows


def rows_of(index: Any, num_rows: int) -> NDArray[np.int64]:
    """Return row numbers for a slice, a list of integers or a mask."""
    if isinstance(index, slice):
        return np.arange(num_rows, dtype=np.int64)[index]
    chosen = np.asarray(index)
    if chosen.dtype == np.bool_ and chosen.ndim == 1:
        if len(chosen) != num_rows:
            raise SampleIndexError(f"the mask has {len(chosen)} entries. Expected {num_rows}, one per sample")
        return np.flatnonzero(chosen).astype(np.int64)
    if chosen.size == 0:
        return np.empty(0, np.int64)
    if chosen.ndim != 1 or chosen.dtype.kind not in "iu":
        raise SampleIndexError(
            f"{index!r} is not a valid index of samples. Expected an integer, a slice, a list of integers or a mask"
        )
    rows = chosen.astype(np.int64)
    wrong = rows[(rows < -num_rows) | (rows >= num_rows)]
    if len(wrong):
        raise SampleIndexError(f"sample {wrong[0]} does not exist. Expected {-num_rows} to {num_rows - 1}")
    return np.where(rows < 0, rows + num_rows, rows)
