"""The deck: every stratum is dealt out before a row of it comes again."""

from __future__ import annotations

import math
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from penstock.sampling._grouped import GroupedRows
from penstock.sampling._permute import Orders
from penstock.sampling._philox import DECK, INTERLEAVE, words
from penstock.sampling._quotas import integer_masses, quotas
from penstock.sampling._spec import Interleave
from penstock.sampling._stream import Stream, by_epoch

__all__ = ["DeckStream"]

_GOLDEN = (math.sqrt(5) - 1) / 2


class DeckStream(Stream):
    """Dealt draws: each stratum gets whole numbers of draws, its rows in a fresh order each time round.

    Epoch ``e`` has ``quota((e + 1) size) - quota(e size)`` draws of each stratum (see `quotas`). They stand side by
    side, stratum after stratum, in `size` slots; position ``j`` of the epoch takes slot ``order_e(j)``. The draw of a
    stratum number ``k`` since the start is place ``k mod n`` of the order ``(stratum, k div n)`` of its ``n`` rows.

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
        self._orders = Orders(self.seed, DECK, keep=2 * strata.num_strata)
        self._slots = Orders(self.seed, INTERLEAVE, keep=2)
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
        stratum = np.searchsorted(ends, slots, side="right")
        number = slots - (ends - after)[stratum]
        return self._rows(stratum, number)

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

    def _rows(self, stratum: NDArray[np.int64], number: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the row of each draw, given its stratum and its number in the stratum."""
        sizes = self._strata.sizes
        cycle, place = np.divmod(number, sizes[stratum])
        order = np.lexsort((cycle, stratum))
        deals = np.stack([stratum[order], cycle[order]])
        begins = np.concatenate([[0], np.flatnonzero((np.diff(deals) != 0).any(axis=0)) + 1, [len(order)]])
        inside = np.empty(len(order), np.int64)
        for first, last in pairwise(begins.tolist()):
            owner, turn = int(deals[0, first]), int(deals[1, first])
            which = order[first:last]
            inside[which] = self._orders.places((owner, turn), int(sizes[owner]), place[which])
        rows: NDArray[np.int64] = self._strata.rows[self._strata.offsets[stratum] + inside].astype(np.int64)
        return rows
