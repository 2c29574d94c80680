"""What the strata of a deck have had at any position: exact where a block ends, hypergeometric inside one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from penstock.sampling._blocks import BLOCK_LIMIT, Blocks
from penstock.sampling._quotas import quotas

__all__ = ["Prefix", "hypergeometric", "prefixes"]

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


@cache
def _log_factorials() -> Floats:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1.0, BLOCK_LIMIT + 1)))])


def hypergeometric(given: Ints, taken: int, length: int) -> tuple[Ints, Ints, Floats]:
    """Return the laws of how many of each stratum's positions are among the first `taken` of a shuffled block.

    ``P(h) = C(given, h) C(length - given, taken - h) / C(length, taken)``.

    Parameters
    ----------
    given : ndarray of int64, shape (num_strata,)
        Positions of each stratum in the block.
    taken, length : int
        Positions taken, and in the block.

    Returns
    -------
    owner, count : ndarray of int64, shape (num_outcomes,)
        Stratum and number of positions of each possible outcome, ordered by both.
    mass : ndarray of float64, shape (num_outcomes,)
        Its probability.
    """
    low, high = np.maximum(taken - (length - given), 0), np.minimum(given, taken)
    outcomes = high - low + 1
    owner = np.repeat(np.arange(len(given)), outcomes)
    count = np.arange(len(owner)) - np.repeat(np.cumsum(outcomes) - outcomes - low, outcomes)
    logs = _log_factorials()

    def choose(n: Ints | int, k: Ints | int) -> Floats:
        return np.asarray(logs[n] - logs[k] - logs[np.subtract(n, k)])

    own = given[owner]
    mass = choose(own, count) + choose(length - own, taken - count) - choose(length, taken)
    return owner, count, np.exp(mass)
