"""The batches that were delivered last, so that what is reported of one is known to be of its draws."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.loader.batching._batch import Draw

__all__ = ["Recent", "found_in"]

_MOST = 64


class Recent:
    """The latest draws; appending one is all that a batch pays for it."""

    def __init__(self) -> None:
        self._draws: deque[Draw] = deque(maxlen=_MOST)
        self.add = self._draws.append

    def __iter__(self) -> Iterator[Draw]:
        """Go through them, the latest first."""
        return iter(list(self._draws)[::-1])


def found_in(draws: Iterator[Draw], rows: NDArray[Any]) -> Draw | None:
    """Return the first of some draws that has these rows, in this order."""
    if not len(rows):
        return None
    count, first = len(rows), int(rows[0])
    for draw in draws:
        if len(draw.rows) == count and int(draw.rows[0]) == first and np.array_equal(draw.rows, rows):
            return draw
    return None
