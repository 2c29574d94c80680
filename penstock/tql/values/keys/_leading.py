"""The first rows of an order, without ordering the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.tql.values._values import Value, take
from penstock.tql.values.keys._digits import missing_rows

__all__ = ["Key", "leading_rows"]

Key = tuple[Value, bool, bool]
Ints = NDArray[np.int64]

_FEW = 4096
_SHARE = 8
_BLOCK = 1 << 16


def leading_rows(keys: Sequence[Key], num_rows: int, first: int) -> Ints | None:
    """Return the `first` rows of an order by keys (value, descending, nulls first), ascending.

    None where ordering all rows is as good: there are few, most are wanted, or a key is JSON.
    """
    if num_rows < _FEW or first * _SHARE > num_rows:
        return None
    keys = [key for key in keys if not key[0].constant]
    if any(value.offsets is not None or value.data.dtype.kind not in "biufT" for value, _, _ in keys):
        return None
    return np.sort(_leading(keys, None, num_rows, first))


def _leading(keys: Sequence[Key], rows: Ints | None, num_rows: int, first: int) -> Ints:
    """Return the places of the first of some rows, which are ascending; None stands for all rows."""
    if not keys or not 0 < first < num_rows:
        return np.arange(min(first, num_rows))
    whole, descending, nulls_first = keys[0]
    value = whole if rows is None else take(whole, rows)
    found: list[Ints] = []
    for places, has_value in _ranks(value, nulls_first=nulls_first):
        size = num_rows if places is None else len(places)
        if size <= first:
            ahead, tied = np.arange(size) if places is None else places, None
        elif has_value:
            ahead, tied = _around(value.data if places is None else value.data[places], first, descending=descending)
            ahead, tied = (ahead, tied) if places is None else (places[ahead], places[tied])
        else:
            ahead, tied = np.zeros(0, np.int64), places
        found.append(ahead)
        first -= len(ahead)
        if first and tied is not None:
            found.append(tied[_leading(keys[1:], tied if rows is None else rows[tied], len(tied), first)])
            first = 0
        if not first:
            break
    return np.concatenate(found)


def _ranks(value: Value, *, nulls_first: bool) -> list[tuple[Ints | None, bool]]:
    """Return places in the order of their rank: those of values, whose own order counts, of NULL and of NaN."""
    null, nan = missing_rows(value)
    if null is None and nan is None:
        return [(None, True)]
    null, nan = (np.zeros(value.num_rows, bool) if flags is None else flags for flags in (null, nan))
    there, missing = (np.flatnonzero(~(null | nan)), True), (np.flatnonzero(null | nan), False)
    return [(np.flatnonzero(null), False), (np.flatnonzero(nan), False), there] if nulls_first else [there, missing]


def _around(data: NDArray[Any], first: int, *, descending: bool) -> tuple[Ints, Ints]:
    """Return where what comes before the last of the `first` elements of an order is, and what is equal to it."""
    if data.dtype.kind == "T":
        bound = _bound_of_texts(data, first, descending=descending)
    else:
        at = len(data) - first if descending else first - 1
        bound = np.partition(data, at)[at]
    return np.flatnonzero(data > bound if descending else data < bound), np.flatnonzero(data == bound)


def _bound_of_texts(texts: NDArray[Any], first: int, *, descending: bool) -> Any:
    """Return the last of the `first` texts of an order; of each block only what may be among them is sorted."""
    held = texts[:0]
    for start in range(0, len(texts), _BLOCK):
        block = texts[start : start + _BLOCK]
        if len(held) == first:
            bound = held[0] if descending else held[-1]
            block = block[block > bound if descending else block < bound]
        if len(block):
            held = np.sort(np.concatenate([held, block]))
            held = held[-first:] if descending else held[:first]
    return held[0] if descending else held[-1]
