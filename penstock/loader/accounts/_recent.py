"""The batches that were delivered last, so that what is reported of one is known to be of its draws."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from penstock.loader.batching._batch import Draw

__all__ = ["MOST_RECENT", "Recent"]

MOST_RECENT = 64


class Recent:
    """The latest draws; appending one is all that a batch pays for it."""

    def __init__(self) -> None:
        self._draws: deque[Draw] = deque(maxlen=MOST_RECENT)
        self.add = self._draws.append

    def find(self, rows: NDArray[np.int64]) -> Draw | None:
        """Return the latest draw that has these rows, in this order."""
        looked_for = rows.tobytes()
        for draw in reversed(tuple(self._draws)):
            if len(draw.rows) == len(rows) and draw.rows[0] == rows[0] and draw.rows.tobytes() == looked_for:
                return draw
        return None
