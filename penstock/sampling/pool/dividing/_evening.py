"""Parts of whole units, evened out: units move or change places until no move brings sizes nearer to the target."""

from __future__ import annotations

from itertools import permutations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["evened"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_MOST_STEPS = 64


class _Move(NamedTuple):
    """A unit of one size goes from one part to another, and one of another size, 0 for none, comes back."""

    gain: float
    source: int
    target: int
    size: int
    back: int


def evened(part: Ints, sizes: Ints, shares: Floats, rng: np.random.Generator) -> Ints:
    """Return the part of each unit after moves that bring the sizes of parts nearer to their shares.

    Parameters
    ----------
    part : ndarray of int64, shape (num_units,)
        The part of each unit.
    sizes : ndarray of int64, shape (num_units,)
        Rows of each unit.
    shares : ndarray of float64, shape (num_parts,)
        What each part should have of all rows.
    rng : Generator
        Draws which of the units of a size moves.
    """
    part = part.copy()
    kinds, kind = np.unique(sizes, return_inverse=True)
    held = np.bincount(kind * len(shares) + part, minlength=len(kinds) * len(shares)).reshape(-1, len(shares))
    over = kinds @ held - sizes.sum() * shares
    for _ in range(_MOST_STEPS):
        moves = (_best(over, source, target, kinds, held) for source, target in permutations(range(len(shares)), 2))
        move = max(moves, key=lambda each: each.gain, default=None)
        if move is None or move.gain <= 1e-6:
            break
        for size, source, target in ((move.size, move.source, move.target), (move.back, move.target, move.source)):
            if size:
                number = int(np.searchsorted(kinds, size))
                part[rng.choice(np.flatnonzero((kind == number) & (part == source)))] = target
                held[number, source] -= 1
                held[number, target] += 1
                over[source] -= size
                over[target] += size
    return part


def _best(over: Floats, source: int, target: int, kinds: Ints, held: Ints) -> _Move:
    """Return the move from one part to another that lessens the squared deviations most."""
    wanted = (over[source] - over[target]) / 2  # what would make both deviate alike
    mine = kinds[held[:, source] > 0]
    if wanted <= 0 or not len(mine):
        return _Move(0.0, source, target, 0, 0)
    theirs = np.concatenate([np.zeros(1, np.int64), kinds[held[:, target] > 0]])
    at = np.searchsorted(theirs, mine - wanted)
    best = _Move(0.0, source, target, 0, 0)
    for near in (np.maximum(at - 1, 0), np.minimum(at, len(theirs) - 1)):
        gains = wanted**2 - (mine - theirs[near] - wanted) ** 2
        number = int(gains.argmax())
        if 2 * gains[number] > best.gain:
            best = _Move(2 * float(gains[number]), source, target, int(mine[number]), int(theirs[near][number]))
    return best
