"""How many draws each stratum of a deck has had: whole numbers, the same in every language."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["RESOLUTION", "integer_masses", "quotas"]

RESOLUTION: Final = 1 << 40


def integer_masses(sizes: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the share of each stratum in whole parts of about ``2**40``.

    ``floor(size * weight / total * 2**40 + 0.5)``, at least 1 where the weight is positive; `total` is the sum of the
    products in the order of the strata. Every operation is one of IEEE doubles.
    """
    products = sizes * weights
    masses = np.floor(products / np.cumsum(products)[-1] * float(RESOLUTION) + 0.5).astype(np.int64)
    return np.where(weights > 0, np.maximum(masses, 1), 0)


def quotas(masses: NDArray[np.int64], num_draws: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the draws of each stratum among the first `num_draws`, by Webster's apportionment.

    Stratum ``s`` of mass ``W`` gets its draw number ``k`` (from 0) at time ``(k + 1/2) T / W``, ``T`` the sum of the
    masses; the first ``n`` events in time order, ties by stratum, are the first ``n`` draws. So a quota never falls
    as ``n`` grows, and they sum to ``n``.

    To find them without a queue: at integer time ``m`` stratum ``s`` has had ``q = floor((2 m W + T) / (2 T))`` draws.
    Take an ``m`` whose sum of ``q`` is ``n``, else the largest with a sum below ``n``; then the strata that have one
    more at ``m + 1`` get it in the order of ``(T - 2 r) / (2 W)``, a double, with ``r = m W - q T``, ties by stratum,
    until the sum is ``n``. ``r`` is exact: it is below ``2**41`` though its parts are not, so 64-bit wrap-around
    leaves it right.

    Parameters
    ----------
    masses : ndarray of int64, shape (num_strata,)
        From `integer_masses`; 0 leaves the stratum out.
    num_draws : ndarray of int64, shape (num_totals,)
        Numbers of draws since the start.

    Returns
    -------
    ndarray of int64, shape (num_totals, num_strata)

    References
    ----------
    M. L. Balinski, H. P. Young, Fair Representation, 1982: divisor methods are house-monotone.
    """
    drawn = np.asarray(num_draws, np.int64)
    full = np.zeros((len(drawn), len(masses)), np.int64)
    live = np.flatnonzero(masses)
    full[:, live] = _positive_quotas(masses[live], drawn)
    return full


def _at(masses: NDArray[np.int64], times: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the draws had at integer times, and the exact remainders."""
    total = masses.sum()
    had = np.floor(times[:, None] * (masses / total) + 0.5).astype(np.int64)
    rest = times[:, None] * masses - had * total
    off = (2 * rest >= total).astype(np.int64) - (2 * rest < -total)
    return had + off, rest - off * total


def _positive_quotas(masses: NDArray[np.int64], drawn: NDArray[np.int64]) -> NDArray[np.int64]:
    low, high = drawn - len(masses) - 1, drawn + len(masses) + 1
    times = drawn.copy()
    had, rest = _at(masses, times)
    pending = np.arange(len(drawn))
    while len(pending):
        sums = had[pending].sum(axis=1)
        missing = drawn[pending] - sums
        low[pending] = np.where(missing >= 0, times[pending], low[pending])
        high[pending] = np.where(missing < 0, times[pending], high[pending])
        pending = pending[(missing != 0) & (high[pending] - low[pending] > 1)]
        step = drawn[pending] - had[pending].sum(axis=1)
        guess = np.clip(times[pending] + step, low[pending] + 1, high[pending] - 1)
        times[pending] = guess
        had[pending], rest[pending] = _at(masses, guess)
    return _complete(masses, drawn, low)


def _complete(masses: NDArray[np.int64], drawn: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.int64]:
    had, rest = _at(masses, times)
    missing = drawn - had.sum(axis=1)
    short = np.flatnonzero(missing)
    if len(short) == 0:
        return had
    after, _ = _at(masses, times[short] + 1)
    due = (masses.sum() - 2 * rest[short]) / (2 * masses)
    due[after == had[short]] = np.inf
    order = np.argsort(due, axis=1, kind="stable")
    for place, row in enumerate(short):
        had[row, order[place, : missing[row]]] += 1
    return had
