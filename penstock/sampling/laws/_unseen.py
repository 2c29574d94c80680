"""How many rows are still unseen, and how often rows were seen: one law for each mode."""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.laws._occupancy import MOST_DRAWS, SMALL_POOL, unseen_masses
from penstock.sampling.random._binomial import binomial_cdf, normal_cdf
from penstock.sampling.streams._once import inclusion

__all__ = ["FEW_LEFT", "IidLaw", "Law", "OnceLaw", "Unseen", "few_unseen"]

_MAX_EXACT_WEIGHTS = 32
FEW_LEFT = 10
_ROUNDING = 1e-12
_CELLS = 1 << 22
_GROUPS_AT_ONCE = 1 << 18
_LARGEST = 700.0
_MAX_LAWS = 4096

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Unseen(NamedTuple):
    """Unseen rows after some numbers of epochs: mean, variance, and between which counts they are for certain."""

    mean: Floats
    variance: Floats
    fewest: Floats
    most: Floats


class Law(Protocol):
    """What coverage needs to know of a mode; "unseen" counts drawable rows only."""

    num_drawable: int

    @property
    def certificate(self) -> int | None:
        """Epochs after which nothing is unseen for certain; None where chance decides."""
        ...

    def unseen(self, epochs: Ints) -> Unseen:
        """Return what is known of the unseen rows after each number of epochs."""
        ...

    def at_most_unseen(self, epoch: int, allowed: int) -> float:
        """Return the probability that at most `allowed` rows are unseen after some epochs."""
        ...

    def times_seen(self, epoch: int, max_times: int) -> tuple[Floats, Ints]:
        """Return P(seen at most k times) of groups, shape (num_groups, max_times + 1), and each stratum's group."""
        ...


class _IndependentRows:
    """Rows that are missed (almost) independently, grouped by how likely that is."""

    certificate: int | None = None
    num_drawable: int
    sizes: Floats

    def log_missed(self, epoch: int) -> Floats:
        """Return the log-probability that a row of each group is unseen, as independent rows would have it."""
        raise NotImplementedError

    def unseen(self, epochs: Ints) -> Unseen:
        """Return what is known of the unseen rows after each number of epochs: moments; chance leaves all open."""
        mean, variance = self.moments(epochs)
        return Unseen(mean, variance, np.zeros(len(mean)), np.full(len(mean), float(self.num_drawable)))

    def moments(self, epochs: Ints) -> tuple[Floats, Floats]:
        """Return mean and variance of the unseen rows after each number of epochs."""
        raise NotImplementedError

    def at_most_unseen(self, epoch: int, allowed: int) -> float:
        """Return P(unseen <= allowed): sums of independent rows below 10 allowed, else normal."""
        if allowed < FEW_LEFT:
            return float(few_unseen(self.sizes, self.log_missed(epoch), allowed).sum())
        mean, variance = self.moments(np.array([epoch]))
        if variance[0] <= 0:
            return float(mean[0] <= allowed)
        return normal_cdf((allowed + 0.5 - float(mean[0])) / math.sqrt(float(variance[0])))


def few_unseen(sizes: Floats, log_missed: Floats, allowed: int) -> Floats:
    """Return P(unseen = 0 .. allowed) for groups of independent rows.

    Each group is binomial; its masses follow from ``P(0) = (1 - q)**n`` by the ratio of neighbors; the groups'
    masses are convolved, cut after `allowed`.
    """
    with np.errstate(divide="ignore"):
        log_seen = np.log(-np.expm1(log_missed))
    sure = sizes * log_seen
    if allowed == 0:
        return np.array([math.exp(sure.sum())])
    laws = np.zeros((1, allowed + 1))
    laws[0, 0] = 1.0
    for start in range(0, len(sizes), _GROUPS_AT_ONCE):
        part = slice(start, start + _GROUPS_AT_ONCE)
        masses = _binomial_heads(sizes[part], log_missed[part] - log_seen[part], sure[part], allowed)
        laws = _convolved(np.concatenate([laws, masses]))
    return np.asarray(laws[0])


def _binomial_heads(sizes: Floats, log_odds: Floats, sure: Floats, allowed: int) -> Floats:
    """Return the first masses of each group's binomial law, shape (num_groups, allowed + 1)."""
    counts = np.arange(allowed, dtype=np.float64)
    # P(k + 1) / P(k) for all groups at once; the product of ratios is the mass up to P(0)
    odds = np.exp(np.where(np.isfinite(log_odds), np.minimum(log_odds, _LARGEST), -np.inf))
    ratios = np.maximum(sizes[:, None] - counts, 0) / (counts + 1) * odds[:, None]
    heads = np.concatenate([np.ones((len(sizes), 1)), np.cumprod(ratios, axis=1)], axis=1)
    return np.asarray(np.exp(sure)[:, None] * heads)


def _convolved(laws: Floats) -> Floats:
    """Return the law of the sum of all groups, cut to the same length: pairs of groups, then pairs of pairs."""
    while len(laws) > 1:
        if len(laws) % 2:
            laws = np.concatenate([laws, np.eye(1, laws.shape[1])])
        left, right = laws[::2], laws[1::2]
        laws = np.zeros_like(left)
        for place in range(laws.shape[1]):
            laws[:, place:] += left[:, place, None] * right[:, : laws.shape[1] - place]
    return laws


class IidLaw(_IndependentRows):
    """Independent draws.

    With ``n`` draws so far and ``q = (1 - p)**n``: mean ``sum size q``; variance up to 32 distinct weights, and below
    64 rows, exactly, ``sum size q (1 - q) + sum over pairs of rows ((1 - p - p')**n - q q')``, else
    ``sum size q (1 - q) - n (sum size p q)**2``. The law of the unseen is exact below 64 rows (`unseen_masses`); above,
    few left are independent rows with ``q = exp(-n p)``, many are normal.

    Parameters
    ----------
    sizes : ndarray of int64, shape (num_strata,)
        Rows of each stratum.
    probabilities : ndarray of float64, shape (num_strata,)
        Probability of a row of each stratum.
    num_draws : int
        Draws per epoch.
    """

    def __init__(self, sizes: Ints, probabilities: Floats, num_draws: int) -> None:
        self._each = probabilities
        self._draws = num_draws
        distinct, group = np.unique(probabilities, return_inverse=True)
        rows = np.bincount(group, sizes, len(distinct)).astype(np.float64, copy=False)
        self.shares = distinct[distinct > 0]
        self.sizes = rows[distinct > 0]
        self.num_drawable = int(self.sizes.sum())

    def at_most_unseen(self, epoch: int, allowed: int) -> float:
        """Return P(unseen <= allowed): exact for small pools."""
        draws = epoch * self._draws
        if self.num_drawable < SMALL_POOL and 0 < draws <= MOST_DRAWS:
            wanted = min(allowed, self.num_drawable)
            return min(float(unseen_masses(self.sizes, self.shares, draws, wanted).sum()), 1.0)
        return super().at_most_unseen(epoch, allowed)

    def log_missed(self, epoch: int) -> Floats:
        """Return ``-n p``."""
        return -float(epoch * self._draws) * self.shares

    def moments(self, epochs: Ints) -> tuple[Floats, Floats]:
        """Return mean and variance of the unseen rows."""
        if len(epochs) > 1 and len(epochs) * len(self.shares) > _CELLS:
            return _one_by_one(self, epochs)
        draws = (epochs * self._draws).astype(np.float64)[:, None]
        with np.errstate(divide="ignore"):
            log_kept = np.log1p(-np.minimum(self.shares, 1.0))
        missed = np.exp(draws * log_kept)
        mean = missed @ self.sizes
        alone = (missed * (1 - missed)) @ self.sizes
        if len(self.shares) > _MAX_EXACT_WEIGHTS and self.num_drawable >= SMALL_POOL:
            together = -draws[:, 0] * (missed @ (self.sizes * self.shares)) ** 2
        else:
            together = self._pairs(draws[:, 0], missed)
        return mean, np.maximum(alone + together, 0.0)

    def _pairs(self, draws: Floats, missed: Floats) -> Floats:
        """Return the sum over ordered pairs of different rows of the covariance of being missed."""
        # log((1 - p - p') / ((1 - p)(1 - p'))) by log1p: the plain difference of the two terms loses all digits
        first, second = np.triu_indices(len(self.shares))
        kept_first, kept_second = 1 - self.shares[first], 1 - self.shares[second]
        both = self.shares[first] * self.shares[second]
        with np.errstate(divide="ignore", invalid="ignore"):
            excess = np.log1p(-np.minimum(both / (kept_first * kept_second), 1.0))
        others = self.sizes[second] - (first == second)
        pairs = np.where(first == second, 1, 2) * self.sizes[first] * others
        some = pairs > 0
        change = np.expm1(draws[:, None] * excess[some])
        return np.asarray((missed[:, first[some]] * missed[:, second[some]] * change) @ pairs[some])

    def times_seen(self, epoch: int, max_times: int) -> tuple[Floats, Ints]:
        """Return binomial distribution functions."""
        return _by_share(self._each, epoch * self._draws, max_times)


class OnceLaw(_IndependentRows):
    """Draws without replacement in each epoch: approximate, as the inclusion probabilities are.

    With ``pi`` the probability that a row is in an epoch and ``q = (1 - pi)**e``: mean ``sum size q``, variance
    ``sum size q (1 - q) - e (sum size pi (1 - pi) c)**2 / sum size pi (1 - pi)``, ``c = (1 - pi)**(e - 1)``;
    a variance below ``1e-12`` of its first term is rounding, and 0.

    Parameters
    ----------
    sizes : ndarray of int64, shape (num_strata,)
        Rows of each stratum.
    included : ndarray of float64, shape (num_strata,)
        Probability that a row is in an epoch.

    References
    ----------
    J. Hajek, Asymptotic theory of rejective sampling, 1964: the second term, to first order in each epoch.
    """

    def __init__(self, sizes: Ints, included: Floats) -> None:
        self._each = included
        distinct, group = np.unique(included, return_inverse=True)
        rows = np.bincount(group, sizes, len(distinct)).astype(np.float64, copy=False)
        self.shares = distinct[distinct > 0]
        self.sizes = rows[distinct > 0]
        self.num_drawable = int(self.sizes.sum())
        self.certificate = 1 if (self.shares >= 1).all() else None

    def log_missed(self, epoch: int) -> Floats:
        """Return ``e log(1 - pi)``."""
        with np.errstate(divide="ignore"):
            return np.asarray(epoch * np.log1p(-np.minimum(self.shares, 1.0)))

    def moments(self, epochs: Ints) -> tuple[Floats, Floats]:
        """Return mean and variance of the unseen rows."""
        if len(epochs) > 1 and len(epochs) * len(self.shares) > _CELLS:
            return _one_by_one(self, epochs)
        rounds = epochs.astype(np.float64)[:, None]
        left = 1 - np.minimum(self.shares, 1.0)
        missed = left**rounds
        spread = self.sizes * self.shares * left
        alone = (missed * (1 - missed)) @ self.sizes
        together = np.zeros(len(alone))
        if spread.sum() > 0:
            together = rounds[:, 0] * (left ** (rounds - 1) @ spread) ** 2 / spread.sum()
        variance = alone - together
        return missed @ self.sizes, np.where(variance > _ROUNDING * alone, variance, 0.0)

    def times_seen(self, epoch: int, max_times: int) -> tuple[Floats, Ints]:
        """Return binomial distribution functions, one trial an epoch."""
        return _by_share(self._each, epoch, max_times)

    @classmethod
    def of(cls, sizes: Ints, weights: Floats, size: int, num_draws: int) -> OnceLaw:
        """Return the law of the first `num_draws` of epochs of `size`."""
        return cls(sizes, inclusion(sizes, weights, size) * min(num_draws / size, 1.0))


def _one_by_one(law: _IndependentRows, epochs: Ints) -> tuple[Floats, Floats]:
    """Return the moments epoch by epoch, where all at once would take too much memory."""
    moments = [law.moments(epochs[place : place + 1]) for place in range(len(epochs))]
    return np.concatenate([mean for mean, _ in moments]), np.concatenate([variance for _, variance in moments])


def _by_share(shares: Floats, trials: int, max_times: int) -> tuple[Floats, Ints]:
    """Return a binomial law per distinct share; above 4,096 of them, per bin of equal ratio, at its middle."""
    distinct, group = np.unique(shares, return_inverse=True)
    if len(distinct) > _MAX_LAWS:
        logs = np.log(np.maximum(distinct, np.finfo(float).tiny))
        low = logs[distinct > 0].min()
        step = max((logs.max() - low) / (_MAX_LAWS - 2), _ROUNDING)
        # bin 0 is probability 0, which has no logarithm
        bins = np.where(distinct > 0, np.floor((logs - low) / step).astype(np.int64) + 1, 0)
        used, places = np.unique(bins, return_inverse=True)
        distinct = np.where(used > 0, np.minimum(np.exp(low + (used - 0.5) * step), 1.0), 0.0)
        group = places[group]
    return np.stack([binomial_cdf(trials, float(share), max_times) for share in distinct]), group
