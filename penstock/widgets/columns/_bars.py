"""The bars of a column's profile: which bar each row is in, and how TQL selects the rows of a bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from penstock.table import Ragged

__all__ = ["MAX_BARS", "Bar", "Bars", "CodedBars", "Kind", "LabelBars", "Span", "all_of", "one_of"]

Kind = Literal["number", "date", "category", "length", "presence"]
Span = Callable[[int, int], str]
MAX_BARS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar.

    Parameters
    ----------
    label : str
        The value, or the range of values.
    condition : str, optional
        Selects exactly the rows of the bar; None where TQL has no such condition.
    special : {"missing", "nan", "infinite", "empty"}, optional
        For rows that have no place on the axis.
    """

    label: str
    condition: str | None
    special: Literal["missing", "nan", "infinite", "empty"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bars:
    """The bars of a column; `CodedBars` and `LabelBars` count their rows.

    Parameters
    ----------
    kind : {"number", "date", "category", "length", "presence"}
        What the bars are: ranges of numbers or times, values, numbers of elements, or only whether there is a value.
    bars : sequence of Bar
        In order; special ones last.
    span : callable, optional
        ``span(first, last)`` returns the condition that selects all rows of neighboring bars; None where bars
        have no order.
    low, high : str
        Text at the ends of the axis.
    distinct : int, optional
        Number of values that differ; None where it was not counted.
    facts : sequence of (str, str)
        Names and values for a tooltip, such as the mean.
    """

    kind: Kind
    bars: Sequence[Bar]
    span: Span | None = None
    low: str = ""
    high: str = ""
    distinct: int | None = None
    facts: Sequence[tuple[str, str]] = ()

    def counts(self, rows: NDArray[np.int64] | None) -> NDArray[np.int64]:
        """Return how many of some rows, repeats included, each bar has; None means all rows of the column."""
        raise NotImplementedError

    @property
    def num_bytes(self) -> int:
        """Bytes that the bars keep."""
        raise NotImplementedError

    def condition(self, first: int, last: int) -> str | None:
        """Return the condition that selects the rows of the bars from `first` to `last`, both included."""
        if first == last:
            return self.bars[first].condition
        if any(bar.special is not None or bar.condition is None for bar in self.bars[first : last + 1]):
            return None
        if self.span is not None:
            return self.span(first, last)
        return one_of([str(bar.condition) for bar in self.bars[first : last + 1]])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CodedBars(Bars):
    """Bars of which each row is in at most one.

    Parameters
    ----------
    codes : ndarray of uint8, shape (num_rows,)
        Number of the bar of each row; ``len(bars)`` where it is in none.
    """

    codes: NDArray[np.uint8]

    def counts(self, rows: NDArray[np.int64] | None) -> NDArray[np.int64]:
        """Return how many of some rows each bar has; the last entry is rows in no bar."""
        codes = self.codes if rows is None else self.codes[rows]
        return np.bincount(codes, minlength=len(self.bars) + 1)

    @property
    def num_bytes(self) -> int:
        """Bytes that the bars keep."""
        return self.codes.nbytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelBars(Bars):
    """Bars of classes, of which a row can be in several.

    Parameters
    ----------
    labels : Ragged
        The distinct labels of each row.
    classes : ndarray of int64, shape (num_classes_shown,)
        The class of each bar; one more bar, if there is one, counts rows without a label.
    """

    labels: Ragged
    classes: NDArray[np.int64]

    def counts(self, rows: NDArray[np.int64] | None) -> NDArray[np.int64]:
        """Return how many of some rows have the class of each bar; the last entry is always 0."""
        labels = self.labels if rows is None else self.labels.take(rows)
        top = int(self.classes.max(initial=-1)) + 1
        by_class = np.bincount(labels.values[labels.values < top], minlength=top)
        counts = np.zeros(len(self.bars) + 1, np.int64)
        counts[: len(self.classes)] = by_class[self.classes]
        if len(self.bars) > len(self.classes):
            counts[len(self.classes)] = int((labels.lengths == 0).sum())
        return counts

    @property
    def num_bytes(self) -> int:
        """Bytes that the bars keep."""
        return int(self.labels.values.nbytes + self.labels.offsets.nbytes)


def one_of(conditions: Sequence[str]) -> str:
    """Return a condition that holds where one of some does; it can stand beside AND."""
    return conditions[0] if len(conditions) == 1 else f"({' or '.join(conditions)})"


def all_of(*conditions: str | None) -> str:
    """Return a condition that holds where all of some do, without those that are None."""
    return " and ".join(condition for condition in conditions if condition is not None)
