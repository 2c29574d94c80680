"""What the strata of a deck have had at any position: exact where a block ends, by chance inside one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.random._hypergeometric import hypergeometric
from penstock.sampling.spec._spec import Interleave
from penstock.sampling.streams._blocks import Blocks
from penstock.sampling.streams._quotas import quotas
from penstock.sampling.streams._smooth import circle

__all__ = ["Prefix", "prefixes"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prefix:
    """The first draws of a deck: whole blocks, and the first `taken` of the `length` positions of one more.

    What these have of a stratum is hypergeometric in a shuffled block, and a count of marks (see `Circle`) in a
    smooth one.

    Parameters
    ----------
    block : int
        The block the last of them are in.
    before, block_quotas : ndarray of int64, shape (num_strata,)
        Draws of each stratum in the whole blocks, and in the one more.
    taken, length : int
        Positions of this block that are among the draws, and in it.
    interleave : {"shuffled", "smooth"}
        Order of the draws in a block.
    """

    block: int
    before: Ints
    block_quotas: Ints
    taken: int
    length: int
    interleave: Interleave = "shuffled"

    @property
    def smooth(self) -> bool:
        """Whether the strata are at regular positions."""
        return self.interleave == "smooth"

    @property
    def mean(self) -> Floats:
        """Mean draws of each stratum so far, float64 of shape (num_strata,)."""
        return np.asarray(self.before + self.block_quotas * (self.taken / self.length))

    @property
    def least(self) -> Ints:
        """Fewest draws of each stratum so far, int64 of shape (num_strata,)."""
        if self.smooth and self.taken:
            return np.asarray(self.before + circle(self.taken, self.length).ends(self.block_quotas)[0])
        return np.asarray(self.before + np.maximum(self.taken - (self.length - self.block_quotas), 0))

    @property
    def most(self) -> Ints:
        """Most draws of each stratum so far, int64 of shape (num_strata,)."""
        if self.smooth and self.taken:
            return np.asarray(self.before + circle(self.taken, self.length).ends(self.block_quotas)[1])
        return np.asarray(self.before + np.minimum(self.block_quotas, self.taken))

    def laws(self, strata: Ints) -> tuple[Ints, Ints, Floats]:
        """Return what some strata have of the one more block, each by itself, in the form of `hypergeometric`."""
        if self.smooth:
            return circle(self.taken, self.length).laws(self.block_quotas[strata])
        return hypergeometric(self.block_quotas[strata], self.taken, self.length)

    def spread(self, slopes: Floats, positions: int) -> float:
        """Return the variance of the sum of a slope times the draws of each stratum in so many successive positions."""
        if self.smooth:
            return float(circle(positions, self.length).spreads(self.block_quotas, slopes[None])[0])
        share = self.block_quotas / self.length
        spread = max(float(share @ slopes**2 - (share @ slopes) ** 2), 0.0)
        return spread * positions * (self.length - positions) / max(self.length - 1, 1)


def prefixes(masses: Ints, blocks: Blocks, positions: Ints, interleave: Interleave = "shuffled") -> list[Prefix]:
    """Return what the strata have had before each of some positions.

    Parameters
    ----------
    masses : ndarray of int64, shape (num_strata,)
        From `integer_masses`.
    blocks : Blocks
        How the positions are cut.
    positions : ndarray of int64, shape (num_positions,)
        Draws since the start.
    interleave : {"shuffled", "smooth"}
        Order of the draws in a block.

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
            block_quotas=had[len(positions) + place] - had[place],
            taken=int(positions[place] - begins[place]),
            length=int(ends[place] - begins[place]),
            interleave=interleave,
        )
        for place in range(len(positions))
    ]
