"""Selected samples, by lasting identity, with their places in the grid."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.errors import SampleIndexError

__all__ = ["MAX_INTERVALS", "NOTHING", "Selection", "positions_of", "rows_in_order", "selection_told"]

MAX_INTERVALS = 10_000
_MAX_TOLD_BYTES = 3000
_MAX_TOLD = 1000


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


def positions_of(intervals: Sequence[tuple[int, int]], num_shown: int) -> NDArray[np.int64]:
    """Return the positions in some intervals [start, stop), ascending, each once."""
    chosen = np.zeros(num_shown, bool)
    for start, stop in intervals:
        chosen[start:stop] = True
    return np.flatnonzero(chosen)


def rows_in_order(rows: ArrayLike, num_rows: int) -> NDArray[np.int64]:
    """Return rows of a dataset as int64, each once, in the order they are given.

    Raises
    ------
    SampleIndexError
        If one is out of range.
    """
    wanted = np.atleast_1d(np.asarray(rows)).astype(np.int64)
    wrong = wanted[(wanted < 0) | (wanted >= num_rows)]
    if len(wrong):
        raise SampleIndexError(f"row {int(wrong[0])} is out of range; the dataset has {num_rows} samples")
    return wanted[np.sort(np.unique(wanted, return_index=True)[1])]


def selection_told(chosen: Selection) -> dict[str, Any]:
    """Return what the trait of a widget says of a selection: how many, the first uids, and the token."""
    uids: list[str] = []
    room = _MAX_TOLD_BYTES
    for uid in chosen.uids[:_MAX_TOLD]:
        room -= len(str(int(uid))) + 4
        if room < 0:
            break
        uids.append(str(int(uid)))
    return {"count": len(chosen.uids), "uids": uids, "token": chosen.token}
