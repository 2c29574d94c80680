"""Bars of numbers: one for each value where they are few, else ranges between round numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.widgets.columns._bars import MAX_BARS, Bar, Span, all_of

__all__ = ["Axis", "number_axis", "number_text", "placed"]

_LARGEST = 2**63 - 1
"""The largest integer a query can have; there is no smallest below ``-_LARGEST``."""
_WANTED = 20
_LOOK = 2000

Axis = tuple[list[Bar], NDArray[np.uint8], Span | None, tuple[str, str]]
"""Bars, the bar of each value, the condition of neighboring bars, and the ends of the axis."""


def number_text(value: Any) -> str:
    """Return a number as people read it: thousands set off, the shortest digits that mean the same."""
    plain = value.item() if isinstance(value, np.integer) else value
    if isinstance(plain, int):
        return f"{plain:,}".replace("-", "−")
    text = str(value)
    return text.removesuffix(".0").replace("-", "−").replace("inf", "∞")


def number_axis(values: NDArray[Any], of: str) -> Axis:
    """Return the bars of numbers that are all finite.

    Parameters
    ----------
    values : ndarray of integers or floats, shape (num_values,)
        At least one.
    of : str
        What TQL calls the number, such as ``age`` or ``length(boxes)``.
    """
    if values.dtype.kind in "iu":
        return _integers(values, of)
    few = _few_distinct(values)
    return _each_value(values, few, of) if few is not None else _float_ranges(values, of)


def placed(values: NDArray[Any], edges: Sequence[Any] | NDArray[Any]) -> NDArray[np.uint8]:
    """Return how many of the ascending `edges` each value reaches: a value at an edge is above it."""
    codes = np.zeros(len(values), np.uint8)
    for edge in edges:
        codes += (values >= edge).view(np.uint8)
    return codes


def _few_distinct(values: NDArray[Any]) -> NDArray[Any] | None:
    """Return the values in order if there are at most as many as bars."""
    if len(np.unique(values[:_LOOK])) > MAX_BARS:
        return None
    few = np.unique(values)
    return few if len(few) <= MAX_BARS else None


def _each_value(values: NDArray[Any], few: NDArray[Any], of: str) -> Axis:
    bars = [Bar(label=number_text(value), condition=_equal(value, of)) for value in few]
    ends = (_short(few[0]), _short(few[-1]))
    return bars, placed(values, few[1:]), _span_of_values(few, of), ends


def _short(value: Any) -> str:
    """Return a number for the end of an axis: floats with six digits."""
    return number_text(value if isinstance(value, np.integer) else float(f"{value:.6g}"))


def _span_of_values(few: Sequence[Any] | NDArray[Any], of: str) -> Span | None:
    if isinstance(few[0], (int, np.integer)) and max(abs(int(few[0])), abs(int(few[-1]))) > _LARGEST:
        return None

    def span(first: int, last: int) -> str:
        return all_of(*_closed(few[first], few[last], of))

    return span


def _literal(value: Any) -> str:
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    short = str(value)
    return short if float(value) == value.dtype.type(float(short)) else repr(float(value))


def _equal(value: Any, of: str) -> str:
    if isinstance(value, (int, np.integer)) and abs(int(value)) > _LARGEST:
        return f"to_str({of}) = '{int(value)}'"
    return f"{of} = {_literal(value)}"


def _closed(low: Any, high: Any, of: str) -> tuple[str | None, str | None]:
    """Return the conditions of ``low <= x <= high``; None for one that every value fulfills."""
    whole = isinstance(low, (int, np.integer))
    if not whole:
        return f"{of} >= {_literal(low)}", f"{of} <= {_literal(high)}"
    low, high = int(low), int(high)
    if low < -_LARGEST or high > _LARGEST:
        above = f"{of} >= {min(low, _LARGEST)}" if low >= -_LARGEST else None
        below = f"{of} <= {high}" if high <= _LARGEST else None
        return above, below if above or below else f"{of} is not null"
    return f"{of} = {low}" if low == high else f"{of} between {low} and {high}", None


def _integers(values: NDArray[Any], of: str) -> Axis:
    low, high = int(values.min()), int(values.max())
    if high - low < MAX_BARS:
        every = list(range(low, high + 1))
        bars = [Bar(label=number_text(value), condition=_equal(value, of)) for value in every]
        codes = (values - values.dtype.type(low)).astype(np.uint8)
        return bars, codes, _span_of_values(every, of), (number_text(low), number_text(high))
    few = _few_distinct(values)
    if few is not None:
        return _each_value(values, few, of)
    return _integer_ranges(values, low, high, of)


def _integer_ranges(values: NDArray[Any], low: int, high: int, of: str) -> Axis:
    step = _round_step(Fraction(high - low, _WANTED))
    width = max(1, int(step))
    start = low // width
    # past the largest integer a query can have there is one bar only
    stop = min(high // width, max(start, _LARGEST // width))
    lows = [width * number for number in range(start, stop + 1)]
    highs = [value + width - 1 for value in lows]
    open_end = high > _LARGEST
    if open_end:
        highs[-1] = high
    bars = []
    for first, last in zip(lows, highs, strict=True):
        label = number_text(first) if first == last else f"{number_text(first)} – {number_text(last)}"
        bars.append(Bar(label=label, condition=all_of(*_closed(first, last, of))))

    def span(first: int, last: int) -> str:
        return all_of(*_closed(lows[first], highs[last], of))

    inner = [values.dtype.type(value) for value in lows[1:]]
    return bars, placed(values, inner), span, (number_text(lows[0]), number_text(highs[-1]))


def _round_step(wanted: Fraction) -> Fraction:
    """Return the smallest of 1, 2, 5, 10, ... and their tenths that is at least `wanted`."""
    power = Fraction(10) ** math.floor(_log10(wanted))
    return next(power * factor for factor in (1, 2, 5, 10, 20) if power * factor >= wanted)


def _log10(value: Fraction) -> float:
    return math.log10(value.numerator) - math.log10(value.denominator)


def _float_ranges(values: NDArray[Any], of: str) -> Axis:
    kind = values.dtype.type
    low, high = values.min(), values.max()
    edges = _round_edges(Fraction(float(low)), Fraction(float(high)), kind)
    ends_open = bool(np.isfinite(edges[-1]) and edges[-1] > high)
    if not ends_open:
        edges[-1] = high
    bars = [
        Bar(
            label=f"{number_text(first)} – {number_text(last)}",
            condition=_half_open(first, last, of, closed=not ends_open and number == len(edges) - 2),
        )
        for number, (first, last) in enumerate(pairwise(edges))
    ]

    def span(first: int, last: int) -> str:
        return _half_open(edges[first], edges[last + 1], of, closed=not ends_open and last == len(edges) - 2)

    return bars, placed(values, edges[1:-1]), span, (number_text(edges[0]), number_text(edges[-1]))


def _half_open(low: Any, high: Any, of: str, *, closed: bool) -> str:
    return f"{of} >= {_literal(low)} and {of} <{'=' if closed else ''} {_literal(high)}"


def _round_edges(low: Fraction, high: Fraction, kind: Any) -> list[Any]:
    """Return multiples of a round step as the nearest floats of a kind, from at most `low` to at least `high`."""
    step = _round_step((high - low) / _WANTED)
    first, last = math.floor(low / step), math.floor(high / step) + 1
    with np.errstate(over="ignore"):
        edges = np.unique(np.array([kind(_as_float(step * number)) for number in range(first, last + 1)]))
    edges[0] = max(edges[0], np.finfo(kind).min)
    return list(edges) if len(edges) > 1 else [edges[0], edges[0]]


def _as_float(value: Fraction) -> float:
    try:
        return value.numerator / value.denominator  # rounded once, to the float nearest to the decimal number
    except OverflowError:
        return math.inf if value > 0 else -math.inf
