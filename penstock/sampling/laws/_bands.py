"""Bands of counts: normal where counts are large, exact where they are small."""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.spec._count import checked_fraction

__all__ = ["band", "binomial_quantiles", "check_level"]

_SMALL = 25.0
_TINY = 1e-300
_ROUNDING = 1e-9


def check_level(level: float) -> float:
    """Return the level, or raise if it is not a probability."""
    return checked_fraction("level", level, hint="0.95 is the usual one")


def band(
    mean: NDArray[np.float64],
    variance: NDArray[np.float64],
    level: float = 0.95,
    upper: float | NDArray[np.float64] = math.inf,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the pointwise interval of counts with the given moments.

    For each count, with ``scale = max(1, variance / mean)`` (above 1 only where one draw has several instances):

    * variance 0: the mean itself;
    * ``mean / scale >= 25`` and ``variance / scale**2 >= 25``: mean ± z sd;
    * ``mean / scale >= 25``, or a variance of less than half the mean (counts that nearly always come): mean ± z sd,
      rounded outward;
    * else the quantiles of the binomial law with mean ``m = mean / scale`` and variance ``v = variance / scale**2``,
      times `scale`, rounded outward. It has ``m * m / (m - v)`` trials, and at least ``m``, rounded up; where
      ``m - v <= 1e-12 m`` the law is Poisson. A binomial count gets its own law back, so that the interval is exact.

    Rounded outward is to whole numbers, as counts are: `low` down, `high` up (what is within 1e-9 of one is that one).
    So an interval of few counts misses none that can come. Then clipped to ``[0, upper]``. Moments do not tell which
    counts can come: where a row has several, `penstock.sampling.laws._sum_law` has the law itself.

    Parameters
    ----------
    mean, variance : ndarray of float64, equal shapes
        Moments of the counts.
    level : float
        Probability of the interval, each tail the same.
    upper : float or ndarray
        Largest count possible.

    Returns
    -------
    low, high : ndarray of float64
    """
    z = _normal_quantile(check_level(level))
    spread = z * np.sqrt(np.maximum(variance, 0))
    low, high = mean - spread, mean + spread
    scale = np.maximum(variance, mean) / np.maximum(mean, _TINY)
    few = (variance > 0) & (mean < _SMALL * scale)
    small = few | ((variance > 0) & (variance < _SMALL * scale**2))
    for place in np.flatnonzero(few & (2 * variance >= mean)).tolist():
        factor = max(float(scale.flat[place]), 1.0)
        quantiles = _small_count(float(mean.flat[place]) / factor, float(variance.flat[place]) / factor**2, level)
        low.flat[place], high.flat[place] = quantiles[0] * factor, quantiles[1] * factor
    low = np.where(small, np.floor(low + _ROUNDING), low)
    high = np.where(small, np.ceil(high - _ROUNDING), high)
    return np.minimum(np.maximum(low, 0), upper), np.minimum(np.maximum(high, 0), upper)


@cache
def _normal_quantile(level: float) -> float:
    return NormalDist().inv_cdf(0.5 + level / 2)


def _small_count(mean: float, variance: float, level: float) -> tuple[int, int]:
    gap = mean - variance
    trials = math.inf if gap <= 1e-12 * mean else math.ceil(max(mean * mean / gap, mean) * (1 - 1e-9))
    return binomial_quantiles(trials, mean, level)


def binomial_quantiles(trials: float, mean: float, level: float) -> tuple[int, int]:
    """Return the smallest counts whose distribution function reaches each tail's end.

    The law is binomial with `trials` and mean `mean`, Poisson for infinite trials. Probabilities by the recurrence
    ``P(k + 1) = P(k) (trials - k) / (k + 1) odds`` from ``P(0) = exp(trials log1p(-mean / trials))``.
    """
    if mean >= trials:
        return int(trials), int(trials)
    share = mean / trials
    mass = math.exp(-mean) if math.isinf(trials) else math.exp(trials * math.log1p(-share))
    tail, low, count, total = (1 - level) / 2, -1, 0, mass
    # one walk up the masses finds both ends
    while total < 1 - tail and count < trials:
        if low < 0 and total >= tail:
            low = count
        ratio = mean if math.isinf(trials) else (trials - count) * share / (1 - share)
        count += 1
        mass *= ratio / count
        total += mass
    return (count if low < 0 else low), count
