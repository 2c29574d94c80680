"""How many rows and instances of each class a stratum has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.pool._tally import ClassTally

__all__ = ["ClassSums", "class_sums"]

_LARGEST_TABLE = 1 << 18  # entries; a matrix product over so many is faster than a sum over the pairs that occur

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassSums:
    """Sums over the rows of a stratum, one entry per (stratum, class) that occurs, ordered by both.

    Parameters
    ----------
    offsets : ndarray of int32, shape (num_strata + 1,)
        Where each stratum's entries begin.
    classes : ndarray of int32, shape (num_entries,)
        Class of each entry, ascending in a stratum.
    strata : ndarray of int32, shape (num_entries,)
        Stratum of each entry.
    rows_with_class, instances, instances_squared : ndarray of float64, shape (num_entries,)
        Rows that have the class, sum of their instances k, sum of k squared. The same array where no row has a class
        twice.
    num_classes : int
        Number of classes, 0 without labels.
    """

    offsets: NDArray[np.int32]
    classes: NDArray[np.int32]
    strata: NDArray[np.int32]
    rows_with_class: Floats
    instances: Floats
    instances_squared: Floats
    num_classes: int

    def table(self, entries: Floats) -> Floats | None:
        """Return one of the sums as an array of shape (num_strata, num_classes); None where that is large.

        Parameters
        ----------
        entries : ndarray of float64, shape (num_entries,)
            One of the three arrays of this object.
        """
        for known, table in self._tables:
            if known is entries:
                return table
        shape = (len(self.offsets) - 1, self.num_classes)
        if shape[0] * shape[1] > _LARGEST_TABLE:
            return None
        table = np.zeros(shape)
        table[self.strata, self.classes] = entries
        self._tables.append((entries, table))
        return table

    @cached_property
    def _tables(self) -> list[tuple[Floats, Floats]]:
        """The sums that have been asked for as tables, each with its table: three at most."""
        return []


def class_sums(tally: ClassTally | None, num_strata: int, num_classes: int) -> ClassSums:
    """Return the sums over the rows of each stratum; no entries without labels.

    Parameters
    ----------
    tally : ClassTally, optional
        Rows by stratum, class and instances.
    num_strata, num_classes : int
        Number of strata and of classes.
    """
    if tally is None:
        none = np.zeros(0, np.float64)
        empty = np.zeros(0, np.int32)
        return ClassSums(
            offsets=np.zeros(num_strata + 1, np.int32), classes=empty, strata=empty,
            rows_with_class=none, instances=none, instances_squared=none, num_classes=0,
        )  # fmt: skip
    begins = np.ones(len(tally.rows), bool)
    begins[1:] = (np.diff(tally.classes) != 0) | (np.diff(tally.strata) != 0)
    first = np.flatnonzero(begins)
    once = bool((tally.counts == 1).all())
    present = _sums(tally.rows, first)
    owners = tally.strata[first]
    return ClassSums(
        offsets=np.searchsorted(owners, np.arange(num_strata + 1)).astype(np.int32),
        classes=tally.classes[first].astype(np.int32),
        strata=owners.astype(np.int32),
        rows_with_class=present,
        instances=present if once else _sums(tally.rows * tally.counts, first),
        instances_squared=present if once else _sums(tally.rows * tally.counts**2, first),
        num_classes=num_classes,
    )


def _sums(values: NDArray[np.int64], first: NDArray[np.int64]) -> Floats:
    return np.add.reduceat(values, first).astype(np.float64) if len(first) else np.zeros(0)
