"""Alias tables: an index by its probability from one random number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["alias_table", "outcomes", "sides"]

_TINY = 1e-290


def alias_table(masses: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return threshold and alias of each cell for probabilities proportional to `masses`.

    Cells are scaled to mean 1 and swept in order: light cells (below 1) are filled up by the first heavy cell that has
    something left; a heavy cell that falls below 1 is filled up by the next. Only sequential sums are used, so that
    the table is the same on every machine.

    References
    ----------
    M. D. Vose, A linear algorithm for generating random numbers with a given distribution, 1991; the sweep over
    prefix sums is from L. Huebschle-Schneider, P. Sanders, Parallel weighted random sampling, 2022.
    """
    count = len(masses)
    total = float(np.cumsum(masses)[-1])
    if total < _TINY:  # its reciprocal would overflow
        masses, total = masses / total, 1.0
    scaled = masses * (count / total)
    threshold = np.ones(count)
    alias = np.arange(count, dtype=np.int32)
    light, heavy = np.flatnonzero(scaled < 1), np.flatnonzero(scaled >= 1)
    if len(light) == 0 or len(heavy) == 0:
        return threshold, alias
    # prefix sums of what light cells lack and heavy cells can give: who fills whom is where the two meet
    needed = np.cumsum(1 - scaled[light])
    offered = np.cumsum(scaled[heavy] - 1)
    last = len(heavy) - 1
    giver = np.searchsorted(offered, np.concatenate([[0.0], needed[:-1]]), side="left")
    threshold[light] = scaled[light]
    alias[light] = heavy[np.minimum(giver, last)]
    # the light cell at which a heavy one has given so much that it becomes light itself
    emptied = np.searchsorted(needed, offered[:last], side="right")
    falls = emptied < len(light)
    lacking = needed[np.minimum(emptied, len(light) - 1)] - offered[:last]
    threshold[heavy[:last]] = np.where(falls, np.maximum(1 - lacking, 0.0), 1.0)
    alias[heavy[:last]] = np.where(falls, heavy[1:], heavy[:last])
    return threshold, alias


def sides(
    units: NDArray[np.float64],
    threshold: NDArray[np.float64],
    *,
    cell: NDArray[np.int64],
    place: NDArray[np.float64],
    limit: NDArray[np.float64],
    below: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Return ``2 * cell + (place in it < its threshold)`` for each number in [0, 1), written into `cell`.

    `place`, `limit` and `below` are overwritten too: a caller that goes block by block passes the same arrays, so
    that no page of memory is touched for the first time.
    """
    np.multiply(units, len(threshold), out=place)
    # the cast to int drops the fraction, which is how far into the cell the number is
    np.copyto(cell, place, casting="unsafe")
    np.subtract(place, cell, out=place)
    threshold.take(cell, out=limit, mode="clip")
    np.less(place, limit, out=below)
    np.add(cell, cell, out=cell)
    return np.add(cell, below, out=cell)


def outcomes(alias: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return what each side of each cell stands for: its alias, itself, its alias, ..."""
    return np.stack([alias.astype(np.int64), np.arange(len(alias))], axis=1).ravel()
