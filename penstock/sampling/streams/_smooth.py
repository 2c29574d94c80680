"""What the strata of a smooth block have among some of its positions: windows on a circle of marks."""

from __future__ import annotations

import math
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["Circle", "circle", "stride"]

_GOLDEN = (math.sqrt(5) - 1) / 2
_AT_ONCE = 256
_ROUNDING = 1e-11

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

    def counts(self, begin: int, slots: int) -> Ints:
        """Return the marks of the `slots` slots from `begin` on at each turn, int64 of shape (length,)."""
        end = begin + slots
        return np.asarray(self._sums[end : end + self.length] - self._sums[begin : begin + self.length])

    def sums(self, slots: Ints, chosen: NDArray[np.bool_]) -> Ints:
        """Return the marks that the chosen strata have together at each turn, int64 of shape (length,)."""
        # a correlation over all turns at once: the product of spectra; counts are whole, so rounding repairs the floats
        spectrum = np.fft.rfft(np.repeat(chosen.astype(float), slots)).conj() * np.fft.rfft(self._marks)
        return np.rint(np.fft.irfft(spectrum, self.length)).astype(np.int64)

    def laws(self, slots: Ints) -> tuple[Ints, Ints, Floats]:
        """Return the law of each stratum by itself, in the form of `hypergeometric`."""
        owner, counts, mass = self.laws_with(self, slots)
        return owner, counts[1], mass

    def laws_with(self, other: Circle, slots: Ints) -> tuple[Ints, NDArray[np.int64], Floats]:
        """Return the law of each stratum on this circle and on another of the same block, which turns with it.

        Parameters
        ----------
        other : Circle
            More or fewer positions of the same block.
        slots : ndarray of int64, shape (num_laws,)
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
        kinds, kind = np.unique(slots, return_inverse=True)
        laws = [self._law(other, number) for number in kinds.tolist()]
        sizes = np.array([len(mass) for _, mass in laws], np.int64)[kind]
        owner = np.repeat(np.arange(len(slots)), sizes)
        if not len(owner):
            return owner, np.zeros((2, 0), np.int64), np.zeros(0)
        chosen = [laws[number] for number in kind.tolist()]
        return owner, np.concatenate([pair for pair, _ in chosen], axis=1), np.concatenate([mass for _, mass in chosen])

    def _law(self, other: Circle, slots: int) -> tuple[Ints, Floats]:
        first, second = self.counts(0, slots), other.counts(0, slots)
        least = int(first.min()), int(second.min())
        width = int(second.max()) - least[1] + 1
        number = np.bincount((first - least[0]) * width + (second - least[1]))
        found = np.flatnonzero(number)
        counts = np.stack([found // width + least[0], found % width + least[1]])
        return counts, number[found] / self.length

    def ends(self, slots: Ints) -> tuple[Ints, Ints]:
        """Return the fewest and the most marks of each stratum, int64 of shape (num_strata,)."""
        kinds, kind = np.unique(slots, return_inverse=True)
        counts = [self.counts(0, number) for number in kinds.tolist()]
        least, most = ([int(end(own)) for own in counts] for end in (np.min, np.max))
        return np.array(least, np.int64)[kind], np.array(most, np.int64)[kind]

    def spreads(self, slots: Ints, slopes: Floats) -> Floats:
        """Return the variances of sums of the strata's marks times a slope each.

        Such a sum is one of steps between neighbors times ``g``, the marks up to where a stratum begins less their
        mean; ``g`` goes round the circle, so that two steps have a covariance that depends on their distance.

        Parameters
        ----------
        slots : ndarray of int64, shape (num_strata,)
            Slots of each stratum.
        slopes : ndarray of float64, shape (num_sums, num_strata)
            Slope of each stratum in each sum.

        Returns
        -------
        ndarray of float64, shape (num_sums,)
        """
        live = slots > 0
        begins = (np.cumsum(slots) - slots)[live]
        steps = np.roll(slopes[:, live], 1, axis=1) - slopes[:, live]
        used = np.flatnonzero(steps.any(axis=0))
        if not len(used):
            return np.zeros(len(slopes))
        begins, steps = begins[used], steps[:, used]
        spreads = np.zeros(len(slopes))
        for first in range(0, len(used), _AT_ONCE):
            some = slice(first, first + _AT_ONCE)
            together = self._covariances[(begins[some, None] - begins) % self.length]
            spreads += ((steps[:, some] @ together) * steps).sum(axis=1)
        return np.where(spreads > _ROUNDING * np.abs(steps).max(axis=1) ** 2, spreads, 0.0)

    @cached_property
    def _covariances(self) -> Floats:
        """Covariance of the marks up to two slots, less their mean, by the slots' distance."""
        sums = self._sums[: self.length] - np.arange(self.length) * (self._marks.sum() / self.length)
        power = np.abs(np.fft.rfft(sums - sums.mean())) ** 2
        return np.asarray(np.fft.irfft(power, self.length) / self.length)
