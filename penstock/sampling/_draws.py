"""Streams of a plan: which row each position draws."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from penstock.sampling._alias import alias_table, pick
from penstock.sampling._grouped import GroupedRows
from penstock.sampling._philox import DRAW, units, words
from penstock.sampling._stream import Stream

__all__ = ["DrawStream"]

_BLOCK = 1 << 16


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
        strata = self._strata
        rows, begins = strata.rows, strata.offsets[:-1]
        for first in range(start, stop, _BLOCK):
            last = min(first + _BLOCK, stop)
            both = units(words(self.seed, (DRAW, 0, 0), 2 * first, 2 * (last - first)))
            stratum = pick(both[::2], self._threshold, self._alias)
            inside = self._sizes.take(stratum)
            inside *= both[1::2]
            place = inside.astype(np.int64)
            place += begins.take(stratum)
            out[first - start : last - start] = rows.take(place)
        return out
