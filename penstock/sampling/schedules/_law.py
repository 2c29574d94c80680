"""How many rows are still unseen, and how often rows were seen, under weights that change."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.laws._unseen import FEW_LEFT, Law, Unseen, few_unseen
from penstock.sampling.random._binomial import binomial_cdf, normal_cdf
from penstock.sampling.schedules._segments import Segment

__all__ = ["ScheduleLaw"]

_MOST_PAIRED = 64
_FURTHEST = 1 << 40
_ROUNDING = 1e-12

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class ScheduleLaw:
    """Rows in groups that no entry tells apart further; the entries' draws are independent of each other.

    With ``q`` the product over the entries of the probability that their draws miss a row: mean ``sum n q``, variance
    ``sum n q (1 - q)`` plus the covariances of pairs. Up to 64 groups these are ``q q' (prod e - 1)``, ``e`` the
    `excess` of each entry: exact for independent draws, and for a deck where no block is under way. Beyond 64, and
    without replacement, they are added up entry by entry to first order. What is left of few rows: with independent
    draws independent rows, else the binomial law of mean and variance; of many it is normal. As long as only the first
    entry has drawn, its own law holds.

    Parameters
    ----------
    sizes : ndarray of int64, shape (num_groups,)
        Rows of each group.
    owners : sequence of ndarray of int64, shape (num_groups,)
        For each entry, its stratum that a group is part of.
    segments : sequence of Segment
        The entries' draws.
    starts : sequence of int
        Amounts at which the entries start.
    each : int
        Amount of an epoch: its draws, or 1 without replacement.
    first : Law
        Of the first entry alone.
    independent : bool
        Whether the draws are independent of each other.
    """

    def __init__(
        self,
        sizes: Ints,
        owners: Sequence[Ints],
        segments: Sequence[Segment],
        starts: Sequence[int],
        *,
        each: int,
        first: Law,
        independent: bool,
    ) -> None:
        drawable = np.any([own.drawable[owner] for own, owner in zip(segments, owners, strict=True)], axis=0)
        self._all, self._every_owner = sizes, owners
        self._sizes = sizes[drawable]
        self._owners = [owner[drawable] for owner in owners]
        self._segments, self._starts, self._each = segments, [*starts, _FURTHEST], each
        self._first, self._independent = first, independent
        self.num_drawable = int(self._sizes.sum())

    def _amounts(self, epoch: int) -> list[int]:
        """Return the amount of each entry in so many epochs."""
        reached = epoch * self._each
        return [
            min(max(reached - start, 0), stop - start)
            for start, stop in zip(self._starts, self._starts[1:], strict=False)
        ]

    def _active(self, epoch: int) -> list[tuple[Segment, Ints, int]]:
        return [
            (segment, owner, amount)
            for segment, owner, amount in zip(self._segments, self._owners, self._amounts(epoch), strict=True)
            if amount
        ]

    def _only_first(self, epoch: int) -> bool:
        return epoch * self._each <= self._starts[1]

    @cached_property
    def _never_first(self) -> int:
        """Drawable rows that the first entry does not draw."""
        return self.num_drawable - self._first.num_drawable

    # ---- where nothing is left ----------------------------------------------------------

    @cached_property
    def certificate(self) -> int | None:
        """Epochs after which every drawable row was seen for certain; None where chance decides."""
        high = 1
        while self._bounds(high)[1]:
            high *= 2
            if high * self._each > _FURTHEST:
                return None
        low = high // 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._bounds(middle)[1] else (low, middle)
        return high

    def _bounds(self, epoch: int) -> tuple[int, int]:
        """Return the fewest and the most rows that are unseen for certain."""
        least, most, totals = self._sizes.copy(), self._sizes.copy(), [self.num_drawable]
        for segment, owner, amount in self._active(epoch):
            fewest, largest = segment.bounds(amount)
            least -= np.minimum(self._sizes, (segment.sizes - fewest)[owner])
            most = np.minimum(most, largest[owner])
            there = np.bincount(owner, self._sizes, len(segment.sizes)).astype(np.int64)
            totals.append(int(np.minimum(largest, there).sum()))
        return int(np.maximum(least, 0).sum()), min(int(most.sum()), *totals)

    # ---- how many are left --------------------------------------------------------------

    def unseen(self, epochs: Ints) -> Unseen:
        """Return what is known of the unseen rows after each number of epochs."""
        found = [self._unseen_after(epoch) for epoch in np.asarray(epochs).tolist()]
        return Unseen(*np.array(found, np.float64).reshape(-1, 4).T)

    def _unseen_after(self, epoch: int) -> tuple[float, float, float, float]:
        if self._only_first(epoch):
            known = self._first.unseen(np.array([epoch]))
            never = self._never_first
            return known.mean[0] + never, known.variance[0], known.fewest[0] + never, known.most[0] + never
        return *self._moments(epoch), *self._bounds(epoch)

    def _moments(self, epoch: int) -> tuple[float, float]:
        active = self._active(epoch)
        chances = np.ones(len(self._sizes))
        for segment, owner, amount in active:
            chances *= segment.missed(amount)[owner]
        left = self._sizes * chances
        mean, alone = float(left.sum()), float(left @ (1 - chances))
        variance = alone + self._together(active, left, chances)
        return mean, variance if variance > _ROUNDING * max(mean, 1.0) else 0.0

    def _together(self, active: Sequence[tuple[Segment, Ints, int]], left: Floats, chances: Floats) -> float:
        """Return the sum of the covariances of all ordered pairs of different rows."""
        squares = left * chances
        paired = self._pairs(active, left, squares) if len(left) <= _MOST_PAIRED else None
        total = 0.0 if paired is None else paired
        for segment, owner, amount in active:
            count = len(segment.sizes)
            of_own: Floats = np.bincount(owner, left, count).astype(np.float64, copy=False)
            if paired is None:
                of_squares = np.bincount(owner, squares, count).astype(np.float64, copy=False)
                total += segment.together(amount, of_own, of_squares)
            total += segment.beside(amount, of_own)
        return total

    def _pairs(self, active: Sequence[tuple[Segment, Ints, int]], left: Floats, squares: Floats) -> float | None:
        live = np.flatnonzero(left > 0)
        product = np.ones((len(live), len(live)))
        for segment, owner, amount in active:
            excess = segment.excess(amount)
            if excess is None:
                return None
            product *= excess[np.ix_(owner[live], owner[live])]
        pairs = np.outer(left[live], left[live]) - np.diag(squares[live])
        return float((pairs * (product - 1))[pairs != 0].sum())

    def at_most_unseen(self, epoch: int, allowed: int) -> float:
        """Return the probability that at most `allowed` rows are unseen after some epochs."""
        if self._only_first(epoch):
            left = allowed - self._never_first
            return self._first.at_most_unseen(epoch, left) if left >= 0 else 0.0
        fewest, most = self._bounds(epoch)
        if not fewest <= allowed < most:
            return float(allowed >= most)
        mean, variance = self._moments(epoch)
        if variance <= 0:
            return float(mean <= allowed + _ROUNDING)
        if allowed >= FEW_LEFT:
            return normal_cdf((allowed + 0.5 - mean) / math.sqrt(variance))
        if not self._independent:
            return _binomial(mean, variance, allowed)
        logs = sum((own.log_missed(amount)[owner] for own, owner, amount in self._active(epoch)), np.zeros(1))
        return float(few_unseen(self._sizes.astype(np.float64), np.asarray(logs), allowed).sum())

    # ---- how often rows are seen ---------------------------------------------------------

    def times_seen(self, epoch: int, max_times: int) -> tuple[Floats, Ints]:
        """Return P(seen at most k times) of kinds of groups, and the kind of each group."""
        laws, kinds = np.zeros((1, max_times + 1)), np.zeros(len(self._all), np.int64)
        laws[:, 0] = 1.0
        for segment, owner, amount in zip(self._segments, self._every_owner, self._amounts(epoch), strict=True):
            if not amount:
                continue
            reached, group = segment.times_seen(amount, max_times)
            pairs, kinds = np.unique(kinds * len(reached) + group[owner], return_inverse=True)
            before, own = np.divmod(pairs, len(reached))
            laws = _summed(laws[before], np.diff(reached, axis=1, prepend=0.0)[own])
        return np.minimum(np.cumsum(laws, axis=1), 1.0), kinds


def _summed(first: Floats, second: Floats) -> Floats:
    """Return the masses of the sums of two counts, row by row, cut to the same length."""
    found = np.zeros_like(first)
    for count in range(first.shape[1]):
        if first[:, count].any():
            found[:, count:] += first[:, count, None] * second[:, : first.shape[1] - count]
    return found


def _binomial(mean: float, variance: float, allowed: int) -> float:
    """Return P(count <= allowed) of the binomial law nearest to a mean and a variance."""
    gap = max(mean - variance, 1e-9 * mean)
    trials = math.ceil(max(mean * mean / gap, mean) * (1 - 1e-9))
    return float(binomial_cdf(trials, min(mean / trials, 1.0), allowed)[allowed])
