"""What the strata of a deck have had at any position: exact where a block ends, hypergeometric inside one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock.sampling._blocks import Blocks
from penstock.sampling._quotas import quotas

__all__ = ["Prefix", "prefixes"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prefix:
    """The first draws of a deck: whole blocks, and the first `taken` of the `length` positions of one more.

    Parameters
    ----------
    block : int
        The block the last of them are in.
    before, given : ndarray of int64, shape (num_strata,)
        Draws of each stratum in the whole blocks, and in the one more.
    taken, length : int
        Positions of this block that are among the draws, and in it.
    """

    block: int
    before: Ints
    given: Ints
    taken: int
    length: int

    @property
    def mean(self) -> Floats:
        """Mean draws of each stratum so far, float64 of shape (num_strata,)."""
        return np.asarray(self.before + self.given * (self.taken / self.length))

    @property
    def least(self) -> Ints:
        """Fewest draws of each stratum so far, int64 of shape (num_strata,)."""
        return np.asarray(self.before + np.maximum(self.taken - (self.length - self.given), 0))

    @property
    def most(self) -> Ints:
        """Most draws of each stratum so far, int64 of shape (num_strata,)."""
        return np.asarray(self.before + np.minimum(self.given, self.taken))


def prefixes(masses: Ints, blocks: Blocks, positions: Ints) -> list[Prefix]:
    """Return what the strata have had before each of some positions.

    Parameters
    ----------
    masses : ndarray of int64, shape (num_strata,)
        From `integer_masses`.
    blocks : Blocks
        How the positions are cut.
    positions : ndarray of int64, shape (num_positions,)
        Draws since the start.

    Returns
    -------
    list of Prefix
    """
    numbers = blocks.at(positions)
    begins, ends = blocks.begin(numbers), blocks.begin(numbers + 1)
    had = quotas(masses, np.concatenate([begins, ends]))
    return [
        Prefix(
            block=int(numbers[place]),
            before=had[place],
            given=had[len(positions) + place] - had[place],
            taken=int(positions[place] - begins[place]),
            length=int(ends[place] - begins[place]),
        )
        for place in range(len(positions))
    ]
