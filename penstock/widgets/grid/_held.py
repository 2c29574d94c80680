"""Samples that stay where they are in the grid though an edit would take them away or move them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["NONE_HELD", "held_order"]

Rows = NDArray[np.int64]
NONE_HELD = np.empty(0, np.int64)
"""No sample."""


def held_order(shown: Rows, matching: Rows, num_rows: int) -> tuple[Rows, Rows]:
    """Return what the grid shows after an edit, and which of those match no longer; O(num_rows), nothing is sorted.

    What was shown stays in its order; a sample that matches since comes after the one before it in `matching`.

    Parameters
    ----------
    shown : ndarray of int64, shape (num_shown,)
        Rows of the samples before the edit that still exist, each once, in the order of the grid.
    matching : ndarray of int64, shape (num_matching,)
        Rows of those that match after it, each once, in the order they would have.
    num_rows : int
        Rows of the table.

    Examples
    --------
    >>> held_order(np.array([1, 2, 3]), np.array([9, 1, 3, 4]), 10)
    (array([9, 1, 2, 3, 4]), array([2]))
    """
    matches = np.zeros(num_rows, bool)
    matches[matching] = True
    places = np.full(num_rows, -1)
    places[shown] = np.arange(len(shown))
    held = shown[~matches[shown]]
    here = places[matching]
    new = here < 0
    if not new.any():
        return shown, held
    last = np.maximum.accumulate(np.where(new, -1, np.arange(len(matching))))
    behind = np.where(last >= 0, here[last], -1)[new] + 1
    before = np.argsort(behind, kind="stable")
    return np.insert(shown, behind[before], matching[new][before]), held
