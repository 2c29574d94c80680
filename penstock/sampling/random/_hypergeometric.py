"""Hypergeometric laws, by the ratio of neighboring masses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["hypergeometric"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def hypergeometric(marked: Ints, taken: int, length: int) -> tuple[Ints, Ints, Floats]:
    """Return the laws of how many of some marked positions are among the `taken` of `length` that are chosen.

    ``P(h) = C(marked, h) C(length - marked, taken - h) / C(length, taken)``, for each number of marked positions by
    itself. From ``P(h + 1) / P(h) = (marked - h) (taken - h) / ((h + 1) (length - marked - taken + h + 1))``; the
    masses of each are divided by their sum.

    Parameters
    ----------
    marked : ndarray of int64, shape (num_laws,)
        Marked positions, at most `length`.
    taken, length : int
        Positions chosen, and all of them.

    Returns
    -------
    owner, count : ndarray of int64, shape (num_outcomes,)
        Law and number of marked positions of each possible outcome, ordered by both.
    mass : ndarray of float64, shape (num_outcomes,)
        Its probability.
    """
    if not len(marked):
        return marked, marked, np.zeros(0)
    low, high = np.maximum(taken - (length - marked), 0), np.minimum(marked, taken)
    outcomes = high - low + 1
    begins = np.cumsum(outcomes) - outcomes
    owner = np.repeat(np.arange(len(marked)), outcomes)
    count = np.arange(len(owner)) - np.repeat(begins - low, outcomes)
    before = count - 1.0
    own = marked[owner]
    below = count * (length - own - taken + count).astype(np.float64)
    below[begins] = 1.0
    ratio = (own - before) * (taken - before) / below
    ratio[begins] = 1.0
    logs = np.cumsum(np.log(ratio))
    mass = np.exp(logs - np.maximum.reduceat(logs, begins)[owner])
    return owner, count, mass / np.add.reduceat(mass, begins)[owner]
