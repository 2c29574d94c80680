"""Independent draws by weight from a `RandomState`, to the index what ``RandomState.choice(p=...)`` draws."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Cumulative"]

_FEW = 1 << 12
_MOST_PLACES = 1 << 22
_STEPS = 12


class Cumulative:
    """Cumulative probabilities, computed once; BatchUp computes them for every batch.

    Parameters
    ----------
    probabilities : ndarray of float, shape (num_samples,)
        Their sum is 1 up to rounding.
    """

    def __init__(self, probabilities: NDArray[np.floating[Any]]) -> None:
        self._sums = probabilities.astype(np.float64).cumsum()
        self._sums /= self._sums[-1]

    def draw(self, rng: Any, count: int) -> NDArray[np.int64]:
        """Return `count` samples, int64."""
        return self.places(rng.random_sample(count))

    def places(self, units: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return ``searchsorted(sums, units, side="right")``, with few memory reads if there are many sums.

        Numbers that are equal in their first bits share a place in a table that says where to begin; most are found
        a few steps on.
        """
        if len(self._sums) <= _FEW:
            return self._sums.searchsorted(units, side="right")
        begins = self._begins
        found: NDArray[np.int64] = begins.take((units * len(begins)).astype(np.int64)).astype(np.int64)
        for _ in range(_STEPS):
            before = self._sums.take(found) <= units
            if not before.any():
                return found
            found += before
        return self._sums.searchsorted(units, side="right")

    @cached_property
    def _begins(self) -> NDArray[np.int32]:
        count = min(1 << (len(self._sums) - 1).bit_length(), _MOST_PLACES)  # a power of 2, so that products are exact
        return self._sums.searchsorted(np.arange(count) / count, side="right").astype(np.int32)
