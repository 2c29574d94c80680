"""Bars of points in time: a histogram between whole years, months, days or hours."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.tql.values._operations import to_time
from penstock.tql.values._values import Value
from penstock.widgets.columns._bars import MAX_BARS, Bar, all_of
from penstock.widgets.columns._numbers import Axis, placed

__all__ = ["as_times", "date_axis", "time_text"]

_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?", re.DOTALL)
_LOOK = 100
_STEPS: tuple[tuple[str, int], ...] = (
    ("s", 1), ("s", 5), ("s", 15), ("s", 30), ("m", 1), ("m", 5), ("m", 15), ("m", 30), ("h", 1), ("h", 3), ("h", 6),
    ("h", 12), ("D", 1), ("D", 7), ("M", 1), ("M", 3), ("M", 6), ("Y", 1), ("Y", 2), ("Y", 5), ("Y", 10), ("Y", 50),
    ("Y", 100), ("Y", 500), ("Y", 1000),
)  # fmt: skip
_FIRST, _LAST = np.datetime64("0001-01-01", "us"), np.datetime64("9999-12-31T23:59:59.999999", "us")


def as_times(values: NDArray[Any]) -> NDArray[np.datetime64] | None:
    """Return text as points in time, as TQL reads it; None where one of the texts is not a date.

    Examples
    --------
    >>> as_times(np.array(["2024-01-31", "2024-02-01 12:00"], np.dtypes.StringDType()))
    array(['2024-01-31T00:00:00.000000', '2024-02-01T12:00:00.000000'],
          dtype='datetime64[us]')
    >>> as_times(np.array(["2024-01-31", "later"], np.dtypes.StringDType())) is None
    True
    """
    if not len(values) or not all(_DATE.fullmatch(text) for text in values[:_LOOK].tolist()):
        return None
    place: dict[str, int] = {}
    codes = np.fromiter((place.setdefault(text, len(place)) for text in values.tolist()), np.int64, len(values))
    times = to_time(Value(data=np.array(list(place), values.dtype)))  # each text once: reading it takes microseconds
    return None if times.valid is not None else times.data[codes]


def date_axis(times: NDArray[np.datetime64], of: str) -> Axis:
    """Return the bars of at least one point in time; none is missing."""
    low, high = times.min(), times.max()
    edges = _edges(low, high)
    bars = [Bar(label=_label(first, last), condition=_between(first, last, of)) for first, last in pairwise(edges)]

    def span(first: int, last: int) -> str:
        return _between(edges[first], edges[last + 1], of)

    return bars, placed(times, edges[1:-1]), span, (time_text(low), time_text(high))


def _edges(low: np.datetime64, high: np.datetime64) -> NDArray[np.datetime64]:
    for unit, step in _STEPS:
        first = int(low.astype(f"datetime64[{unit}]").astype(np.int64)) // step
        last = int(high.astype(f"datetime64[{unit}]").astype(np.int64)) // step
        if last - first < MAX_BARS:
            break
    numbers = np.arange(first, last + 2) * step
    return numbers.astype(f"datetime64[{unit}]").astype("datetime64[us]")


def _between(first: np.datetime64, last: np.datetime64, of: str) -> str:
    """Return ``first <= x < last``, without what lies outside of the times a query can name."""
    above = f"{of} >= timestamp '{time_text(first)}'" if first >= _FIRST else None
    below = f"{of} < timestamp '{time_text(last)}'" if last <= _LAST else None
    return all_of(above, below) or f"{of} is not null"


def _label(first: np.datetime64, last: np.datetime64) -> str:
    days = (last - first) / np.timedelta64(1, "D")
    if days == 1:
        return time_text(first)
    if 28 <= days <= 31 and str(first)[8:10] == "01":
        return str(first)[:7]
    if 365 <= days <= 366 and str(first)[5:10] == "01-01":
        return str(first)[:4]
    return f"{time_text(first)} – {time_text(last)}"


def time_text(when: np.datetime64) -> str:
    """Return a point in time, without a time of day that is midnight.

    Examples
    --------
    >>> time_text(np.datetime64("2024-01-31", "us")), time_text(np.datetime64("2024-01-31T12:30", "us"))
    ('2024-01-31', '2024-01-31 12:30:00')
    """
    text = str(when.astype("datetime64[us]")).replace("T", " ")
    return text.removesuffix(".000000").removesuffix(" 00:00:00")
