"""Selected samples, by lasting identity, with their places in the grid."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_INTERVALS", "NOTHING", "Selection"]

MAX_INTERVALS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Selection:
    """A set of samples.

    Parameters
    ----------
    uids : ndarray of int64, shape (num_selected,)
        The samples, in the order they were selected.
    token : str
        A short text that differs when another set is selected.
    intervals : tuple of (int, int)
        Where the grid has them, [start, stop), ascending; of very many the first ones.
    """

    uids: NDArray[np.int64]
    token: str
    intervals: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, uids: NDArray[np.int64], shown: NDArray[np.int64]) -> Selection:
        """Return a selection by uids, with its places among the uids that the grid shows."""
        places = np.flatnonzero(np.isin(shown, uids)) if len(uids) else np.empty(0, np.int64)
        return cls.at(uids, places)

    @classmethod
    def at(cls, uids: NDArray[np.int64], positions: NDArray[np.int64]) -> Selection:
        """Return a selection whose places in the grid are known, ascending."""
        token = hashlib.sha256(uids.tobytes()).hexdigest()[:12]
        return cls(uids=uids, token=token, intervals=_intervals(positions))


def _intervals(positions: NDArray[np.int64]) -> tuple[tuple[int, int], ...]:
    if not len(positions):
        return ()
    breaks = np.flatnonzero(np.diff(positions) > 1)
    starts = positions[np.concatenate([[0], breaks + 1])]
    stops = positions[np.concatenate([breaks, [len(positions) - 1]])] + 1
    pairs = np.stack([starts, stops], axis=1)[:MAX_INTERVALS].tolist()
    return tuple((start, stop) for start, stop in pairs)


NOTHING = Selection.at(np.empty(0, np.int64), np.empty(0, np.int64))
"""No sample."""
