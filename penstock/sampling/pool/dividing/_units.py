"""Rows, or groups of rows that stay together, with the labels they have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCK", "Units"]

BLOCK = 1 << 16  # units that are gone through at once: what is made of them stays in the caches of the processor

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
        rows, labels = np.zeros(num_parts), np.zeros(self.num_labels * num_parts)
        size = max(BLOCK, len(labels))  # so that adding up costs no more than counting
        for start in range(0, len(part), size):
            own, offsets = part[start : start + size], self.offsets[start : start + size + 1]
            entries = slice(offsets[0], offsets[-1])
            owner = np.repeat(own, np.diff(offsets))
            inside, known = (slice(None), slice(None)) if own.min() >= 0 else (own >= 0, owner >= 0)
            rows += np.bincount(own[inside], _weights(self.sizes[start : start + size][inside]), num_parts)
            cells = self.labels[entries][known] * num_parts + owner[known]
            labels += np.bincount(cells, _weights(self.counts[entries][known]), len(labels))
        return rows, labels.reshape(self.num_labels, num_parts)


def _weights(counts: Ints) -> Floats | None:
    """Return the counts as weights; None where all are 1."""
    return None if counts.max(initial=1) == 1 else counts.astype(np.float64)
