"""Streams of a plan: which row each position draws."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from penstock.sampling._alias import alias_table, pick
from penstock.sampling._grouped import GroupedRows
from penstock.sampling._philox import DRAW, units, words
from penstock.sampling._stream import Stream

__all__ = ["DrawStream"]

_MOST_THREADS = 4
_DRAWS_A_THREAD = 1 << 15
_BLOCK = 1 << 14  # its temporaries stay in a core's cache; what is drawn does not depend on it


class DrawStream(Stream):
    """Independent draws: position g reads words 2g and 2g + 1, the first for the stratum, the second for the row.

    Parameters
    ----------
    strata : GroupedRows
        The pool.
    probabilities : ndarray of float64, shape (num_strata,)
        Probability of one row of each stratum.
    size : int
        Draws per epoch.
    seed : int
        In ``[0, 2**128)``.
    identity : str
        What else tells this stream from others: the spec.
    """

    continuing = True

    def __init__(
        self, strata: GroupedRows, probabilities: NDArray[np.float64], *, size: int, seed: int, identity: str
    ) -> None:
        super().__init__(size, seed)
        self._strata = strata
        self._name = identity
        self._threshold, self._alias = alias_table(probabilities * strata.sizes)
        self._sizes = strata.sizes.astype(np.float64)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of spec and strata."""
        return super().fingerprint

    def _identity(self) -> str:
        return self._name + self._strata.fingerprint

    def _draw(self, start: int, stop: int) -> NDArray[np.int64]:
        out = np.empty(stop - start, np.int64)
        rows = self._strata.rows
        threads = min(os.cpu_count() or 1, _MOST_THREADS, (stop - start) // _DRAWS_A_THREAD)
        if threads <= 1:
            self._fill(out, start, rows)
            return out
        bounds = np.linspace(0, stop - start, threads + 1).astype(int).tolist()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda low, high: self._fill(out[low:high], start + low, rows), bounds[:-1], bounds[1:]))
        return out

    def _fill(self, out: NDArray[np.int64], start: int, rows: NDArray[np.signedinteger]) -> None:
        begins = self._strata.offsets[:-1]
        for first in range(0, len(out), _BLOCK):
            last = min(first + _BLOCK, len(out))
            both = units(words(self.seed, (DRAW, 0, 0), 2 * (start + first), 2 * (last - first)))
            stratum = pick(both[::2], self._threshold, self._alias)
            inside = self._sizes.take(stratum)
            inside *= both[1::2]
            place = inside.astype(np.int64)
            place += begins.take(stratum)
            out[first:last] = rows.take(place)
