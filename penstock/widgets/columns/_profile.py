"""The bars of a column, by its kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.table import Ragged
from penstock.widgets.columns._bars import Bar, Bars, CodedBars, Kind
from penstock.widgets.columns._categories import boolean_axis, label_bars, text_axis
from penstock.widgets.columns._dates import as_times, date_axis, time_text
from penstock.widgets.columns._numbers import Axis, number_axis, number_text

__all__ = ["bars_of"]

_DIGITS = 4


def bars_of(column: Ragged, of: str, htype: str, check_cancelled: Callable[[], None] = lambda: None) -> Bars:
    """Return the bars of a column.

    Parameters
    ----------
    column : Ragged
        All rows of the table.
    of : str
        The column, as queries name it: a quoted name, or an expression.
    htype : str
        The tensor's kind.
    check_cancelled : callable
        Raises when nobody wants the bars any more.

    Examples
    --------
    >>> column = Ragged(values=np.array([3, 3, 5]), offsets=np.arange(4), shapes=np.zeros((3, 0), np.int64))
    >>> bars = bars_of(column, "age", "generic")
    >>> [(bar.label, bar.condition) for bar in bars.bars], bars.counts(None).tolist()
    ([('3', 'age = 3'), ('4', 'age = 4'), ('5', 'age = 5')], [2, 0, 1, 0])
    """
    if column.class_names is not None or htype == "class_label":
        return label_bars(column, of)
    if htype == "json" or not column.valid_rows.any():
        return _coded(column, of, "presence", [], np.zeros(0, np.uint8))
    if column.ndim > 0 and not bool((column.lengths[column.valid_rows] == 1).all()):
        return _numbers(column, column.sample_shapes[column.valid_rows, 0], of, f"length({of})", "length")
    values = column.values[column.offsets[:-1][column.valid_rows]] if _has_gaps(column) else column.values
    return _scalars(column, values, of, check_cancelled)


def _has_gaps(column: Ragged) -> bool:
    return column.valid is not None or len(column.values) != len(column)


def _scalars(column: Ragged, values: NDArray[Any], of: str, check_cancelled: Callable[[], None]) -> CodedBars:
    letter = values.dtype.kind
    if letter == "b":
        bars, codes = boolean_axis(values, of)
        return _coded(column, of, "category", bars, codes, distinct=len(np.unique(values)))
    if letter in "iuf":
        return _numbers(column, values, of, of, "number")
    times = _known(values) if letter == "M" else as_times(values)
    if times is not None:
        return _dates(column, times, of)
    bars, codes, distinct = text_axis(values, of, check_cancelled)
    return _coded(column, of, "category", bars, codes, distinct=distinct)


def _known(times: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    return times.astype("datetime64[us]")


def _dates(column: Ragged, times: NDArray[np.datetime64], of: str) -> CodedBars:
    facts = (("first", time_text(times.min())), ("last", time_text(times.max())))
    return _on_axis(column, of, "date", date_axis(times, of), facts=facts)


def _numbers(column: Ragged, values: NDArray[Any], of: str, number: str, kind: Kind) -> CodedBars:
    finite = np.isfinite(values) if values.dtype.kind == "f" else None
    if finite is None or finite.all():
        return _on_axis(column, of, kind, number_axis(values, number), facts=_facts(values))
    axis: Axis = ([], np.zeros(0, np.uint8), None, ("", ""))
    if finite.any():
        axis = number_axis(values[finite], number)
    bars, codes = [*axis[0]], np.zeros(len(values), np.uint8)
    codes[finite] = axis[1]
    for bar, rows in _not_finite(values, number):
        if rows.any():
            codes[rows] = len(bars)
            bars.append(bar)
    facts = _facts(values[finite]) if finite.any() else ()
    return _on_axis(column, of, kind, (bars, codes, axis[2], axis[3]), facts=facts)


def _not_finite(values: NDArray[Any], of: str) -> list[tuple[Bar, NDArray[np.bool_]]]:
    most = float(np.finfo(values.dtype).max)
    return [
        (Bar(label="NaN", condition=f"is_nan({of})", special="nan"), np.isnan(values)),
        (Bar(label="−∞", condition=f"{of} < {-most!r}", special="infinite"), np.isneginf(values)),
        (Bar(label="∞", condition=f"{of} > {most!r}", special="infinite"), np.isposinf(values)),
    ]


def _on_axis(column: Ragged, of: str, kind: Kind, axis: Axis, *, facts: Sequence[tuple[str, str]]) -> CodedBars:
    bars, codes, span, (low, high) = axis
    return _coded(column, of, kind, bars, codes, span=span, low=low, high=high, facts=facts)


def _coded(
    column: Ragged, of: str, kind: Kind, bars: Sequence[Bar], codes: NDArray[np.uint8], **more: Any
) -> CodedBars:
    """Return bars with one more for missing values, if there are any; `codes` are those of the valid rows."""
    valid = column.valid_rows
    gaps = not bool(valid.all())
    every = [*bars, *([Bar(label="missing", condition=f"{of} is null", special="missing")] if gaps else [])]
    of_rows = np.full(len(column), len(every), np.uint8)
    if len(bars):
        of_rows[valid] = np.where(codes < len(bars), codes, len(every)) if gaps else codes
    of_rows[~valid] = len(bars)
    return CodedBars(kind=kind, bars=every, codes=of_rows, **more)


def _facts(values: NDArray[Any]) -> tuple[tuple[str, str], ...]:
    with np.errstate(over="ignore"):
        mean = float(values.mean(dtype=np.float64))
    if not np.isfinite(mean):
        mean = float((values.astype(np.float64) / len(values)).sum())  # the sum is past the largest float
    return (
        ("min", number_text(values.min())),
        ("max", number_text(values.max())),
        ("mean", number_text(float(f"{mean:.{_DIGITS}g}"))),
    )
