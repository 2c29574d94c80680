"""How many rows of each stratum have a class how often; only of classes that come more than once in some row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.pool._grouping import dense_codes
from penstock.sampling.pool._labels import ClassCounts

__all__ = ["ClassValues", "class_values"]

_SMALL = 1 << 16
Floats = NDArray[np.float64]
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


def class_values(labels: ClassCounts | None, ids: NDArray[np.unsignedinteger], num_strata: int) -> ClassValues:
    """Return the numbers of instances that the rows of each stratum have of each class."""
    none = np.zeros(0, np.int64)
    if labels is None:
        return ClassValues(offsets=np.zeros(1, np.int64), strata=none, counts=none, rows=none)
    rows, classes, counts = labels.entries
    num_classes = labels.num_classes
    if counts is None:
        return ClassValues(offsets=np.zeros(num_classes + 1, np.int64), strata=none, counts=none, rows=none)
    often = np.zeros(num_classes, bool)
    often[classes[counts > 1]] = True
    kept = often[classes]
    owner, counts = ids[rows[kept]].astype(np.int64), counts[kept]
    place, values = dense_codes(counts, int(counts.max(initial=0)) + 1)
    # class, stratum and count as one number, so that one pass counts all combinations
    joint = (classes[kept].astype(np.int64) * num_strata + owner) * max(len(values), 1) + place
    distinct, number = _counted(joint, num_classes * num_strata * max(len(values), 1))
    pair, place = np.divmod(distinct, max(len(values), 1))
    members, owner = np.divmod(pair, max(num_strata, 1))
    return ClassValues(
        offsets=np.searchsorted(members, np.arange(num_classes + 1)),
        strata=owner,
        counts=values[place].astype(np.int64),
        rows=number,
    )


def _counted(codes: NDArray[np.int64], limit: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct codes below `limit`, ascending, and how often there is each."""
    if limit > max(len(codes), _SMALL):
        return np.unique(codes, return_counts=True)
    often = np.bincount(codes, minlength=1)
    distinct = np.flatnonzero(often)
    return distinct, often[distinct]
