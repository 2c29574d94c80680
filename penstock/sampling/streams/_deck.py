"""The deck: every stratum is dealt out before any row of it repeats."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.pool._groups import Groups
from penstock.sampling.random._permute import shuffled
from penstock.sampling.random._philox import DECK, INTERLEAVE, words
from penstock.sampling.spec._spec import Interleave
from penstock.sampling.streams._blocks import BLOCK_LIMIT, Blocks
from penstock.sampling.streams._deals import Deals
from penstock.sampling.streams._quotas import integer_masses, quotas
from penstock.sampling.streams._smooth import stride
from penstock.sampling.streams._stream import Stream

__all__ = ["DeckStream"]

_HALF: Final = np.uint32(16)  # a block has at most 65,536 positions, and so many strata
_LONGEST_RUN: Final = 4 * BLOCK_LIMIT  # positions worked out at once
_FEW: Final = 6  # strata up to which finding the keys between them is faster than sorting all

Ints = NDArray[np.int64]


class DeckStream(Stream):
    """Dealt draws: each stratum gets whole numbers of draws, its rows in a fresh order each time round.

    Positions are cut into blocks (see `Blocks`). Block ``[a, b)`` has ``quota(b) - quota(a)`` draws of each stratum
    (see `quotas`); which position is which stratum's is a random order of the block. The draws of a stratum, in the
    order of their positions, are dealt by `Deals`: so each of its rows is drawn once before any of them repeats, in
    every run of positions, whatever part of an epoch is delivered.

    With ``interleave="smooth"`` the strata of a block of ``n`` positions stand side by side in ``n`` slots and
    position ``j`` takes slot ``(j a + c) mod n``: ``a`` is the number coprime to ``n`` nearest to the golden section
    of it, ``c`` a random shift per block, so that any run of positions meets every stratum in proportion, up to about
    one.

    Parameters
    ----------
    strata : Groups
        The pool.
    weights : ndarray of float64, shape (num_strata,)
        Weight of a row of each stratum.
    size : int
        Draws per epoch.
    seed : int
        In ``[0, 2**128)``.
    identity : callable
        Returns what else tells this stream from others: the spec. Called when a fingerprint is asked for.
    interleave : {"shuffled", "smooth"}
        Order of the draws in a block.
    """

    continuing = True

    def __init__(
        self,
        strata: Groups,
        weights: NDArray[np.float64],
        *,
        size: int,
        seed: int,
        identity: Callable[[], str],
        interleave: Interleave = "shuffled",
    ) -> None:
        super().__init__(size, seed)
        self._strata = strata
        self._name = identity
        self._masses = integer_masses(strata.sizes, weights)
        self._smooth = interleave == "smooth"
        self._blocks = Blocks(max(self.size, 1))
        self._deals = Deals(strata, self.seed, DECK)
        self._kept: tuple[int, NDArray[np.int64]] | None = None

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of spec and strata."""
        return super().fingerprint

    def _identity(self) -> str:
        return "dealt in order:" + self._name() + self._strata.fingerprint

    def _draw(self, start: int, stop: int) -> NDArray[np.int64]:
        parts = []
        while start < stop:
            begin, rows = self._run_at(start, stop)
            end = min(stop, begin + len(rows))
            parts.append(rows[start - begin : end - begin])
            start = end
        return parts[0].copy() if len(parts) == 1 else np.concatenate(parts)

    def _run_at(self, start: int, stop: int) -> tuple[int, NDArray[np.int64]]:
        """Return whole blocks from that of `start` on: one at first, more while they are read one after the other."""
        kept = self._kept
        if kept is not None and kept[0] <= start < kept[0] + len(kept[1]):
            return kept
        reading_on = kept is not None and start == kept[0] + len(kept[1])
        wanted = max(stop - start, 2 * len(kept[1]) if kept is not None and reading_on else 1)
        first = int(self._blocks.at(np.array([start]))[0])
        count = max(min(wanted, _LONGEST_RUN) * self._blocks.per_epoch // self._blocks.size, 1)
        while int(self._blocks.begin(np.array([first + count]))[0]) < min(start + wanted, start + _LONGEST_RUN // 2):
            count += 1
        begin = int(self._blocks.begin(np.array([first]))[0])
        self._kept = kept = begin, self._rows_of(np.arange(first, first + count + 1))
        return kept

    def _rows_of(self, blocks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of all blocks but the last, which only tells where they end."""
        ends = quotas(self._masses, self._blocks.begin(blocks))
        dealt = self._deals.rows(ends[0], ends[-1])
        drawn = ends[-1] - ends[0]
        # where draw 0 of each stratum would be in `dealt`, so that `begins + k` is draw k
        begins = np.cumsum(drawn) - drawn - ends[0]
        rows = np.empty_like(dealt)
        first = 0
        for number, before, after in zip(blocks.tolist(), ends[:-1], ends[1:], strict=False):
            live = np.flatnonzero(after - before)
            count = (after - before)[live]
            last = first + int(count.sum())
            self._lay(number, count, rows[first:last], dealt, begins[live] + before[live])
            first = last
        return rows

    def _lay(self, block: int, count: Ints, rows: Ints, dealt: Ints, begins: Ints) -> None:
        """Put the draws of each stratum of a block, `count` from `begins` on, where its positions are."""
        if not self._smooth and len(count) <= _FEW:
            every = _positions_of_few(self._words(block, int(count.sum())), count.tolist())
            for places, begin, end in zip(every, begins.tolist(), (begins + count).tolist(), strict=True):
                rows[places] = dealt[begin:end]
            return
        # a range from each begin on, as long as its count: np.arange plus the shift of each range
        drawn = np.repeat(begins - (np.cumsum(count) - count), count)
        drawn += np.arange(len(drawn))
        rows[self._places(block, count)] = dealt[drawn]

    def _words(self, block: int, length: int) -> NDArray[np.uint64]:
        return words(self.seed, (INTERLEAVE, block, 0), 0, length)

    def _places(self, block: int, counts: NDArray[np.int64]) -> NDArray[np.uint16]:
        """Return the positions in a block that each of its strata has, stratum after stratum, ascending in each."""
        length = int(counts.sum())
        # upper half: the stratum; lower half: a position; sorting groups the positions by stratum, ascending
        owned = np.repeat(np.arange(len(counts), dtype=np.uint32) << _HALF, counts)
        if not self._smooth:
            owned |= shuffled(self._words(block, length), length)
        else:
            shift = int(words(self.seed, (INTERLEAVE, block, 1), 0, 1)[0]) % length
            slots = (np.arange(length) * stride(length) + shift) % length
            owned[slots] |= np.arange(length, dtype=np.uint32)
        owned.sort()
        return owned.astype(np.uint16)


def _positions_of_few(raw: NDArray[np.uint64], counts: list[int]) -> list[Ints]:
    """Return the positions of each of a few strata, ascending: what `shuffled` hands to them one after the other."""
    keys = (raw >> np.uint64(32)).astype(np.uint32)
    left, found = keys.copy(), []
    others = np.ones(len(keys), bool)
    for count in counts[:-1]:
        # the `count` smallest keys that are left are this stratum's, no full sort is needed
        left.partition(count - 1)
        own = others & (keys <= left[count - 1])
        equal = int(np.count_nonzero(own)) - count
        if equal:  # of equal keys the first positions count
            own[np.flatnonzero(own & (keys == left[count - 1]))[-equal:]] = False
        others ^= own
        left = left[count:]
        found.append(np.flatnonzero(own))
    found.append(np.flatnonzero(others))
    return found
