"""The parts a count is the sum of: rows that come by chance, each with its characteristic function."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.random._hypergeometric import hypergeometric

__all__ = ["Choice", "Dealt", "Drawn", "Part"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice:
    """Rows that come independently, given how many of them do: Hajek's rejective sample.

    Parameters
    ----------
    shares : ndarray of float64, shape (num_kinds,)
        Probability of a row of each kind.
    counts, rows : ndarray of int64, shape (num_kinds,)
        Instances in each row of the kind, and its rows.
    draws : int
        Rows that come.
    fixed : float
        What is certain besides; a whole number.
    """

    shares: Floats
    counts: Ints
    rows: Ints
    draws: int
    fixed: float

    @property
    def points(self) -> int:
        """Points of the circle at which the law of the number of rows is evaluated."""
        spread = float(self.rows @ (self.shares * (1 - self.shares)))
        return min(math.ceil(9 * math.sqrt(spread)) + 20, int(self.rows.sum()) + 1)

    def masses(self, length: int) -> Floats:
        """Return the masses of the counts 0 .. length - 1, modulo `length`."""
        points = self.points
        # two transforms at once: over the number of rows (the condition) and over the count
        phase = np.exp(2j * np.pi * np.arange(points) / points)[:, None]
        turns = np.exp(2j * np.pi * np.arange(length) / length)
        number = np.arange(length // 2 + 1)
        product = phase ** (-(self.draws % points)) * np.ones(len(number))
        for share, count, rows in zip(self.shares.tolist(), self.counts.tolist(), self.rows.tolist(), strict=True):
            product *= (1 - share + share * phase * turns[number * count % length]) ** rows
        terms = product.sum(axis=0)
        return np.maximum(np.fft.irfft((terms / terms[0].real).conj(), length), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """Rows that come by chance and as independent trials.

    Parameters
    ----------
    jumps : ndarray of int64, shape (num_jumps,)
        What one row changes the count by; none is 0.
    expected : ndarray of float64, shape (num_jumps,)
        Mean number of rows with each jump.
    gap : float
        Mean minus variance of the number of all of these rows.
    trials : float
        Trials, where they are known; NaN: the fewest with which a binomial law of this mean varies as much.
    choice : Choice, optional
        A law that is narrower, and costs more.
    """

    jumps: Ints
    expected: Floats
    gap: float
    trials: float = math.nan
    choice: Choice | None = None

    def moments(self, big: NDArray[np.bool_], jumps: Floats) -> tuple[float, float]:
        """Return mean and variance of what the chosen rows add, for jumps that may be rounded."""
        rows, jumps = self.expected[big], jumps[big]
        mean = float(rows @ jumps)
        return mean, float(rows @ jumps**2) - self.gap * (mean / max(float(self.expected.sum()), 1e-300)) ** 2

    def spectrum(self, big: NDArray[np.bool_], waves: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """Return the characteristic function of what the chosen rows add; `waves` those of the jumps."""
        rows = self.expected[big]
        mean = float(rows.sum())
        change = rows @ (waves[big] - 1)
        trials = self.trials
        if math.isnan(trials):
            gap = self.gap * (mean / max(float(self.expected.sum()), 1e-300)) ** 2
            trials = math.inf if gap <= 1e-12 * mean else math.ceil(max(mean * mean / gap, mean) * (1 - 1e-9))
        return np.asarray(np.exp(change) if math.isinf(trials) else (1 + change / trials) ** trials)

    def ends(self) -> tuple[float, float]:
        """Return the least and the most that is certain not to be passed."""
        return -math.inf, math.inf


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dealt:
    """Some of the rows of a stratum, chosen without replacement.

    Parameters
    ----------
    jumps : ndarray of int64, shape (num_jumps,)
        What one row changes the count by; none is 0.
    rows : ndarray of int64, shape (num_jumps,)
        Rows with each jump.
    size, taken : int
        Rows of the stratum, the others change nothing; how many are chosen.
    """

    jumps: Ints
    rows: Ints
    size: int
    taken: int

    @property
    def expected(self) -> Floats:
        """Mean number of rows with each jump."""
        return np.asarray(self.rows * (self.taken / self.size))

    def moments(self, big: NDArray[np.bool_], jumps: Floats) -> tuple[float, float]:
        """Return mean and variance of what the chosen rows add, for jumps that may be rounded."""
        rows, jumps = self.rows[big], jumps[big]
        count = float(rows.sum())
        if count == 0:
            return 0.0, 0.0
        share = count / self.size
        number = self.taken * share
        spread = number * (1 - share) * (self.size - self.taken) / max(self.size - 1, 1)
        mean, square = float(rows @ jumps) / count, float(rows @ jumps**2) / count
        return number * mean, number * (square - mean**2) + spread * mean**2

    def spectrum(self, big: NDArray[np.bool_], waves: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """Return the characteristic function of what the chosen rows add; `waves` those of the jumps.

        How many of them are chosen is hypergeometric; which, as if each were put back.
        """
        rows = self.rows[big]
        count = int(rows.sum())
        total = np.zeros(waves.shape[1], np.complex128)
        one = (rows / max(count, 1)) @ waves[big]
        _, counts, masses = hypergeometric(np.array([count]), self.taken, self.size)
        for mass in masses[::-1].tolist():
            total = total * one + mass
        return np.asarray(total * one ** int(counts[0]))

    def ends(self) -> tuple[float, float]:
        """Return the least and the most that so many rows can add."""
        jumps, rows = np.append(self.jumps, 0), np.append(self.rows, self.size - self.rows.sum())
        rising = np.argsort(jumps)
        falling = rising[::-1]
        least = _sum_of_first(jumps[rising], rows[rising], self.taken)
        return least, _sum_of_first(jumps[falling], rows[falling], self.taken)


Part = Drawn | Dealt


def _sum_of_first(jumps: Ints, rows: Ints, taken: int) -> float:
    filled = np.minimum(np.cumsum(rows), taken)
    return float(np.diff(filled, prepend=0) @ jumps)
