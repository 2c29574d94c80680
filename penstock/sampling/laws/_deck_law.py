"""How many rows a deck has not dealt yet, whatever part of its epochs is delivered."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.laws._unseen import Unseen
from penstock.sampling.random._binomial import normal_cdf
from penstock.sampling.spec._spec import Interleave
from penstock.sampling.streams._blocks import Blocks
from penstock.sampling.streams._prefix import Prefix, prefixes
from penstock.sampling.streams._quotas import integer_masses, quotas
from penstock.sampling.streams._smooth import circle

__all__ = ["Bends", "DeckLaw"]

_CELLS = 1 << 22
_MOST_TURNS = 1 << 24
_ROUNDING = 1e-12

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class DeckLaw:
    """Dealt draws: a stratum that has had ``Q`` draws has shown ``min(n, Q)`` of its ``n`` rows.

    Where a block ends, `Q` is the quota, and nothing is left to chance. Inside a block (an epoch is delivered shorter
    or longer than the deck's) it is the quota before plus a number that depends on the order of the block:

    * shuffled, a hypergeometric one: means are exact; of the variance the linear part is, and what is left of each
      stratum counts as independent of the others;
    * smooth, the marks in a window of a circle (see `Circle`): all is counted at each turn of the circle, so that
      moments, bounds and probabilities are exact. Where the strata that may be dealt out in the block times its
      positions are more than ``2**24``, means and the certificate still are; the variance is as in a shuffled block,
      bounds are those of each stratum by itself.

    Parameters
    ----------
    sizes : ndarray of int64, shape (num_strata,)
        Rows of each stratum.
    weights : ndarray of float64, shape (num_strata,)
        Weight of a row of each stratum.
    size : int
        Draws per epoch of the deck.
    num_draws : int
        Draws delivered per epoch.
    interleave : {"shuffled", "smooth"}
        Order of the draws in a block.
    """

    def __init__(
        self, sizes: Ints, weights: Floats, size: int, num_draws: int, interleave: Interleave = "shuffled"
    ) -> None:
        self._all = sizes
        self._masses = integer_masses(sizes, weights)
        live = weights > 0
        self._sizes, self._live = sizes[live], self._masses[live]
        self._blocks = Blocks(size)
        self._draws = num_draws
        self._interleave = interleave
        self.num_drawable = int(self._sizes.sum())

    # ---- where nothing is left ----------------------------------------------------------

    @cached_property
    def _end(self) -> int:
        """The first block before which every drawable row was dealt."""
        shares = self._live / self._live.sum()
        # Webster gives a stratum its n-th draw at (n - 1/2) / share: the search starts there, doubling its steps
        guess = math.ceil(float(((self._sizes - 0.5) / shares).max()))
        high, step = int(self._blocks.at(np.array([guess]))[0]) + 1, 1
        low = high - 1
        while self._left_before(high):
            low, high, step = high, high + step, 2 * step
        while low > 0 and not self._left_before(low):
            low, high, step = max(low - step, 0), low, 2 * step
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._left_before(middle) else (low, middle)
        return high

    def _left_before(self, block: int) -> int:
        dealt = quotas(self._live, self._blocks.begin(np.array([block])))[0]
        return int(np.maximum(self._sizes - dealt, 0).sum())

    @cached_property
    def certificate(self) -> int | None:
        """Epochs after which every drawable row was seen, however the blocks are shuffled."""
        begin, end = self._blocks.begin(np.array([self._end - 1, self._end])).tolist()
        low, high = max(begin // self._draws, 0), -(-end // self._draws)
        while high - low > 1:
            middle = (low + high) // 2
            (prefix,) = self._prefixes(np.array([middle]))
            low, high = (low, middle) if self._unseen_within(prefix)[1] == 0 else (middle, high)
        return max(int(high), 1)

    # ---- how many are left --------------------------------------------------------------

    def unseen(self, epochs: Ints) -> Unseen:
        """Return what is known of the unseen rows after each number of epochs."""
        found = [self._known(prefix) for prefix in self._prefixes(epochs)]
        return Unseen(*np.array(found, np.float64).reshape(-1, 4).T)

    def _known(self, prefix: Prefix | None) -> tuple[float, float, int, int]:
        turns = self._turns(prefix)
        if turns is not None:
            return float(turns.mean()), float(turns.var()), int(turns.min()), int(turns.max())
        return *self._unseen_at(prefix), *self._unseen_within(prefix)

    def _unseen_within(self, prefix: Prefix | None) -> tuple[int, int]:
        return (0, 0) if prefix is None else (self._unseen_after(prefix.most), self._unseen_after(prefix.least))

    def _turns(self, prefix: Prefix | None) -> Ints | None:
        """Return the unseen rows at each turn of a smooth block; None of a shuffled one, and where it is too much."""
        if prefix is None or not prefix.smooth or prefix.taken == 0:
            return None
        left = np.maximum(self._sizes - prefix.before, 0)
        bent = np.flatnonzero((left > 0) & (left < prefix.block_quotas))
        if len(bent) * prefix.length > _MOST_TURNS:
            return None
        marks, begins = circle(prefix.taken, prefix.length), np.cumsum(prefix.block_quotas) - prefix.block_quotas
        linear = left >= prefix.block_quotas
        unseen = int(left[linear].sum()) - marks.sums(prefix.block_quotas, linear)
        for stratum in bent.tolist():
            own = marks.counts(int(begins[stratum]), int(prefix.block_quotas[stratum]))
            unseen += np.maximum(left[stratum] - own, 0)
        return np.asarray(unseen)

    def at_most_unseen(self, epoch: int, allowed: int) -> float:
        """Return P(unseen <= allowed): 0 or 1 where it is certain, else normal; of none, strata by themselves."""
        (prefix,) = self._prefixes(np.array([epoch]))
        turns = self._turns(prefix)
        if turns is not None:
            return float(np.count_nonzero(turns <= allowed) / len(turns))
        if prefix is None or self._unseen_after(prefix.least) <= allowed:
            return 1.0
        if self._unseen_after(prefix.most) > allowed:
            return 0.0
        if allowed == 0:
            return self._all_seen(prefix)
        mean, variance = self._unseen_at(prefix)
        return normal_cdf((allowed + 0.5 - mean) / math.sqrt(variance)) if variance > 0 else float(mean <= allowed)

    def _prefixes(self, epochs: Ints) -> list[Prefix | None]:
        """Return what was dealt after each number of epochs, None where that is everything."""
        positions = np.asarray(epochs, np.int64) * self._draws
        if len(positions) > 1 and len(positions) * len(self._live) > _CELLS:
            return [prefix for epoch in epochs for prefix in self._prefixes(np.array([epoch]))]
        open_ = self._blocks.at(positions) < self._end
        found = iter(prefixes(self._live, self._blocks, positions[open_], self._interleave))
        return [next(found) if left else None for left in open_.tolist()]

    def _unseen_after(self, dealt: Ints) -> int:
        return int(np.maximum(self._sizes - dealt, 0).sum())

    def _unseen_at(self, prefix: Prefix | None) -> tuple[float, float]:
        if prefix is None:
            return 0.0, 0.0
        if prefix.taken == 0:
            return float(self._unseen_after(prefix.before)), 0.0
        left = self._sizes - prefix.before
        length, taken = prefix.length, prefix.taken
        linear = (prefix.block_quotas > 0) & (left >= prefix.block_quotas)
        bent = np.flatnonzero((left > 0) & (left < prefix.block_quotas))
        mean = float(
            left[left >= prefix.block_quotas].clip(0).sum() - prefix.block_quotas[linear].sum() * (taken / length)
        )
        slope = np.where(linear, -1.0, 0.0)
        own = 0.0
        if len(bent):
            bend = Bends.of(left[bent], *prefix.laws(bent))
            mean += float(bend.mean.sum())
            slope[bent] = bend.slope
            own = float(bend.rest.sum())
        variance = prefix.spread(slope, taken) + own
        return mean, variance if variance > _ROUNDING * max(mean, 1.0) else 0.0

    def _all_seen(self, prefix: Prefix) -> float:
        left = self._sizes - prefix.before
        some = np.flatnonzero(left > 0)
        owner, count, mass = prefix.laws(some)
        seen = np.bincount(owner, np.where(count >= left[some][owner], mass, 0.0), len(some))
        return float(np.minimum(seen, 1.0).prod())

    def times_seen(self, epoch: int, max_times: int) -> tuple[Floats, Ints]:
        """Return step functions: every row of a stratum is seen as often, or once more."""
        (prefix,) = prefixes(self._masses, self._blocks, np.array([epoch * self._draws]), self._interleave)
        if prefix.taken == 0:
            each, group = np.unique(prefix.before / self._all, return_inverse=True)
            often = np.floor(each + _ROUNDING)[:, None]
            counts = np.arange(max_times + 1)
            share = 1 - np.maximum(each[:, None] - often, 0.0)
            return np.where(counts < often, 0.0, np.where(counts == often, share, 1.0)), group
        owner, count, mass = prefix.laws(np.arange(len(self._all)))
        often, more = np.divmod(prefix.before[owner] + count, self._all[owner])
        more = more / self._all[owner]
        masses = np.zeros((len(self._all), max_times + 2))
        np.add.at(masses, (owner, np.minimum(often, max_times + 1)), mass * (1 - more))
        np.add.at(masses, (owner, np.minimum(often + 1, max_times + 1)), mass * more)
        return np.minimum(np.cumsum(masses, axis=1)[:, :-1], 1.0), np.arange(len(self._all))


class Bends:
    """Strata that may or may not be dealt out within a block: ``max(left - h, 0)`` of its draws h.

    `slope` is that of its regression on h, `rest` the variance that this leaves.
    """

    def __init__(self, mean: Floats, slope: Floats, rest: Floats) -> None:
        self.mean, self.slope, self.rest = mean, slope, rest

    @classmethod
    def of(cls, left: Ints, owner: Ints, count: Ints, mass: Floats) -> Bends:
        unseen = np.maximum(left[owner] - count, 0)

        def mean_of(values: Ints) -> Floats:
            return np.asarray(np.bincount(owner, mass * values, len(left)))

        mean, drawn = mean_of(unseen), mean_of(count)
        spread = mean_of(count**2) - drawn**2
        together = mean_of(unseen * count) - mean * drawn
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = np.where(spread > 0, together / spread, 0.0)
        return cls(mean, slope, np.maximum(mean_of(unseen**2) - mean**2 - slope * together, 0.0))
