"""Rows in the order of some values, and rows with equal values: for ORDER BY, GROUP BY, DISTINCT, sets and joins."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.pool._sorting import Digits, equal_rows, first_of_each, grouped_rows, stable_order
from penstock.tql.values._values import TEXT, Value, take
from penstock.tql.values.keys._digits import equal_digits, order_digits
from penstock.tql.values.keys._leading import Key, leading_rows

__all__ = ["codes_of", "concatenated", "distinct_rows", "groups_of", "order_of"]

Ints = NDArray[np.int64]


def order_of(keys: Sequence[Key], num_rows: int, first: int | None = None) -> Ints:
    """Return rows in order of keys (value, descending, nulls first); ties keep their order both ways.

    With `first`, only so many rows are returned, and the others are not sorted.
    """
    rows = None if first is None else leading_rows(keys, num_rows, first)
    if rows is not None:
        few = [(take(value, rows), descending, nulls_first) for value, descending, nulls_first in keys]
        return rows[order_of(few, len(rows))]
    digits = [
        one
        for value, descending, nulls_first in keys
        if not value.constant
        for one in order_digits(value, num_rows, descending=descending, nulls_first=nulls_first)
    ]
    return stable_order(digits, num_rows)[:first]


def groups_of(values: Sequence[Value], num_rows: int) -> tuple[Ints, Ints]:
    """Return rows by group of equal values, groups by first appearance, and where groups begin and the last ends."""
    return grouped_rows(_equal(values, num_rows), num_rows)


def distinct_rows(values: Sequence[Value], num_rows: int) -> Ints:
    """Return the first row of each group of equal values, ascending; NULL equals NULL."""
    return first_of_each(_equal(values, num_rows), num_rows)


def codes_of(values: Sequence[Value], num_rows: int) -> Ints:
    """Return a number for each row, equal where all values are; NULL equals NULL."""
    order, starts = equal_rows(_equal(values, num_rows), num_rows)
    codes = np.empty(num_rows, np.int64)
    codes[order] = np.repeat(np.arange(len(starts)), np.diff(starts, append=num_rows))
    return codes


def _equal(values: Sequence[Value], num_rows: int) -> list[Digits]:
    return [one for value in values if not value.constant for one in equal_digits(value, num_rows)[0]]


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
