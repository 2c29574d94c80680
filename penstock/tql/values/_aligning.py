"""Two values of the same rows, element by element."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.tql.values._values import Value, expand_rows, offsets_of

__all__ = ["RowMismatchError", "aligned"]


class RowMismatchError(Exception):
    """Two arrays of one row differ in size; the binder turns it into a TQL error."""

    def __init__(self, row: int, left: int, right: int) -> None:
        super().__init__(row, left, right)
        self.row, self.left, self.right = row, left, right


def _both(left: Value, right: Value) -> NDArray[np.bool_] | None:
    """Return where both sides are there, one flag for each row of the longer."""
    if left.valid is None and right.valid is None:
        return None
    flags = [each.valid for each in (left, right) if each.valid is not None]
    count = left.num_rows if right.constant else right.num_rows
    both: NDArray[np.bool_] = np.logical_and.reduce([np.broadcast_to(each, count) for each in flags])
    return both


def aligned(left: Value, right: Value) -> tuple[NDArray[Any], NDArray[Any], Value]:
    """Return the elements of two values side by side, and the layout of the result (its data is `left`'s)."""
    if left.offsets is None and right.offsets is None:
        layout = Value(data=left.data, valid=_both(left, right), constant=left.constant and right.constant)
        return left.data, right.data, layout
    if left.offsets is not None and right.offsets is not None:
        return _two_arrays(left, right)
    array, other = (left, right) if right.offsets is None else (right, left)
    if array.constant and not other.constant:
        array = expand_rows(array, other.num_rows)
    spread = other.data if other.constant else np.repeat(other.data, array.lengths)
    layout = replace(array, valid=_both(array, other))
    return (array.data, spread, layout) if right.offsets is None else (spread, array.data, layout)


def _two_arrays(left: Value, right: Value) -> tuple[NDArray[Any], NDArray[Any], Value]:
    if left.constant != right.constant:
        count = right.num_rows if left.constant else left.num_rows
        left, right = _matched_constant(left, right, count)
    valid = _both(left, right)
    if left.offsets is right.offsets or np.array_equal(left.offsets, right.offsets):  # type: ignore[arg-type]  # both have offsets here
        _same_shapes(left, right)
        return left.data, right.data, replace(left, valid=valid)
    if valid is not None:  # rows in which a side is NULL may differ in size: they are emptied first
        left, right = _only(left, valid), _only(right, valid)
    differ = np.flatnonzero(left.lengths != right.lengths)
    if len(differ):
        row = int(differ[0])
        raise RowMismatchError(row, int(left.lengths[row]), int(right.lengths[row]))
    return left.data, right.data, replace(left, valid=valid)


def _same_shapes(left: Value, right: Value) -> None:
    if left.shapes is None or right.shapes is None or left.shapes.shape != right.shapes.shape:
        return
    differ = np.flatnonzero((left.shapes != right.shapes).any(axis=1))
    if len(differ):
        row = int(differ[0])
        raise RowMismatchError(row, int(left.shapes[row][0]), int(right.shapes[row][0]))


def _matched_constant(left: Value, right: Value, count: int) -> tuple[Value, Value]:
    wide, fixed = (right, left) if left.constant else (left, right)
    if wide.valid is not None:
        wide = _only(wide, wide.valid)
        repeated = _only(replace(expand_rows(fixed, count), valid=wide.valid), wide.valid)  # type: ignore[arg-type]  # valid is kept by _only
    else:
        repeated = expand_rows(fixed, count)
    return (repeated, wide) if left.constant else (wide, repeated)


def _only(value: Value, rows: NDArray[np.bool_]) -> Value:
    """Empty every row that is not among `rows`."""
    if value.offsets is None or rows.all():
        return value
    keep = np.repeat(rows, value.lengths)
    lengths = np.where(rows, value.lengths, 0)
    return replace(value, data=value.data[keep], offsets=offsets_of(lengths))
