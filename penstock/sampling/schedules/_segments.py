"""What the draws of one entry leave unseen, for each mode."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.laws._deck_law import Bends, DeckLaw
from penstock.sampling.laws._unseen import IidLaw, OnceLaw
from penstock.sampling.plan._weighing import Weighing
from penstock.sampling.streams._blocks import Blocks
from penstock.sampling.streams._prefix import Prefix, prefixes

__all__ = ["DeckSegment", "IidSegment", "OnceSegment", "Segment", "segment_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Segment(Protocol):
    """Draws of one entry, over its own strata; an amount counts draws from its start on, in the mode "once" epochs."""

    sizes: Ints
    drawable: NDArray[np.bool_]

    def missed(self, amount: int) -> Floats:
        """Return the probability that a row of each stratum is not drawn."""
        ...

    def excess(self, amount: int) -> Floats | None:
        """Return P(two rows are missed) over the product of both, by their strata, less what `beside` adds.

        None where only a sum over all pairs is known, which is `together`.
        """
        ...

    def together(self, amount: int, left: Floats, squares: Floats) -> float:
        """Return the sum of the covariances of pairs to first order.

        `left` and `squares` are, for each stratum, the sums over its rows of the probability that a row is unseen after
        all entries, and of its square.
        """
        ...

    def beside(self, amount: int, left: Floats) -> float:
        """Return the variance that the order of a block under way adds."""
        ...

    def bounds(self, amount: int) -> tuple[Ints, Ints]:
        """Return the fewest and the most rows of each stratum that are missed for certain."""
        ...

    def log_missed(self, amount: int) -> Floats:
        """Return the log-probability that a row is missed, as independent rows would have it."""
        ...

    def times_seen(self, amount: int, max_times: int) -> tuple[Floats, Ints]:
        """Return P(drawn at most k times) of groups of strata, and the group of each stratum."""
        ...


class IidSegment:
    """Independent draws."""

    def __init__(self, weighing: Weighing) -> None:
        self.sizes = weighing.strata.sizes
        self.drawable = weighing.weights > 0
        self._shares = weighing.probabilities
        self._law = IidLaw(self.sizes, self._shares, 1)

    def missed(self, amount: int) -> Floats:
        """Return ``(1 - p)**D``."""
        with np.errstate(divide="ignore", invalid="ignore"):
            kept = np.log1p(-np.minimum(self._shares, 1.0))
            return np.asarray(np.where(amount == 0, 1.0, np.exp(amount * kept)))

    def excess(self, amount: int) -> Floats:
        """Return ``((1 - p - p') / ((1 - p) (1 - p')))**D``."""
        kept = 1 - np.minimum(self._shares, 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            both = np.outer(self._shares, self._shares) / np.outer(kept, kept)
            return np.asarray(np.exp(amount * np.log1p(-np.minimum(both, 1.0))))

    def together(self, amount: int, left: Floats, squares: Floats) -> float:  # noqa: ARG002  of the protocol
        """Return ``-D (sum p q)**2``."""
        return -amount * float(self._shares @ left) ** 2

    def beside(self, amount: int, left: Floats) -> float:  # noqa: ARG002  of the protocol
        """Return 0."""
        return 0.0

    def bounds(self, amount: int) -> tuple[Ints, Ints]:  # noqa: ARG002  of the protocol
        """Return none and all."""
        return np.zeros_like(self.sizes), self.sizes

    def log_missed(self, amount: int) -> Floats:
        """Return ``-D p``."""
        return -float(amount) * self._shares

    def times_seen(self, amount: int, max_times: int) -> tuple[Floats, Ints]:
        """Return binomial distribution functions."""
        return self._law.times_seen(amount, max_times)


class OnceSegment:
    """Epochs without replacement: approximate, as the inclusion probabilities are."""

    def __init__(self, weighing: Weighing, draws: int) -> None:
        self.sizes = weighing.strata.sizes
        self.drawable = weighing.weights > 0
        self._included = np.minimum(weighing.inclusion, 1.0) * min(draws / weighing.num_draws, 1.0)
        self._law = OnceLaw(self.sizes, self._included)

    def missed(self, amount: int) -> Floats:
        """Return ``(1 - pi)**e``."""
        return np.asarray((1 - self._included) ** amount)

    def excess(self, amount: int) -> None:  # noqa: ARG002  of the protocol
        """Return nothing: Hajek's variance is of the sum."""
        return

    def together(self, amount: int, left: Floats, squares: Floats) -> float:  # noqa: ARG002  of the protocol
        """Return ``-e (sum pi q)**2 / sum pi (1 - pi)``."""
        spread = float(self.sizes @ (self._included * (1 - self._included)))
        return -amount * float(self._included @ left) ** 2 / spread if spread > 0 else 0.0

    def beside(self, amount: int, left: Floats) -> float:  # noqa: ARG002  of the protocol
        """Return 0."""
        return 0.0

    def bounds(self, amount: int) -> tuple[Ints, Ints]:
        """Return none, and all that are not in every epoch."""
        return np.zeros_like(self.sizes), np.where((self._included >= 1) & (amount > 0), 0, self.sizes)

    def log_missed(self, amount: int) -> Floats:
        """Return ``e log(1 - pi)``."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(amount == 0, 0.0, amount * np.log1p(-self._included)))

    def times_seen(self, amount: int, max_times: int) -> tuple[Floats, Ints]:
        """Return binomial distribution functions, one trial an epoch."""
        return self._law.times_seen(amount, max_times)


class DeckSegment:
    """Dealt draws: a stratum that has had ``Q`` draws leaves ``m = max(n - Q, 0)`` of its ``n`` rows, any of them."""

    def __init__(self, weighing: Weighing) -> None:
        self.sizes = weighing.strata.sizes
        self.drawable = weighing.weights > 0
        self._masses = weighing.masses
        self._blocks = Blocks(weighing.num_draws)
        self._interleave = weighing.spec.interleave
        self._law = DeckLaw(self.sizes, weighing.weights, weighing.num_draws, 1, self._interleave)
        self._left = lru_cache(maxsize=4)(self._left_at)

    def _left_at(self, amount: int) -> tuple[Prefix, Floats, Floats, Floats]:
        """Return what was dealt, the rows left on average, how these depend on the draws, and what varies besides."""
        (prefix,) = prefixes(self._masses, self._blocks, np.array([amount]), self._interleave)
        left = self.sizes - prefix.before
        drawn = prefix.block_quotas * (prefix.taken / prefix.length)
        mean = np.maximum(left - drawn, 0.0)
        slope, rest = np.where(left >= prefix.block_quotas, -1.0, 0.0), np.zeros(len(left))
        bent = np.flatnonzero((left > 0) & (left < prefix.block_quotas)) if prefix.taken else np.zeros(0, np.int64)
        if len(bent):
            bends = Bends.of(left[bent], *prefix.laws(bent))
            mean[bent], slope[bent], rest[bent] = bends.mean, bends.slope, bends.rest
        return prefix, mean, slope, rest

    def missed(self, amount: int) -> Floats:
        """Return ``m / n``."""
        return np.asarray(self._left(amount)[1] / self.sizes)

    def excess(self, amount: int) -> Floats:
        """Return ``m (m - 1) / (n (n - 1))`` over ``(m / n)**2`` in a stratum, and 1 between two."""
        factors = np.ones((len(self.sizes), len(self.sizes)))
        np.fill_diagonal(factors, 1 - self._lack(amount))
        return factors

    def _lack(self, amount: int) -> Floats:
        """Return ``(1 - u) / (u (n - 1))``, ``u = m / n``."""
        unseen = self.missed(amount)
        with np.errstate(divide="ignore", invalid="ignore"):
            lack = (1 - unseen) / (unseen * (self.sizes - 1))
        return np.asarray(np.where((unseen > 0) & (self.sizes > 1), lack, 0.0))

    def together(self, amount: int, left: Floats, squares: Floats) -> float:
        """Return the sum over pairs in one stratum."""
        return -float(self._lack(amount) @ (left**2 - squares))

    def beside(self, amount: int, left: Floats) -> float:
        """Return the variance of what the block under way has dealt."""
        prefix, mean, slope, rest = self._left(amount)
        if prefix.taken == 0:
            return 0.0
        each = np.where(mean > 0, left / np.where(mean > 0, mean, 1.0), 0.0)
        return prefix.spread(slope * each, prefix.taken) + float(rest @ each**2)

    def bounds(self, amount: int) -> tuple[Ints, Ints]:
        """Return what is left after the most and after the fewest draws."""
        prefix = self._left(amount)[0]
        fewest, most = (np.maximum(self.sizes - dealt, 0) for dealt in (prefix.most, prefix.least))
        return fewest, most

    def log_missed(self, amount: int) -> Floats:
        """Return ``log(m / n)``."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.missed(amount)))

    def times_seen(self, amount: int, max_times: int) -> tuple[Floats, Ints]:
        """Return step functions."""
        return self._law.times_seen(amount, max_times)


def segment_of(weighing: Weighing, draws: int) -> Segment:
    """Return the draws of an entry by its mode; `draws` are delivered in an epoch."""
    if weighing.spec.mode == "deck":
        return DeckSegment(weighing)
    return IidSegment(weighing) if weighing.spec.mode == "iid" else OnceSegment(weighing, draws)
