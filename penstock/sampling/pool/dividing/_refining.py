"""Parts of units with labels, brought nearer to their shares: single units move, or two change places."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.pool.dividing._units import Units

__all__ = ["refined"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_MOST_UNITS = 256
_MOST_CELLS = 1 << 18
_MOST_ROUNDS = 12
_MOST_WORK = 12 * 512
_LEAST_GAIN = 1e-9


def refined(units: Units, part: Ints, shares: Floats, rng: np.random.Generator) -> Ints:
    """Return the part of each unit after moves that bring labels and sizes nearer to the shares.

    What gets smaller is the sum of squared deviations over all labels and parts, each by the number of rows with the
    label, and that of the rows, which count as one more label. Units are looked for among a few drawn ones.
    """
    part = part.copy()
    given_rows, given_labels = units.totals(part, len(shares))
    totals = np.append(np.bincount(units.labels, units.counts, units.num_labels), units.sizes.sum())
    over = np.vstack([given_labels, given_rows]) - np.outer(totals, shares)
    weights = 1.0 / np.maximum(totals, 1.0)
    used = np.flatnonzero(shares > 0).tolist()
    for _ in range(max(1, min(_MOST_ROUNDS, _MOST_WORK // len(weights)))):
        moves = [_moved(units, part, over, weights, source, target, rng) for source, target in permutations(used, 2)]
        if not any(moves):
            break
    return part


def _moved(
    units: Units, part: Ints, over: Floats, weights: Floats, source: int, target: int, rng: np.random.Generator
) -> int:
    """Move units to another part, or let two change places, while that helps; change `part` and `over`, and count."""
    most = max(16, min(_MOST_UNITS, _MOST_CELLS // len(weights)))
    mine, theirs = (_drawn(np.flatnonzero(part == each), most, rng) for each in (source, target))
    if not len(mine):
        return 0
    ours = _cells(units, mine, len(weights))
    others = np.vstack([_cells(units, theirs, len(weights)), np.zeros(len(weights))])  # the last: nothing comes back
    cross = 2 * (ours * weights) @ others.T
    cross -= ((ours * ours) @ weights)[:, None] + ((others * others) @ weights)[None, :]
    for moved in range(len(mine)):
        pull = weights * (over[:, source] - over[:, target])
        gains = cross + (ours @ pull)[:, None] - (others @ pull)[None, :]
        one, other = np.unravel_index(int(gains.argmax()), gains.shape)
        if gains[one, other] <= _LEAST_GAIN:
            return moved
        change = ours[one] - others[other]
        over[:, source] -= change
        over[:, target] += change
        part[mine[one]] = target
        cross[one] = -np.inf  # stays where it is now
        if other < len(theirs):
            part[theirs[other]] = source
            cross[:, other] = -np.inf
    return len(mine)


def _drawn(places: Ints, most: int, rng: np.random.Generator) -> Ints:
    return places if len(places) <= most else rng.choice(places, most, replace=False)


def _cells(units: Units, chosen: Ints, width: int) -> Floats:
    """Return the rows of each unit with each label, and in the last column its size."""
    few = units.take(chosen)
    cells = np.zeros((len(chosen), width))
    cells[np.repeat(np.arange(len(chosen)), np.diff(few.offsets)), few.labels] = few.counts
    cells[:, -1] = few.sizes
    return cells
