"""What is kept of a signal: 16 bytes a row, whatever number of times it was recorded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock.signals._log import Records
from penstock.signals._numbers import MAX_POSITION

__all__ = ["MAX_COUNT", "SignalState"]

_SHIFT = np.uint64(40)
_POSITION = np.uint64(MAX_POSITION)
MAX_COUNT = 2**24 - 1  # what counts of more records say
_LEAST_RATE = 0.1  # the weight of a new value in the mean, after ten of them


@dataclass(frozen=True, slots=True, eq=False)
class SignalState:
    """Last value, mean, count and last position of one signal, for each row.

    Parameters
    ----------
    last, mean : ndarray of float32, shape (num_rows,)
        NaN where never recorded.
    seen : ndarray of uint64, shape (num_rows,)
        Times recorded in the upper 24 bits, the position of the last record in the lower 40.
    """

    last: NDArray[np.float32]
    mean: NDArray[np.float32]
    seen: NDArray[np.uint64]

    @classmethod
    def new(cls, num_rows: int) -> SignalState:
        """Return the state of a signal that was never recorded."""
        return cls(
            np.full(num_rows, np.nan, np.float32), np.full(num_rows, np.nan, np.float32), np.zeros(num_rows, np.uint64)
        )

    @classmethod
    def of(
        cls,
        last: NDArray[np.float32],
        mean: NDArray[np.float32],
        count: NDArray[np.uint32],
        position: NDArray[np.int64],
    ) -> SignalState:
        """Return the state with these values."""
        seen = (count.astype(np.uint64) << _SHIFT) | position.astype(np.uint64)
        return cls(np.array(last), np.array(mean), seen)

    @property
    def count(self) -> NDArray[np.uint32]:
        """Times that each row was recorded, uint32 of shape (num_rows,)."""
        return (self.seen >> _SHIFT).astype(np.uint32)

    @property
    def position(self) -> NDArray[np.int64]:
        """Where in the stream each row was recorded last, int64 of shape (num_rows,); 0 where never."""
        return (self.seen & _POSITION).astype(np.int64)

    def recorded(self) -> NDArray[np.bool_]:
        """Return which rows were recorded."""
        found: NDArray[np.bool_] = self.seen >= np.uint64(1) << _SHIFT
        return found

    def frontier(self) -> int:
        """Return the greatest position of a record; -1 where there is none."""
        where = self.recorded()
        return int(self.position[where].max()) if where.any() else -1

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> SignalState:
        """Return the state of some rows."""
        return SignalState(self.last[rows], self.mean[rows], self.seen[rows])

    def put(self, rows: NDArray[np.int64], state: SignalState) -> None:
        """Replace the state of some rows."""
        self.last[rows], self.mean[rows], self.seen[rows] = state.last, state.mean, state.seen

    def fold(self, records: Records) -> None:
        """Add records in the order of their positions.

        The numbers depend on the records of each row and their order only, to the bit: not on which process recorded
        them, nor on how they were divided into calls.
        """
        records = _in_order(records)
        rows = records.rows
        if not len(rows):
            return
        if int(np.bincount(rows).max()) == 1:
            self._add(rows, records.positions, records.values)
            return
        for chosen in _rounds(rows):
            self._add(rows[chosen], records.positions[chosen], records.values[chosen])

    def _add(self, rows: NDArray[np.int64], positions: NDArray[np.int64], values: NDArray[np.float32]) -> None:
        """Add one record to each of some rows, all different."""
        count = np.minimum((self.seen[rows] >> _SHIFT) + np.uint64(1), np.uint64(MAX_COUNT))
        before, new = self.mean[rows].astype(np.float64), values.astype(np.float64)
        with np.errstate(invalid="ignore"):
            moved = before + (new - before) * np.maximum(1.0 / count, _LEAST_RATE)
        mean = np.where(np.isfinite(new), np.where(np.isfinite(before), moved, new), before)
        self.mean[rows] = mean.astype(np.float32)
        self.last[rows] = values
        self.seen[rows] = (count << _SHIFT) | positions.astype(np.uint64)


def _in_order(records: Records) -> Records:
    positions = records.positions
    if not len(positions) or (positions[1:] >= positions[:-1]).all():
        return records
    order = np.argsort(positions, kind="stable")
    return Records(records.rows[order], positions[order], records.values[order])


def _rounds(rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the first record of each row, then the second of each that has two, and so on."""
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    lengths = np.diff(np.append(starts, len(rows)))
    occurrence = np.arange(len(rows)) - np.repeat(starts, lengths)
    by_round = order[np.argsort(occurrence, kind="stable")]
    ends = np.cumsum(np.bincount(occurrence))
    return np.split(by_round, ends[:-1])
