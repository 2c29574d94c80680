"""Rows, or groups of rows that stay together, with the labels they have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Units"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """What is divided: rows, or groups of rows that stay together.

    Parameters
    ----------
    sizes : ndarray of int64, shape (num_units,)
        Rows of each unit.
    offsets : ndarray of int64, shape (num_units + 1,)
        Where the entries of each unit begin.
    labels, counts : ndarray of int64, shape (num_entries,)
        A label of the unit, which it has once here, and how many of its rows have it.
    num_labels : int
        Labels are below this.
    """

    sizes: Ints
    offsets: Ints
    labels: Ints
    counts: Ints
    num_labels: int

    def take(self, units: Ints) -> Units:
        """Return some units."""
        lengths = self.offsets[units + 1] - self.offsets[units]
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        places = np.arange(offsets[-1]) + np.repeat(self.offsets[units] - offsets[:-1], lengths)
        return Units(
            sizes=self.sizes[units],
            offsets=offsets,
            labels=self.labels[places],
            counts=self.counts[places],
            num_labels=self.num_labels,
        )

    def totals(self, part: Ints, num_parts: int) -> tuple[Floats, Floats]:
        """Return the rows of each part, and those with each label, (num_labels, num_parts); part -1 is none."""
        inside = slice(None) if part.min(initial=0) >= 0 else part >= 0
        rows = np.bincount(part[inside], _weights(self.sizes[inside]), num_parts)
        owner = np.repeat(part, np.diff(self.offsets))
        known = slice(None) if isinstance(inside, slice) else owner >= 0
        cells = self.labels[known] * num_parts + owner[known]
        labels = np.bincount(cells, _weights(self.counts[known]), self.num_labels * num_parts)
        return rows.astype(np.float64), labels.astype(np.float64).reshape(self.num_labels, num_parts)


def _weights(counts: Ints) -> Floats | None:
    """Return the counts as weights; None where all are 1."""
    return None if counts.max(initial=1) == 1 else counts.astype(np.float64)
