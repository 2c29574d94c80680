"""Bars of text, booleans and classes: the most frequent values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.table import Ragged
from penstock.tql import quote_text
from penstock.widgets.columns._bars import MAX_BARS, Bar, LabelBars

__all__ = ["boolean_axis", "label_bars", "shown_text", "text_axis"]

_SHOWN = 80
_LONGEST_LITERAL = 1000
_BLOCK = 100_000


def shown_text(text: str) -> str:
    r"""Return text on one line, short; what cannot be seen is named.

    Examples
    --------
    >>> shown_text(""), shown_text("two\nlines"), len(shown_text("x" * 1000))
    ('(empty text)', 'two lines', 80)
    """
    line = " ".join(text.split())
    if not line:
        return "(blank text)" if text else "(empty text)"
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def boolean_axis(values: NDArray[np.bool_], of: str) -> tuple[list[Bar], NDArray[np.uint8]]:
    """Return the bars of true and false, and the bar of each value."""
    bars = [Bar(label=word, condition=f"{of} = {word}") for word in ("true", "false")]
    return bars, (~values).astype(np.uint8)


def text_axis(
    values: NDArray[Any], of: str, check_cancelled: Callable[[], None]
) -> tuple[list[Bar], NDArray[np.uint8], int]:
    """Return bars of the most frequent texts, the bar of each value, and how many texts differ.

    There are no bars where all texts differ and they are many.
    """
    counts: Counter[str] = Counter()
    for start in range(0, len(values), _BLOCK):
        check_cancelled()
        counts.update(values[start : start + _BLOCK].tolist())
    most = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:MAX_BARS]
    if len(counts) > MAX_BARS and most[0][1] == 1:
        most = []
    bars = [Bar(label=shown_text(text), condition=_equal(text, of)) for text, _ in most]
    codes = np.full(len(values), len(bars), np.uint8)
    place = {text: number for number, (text, _) in enumerate(most)}
    for start in range(0, len(values) if bars else 0, _BLOCK):
        check_cancelled()
        block = values[start : start + _BLOCK].tolist()
        codes[start : start + _BLOCK] = [place.get(text, len(bars)) for text in block]
    return bars, codes, len(counts)


def _equal(text: str, of: str) -> str | None:
    return f"{of} = {quote_text(text)}" if len(text) <= _LONGEST_LITERAL else None


def label_bars(column: Ragged, of: str) -> LabelBars:
    """Return bars of the classes that most rows have, and of rows without a class."""
    labels = _distinct_labels(column)
    counts = np.bincount(labels.values) if len(labels.values) else np.zeros(0, np.int64)
    present = np.flatnonzero(counts)
    classes = present[np.argsort(-counts[present], kind="stable")][:MAX_BARS]
    names = column.class_names or ()
    bars = [_class_bar(int(index), names, of) for index in classes]
    if (labels.lengths == 0).any():
        bars.append(Bar(label="no class", condition=f"length({of}) = 0", special="empty"))
    return LabelBars(kind="category", bars=bars, labels=labels, classes=classes.astype(np.int64), distinct=len(present))


def _class_bar(index: int, names: tuple[str, ...], of: str) -> Bar:
    if index >= len(names):
        return Bar(label=str(index), condition=f"contains({of}, {index})")
    return Bar(label=shown_text(names[index]), condition=f"contains({of}, {quote_text(names[index])})")


def _distinct_labels(column: Ragged) -> Ragged:
    """Return each row's labels without repeats."""
    values = column.values.astype(np.int64, copy=False)
    lengths = column.lengths
    if not len(values) or int(lengths.max()) <= 1:
        return Ragged(values=values, offsets=column.offsets)
    rows = np.repeat(np.arange(len(column)), lengths)
    span = int(values.max()) + 1
    pairs = np.unique(rows * span + values)
    offsets = np.zeros(len(column) + 1, np.int64)
    np.cumsum(np.bincount(pairs // span, minlength=len(column)), out=offsets[1:])
    return Ragged(values=pairs % span, offsets=offsets)
