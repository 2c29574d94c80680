"""Columns of numbers, labels and text that are taken many samples at a time, without an object for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.importers.building._column import Column
from penstock.table import Ragged
from penstock.tensors import PackedCells

__all__ = ["is_packable", "packed", "rows_at_once"]

_MOST_CLASSES = 2**31
_MOST_ROWS = 100_000
_MOST_BYTES = 64 * 2**20  # of samples that are taken at once, about
_BYTES = 64  # of a sample of which no more is known
_TYPES: dict[str, type] = {"b": bool, "i": int, "u": int, "f": float}


def is_packable(column: Column) -> bool:
    """Return whether a column's samples can be taken many at a time, as long as all of them are valid."""
    if column.issues is not None:
        return False
    return column.htype == "text" or (column.htype in _PACKERS and column.whole is not None)


def rows_at_once(columns: Sequence[Column], otherwise: int) -> int:
    """Return how many samples are taken at once; `otherwise` where they have to be looked at one by one."""
    if not all(map(is_packable, columns)):
        return otherwise
    return int(max(otherwise, min(_MOST_ROWS, _MOST_BYTES // sum(map(_row_bytes, columns)))))


def _row_bytes(column: Column) -> int:
    whole = column.whole.values if isinstance(column.whole, Ragged) else column.whole
    if not isinstance(whole, np.ndarray) or not len(column.whole):
        return _BYTES
    return int(max(1, whole.nbytes // len(column.whole)))


def packed(column: Column, start: int, stop: int) -> PackedCells | None:
    """Return the samples of some rows; None where one may not be valid, so that each has to be looked at."""
    if column.htype == "text":
        return _texts(column, start, stop)
    return _PACKERS[column.htype](column, start, stop)


def _labels(column: Column, start: int, stop: int) -> PackedCells | None:
    labels = column.whole
    if not isinstance(labels, Ragged) or any(start <= row < stop for row in column.wrong):
        return None
    begin, end = labels.offsets[start], labels.offsets[stop]
    values = labels.values[begin:end].astype(np.int64, copy=False)
    num_classes = len(column.options.get("class_names", ())) or _MOST_CLASSES
    if len(values) and (values.min() < 0 or values.max() >= num_classes):
        return None
    return PackedCells(values=values, offsets=labels.offsets[start : stop + 1] - begin)


def _numbers(column: Column, start: int, stop: int) -> PackedCells | None:
    given, dtype = column.whole[start:stop], np.dtype(column.options.get("dtype", "float64"))
    if isinstance(given, list):
        return _listed(given, dtype)
    if not isinstance(given, np.ndarray) or given.dtype != dtype or dtype.kind not in _TYPES:
        return None
    return _array(np.ascontiguousarray(given), shape=given.shape[1:])


def _vectors(column: Column, start: int, stop: int) -> PackedCells | None:
    given, dtype = column.whole[start:stop], np.dtype(column.options.get("dtype", "float32"))
    is_matrix = isinstance(given, np.ndarray) and given.ndim == 2  # a vector each
    if not is_matrix or given.dtype.kind != "f" or not given.shape[1]:
        return None
    with np.errstate(all="ignore"):
        values = np.ascontiguousarray(given, dtype)
    if values.dtype != given.dtype and (np.isinf(values) != np.isinf(given)).any():
        return None
    return _array(values, shape=None)


def _array(values: NDArray[Any], *, shape: tuple[int, ...] | None) -> PackedCells:
    size = int(np.prod(values.shape[1:], dtype=np.int64))
    offsets = np.arange(len(values) + 1, dtype=np.int64) * size
    return PackedCells(values=values.reshape(-1), offsets=offsets, shape=shape)


def _listed(given: list[Any], dtype: np.dtype[Any]) -> PackedCells | None:
    """Return plain numbers, None where one is missing."""
    if not {*map(type, given)} <= {_TYPES.get(dtype.kind), type(None)}:
        return None
    valid = np.array([value is not None for value in given], bool)
    try:
        values = np.array([value for value in given if value is not None], dtype)
    except OverflowError:
        return None
    offsets = np.zeros(len(given) + 1, np.int64)
    np.cumsum(valid, out=offsets[1:])
    return PackedCells(values=values, offsets=offsets, valid=None if valid.all() else valid, shape=())


def _texts(column: Column, start: int, stop: int) -> PackedCells | None:
    try:
        texts = [column.sample(row) for row in range(start, stop)]
    except Exception:  # noqa: BLE001  whatever a source raises for one of its rows, which is then refused by itself
        return None
    return PackedCells(values=texts) if {*map(type, texts)} <= {str, type(None)} and _are_storable(texts) else None


def _are_storable(texts: Sequence[str | None]) -> bool:
    try:
        return all(len(text.encode()) < _MOST_BYTES for text in texts if text is not None and not text.isascii())
    except UnicodeEncodeError:
        return False


_PACKERS = {"class_label": _labels, "generic": _numbers, "embedding": _vectors}
