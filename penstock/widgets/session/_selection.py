"""Selected samples, by lasting identity; where they are in the grid is worked out when asked."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from penstock.table import OverlayTable
from penstock.widgets.session._display import Shown

__all__ = ["MAX_INTERVALS", "Selection"]

MAX_INTERVALS = 10_000
_NONE = np.empty(0, np.int64)


class Selection:
    """A set of samples.

    Attributes
    ----------
    uids : ndarray of int64, shape (num_selected,)
        The samples, in the order they were given.
    """

    def __init__(self) -> None:
        self.uids: NDArray[np.int64] = _NONE
        self._token: str | None = None
        self._kept: tuple[Shown, NDArray[np.int64], list[list[int]]] | None = None

    def set(self, uids: NDArray[np.int64]) -> None:
        """Select these samples and no others."""
        self.uids, self._token = uids, None

    def set_shown(self, shown: Shown, positions: NDArray[np.int64]) -> None:
        """Select what the grid shows at some positions, ascending; a sample once, with all of its copies."""
        uids = shown.uids[positions]
        if shown.repeats:
            uids = uids[np.sort(np.unique(uids, return_index=True)[1])]
        self.set(uids)
        if not shown.repeats:
            self._kept = shown, uids, _intervals(positions)

    def keep_present(self, table: OverlayTable) -> int:
        """Drop samples that `table` no longer has; return how many."""
        here = table.positions(self.uids) >= 0
        gone = int(len(here) - here.sum())
        if gone:
            self.set(self.uids[here])
        return gone

    @property
    def token(self) -> str:
        """A short text that differs when another set is selected."""
        if self._token is None:
            self._token = hashlib.sha256(self.uids.tobytes()).hexdigest()[:12]
        return self._token

    def intervals(self, shown: Shown) -> list[list[int]]:
        """Return the grid's selected positions as [start, stop), ascending; of very many the first ones."""
        kept = self._kept
        if kept is None or kept[0] is not shown or kept[1] is not self.uids:
            kept = shown, self.uids, _intervals(np.flatnonzero(np.isin(shown.uids, self.uids)))
            self._kept = kept
        return kept[2]


def _intervals(positions: NDArray[np.int64]) -> list[list[int]]:
    if not len(positions):
        return []
    breaks = np.flatnonzero(np.diff(positions) > 1)
    starts = positions[np.concatenate([[0], breaks + 1])]
    stops = positions[np.concatenate([breaks, [len(positions) - 1]])] + 1
    pairs: list[list[int]] = np.stack([starts, stops], axis=1)[:MAX_INTERVALS].tolist()
    return pairs
