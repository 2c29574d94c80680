"""Rows as integer keys: for order, groups, distinct rows and joins."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.tql.values._operations import as_text
from penstock.tql.values._values import TEXT, Value, expand_rows

__all__ = ["combined_codes", "concatenated", "first_of_each", "group_order", "order_of", "row_codes"]

Ints = NDArray[np.int64]


def row_codes(value: Value, num_rows: int) -> tuple[Ints, NDArray[np.bool_]]:
    """Return a number for every row, ascending with the value, and which rows are NULL or NaN."""
    value = expand_rows(value, num_rows)
    missing = np.zeros(num_rows, bool) if value.valid is None else ~value.valid
    if value.offsets is not None:
        return _array_codes(value), missing
    data = value.data
    if data.dtype == object:
        return _json_codes(value), missing | np.array([item is None for item in data], bool)
    if data.dtype.kind == "f":
        missing = missing | np.isnan(data)
    if data.dtype.kind in "biu" and data.dtype.itemsize == 1:  # small enough to be its own code, unsorted
        return data.astype(np.int64), missing
    _, codes = np.unique(data, return_inverse=True)
    return codes.astype(np.int64, copy=False), missing


def _json_codes(value: Value) -> Ints:
    numbers = np.array([isinstance(item, int | float) for item in value.data], bool)
    codes = np.zeros(len(value.data), np.int64)
    if numbers.any():
        _, codes[numbers] = np.unique(value.data[numbers].astype(np.float64), return_inverse=True)
    texts = as_text(Value(data=value.data[~numbers])).data
    if len(texts):
        _, inverse = np.unique(texts, return_inverse=True)
        codes[~numbers] = inverse + (int(codes.max(initial=0)) + 1)
    return codes


def _array_codes(value: Value) -> Ints:
    known: dict[object, int] = {}
    codes = np.zeros(value.num_rows, np.int64)
    assert value.offsets is not None
    for row in range(value.num_rows):
        part = value.data[value.offsets[row] : value.offsets[row + 1]]
        shape = () if value.shapes is None else tuple(value.shapes[row].tolist())
        key = (shape, tuple(part.tolist()) if part.dtype.kind in "TO" else part.tobytes())
        codes[row] = known.setdefault(key, len(known))
    return codes


def combined_codes(values: Sequence[Value], num_rows: int) -> Ints:
    """Return one number per row, equal where all values are equal; NULL equals NULL."""
    codes = np.zeros(num_rows, np.int64)
    for value in values:
        more, missing = row_codes(value, num_rows)
        more = np.where(missing, more.max(initial=0) + 1, more)
        # numbered anew for each value, so that the product never overflows
        _, codes = np.unique(codes * (int(more.max(initial=0)) + 1) + more, return_inverse=True)
    return codes.astype(np.int64, copy=False)


def first_of_each(codes: Ints) -> Ints:
    """Return the first row of every code, in order of appearance."""
    _, first = np.unique(codes, return_index=True)
    return np.sort(first)


def group_order(codes: Ints) -> tuple[Ints, Ints]:
    """Return rows ordered by group, groups by first appearance, and where groups begin."""
    if not len(codes):
        return np.zeros(0, np.int64), np.zeros(1, np.int64)
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))  # unique sorts by code; groups come by first appearance
    groups = rank[inverse]
    counts = np.bincount(groups)
    return np.argsort(groups, kind="stable"), np.concatenate([[0], np.cumsum(counts)])


def order_of(keys: Sequence[tuple[Value, bool, bool]], num_rows: int) -> Ints:
    """Return rows in order of keys (value, descending, nulls first); ties keep their order both ways."""
    if len(keys) == 1:
        fast = _one_plain_key(*keys[0][:2], num_rows)
        if fast is not None:
            return fast
    columns: list[Ints] = []
    for value, descending, nulls_first in reversed(keys):
        codes, missing = row_codes(value, num_rows)
        codes = -codes if descending else codes
        if missing.any():
            end = codes.min(initial=0) - 1 if nulls_first else codes.max(initial=0) + 1
            codes = np.where(missing, end, codes)
            if nulls_first:
                codes = np.where(missing & _null(value, num_rows), end - 1, codes)
        columns.append(codes)
    return np.lexsort(columns)


def _null(value: Value, num_rows: int) -> NDArray[np.bool_]:
    """Return which rows are NULL, NaN not among them."""
    value = expand_rows(value, num_rows)
    null = np.zeros(num_rows, bool) if value.valid is None else ~value.valid
    if value.data.dtype == object and value.offsets is None:
        null = null | np.array([item is None for item in value.data], bool)
    return null


def _one_plain_key(value: Value, descending: bool, num_rows: int) -> Ints | None:
    if value.constant or value.offsets is not None or value.valid is not None or value.data.dtype.kind not in "iuM":
        return None
    if not descending:
        return np.argsort(value.data, kind="stable")
    # backwards twice: descending, and ties still in the order of rows
    return (num_rows - 1 - np.argsort(value.data[::-1], kind="stable"))[::-1]


def concatenated(*values: Value) -> Value:
    """Return the rows of some values, one after another."""
    columns = [each.data for each in values]
    if any(data.dtype == object for data in columns):
        columns = [data if data.dtype == object else _objects(data) for data in columns]
    valid = None
    if any(each.valid is not None for each in values):
        valid = np.concatenate([np.ones(each.num_rows, bool) if each.valid is None else each.valid for each in values])
    data = np.concatenate(columns)
    offsets = [each.offsets for each in values if each.offsets is not None]
    if len(offsets) < len(values):
        return Value(data=data, valid=valid)
    starts = np.cumsum([0, *(each[-1] for each in offsets[:-1])])
    begins = [each[1:] + start for each, start in zip(offsets, starts, strict=True)]
    known = [each.shapes for each in values if each.shapes is not None]
    return Value(
        data=data,
        offsets=np.concatenate([offsets[0][:1], *begins]),
        shapes=np.concatenate(known) if len(known) == len(values) else None,
        valid=valid,
    )


def _objects(data: NDArray[Any]) -> NDArray[Any]:
    out = np.empty(len(data), object)
    for number, item in enumerate(data.tolist()):
        out[number] = json.loads(item) if isinstance(item, str) and data.dtype == TEXT else item
    return out
