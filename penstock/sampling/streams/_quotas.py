"""How many draws each stratum of a deck has had: whole numbers, the same in every language."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SamplingError

__all__ = ["RESOLUTION", "integer_masses", "quotas"]

RESOLUTION: Final = 1 << 40


def integer_masses(sizes: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the share of each stratum in whole parts of about ``2**40``.

    ``floor(size * weight / total * 2**40 + 0.5)``; `total` is the sum of the products in the order of the strata.
    Every operation is one of IEEE doubles.

    Raises
    ------
    SamplingError
        If a positive weight has less than half a part.
    """
    products = sizes * weights
    shares = products / np.cumsum(products)[-1]
    masses = np.floor(shares * float(RESOLUTION) + 0.5).astype(np.int64)
    lost = np.flatnonzero((weights > 0) & (masses == 0))
    if len(lost):
        raise SamplingError(
            f"weights from {float(weights[lost].min()):.3g} to {float(weights.max()):.3g} are too far apart for mode "
            f"'deck': samples of the smallest come once in {1 / float(shares[lost].max()):.2g} draws. Expected at "
            "least one in 2.2e+12",
            hint="give them weight 0 or a larger one, or use mode='iid'",
        )
    return np.asarray(masses)


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
    column = times[:, None]
    # a guess in floats, off by one at most; the exact remainder, in wrapping 64-bit integers, corrects it
    had = (column * (masses / total) + 0.5).astype(np.int64)
    rest = column * masses - had * total
    half = total // 2
    off = (rest >= total - half).astype(np.int64) - (rest < -half)
    if off.any():
        had += off
        rest -= off * total
    return had, rest


def _positive_quotas(masses: NDArray[np.int64], drawn: NDArray[np.int64]) -> NDArray[np.int64]:
    """Search the integer time of each number of draws, then complete the draws."""
    # rounding moves each stratum by less than one draw, so the time is within num_strata of the draws
    low, high = drawn - len(masses) - 1, drawn + len(masses) + 1
    had, rest = _at(masses, drawn)
    best_had, best_rest = np.zeros_like(had), np.zeros_like(rest)
    pending, times = np.arange(len(drawn)), drawn
    while len(pending):
        missing = drawn[pending] - had.sum(axis=1)
        below = missing >= 0
        best_had[pending[below]], best_rest[pending[below]] = had[below], rest[below]
        low[pending[below]], high[pending[~below]] = times[below], times[~below]
        going = (missing != 0) & (high[pending] - low[pending] > 1)
        pending = pending[going]
        times = np.minimum(np.maximum(times[going] + missing[going], low[pending] + 1), high[pending] - 1)
        had, rest = _at(masses, times)
    return _complete(masses, drawn, best_had, best_rest)


def _complete(
    masses: NDArray[np.int64], drawn: NDArray[np.int64], had: NDArray[np.int64], rest: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Give out what is missing: to strata whose next event is within one unit of time, the earliest first."""
    total = int(masses.sum())
    missing = drawn - had.sum(axis=1)
    for row in np.flatnonzero(missing).tolist():
        ahead = total - 2 * rest[row]
        soon = np.flatnonzero(ahead <= 2 * masses)
        order = np.argsort(ahead[soon] / (2 * masses[soon]), kind="stable")
        had[row, soon[order[: missing[row]]]] += 1
    return had
