"""The law of a count that comes in pieces: how many instances some drawn rows have together, for few of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.laws._sum_parts import Drawn, Part

__all__ = ["interval"]

_FEW = 25.0
_TAIL = 20.0
_LONGEST = 1 << 12
_TIE = 1e-10
_LEAST_SPREAD = 0.25
_EXCESS = 0.25
_MOST_TERMS = 1 << 24

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def interval(
    fixed: float, parts: Sequence[Part], moments: tuple[float, float], ends: tuple[float, float], level: float
) -> tuple[float, float]:
    """Return the quantiles of a count; `ends` where it is large enough for a normal law.

    The count is `fixed` plus what the parts add, independent of each other. With ``M2`` and ``M3`` the sums of expected
    rows times the squares and the cubes of their jumps, ``M2**3 / M3**2`` is the number of rows that would make it as
    skewed; from 25 on the law is normal. Below, the jumps are taken in descending order until what is left is normal in
    that sense; these big ones have their own law, the rest a normal one with what is left of mean and variance.
    Probabilities are the discrete Fourier transform of the product of the parts' characteristic functions, on a circle
    so long that the law beyond it has a mass below 1e-8; circles of more than 4,096 steps are cut by joining steps.

    A binomial law whose variance is more than 1.25 times the count's own, since rows that come in place of each other
    count as independent, is too wide: there it is that of a `Choice`; where that needs more than 2**24 terms, `ends`,
    rounded outward to counts that can come.

    Parameters
    ----------
    fixed : float
        What is certain; a whole number.
    parts : sequence of Part
        What chance adds; empty where only mean and variance of it are known.
    moments : tuple of float
        Mean and variance of the count.
    ends : tuple of float
        The interval of a law with these moments.
    level : float
        Probability of the interval, each tail the same.

    Returns
    -------
    low, high : float
        The smallest counts at which the distribution function reaches the tails' ends, multiples of the largest common
        divisor of the jumps from `fixed` on.
    """
    if not parts:
        return _outward(ends) if moments[1] > _TIE * max(moments[0], 1.0) else (fixed, fixed)
    jumps = np.concatenate([part.jumps for part in parts])
    rows = np.concatenate([part.expected for part in parts])
    sizes = np.abs(jumps)
    chosen = _big(sizes, rows)
    if chosen is None:
        return ends
    step = int(np.gcd.reduce(sizes))
    grid = _Grid(parts, chosen, step, (moments[0] - fixed) / step, moments[1] / step**2)
    if grid.too_wide:
        chosen_ends = _of_choice(parts, moments, level)
        if chosen_ends is not None:
            return chosen_ends
        low, high = (ends[0] - fixed) / step, (ends[1] - fixed) / step
        return fixed + step * math.floor(low + _TIE), fixed + step * math.ceil(high - _TIE)
    low, high = grid.ends(level)
    least, most = np.array([part.ends() for part in parts]).sum(axis=0).tolist()
    return fixed + max(step * low, least), fixed + min(step * high, most)


def _outward(ends: tuple[float, float]) -> tuple[float, float]:
    return float(math.floor(ends[0] + _TIE)), float(math.ceil(ends[1] - _TIE))


def _big(sizes: Ints, rows: Floats) -> int | None:
    """Return the least size of the jumps with a law of their own; None where the whole is nearly normal."""
    order = np.argsort(-sizes, kind="stable")
    size = sizes[order].astype(np.float64)
    squares = np.cumsum((rows[order] * size**2)[::-1])[::-1]
    cubes = np.cumsum((rows[order] * size**3)[::-1])[::-1]
    normal = squares**3 >= _FEW * cubes**2
    if normal[0]:
        return None
    starts = np.flatnonzero(normal & (np.diff(size, prepend=np.inf) < 0))
    return int(size[starts[0] - 1]) if len(starts) else int(size[-1])


class _Grid:
    """The circle of a law, in steps."""

    def __init__(self, parts: Sequence[Part], chosen: int, step: int, mean: float, variance: float) -> None:
        self._parts = parts
        self._big = [np.abs(part.jumps) >= chosen for part in parts]
        largest = max(int(np.abs(part.jumps).max()) for part in parts) // step
        reach = _reach(largest, variance)
        self._cells = max(math.ceil(2 * reach / _LONGEST), 1)
        self._length = 1 << math.ceil(math.log2(2 * reach / self._cells + 2))
        self._jumps = [np.floor(part.jumps / (step * self._cells) + 0.5) for part in parts]
        self._mean = mean / self._cells
        moments = [part.moments(big, jumps) for part, big, jumps in zip(parts, self._big, self._jumps, strict=True)]
        own = [self._spread(part, big, step) for part, big in zip(parts, self._big, strict=True)]
        spread = sum(one for _, one in moments)
        self._left = self._mean - sum(one for one, _ in moments), sum(own) - spread
        self._whole = self._cells == 1 and all(big.all() for big in self._big)
        fitted = any(isinstance(part, Drawn) and math.isnan(part.trials) for part in parts)
        self.too_wide = fitted and spread > (1 + _EXCESS) * variance / self._cells**2

    def _spread(self, part: Part, big: NDArray[np.bool_], step: int) -> float:
        """Return the variance of the big jumps and that of the others, as they are."""
        jumps = part.jumps / (step * self._cells)
        return part.moments(big, jumps)[1] + part.moments(~big, jumps)[1]

    def law(self) -> tuple[int, Floats]:
        """Return the smallest count of the circle, in cells, and the masses from there on."""
        number, length = np.arange(self._length // 2 + 1), self._length
        turns = np.exp(2j * np.pi * np.arange(length) / length)
        product = np.ones(len(number), np.complex128)
        for part, big, jumps in zip(self._parts, self._big, self._jumps, strict=True):
            if big.any():
                product *= part.spectrum(big, turns[(number * jumps[:, None].astype(np.int64)) % length])
        if not self._whole:
            angle = 2 * np.pi * number / length
            product *= np.exp(1j * angle * self._left[0] - angle**2 * max(self._left[1], _LEAST_SPREAD) / 2)
        masses = np.maximum(np.fft.irfft(product.conj(), length), 0.0)
        first = math.floor(self._mean) - length // 2
        return first, np.roll(masses, -(first % length))

    def ends(self, level: float) -> tuple[int, int]:
        """Return the quantiles, in steps; of cells of several steps their outer ends."""
        first, masses = self.law()
        low, high = _quantiles(masses, level)
        if self._cells == 1:
            return first + low, first + high
        return math.floor((first + low - 0.5) * self._cells), math.ceil((first + high + 0.5) * self._cells)


def _of_choice(parts: Sequence[Part], moments: tuple[float, float], level: float) -> tuple[float, float] | None:
    choice = next((part.choice for part in parts if isinstance(part, Drawn)), None)
    if choice is None:
        return None
    length = 1 << math.ceil(math.log2(2 * _reach(int(choice.counts.max()), moments[1]) + 2))
    if choice.points * length * len(choice.rows) > _MOST_TERMS:
        return None
    first = math.floor(moments[0] - choice.fixed) - length // 2
    low, high = _quantiles(np.roll(choice.masses(length), -(first % length)), level)
    return choice.fixed + first + low, choice.fixed + first + high


def _reach(largest: float, variance: float) -> float:
    """Return how far from the mean a sum of independent jumps is with a probability below 1e-8: Bernstein's bound."""
    third = _TAIL * largest / 3
    return third + math.sqrt(third**2 + 2 * _TAIL * variance)


def _quantiles(masses: Floats, level: float) -> tuple[int, int]:
    reached = np.cumsum(masses) / masses.sum()
    tail = (1 - level) / 2
    low = int(np.searchsorted(reached, tail - _TIE))
    return low, int(np.searchsorted(reached, 1 - tail - _TIE))
