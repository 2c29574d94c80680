"""How many rows of each stratum have a class how often; only of classes that come more than once in some row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.pool._tally import ClassTally

__all__ = ["ClassValues", "class_values"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassValues:
    """Rows by class, stratum and number of instances, ordered by these; at least 1 each.

    Parameters
    ----------
    offsets : ndarray of int64, shape (num_classes + 1,)
        Where each class begins; classes of one instance a row have nothing.
    strata, counts : ndarray of int64, shape (num_values,)
        Stratum, and instances in each of the rows.
    rows : ndarray of int64, shape (num_values,)
        Rows.
    """

    offsets: Ints
    strata: Ints
    counts: Ints
    rows: Ints

    def items(self) -> Iterator[tuple[int, tuple[Ints, Ints, Ints]]]:
        """Yield each class that some row has more than once, with its strata, counts and rows."""
        for number in np.flatnonzero(np.diff(self.offsets)).tolist():
            own = slice(int(self.offsets[number]), int(self.offsets[number + 1]))
            yield number, (self.strata[own], self.counts[own], self.rows[own])


def class_values(tally: ClassTally | None, num_classes: int) -> ClassValues:
    """Return the numbers of instances that the rows of each stratum have of each class."""
    none = np.zeros(0, np.int64)
    if tally is None:
        return ClassValues(offsets=np.zeros(1, np.int64), strata=none, counts=none, rows=none)
    often = np.zeros(num_classes, bool)
    often[tally.classes[tally.counts > 1]] = True
    kept = np.flatnonzero(often[tally.classes])
    kept = kept[np.argsort(tally.classes[kept], kind="stable")]  # by class; strata and counts stay in order
    return ClassValues(
        offsets=np.searchsorted(tally.classes[kept], np.arange(num_classes + 1)),
        strata=tally.strata[kept],
        counts=tally.counts[kept],
        rows=tally.rows[kept],
    )
