"""How many rows of a small pool are unseen after independent draws: the exact law."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_DRAWS", "SMALL_POOL", "unseen_masses"]

SMALL_POOL = 64
"""Pools of fewer rows are counted exactly; above, rows count as independent."""
MOST_DRAWS = 1 << 20
"""Beyond so many draws independent rows are within 1e-5 of the exact law of a small pool."""

_BY_PRODUCT = 200

Floats = NDArray[np.float64]


def unseen_masses(sizes: Floats, shares: Floats, draws: int, allowed: int) -> Floats:
    """Return P(unseen = 0), ..., P(unseen = allowed) after some independent draws.

    The number of ways is the coefficient of ``z**n`` of ``prod (exp(p z) - 1 + u)`` over the rows, times ``n!``: a
    power of ``u`` counts the unseen. It is taken as the mean over ``9 sqrt(n) + 20`` points of the circle of radius
    ``n``, where the integrand falls off as a normal density of deviation ``1 / sqrt(n)``, so that the sum is exact to
    rounding.

    Parameters
    ----------
    sizes, shares : ndarray of float64, shape (num_groups,)
        Rows of each group, and the probability of each of its rows, above 0; together 1.
    draws : int
        At least 1.
    allowed : int
        Largest number of unseen rows.

    Returns
    -------
    ndarray of float64, shape (allowed + 1,)

    References
    ----------
    P. Flajolet, R. Sedgewick, Analytic Combinatorics, 2009: the coupon collector's generating function, chapter II.3.
    """
    points = math.ceil(9 * math.sqrt(draws)) + 20
    half = np.arange(points // 2 + 1)
    twice = np.where((half == 0) | (2 * half == points), 1.0, 2.0)
    turn = np.exp(2j * np.pi * half / points)
    laws = np.zeros((allowed + 1, len(half)), np.complex128)
    laws[0] = np.exp(-2j * np.pi * (draws * half % points) / points)
    for size, share in zip(sizes.tolist(), shares.tolist(), strict=True):
        missed = math.exp(-share * draws)
        seen = np.exp(share * draws * (turn - 1)) - missed
        for _ in range(round(size)):
            laws[1:] = laws[1:] * seen + laws[:-1] * missed
            laws[0] *= seen
    masses: Floats = (laws.real @ twice) * (_scale(draws) / points)
    return np.clip(masses, 0.0, 1.0)


def _scale(draws: int) -> float:
    """Return ``n! e**n / n**n``: a product, or Stirling's series."""
    if draws <= _BY_PRODUCT:
        scale = 1.0
        for number in range(1, draws + 1):
            scale *= number * math.e / draws
        return scale
    n = float(draws)
    series = 1 + 1 / (12 * n) + 1 / (288 * n**2) - 139 / (51840 * n**3)
    return math.sqrt(2 * math.pi * n) * series
