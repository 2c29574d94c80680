"""Whether what was delivered is what the weights let expect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.loader.accounts._expected_counts import LEVEL, Delivered, expected_counts
from penstock.loader.batching._batch import Draw
from penstock.loader.sources._planned import Armed, PlannedStream
from penstock.loader.sources._pool import Pool
from penstock.sampling import ClassCounts, SamplingPlan

__all__ = ["Audit", "Tally"]

_ROUNDING = 1e-6
_FOLDED_AT = 4_096
_COUNTED_AT_ONCE = 1 << 13  # so many fit the cache
_NO_LABELS = ClassCounts(values=np.zeros(0, np.int64), offsets=np.zeros(1, np.int64), class_names=())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Audit:
    """Realized class counts beside the expected band.

    Parameters
    ----------
    class_names : tuple of str
        The classes counted.
    realized : ndarray of int64, shape (num_classes,)
        Instances delivered since the loader was made.
    expected : ndarray of float64, shape (num_classes,)
        Mean for as many draws by the weights they were drawn by; of several weights, added up.
    low, high : ndarray of float64, shape (num_classes,)
        Band that holds all classes at once with probability `level`.
    num_draws : int
        Draws delivered.
    level : float
        Simultaneous probability of the band.
    skipped, substituted : tuple of (int, str)
        Rows that could not be read, and why.
    """

    class_names: tuple[str, ...]
    realized: NDArray[np.int64]
    expected: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    num_draws: int
    level: float
    skipped: tuple[tuple[int, str], ...] = ()
    substituted: tuple[tuple[int, str], ...] = ()

    def __repr__(self) -> str:
        good, count = int(self.inside.sum()), len(self.inside)
        return f"Audit({self.num_draws:,} draws, {good} of {count} classes inside the band, level {self.level:g})"

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Whether each class is inside the band, bool of shape (num_classes,)."""
        return (self.realized >= self.low - _ROUNDING) & (self.realized <= self.high + _ROUNDING)

    @property
    def passed(self) -> bool:
        """Whether every class is inside the band."""
        return bool(self.inside.all())

    def to_pandas(self) -> Any:
        """Return a DataFrame with one row per class."""
        import pandas as pd

        columns = ("realized", "expected", "low", "high", "inside")
        return pd.DataFrame(
            {name: getattr(self, name) for name in columns}, index=pd.Index(self.class_names, name="class")
        )


class Tally:
    """Counts the classes of delivered draws, a few thousand at a time, and how many draws were of which weights.

    Parameters
    ----------
    pool : Pool
        What is drawn from.
    shuffled : bool
        Whether plain passes are in random order.
    """

    def __init__(self, pool: Pool, *, shuffled: bool) -> None:
        self._pool = pool
        self._shuffled = shuffled
        self._waiting: list[NDArray[np.int64]] = []
        self._num_waiting = 0
        self._labels: ClassCounts | None = None
        self._single: NDArray[np.integer] | None = None
        self._counts = np.zeros(0, np.int64)
        self._parts: dict[Armed | None, Delivered] = {}

    def add(self, draw: Draw, planned: PlannedStream, *, in_a_row: bool = True) -> None:
        """Count a delivered batch or several, without what only fills them; say whether the draws are a run."""
        if draw.valid is not None and not draw.valid.all():
            draw = draw.keep(draw.valid)
        if not len(draw):
            return
        self._waiting.append(draw.pool)
        self._num_waiting += len(draw)
        begin, end = draw.start + int(draw.positions[0]), draw.start + int(draw.positions[-1]) + 1
        armed = planned.at(begin)
        if len(planned.armed) < 2 or planned.at(end - 1) is armed:
            self._part(armed).add(draw.epoch, len(draw), begin, end, in_a_row=in_a_row)
        else:
            self._add_parts(draw, planned, in_a_row=in_a_row)
        if self._num_waiting >= _FOLDED_AT:
            self._fold()

    def _add_parts(self, draw: Draw, planned: PlannedStream, *, in_a_row: bool) -> None:
        """Count draws of several weights, those of each by themselves."""
        positions = draw.start + draw.positions
        borders = np.searchsorted(positions, planned.starts).tolist()
        for armed, first, last in zip(planned.armed, borders, [*borders[1:], len(positions)], strict=True):
            if first < last:
                begin, end = int(positions[first]), int(positions[last - 1]) + 1
                self._part(armed).add(draw.epoch, last - first, begin, end, in_a_row=in_a_row)

    def _part(self, armed: Armed | None) -> Delivered:
        part = self._parts.get(armed)
        if part is None:
            part = self._parts[armed] = Delivered(armed)
        return part

    def _fold(self) -> None:
        if self._labels is None:
            first = self._pool.at_first.plan
            found = first.strata.labels if isinstance(first, SamplingPlan) else self._pool.labels()
            self._labels = found or _NO_LABELS
            self._single = _single(self._labels)
            self._counts = np.zeros(self._labels.num_classes, np.int64)
        if self._labels.num_classes and self._waiting:
            drawn = self._waiting[0] if len(self._waiting) == 1 else np.concatenate(self._waiting)
            self._counts += self._counted(self._labels, drawn)
        self._waiting, self._num_waiting = [], 0

    def _counted(self, labels: ClassCounts, drawn: NDArray[np.int64]) -> NDArray[np.int64]:
        if self._single is None:
            return labels.take(drawn).instances
        counts = np.zeros(labels.num_classes, np.int64)
        for begin in range(0, len(drawn), _COUNTED_AT_ONCE):
            part = drawn[begin : begin + _COUNTED_AT_ONCE]
            counts += np.bincount(self._single.take(part, 0, None, "clip"), minlength=len(counts))
        return counts

    def audit(self, skipped: list[tuple[int, str]], substituted: list[tuple[int, str]]) -> Audit:
        """Return the counts beside the band of the weights for as many draws of each."""
        self._fold()
        labels = self._labels
        assert labels is not None
        expected, low, high = expected_counts(tuple(self._parts.values()), labels, shuffled=self._shuffled)
        return Audit(
            class_names=labels.class_names,
            realized=self._counts.copy(),
            expected=expected,
            low=low,
            high=high,
            num_draws=sum(part.num_draws for part in self._parts.values()),
            level=LEVEL,
            skipped=tuple(skipped),
            substituted=tuple(substituted),
        )


def _single(labels: ClassCounts) -> NDArray[np.integer] | None:
    """Return the label of each sample where all have one, in as few bytes as hold it; else None."""
    count = len(labels.offsets) - 1
    values = labels.values  # noqa: PD011  no DataFrame
    if len(values) != count or not count or (np.diff(labels.offsets) != 1).any():
        return None
    return values.astype(np.min_scalar_type(labels.num_classes))
