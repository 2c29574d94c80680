"""Binomial laws without special functions."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["binomial_cdf", "normal_cdf"]


def _outward(trials: int, share: float) -> tuple[int, NDArray[np.float64]]:
    """Return the masses that matter and the count of the first of them.

    From the mode ``floor((trials + 1) share)``, set to 1, outwards by the ratio of neighbors
    ``P(k + 1) / P(k) = (trials - k) / (k + 1) * share / (1 - share)``, over the counts within 12 standard deviations
    plus 40, then divided by their sum. Masses below 1e-18 of the mode's are left out by this width.
    """
    mode = min(math.floor((trials + 1) * share), trials)
    width = math.ceil(12 * math.sqrt(trials * share * (1 - share))) + 40
    first, last = max(mode - width, 0), min(mode + width, trials)
    odds = share / (1 - share)
    up = np.arange(mode, last, dtype=np.float64)
    down = np.arange(mode, first, -1, dtype=np.float64)
    above = np.cumprod((trials - up) / (up + 1) * odds)
    below = np.cumprod(down / (trials - down + 1) / odds)
    masses = np.concatenate([below[::-1], [1.0], above])
    return first, masses / masses.sum()


def binomial_cdf(trials: int, share: float, max_count: int) -> NDArray[np.float64]:
    """Return P(count <= k) for k = 0 .. max_count of a binomial law."""
    cdf = np.zeros(max_count + 1)
    if trials == 0 or share <= 0:
        return cdf + 1
    if share >= 1:
        cdf[trials:] = 1
        return cdf
    first, masses = _outward(trials, share)
    sums = np.minimum(np.cumsum(masses), 1.0)
    if first > max_count:
        return cdf
    stop = min(first + len(sums), max_count + 1)
    cdf[first:stop] = sums[: stop - first]
    cdf[stop:] = 1.0
    return cdf


def normal_cdf(value: float) -> float:
    """Return the standard normal distribution function, ``erfc(-x / sqrt 2) / 2``."""
    return 0.5 * math.erfc(-value / math.sqrt(2))
