"""The deck: every stratum is dealt out before a row of it comes again."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from penstock.sampling._grouped import GroupedRows
from penstock.sampling._grouping import compact
from penstock.sampling._permute import Deals, Orders
from penstock.sampling._philox import DECK, INTERLEAVE, words
from penstock.sampling._quotas import integer_masses, quotas
from penstock.sampling._spec import Interleave
from penstock.sampling._stream import Stream, by_epoch

__all__ = ["DeckStream"]

_PART = 4
_GOLDEN = (math.sqrt(5) - 1) / 2


class DeckStream(Stream):
    """Dealt draws: each stratum gets whole numbers of draws, its rows in a fresh order each time round.

    Epoch ``e`` has ``quota((e + 1) size) - quota(e size)`` draws of each stratum (see `quotas`). They stand side by
    side, stratum after stratum, in `size` slots; position ``j`` of the epoch takes slot ``order_e(j)``. Which row
    draw ``k`` of a stratum is, counted since the start, `Deals` tells.

    With ``interleave="smooth"`` the slot is ``(j a + b) mod size``: ``a`` is the number coprime to `size` nearest to
    the golden section of it, ``b`` a random shift per epoch, so that any run of positions meets every stratum in
    proportion, up to about one.

    Parameters
    ----------
    strata : GroupedRows
        The pool.
    weights : ndarray of float64, shape (num_strata,)
        Weight of a row of each stratum.
    size : int
        Draws per epoch.
    seed : int
        In ``[0, 2**128)``.
    identity : str
        What else tells this stream from others: the spec.
    interleave : {"shuffled", "smooth"}
        Order of the draws in an epoch.
    """

    continuing = True

    def __init__(
        self,
        strata: GroupedRows,
        weights: NDArray[np.float64],
        *,
        size: int,
        seed: int,
        identity: str,
        interleave: Interleave = "shuffled",
    ) -> None:
        super().__init__(size, seed)
        self._strata = strata
        self._name = identity
        self._masses = integer_masses(strata.sizes, weights)
        self._smooth = interleave == "smooth"
        self._deals = Deals(self.seed, DECK)
        self._slots = Orders(self.seed, INTERLEAVE)
        self._quotas: tuple[int, NDArray[np.int64]] | None = None

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of spec and strata."""
        return super().fingerprint

    def _identity(self) -> str:
        return self._name + self._strata.fingerprint

    def _draw(self, start: int, stop: int) -> NDArray[np.int64]:
        return by_epoch(start, stop, self.size, self._of_epoch)

    def _of_epoch(self, epoch: int, places: NDArray[np.int64]) -> NDArray[np.int64]:
        before, after = self._quotas_around(epoch)
        ends = np.cumsum(after - before)
        slots = self._slot(epoch, places)
        if len(places) >= self.size // _PART:
            return self._side_by_side(before, after)[slots]
        stratum = np.searchsorted(ends, slots, side="right")
        return self._picked(before, after, stratum, slots - (ends - after)[stratum])

    def _quotas_around(self, epoch: int) -> NDArray[np.int64]:
        kept = self._quotas
        if kept is None or kept[0] != epoch:
            kept = (epoch, quotas(self._masses, np.array([epoch, epoch + 1]) * self.size))
            self._quotas = kept
        return kept[1]

    def _slot(self, epoch: int, places: NDArray[np.int64]) -> NDArray[np.int64]:
        if not self._smooth:
            return self._slots.places((epoch, 0), self.size, places)
        shift = int(words(self.seed, (INTERLEAVE, epoch, 1), 0, 1)[0]) % self.size
        return (places * self._stride + shift) % self.size

    @cached_property
    def _stride(self) -> int:
        middle = round(_GOLDEN * self.size)
        near = sorted(range(max(middle - 60, 1), middle + 61), key=lambda step: abs(step - middle))
        return next(step for step in near if math.gcd(step, self.size) == 1)

    def _side_by_side(self, before: NDArray[np.int64], after: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of all slots of an epoch; strata of one row need no dealing."""
        strata, given = self._strata, after - before
        ends = np.cumsum(given)
        rows: NDArray[np.int64] = strata.rows[np.repeat(strata.offsets[:-1], given)].astype(np.int64)
        for stratum in np.flatnonzero((given > 0) & (strata.sizes > 1)).tolist():
            span = int(before[stratum]), int(after[stratum])
            inside = self._deals.rows(stratum, int(strata.sizes[stratum]), np.arange(*span), span)
            slots = slice(int(ends[stratum] - given[stratum]), int(ends[stratum]))
            rows[slots] = strata.rows[int(strata.offsets[stratum]) + inside]
        return rows

    def _picked(
        self,
        before: NDArray[np.int64],
        after: NDArray[np.int64],
        stratum: NDArray[np.int64],
        draws: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Return the rows of some draws, given their strata and their numbers in them."""
        strata = self._strata
        ids = compact(stratum, strata.num_strata)
        order = np.argsort(ids, kind="stable")
        counts = np.bincount(ids, minlength=strata.num_strata)
        ends = np.cumsum(counts)
        rows: NDArray[np.int64] = strata.rows[strata.offsets[stratum]].astype(np.int64)
        for number in np.flatnonzero((counts > 0) & (strata.sizes > 1)).tolist():
            which = order[ends[number] - counts[number] : ends[number]]
            span = int(before[number]), int(after[number])
            inside = self._deals.rows(number, int(strata.sizes[number]), draws[which], span)
            rows[which] = strata.rows[int(strata.offsets[number]) + inside]
        return rows
