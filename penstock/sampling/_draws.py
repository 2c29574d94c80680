"""Streams of a plan: which row each position draws."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from penstock.sampling._alias import alias_table, pick
from penstock.sampling._philox import DRAW, integers_below, units, words
from penstock.sampling._stream import Stream

if TYPE_CHECKING:
    from penstock.sampling._plan import SamplingPlan

__all__ = ["DrawStream"]

_BLOCK = 1 << 16


class DrawStream(Stream):
    """Independent draws: position g reads words 2g and 2g + 1, the first for the stratum, the second for the row.

    Parameters
    ----------
    plan : SamplingPlan
        What to draw.
    """

    def __init__(self, plan: SamplingPlan) -> None:
        super().__init__(plan.num_draws, plan.spec.seed)
        self._plan = plan
        masses = plan.probabilities * plan.strata.sizes
        self._threshold, self._alias = alias_table(masses)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of spec and strata."""
        return super().fingerprint

    def _identity(self) -> str:
        return self._plan.spec.to_json() + self._plan.strata.fingerprint

    def _draw(self, start: int, stop: int) -> NDArray[np.int64]:
        out = np.empty(stop - start, np.int64)
        strata = self._plan.strata
        rows, begins, sizes = strata.rows, strata.offsets[:-1], strata.sizes.astype(np.float64)
        for first in range(start, stop, _BLOCK):
            last = min(first + _BLOCK, stop)
            raw = words(self.seed, (DRAW, 0, 0), 2 * first, 2 * (last - first))
            stratum = pick(units(raw[::2]), self._threshold, self._alias)
            inside = integers_below(raw[1::2], sizes[stratum])
            out[first - start : last - start] = rows[begins[stratum] + inside]
        return out
