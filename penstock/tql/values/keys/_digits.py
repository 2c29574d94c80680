"""The values of an expression as digits, by which rows are ordered, grouped and joined."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.pool._sorting import Digits, digits_of_numbers
from penstock.tql.values._operations import as_text
from penstock.tql.values._values import Value, expand_rows
from penstock.tql.values.keys._text_codes import array_codes, digits_of_text

__all__ = ["equal_digits", "missing_rows", "order_digits"]

Flags = NDArray[np.bool_]


def order_digits(value: Value, num_rows: int, *, descending: bool, nulls_first: bool) -> list[Digits]:
    """Return digits whose order is that of the values; NULL and NaN come last, or NULL and then NaN first."""
    value = expand_rows(value, num_rows)
    null, nan = missing_rows(value)
    rank = None
    if null is not None or nan is not None:
        null, nan = (np.zeros(num_rows, bool) if flags is None else flags for flags in (null, nan))
        rank = np.where(null, 0, np.where(nan, 1, 2)) if nulls_first else (null | nan).astype(np.int64)
    return _with_rank(_digits(value, descending=descending, ordered=True), rank, 2 if nulls_first else 0)


def equal_digits(value: Value, num_rows: int) -> tuple[list[Digits], Flags | None]:
    """Return digits that are equal where the values are, and which rows are NULL or NaN, which are all equal."""
    value = expand_rows(value, num_rows)
    null, nan = missing_rows(value)
    if value.offsets is not None:
        rank = None if null is None else null.astype(np.int64)
        return [one for digits in _array_digits(value) for one in _with_rank(digits, rank, 0)], null
    missing = null if nan is None else nan if null is None else null | nan
    rank = None if missing is None else missing.astype(np.int64)
    return _with_rank(_digits(value, descending=False, ordered=False), rank, 0), missing


def missing_rows(value: Value) -> tuple[Flags | None, Flags | None]:
    """Return which rows are NULL, and which others are NaN; None where none is."""
    null = None if value.valid is None else ~value.valid
    if value.offsets is not None:
        return null, None
    if value.data.dtype == object:
        none = np.array([item is None for item in value.data], bool)
        return (none if null is None else null | none), None
    if value.data.dtype.kind != "f":
        return null, None
    nan = np.isnan(value.data)
    nan = nan if null is None else nan & ~null
    return null, nan if nan.any() else None


def _with_rank(digits: Digits, rank: NDArray[np.int64] | None, there: int) -> list[Digits]:
    """Return digits behind a rank; rows whose rank is not that of a value are equal."""
    if rank is None:
        return [digits]
    words = digits.words.copy()
    words[rank != there] = 0
    return [Digits(rank.astype(np.uint64), 2), Digits(words, digits.bits)]


def _digits(value: Value, *, descending: bool, ordered: bool) -> Digits:
    data = value.data
    if data.dtype == object:
        return digits_of_numbers(_json_codes(value), descending=descending)
    if data.dtype.kind == "T":
        return digits_of_text(data, descending=descending, ordered=ordered)
    if data.dtype.kind in "biuf":
        present = _without_nan(data) if data.dtype.kind == "f" else data
        return digits_of_numbers(present, descending=descending)
    _, codes = np.unique(data, return_inverse=True)
    return digits_of_numbers(codes, descending=descending)


def _without_nan(data: NDArray[Any]) -> NDArray[Any]:
    nan = np.isnan(data)
    return np.where(nan, data.dtype.type(0), data) if nan.any() else data


def _json_codes(value: Value) -> NDArray[np.int64]:
    """Return numbers ordered as JSON values are: numbers first, then everything else as text."""
    numbers = np.array([isinstance(item, int | float) for item in value.data], bool)
    codes = np.zeros(len(value.data), np.int64)
    if numbers.any():
        _, codes[numbers] = np.unique(value.data[numbers].astype(np.float64), return_inverse=True)
    texts = as_text(Value(data=value.data[~numbers])).data
    if len(texts):
        _, inverse = np.unique(texts, return_inverse=True)
        codes[~numbers] = inverse + (int(codes.max(initial=0)) + 1)
    return codes


def _array_digits(value: Value) -> list[Digits]:
    """Return digits of arrays: 0.0 and -0.0 differ, NaN equals itself."""
    assert value.offsets is not None
    plain = value.data.dtype.kind not in "TO"
    codes = array_codes(value.data, value.offsets) if plain else _object_codes(value.data, value.offsets)
    shapes = () if value.shapes is None else value.shapes.T
    return [digits_of_numbers(each) for each in (codes, *shapes)]


def _object_codes(data: NDArray[Any], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    known: dict[object, int] = {}
    parts = (tuple(data[start:end].tolist()) for start, end in pairwise(offsets.tolist()))
    return np.array([known.setdefault(part, len(known)) for part in parts], np.int64)
