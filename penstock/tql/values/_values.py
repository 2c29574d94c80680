"""Values of an expression in all rows at once: flat data and offsets."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.table import Ragged
from penstock.tql.values._layers import Layers

__all__ = [
    "TEXT",
    "Value",
    "array_constant",
    "constant",
    "expand_rows",
    "from_ragged",
    "positions",
    "reduce_rows",
    "row_numbers",
    "rows_with",
    "scalar",
    "take",
    "to_ragged",
    "truth",
]

TEXT = np.dtypes.StringDType()
_SPARSE = 8
_BLOCK = 1 << 16
_MOST_LAYERED = 20_000_000


@dataclass(slots=True, kw_only=True, eq=False)  # not frozen, as Bound is not; never changed once made
class Value:
    """A column of results.

    Without offsets one element a row; with them row ``i`` holds
    ``data[offsets[i]:offsets[i + 1]]``. A `constant` holds one row that stands
    for all. NULL rows are False in `valid`.
    """

    data: NDArray[Any]
    offsets: NDArray[np.int64] | None = None
    shapes: NDArray[np.int64] | None = None
    valid: NDArray[np.bool_] | None = None
    constant: bool = False
    _layers: Layers | None = field(default=None, init=False)
    _asked: int = field(default=0, init=False)

    def layers(self) -> Layers | None:
        """Return the layers of an array without NULL, from the second request on."""
        self._asked += 1
        fits = self.offsets is not None and self.valid is None and not self.constant and len(self.data) <= _MOST_LAYERED
        if self._layers is None and self._asked > 1 and fits and self.offsets is not None:
            self._layers = Layers.of(self.data, self.offsets)
        return self._layers

    @property
    def number(self) -> int | float | None:
        """The number of a constant; None if it is not one."""
        known = self.constant and self.offsets is None and self.valid is None and self.data.dtype.kind in "iuf"
        return self.data[0].item() if known else None

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Elements in each row."""
        return np.ones(len(self.data), np.int64) if self.offsets is None else np.diff(self.offsets)

    @property
    def num_rows(self) -> int:
        """Rows held: 1 for a constant."""
        return len(self.data) if self.offsets is None else len(self.offsets) - 1

    @property
    def all_shapes(self) -> NDArray[np.int64]:
        """Shape of each row, (num_rows, rank)."""
        if self.offsets is None:
            return np.zeros((len(self.data), 0), np.int64)
        return self.lengths[:, None] if self.shapes is None else self.shapes


def constant(value: Any, dtype: Any = None) -> Value:
    """Return one value for all rows; None is NULL."""
    if value is None:
        return Value(data=np.zeros(1, dtype or np.float64), valid=np.zeros(1, bool), constant=True)
    if dtype is object:
        data = np.empty(1, object)
        data[0] = value
        return Value(data=data, constant=True)
    return _literal(value, TEXT if isinstance(value, str) else dtype)


@lru_cache(maxsize=1024, typed=True)  # an editor binds the same few literals at every key stroke
def _literal(value: Any, dtype: Any) -> Value:
    data = np.array([value], dtype)
    data.flags.writeable = False
    return Value(data=data, constant=True)


def array_constant(data: NDArray[Any]) -> Value:
    """Return one array for all rows."""
    shapes = None if data.ndim == 1 else np.array([data.shape], np.int64)
    return Value(data=data.reshape(-1), offsets=np.array([0, data.size]), shapes=shapes, constant=True)


def from_ragged(column: Ragged) -> Value:
    """Return a column in memory as a value; class labels in the narrowest type."""
    data = column.values
    if column.class_names is not None and data.dtype.itemsize > 1 and data.dtype.kind in "iu":
        data = _narrowed(data)
    if column.ndim > 0:
        return Value(data=data, offsets=column.offsets, shapes=column.shapes, valid=column.valid)
    return scalar(Value(data=data, offsets=column.offsets, valid=column.valid))


def _narrowed(data: NDArray[Any]) -> NDArray[Any]:
    if not len(data):
        return data.astype(np.uint8)
    low, high = int(data.min()), int(data.max())
    kinds: list[Any] = [np.uint8, np.uint16] if low >= 0 else [np.int16]
    fitting = (kind for kind in kinds if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)
    return data.astype(next(fitting, data.dtype))


def scalar(value: Value) -> Value:
    """Return a value of at most one element per row as one element per row; an empty row is NULL."""
    if value.offsets is None:
        return value
    count = value.num_rows
    if len(value.data) == count and value.offsets[-1] == count and _one_each(value.offsets):
        return Value(data=value.data, valid=value.valid, constant=value.constant)
    present = value.offsets[1:] > value.offsets[:-1]
    data = np.zeros(count, value.data.dtype)
    data[present] = value.data[value.offsets[:-1][present]]
    valid = present if value.valid is None else present & value.valid
    return Value(data=data, valid=None if valid.all() else valid, constant=value.constant)


def _one_each(offsets: NDArray[np.int64]) -> bool:
    """Return whether each row has one element; nothing of the size of the column is made."""
    blocks = (offsets[start : start + _BLOCK + 1] for start in range(0, len(offsets) - 1, _BLOCK))
    return all(bool((np.diff(block) == 1).all()) for block in blocks)


def to_ragged(value: Value, num_rows: int, class_names: tuple[str, ...] | None) -> Ragged:
    """Return a value as a column of `num_rows` rows; a NULL row has no element, except for text."""
    value = expand_rows(value, num_rows)
    data = value.data
    if data.dtype == object:
        data = np.array([_json_text(item) for item in data], TEXT)
    if class_names is not None:
        data = data.astype(np.int64)
    if value.offsets is not None:
        return Ragged(
            values=data, offsets=value.offsets, shapes=value.shapes, valid=value.valid, class_names=class_names
        )
    shapes = None if class_names is not None else np.zeros((num_rows, 0), np.int64)
    valid, offsets = value.valid, np.arange(num_rows + 1)
    if valid is not None and data.dtype.kind != "T":
        data, offsets = data[valid], offsets_of(valid.astype(np.int64))
    valid = None if class_names is not None else valid  # a class label without a name is an empty sample
    return Ragged(values=data, offsets=offsets, shapes=shapes, valid=valid, class_names=class_names)


def _json_text(item: Any) -> str:
    import json

    return item if isinstance(item, str) else json.dumps(item)


def expand_rows(value: Value, num_rows: int) -> Value:
    """Return a constant repeated for every row; anything else unchanged."""
    if not value.constant:
        return value
    valid = None if value.valid is None else np.repeat(value.valid, num_rows)
    if value.offsets is None:
        return Value(data=np.repeat(value.data, num_rows), valid=valid)
    shapes = None if value.shapes is None else np.repeat(value.shapes, num_rows, axis=0)
    size = len(value.data)
    return Value(data=np.tile(value.data, num_rows), offsets=np.arange(num_rows + 1) * size, shapes=shapes, valid=valid)


def take(value: Value, rows: NDArray[np.int64]) -> Value:
    """Return some rows; row -1 is NULL."""
    if value.constant:
        value = expand_rows(value, int(rows.max(initial=-1)) + 1)
    missing = rows < 0
    if missing.any():
        return _take_missing(value, rows, missing)
    valid = None if value.valid is None else value.valid[rows]
    if value.offsets is None:
        return Value(data=value.data[rows], valid=valid)
    # validity is taken above, as rows without offsets have it too
    column = Ragged(values=value.data, offsets=value.offsets, shapes=value.shapes).take(rows)
    return Value(data=column.values, offsets=column.offsets, shapes=column.shapes, valid=valid)


def _take_missing(value: Value, rows: NDArray[np.int64], missing: NDArray[np.bool_]) -> Value:
    present = take(value, rows[~missing])
    valid = np.zeros(len(rows), bool)
    valid[~missing] = True if present.valid is None else present.valid
    if present.offsets is None:
        data = np.zeros(len(rows), present.data.dtype)
        data[~missing] = present.data
        return Value(data=data, valid=valid)
    lengths = np.zeros(len(rows), np.int64)
    lengths[~missing] = present.lengths
    shapes = None
    if present.shapes is not None:
        shapes = np.zeros((len(rows), present.shapes.shape[1]), np.int64)
        shapes[~missing] = present.shapes
    return Value(data=present.data, offsets=offsets_of(lengths), shapes=shapes, valid=valid)


def offsets_of(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where rows of these lengths begin, and the end."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def row_numbers(offsets: NDArray[np.int64], elements: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the row of each element."""
    return np.searchsorted(offsets, elements, "right") - 1


def rows_with(flags: NDArray[np.bool_], offsets: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which rows have a True element; empty rows do not."""
    out = np.zeros(len(offsets) - 1, bool)
    # few hits: look for the row of each; many: count all up and see where the count grows inside a row
    if np.count_nonzero(flags) * _SPARSE < len(out):
        out[row_numbers(offsets, np.flatnonzero(flags))] = True
        return out
    for start in range(0, len(out), _BLOCK):
        within = offsets[start : start + _BLOCK + 1] - offsets[start]
        own = flags[offsets[start] : offsets[start] + within[-1]]
        counts = np.zeros(len(own) + 1, np.int64)
        np.cumsum(own, out=counts[1:])
        np.greater(counts[within[1:]], counts[within[:-1]], out=out[start : start + _BLOCK])
    return out


def reduce_rows(ufunc: np.ufunc, value: Value, empty: float | bool) -> NDArray[Any]:
    """Return `ufunc` reduced over each row; `empty` for rows without elements."""
    if value.offsets is None:
        return value.data
    lengths = np.diff(value.offsets)
    present = lengths > 0
    starts = value.offsets[:-1][present]  # reduceat gives an empty row the first element of the next one
    reduced = ufunc.reduceat(value.data, starts) if len(starts) else value.data[:0]
    if present.all():
        return np.asarray(reduced)
    out = np.full(len(lengths), empty, np.result_type(reduced.dtype, np.min_scalar_type(empty)))
    out[present] = reduced
    return out


def truth(value: Value) -> Value:
    """Return a value as booleans: nonzero is true; NULL and NaN are false."""
    if value.data.dtype == bool and value.valid is None:
        return value
    if value.data.dtype == bool:
        flags = value.data
    elif value.data.dtype == object:
        flags = np.array([isinstance(item, int | float) and item != 0 and item == item for item in value.data], bool)  # noqa: PLR0124  NaN differs from itself
    else:
        flags = value.data != 0
        if value.data.dtype.kind == "f":
            flags &= ~np.isnan(value.data)
    if value.valid is not None:
        flags = flags & _spread(value.valid, value)
    return Value(data=flags, offsets=value.offsets, shapes=value.shapes, constant=value.constant)


def _spread(per_row: NDArray[Any], value: Value) -> NDArray[Any]:
    return per_row if value.offsets is None else np.repeat(per_row, value.lengths)


def positions(
    begin: NDArray[np.int64],
    axes: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]],
) -> NDArray[np.int64]:
    """Return flat positions of a selection in ragged arrays of several dimensions.

    `begin` is where each row starts; each axis gives, per row, the number of
    indices, the flat distance of the first, and the flat distance between two.
    """
    # axis by axis, each place becomes as many places as its row has indices along the axis
    at = begin
    owner = np.arange(len(begin))
    for counts, first, stride in axes:
        count = counts[owner]
        within = _within(count)
        parent = np.repeat(np.arange(len(at)), count)
        owner = owner[parent]
        at = at[parent] + first[owner] + within * stride[owner]
    return at


def _within(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    ends = np.cumsum(counts)  # 0, 1, ... count - 1 for each count, one after the other
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) - np.repeat(ends - counts, counts)
