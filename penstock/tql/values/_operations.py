"""Operators on columns of values."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.tql.values._aligning import aligned
from penstock.tql.values._values import TEXT, Value, expand_rows, scalar, truth

__all__ = [
    "ARITHMETIC",
    "COMPARISONS",
    "as_text",
    "choose",
    "class_text",
    "compare",
    "elementwise",
    "is_in",
    "is_null",
    "json_number",
    "json_text",
    "like_ids",
    "like_matcher",
    "logical",
    "parse_time",
    "parsed",
    "spread",
    "to_number",
    "to_time",
]

COMPARISONS: dict[str, np.ufunc] = {
    "=": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
}  # fmt: skip
_WILD = re.compile(r"\\(.)|([*%])|([?_])", re.DOTALL)


def spread(valid: NDArray[np.bool_], value: Value) -> NDArray[np.bool_]:
    """Return a flag per row as one per element."""
    return valid if value.offsets is None else np.repeat(valid, value.lengths)


def compare(ufunc: np.ufunc) -> Callable[[Value, Value], Value]:
    """Return the comparison of two values; NULL makes it false."""

    def compute(left: Value, right: Value) -> Value:
        x, y, layout = aligned(left, right)
        flags = ufunc(_plain(x, left), _plain(y, right))
        if flags.ndim == 0:
            flags = flags[None]
        if layout.valid is not None:
            flags = flags & spread(layout.valid, layout)
        return replace(layout, data=flags, valid=None)

    return compute


def _plain(data: NDArray[Any], value: Value) -> Any:
    if value.constant and value.offsets is None and data.dtype.kind in "biuf":
        return data[0].item()
    return data


def elementwise(function: Callable[..., NDArray[Any]]) -> Callable[[Value, Value], Value]:
    """Return a function of two values, element by element; NULL makes NULL."""

    def compute(left: Value, right: Value) -> Value:
        x, y, layout = aligned(left, right)
        with np.errstate(all="ignore"):
            return replace(layout, data=function(x, y))

    return compute


def _wide(data: NDArray[Any]) -> NDArray[Any]:
    if data.dtype.kind == "f":
        return data.astype(np.float64, copy=False)
    return data if data.dtype.kind == "u" and data.dtype.itemsize > 4 else data.astype(np.int64, copy=False)


def _whole_division(ufunc: np.ufunc) -> Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]:
    def compute(x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
        x, y = _wide(x), _wide(y)
        if y.dtype.kind in "iu" and (y == 0).any():
            y = np.where(y == 0, np.nan, y)
        return np.asarray(ufunc(x, y))

    return compute


ARITHMETIC: dict[str, Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]] = {
    "+": lambda x, y: _wide(x) + _wide(y),
    "-": lambda x, y: _wide(x) - _wide(y),
    "*": lambda x, y: _wide(x) * _wide(y),
    "/": lambda x, y: np.true_divide(_wide(x), _wide(y)),
    "//": _whole_division(np.floor_divide),
    "%": _whole_division(np.remainder),
}


def logical(ufunc: np.ufunc) -> Callable[[Value, Value], Value]:
    """Return AND or OR of two boolean values, element by element."""

    def compute(left: Value, right: Value) -> Value:
        x, y, layout = aligned(truth(left), truth(right))
        return replace(layout, data=ufunc(x, y), valid=None)

    return compute


def is_null(value: Value) -> Value:
    """Return which rows are NULL."""
    if value.valid is not None:
        return Value(data=~value.valid, constant=value.constant)
    return Value(data=np.zeros(value.num_rows, bool), constant=value.constant)


def is_in(items: NDArray[Any], *, negated: bool) -> Callable[[Value], Value]:
    """Return whether each element is among `items`; NULL is neither in nor out."""

    def compute(value: Value) -> Value:
        flags = np.zeros(len(value.data), bool)
        if items.dtype.kind in "iu" and value.data.dtype == np.uint8:
            table = np.zeros(256, bool)  # class labels are bytes: one look-up each
            table[items[(items >= 0) & (items < 256)].astype(np.int64)] = True
            flags = table[value.data]
        elif len(items):
            flags = np.isin(value.data, items)
        if negated:
            flags = ~flags
        if value.valid is not None:
            flags = flags & spread(value.valid, value)
        return replace(value, data=flags, valid=None)

    return compute


def like_ids(names: Iterable[str], pattern: str, *, ignore_case: bool = False) -> NDArray[np.int64]:
    """Return the indices of the class names that match."""
    matcher = like_matcher(pattern, ignore_case=ignore_case)
    return np.flatnonzero(matcher(np.array(list(names), TEXT)))


def like_matcher(pattern: str, *, ignore_case: bool) -> Callable[[NDArray[Any]], NDArray[np.bool_]]:
    """Return LIKE as a function of an array of text.

    The pieces between the wildcards for any text are found from left to right,
    the last one from the end: linear, where a regular expression may be exponential.
    """
    folded = pattern.casefold() if ignore_case else pattern
    pieces = _pieces(folded)

    def match(data: NDArray[Any]) -> NDArray[np.bool_]:
        texts = data.tolist()
        return np.array([_like(text.casefold() if ignore_case else text, pieces) for text in texts], bool)

    if ignore_case or any(None in piece for piece in pieces):
        return match
    return _fast_like([("".join(map(str, piece))) for piece in pieces]) or match


def _pieces(pattern: str) -> list[list[str | None]]:
    pieces: list[list[str | None]] = [[]]
    last = 0
    for found in _WILD.finditer(pattern):
        pieces[-1].extend(pattern[last : found.start()])
        escaped, several, _ = found.groups()
        if several:
            pieces.append([])
        else:
            pieces[-1].append(escaped)
        last = found.end()
    pieces[-1].extend(pattern[last:])
    return pieces


def _fast_like(pieces: list[str]) -> Callable[[NDArray[Any]], NDArray[np.bool_]] | None:
    if len(pieces) == 1:
        return lambda data: np.asarray(data == pieces[0])
    if len(pieces) == 2 and not pieces[1]:
        return lambda data: np.strings.startswith(data, pieces[0])
    if len(pieces) == 2 and not pieces[0]:
        return lambda data: np.strings.endswith(data, pieces[1])
    if len(pieces) == 3 and not pieces[0] and not pieces[2]:
        return lambda data: np.strings.find(data, pieces[1]) >= 0
    return None


def _like(text: str, pieces: list[list[str | None]]) -> bool:
    if len(pieces) == 1:
        return len(text) == len(pieces[0]) and _fits(text, 0, pieces[0])
    first, *middle, last = pieces
    if len(text) < len(first) + len(last) or not _fits(text, 0, first):
        return False
    at, stop = len(first), len(text) - len(last)
    for piece in middle:
        while at + len(piece) <= stop and not _fits(text, at, piece):
            at += 1
        if at + len(piece) > stop:
            return False
        at += len(piece)
    return _fits(text, stop, last)


def _fits(text: str, at: int, piece: list[str | None]) -> bool:
    return all(want is None or text[at + number] == want for number, want in enumerate(piece))


def class_text(names: tuple[str, ...]) -> Callable[[Value], Value]:
    """Return class indices as their names; an index without a name is NULL."""
    lookup = np.array([*names, ""], TEXT)  # the last entry is for indices without a name

    def compute(value: Value) -> Value:
        data = value.data.astype(np.int64)
        known = (data >= 0) & (data < len(names))
        text = lookup[np.where(known, data, len(names))]
        if value.offsets is not None or known.all():
            return replace(value, data=text)
        return replace(value, data=text, valid=known if value.valid is None else known & value.valid)

    return compute


def parsed(value: Value) -> Value:
    """Return JSON text as Python values; JSON null is NULL."""
    if value.data.dtype == object:
        return value
    data = np.empty(len(value.data), object)
    valid = np.ones(len(value.data), bool) if value.valid is None else value.valid.copy()
    for number, text in enumerate(value.data.tolist()):
        data[number] = _loads(text) if valid[number] else None
        valid[number] &= data[number] is not None
    return Value(data=data, valid=None if valid.all() else valid, constant=value.constant)


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def as_text(value: Value) -> Value:
    """Return numbers, booleans, times and JSON as text."""
    if value.data.dtype.kind == "T":
        return value
    if value.data.dtype == object:
        texts = [item if isinstance(item, str) else json.dumps(item) for item in value.data]
    elif value.data.dtype.kind == "b":
        texts = ["true" if item else "false" for item in value.data]
    else:
        texts = [str(item) for item in value.data.tolist()]
    return replace(value, data=np.array(texts, TEXT))


def json_number(value: Value) -> Value:
    """Return the numbers of JSON values; everything else is NULL."""
    return _json_as(value, lambda item: isinstance(item, int | float), np.float64, 0.0)


def json_text(value: Value) -> Value:
    """Return the text of JSON values; everything else is NULL."""
    return _json_as(value, lambda item: isinstance(item, str), TEXT, "")


def _json_as(value: Value, fits: Callable[[Any], bool], dtype: Any, fill: Any) -> Value:
    value = parsed(value)
    fitting = np.array([fits(item) for item in value.data], bool)
    items = [item if fit else fill for item, fit in zip(value.data, fitting, strict=True)]
    data = np.array(items, dtype) if items else np.empty(0, dtype)
    if value.offsets is not None:
        return replace(value, data=data)
    valid = fitting if value.valid is None else fitting & value.valid
    return replace(value, data=data, valid=None if valid.all() else valid)


def to_number(value: Value, dtype: Any) -> Value:
    """Return text as numbers; what is no number is NULL."""
    data = np.zeros(len(value.data), dtype)
    good = np.ones(len(value.data), bool)
    for number, item in enumerate(value.data.tolist()):
        try:
            data[number] = dtype(float(item)) if dtype is np.int64 and not item.lstrip("+-").isdigit() else dtype(item)
        except (ValueError, OverflowError):
            good[number] = False
    valid = good if value.valid is None else good & value.valid
    return replace(value, data=data, valid=None if valid.all() else valid)


def parse_time(text: str) -> np.datetime64 | None:
    """Return a point in time written in ISO 8601, or None; times of a zone become UTC."""
    try:
        when = dt.datetime.fromisoformat(text.strip())
        if when.tzinfo is not None:
            when = when.astimezone(dt.UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    return np.datetime64(when, "us")


def to_time(value: Value) -> Value:
    """Return text as points in time; invalid text is NULL."""
    if value.data.dtype.kind == "M":
        return replace(value, data=value.data.astype("datetime64[us]"))
    times = [parse_time(item) for item in value.data.tolist()]
    good = np.array([when is not None for when in times], bool)
    data = np.array([when if when is not None else np.datetime64(0, "us") for when in times], "datetime64[us]")
    valid = good if value.valid is None else good & value.valid
    return replace(value, data=data, valid=None if valid.all() else valid)


def choose(dtype: Any) -> Callable[..., Value]:
    """Return CASE: pairs of condition and value, then the default; the first true condition counts."""

    def compute(*parts: Value) -> Value:
        scalars = [scalar(part) for part in parts]
        count = max((part.num_rows for part in scalars if not part.constant), default=-1)
        rows = max(count, 1) if count < 0 else count
        every = [expand_rows(part, rows) for part in scalars]
        *pairs, default = every
        data = default.data.astype(dtype)
        valid = np.ones(rows, bool) if default.valid is None else default.valid.copy()
        # from the last to the first, so that the first condition that holds writes last
        for condition, value in reversed(list(zip(pairs[::2], pairs[1::2], strict=True))):
            flags = truth(condition).data
            data[flags] = value.data[flags].astype(dtype)
            valid[flags] = True if value.valid is None else value.valid[flags]
        return Value(data=data, valid=None if valid.all() else valid, constant=count < 0)

    return compute
