"""What the strata of a smooth block have among some of its positions: windows on a circle of marks."""

from __future__ import annotations

import math
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["Circle", "circle", "stride"]

_GOLDEN = (math.sqrt(5) - 1) / 2
_ROUNDING = 1e-20

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@lru_cache(maxsize=16)
def stride(length: int) -> int:
    """Return the number coprime to `length` nearest to its golden section."""
    middle = round(_GOLDEN * length)
    near = sorted(range(max(middle - 60, 1), middle + 61), key=lambda step: abs(step - middle))
    return next(step for step in near if math.gcd(step, length) == 1)


@lru_cache(maxsize=4)
def circle(taken: int, length: int) -> Circle:
    """Return the circle of the first `taken` positions of a smooth block of `length`."""
    return Circle(taken, length)


class Circle:
    """The slots of a smooth block, those of its first positions marked; every turn of the circle is equally likely.

    Position ``j`` takes slot ``(j a + c) mod n`` (see `DeckStream`). So a stratum of ``k`` of the ``n`` slots has as
    many of the first ``t`` positions as there are marks ``{j a mod n : j < t}`` in a window of ``k``, which begins
    at one of the ``n`` slots, each equally likely. The same turn ``c`` holds for all strata, and any ``t`` positions
    that follow each other have the law of the first.

    Parameters
    ----------
    taken, length : int
        Positions that are marked, and all.
    """

    def __init__(self, taken: int, length: int) -> None:
        self.length = length
        self._marks = np.zeros(length, np.int64)
        self._marks[np.arange(taken) * stride(length) % length] = 1
        self._sums = np.concatenate([[0], np.cumsum(np.tile(self._marks, 2))])

    def counts(self, begin: int, given: int) -> Ints:
        """Return the marks of the `given` slots from `begin` on at each turn, int64 of shape (length,)."""
        end = begin + given
        return np.asarray(self._sums[end : end + self.length] - self._sums[begin : begin + self.length])

    def sums(self, given: Ints, chosen: NDArray[np.bool_]) -> Ints:
        """Return the marks that the chosen strata have together at each turn, int64 of shape (length,)."""
        spectrum = np.fft.rfft(np.repeat(chosen.astype(float), given)).conj() * np.fft.rfft(self._marks)
        return np.rint(np.fft.irfft(spectrum, self.length)).astype(np.int64)

    def laws(self, given: Ints) -> tuple[Ints, Ints, Floats]:
        """Return the law of each stratum by itself, in the form of `hypergeometric`."""
        owner, counts, mass = self.laws_with(self, given)
        return owner, counts[1], mass

    def laws_with(self, other: Circle, given: Ints) -> tuple[Ints, NDArray[np.int64], Floats]:
        """Return the law of each stratum on this circle and on another of the same block, which turns with it.

        Parameters
        ----------
        other : Circle
            More or fewer positions of the same block.
        given : ndarray of int64, shape (num_laws,)
            Slots of each stratum.

        Returns
        -------
        owner : ndarray of int64, shape (num_outcomes,)
            Stratum of each possible outcome, ascending.
        counts : ndarray of int64, shape (2, num_outcomes)
            Marks of both circles.
        mass : ndarray of float64, shape (num_outcomes,)
            Its probability.
        """
        kinds, kind = np.unique(given, return_inverse=True)
        laws = [self._law(other, number) for number in kinds.tolist()]
        sizes = np.array([len(mass) for _, mass in laws], np.int64)[kind]
        owner = np.repeat(np.arange(len(given)), sizes)
        if not len(owner):
            return owner, np.zeros((2, 0), np.int64), np.zeros(0)
        chosen = [laws[number] for number in kind.tolist()]
        return owner, np.concatenate([pair for pair, _ in chosen], axis=1), np.concatenate([mass for _, mass in chosen])

    def _law(self, other: Circle, given: int) -> tuple[Ints, Floats]:
        first, second = self.counts(0, given), other.counts(0, given)
        least = int(first.min()), int(second.min())
        width = int(second.max()) - least[1] + 1
        number = np.bincount((first - least[0]) * width + (second - least[1]))
        found = np.flatnonzero(number)
        counts = np.stack([found // width + least[0], found % width + least[1]])
        return counts, number[found] / self.length

    def ends(self, given: Ints) -> tuple[Ints, Ints]:
        """Return the fewest and the most marks of each stratum, int64 of shape (num_strata,)."""
        kinds, kind = np.unique(given, return_inverse=True)
        counts = [self.counts(0, number) for number in kinds.tolist()]
        least, most = ([int(end(own)) for own in counts] for end in (np.min, np.max))
        return np.array(least, np.int64)[kind], np.array(most, np.int64)[kind]

    def spread(self, given: Ints, slopes: Floats) -> float:
        """Return the variance of the sum of the strata's marks times a slope each: exact, by the spectrum."""
        if not slopes.any():
            return 0.0
        power = np.abs(np.fft.rfft(np.repeat(slopes, given))) ** 2
        spread = float(power[1:] @ self._power) / self.length**2
        return spread if spread > _ROUNDING * float(np.abs(slopes).max()) ** 2 else 0.0

    @cached_property
    def _power(self) -> Floats:
        """Squares of the marks' spectrum above 0, those that stand for two frequencies twice."""
        power = np.abs(np.fft.rfft(self._marks)[1:]) ** 2
        twice = 2 * np.arange(1, len(power) + 1) != self.length
        return np.asarray(power * np.where(twice, 2.0, 1.0))
