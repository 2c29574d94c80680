"""Which samples of the pool the grid shows, and in which order."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock.widgets.session._query_run import QueryRun

__all__ = ["GridOrder", "Shown"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shown:
    """What the grid shows, in its order.

    Parameters
    ----------
    run : QueryRun
        The snapshot whose pool it is.
    positions : ndarray of int64, shape (num_shown,)
        Positions in the pool.
    uids : ndarray of int64, shape (num_shown,)
        The samples there.
    token : str
        The same for the same samples in the same order: positions mean what they meant.
    repeats : bool
        Whether the pool holds a sample twice.
    """

    run: QueryRun
    positions: NDArray[np.int64]
    uids: NDArray[np.int64]
    token: str
    repeats: bool

    def position_of(self, uid: int, near: int | None = None) -> int:
        """Return where a sample is shown: at `near` if it is there, else its first position; -1 if it is not shown."""
        if near is not None and near < len(self.uids) and self.uids[near] == uid:
            return near
        found = np.flatnonzero(self.uids == uid)
        return int(found[0]) if len(found) else -1


class GridOrder:
    """Filter and order of the grid; positions are kept for the last snapshot.

    Attributes
    ----------
    class_index : int, optional
        Only samples with this class; None means all.
    sort : {"query", "row", "labels"}
        As `QueryRun.arranged` orders.
    """

    def __init__(self) -> None:
        self.class_index: int | None = None
        self.sort = "query"
        self._kept: tuple[Shown, int | None, str] | None = None

    def shown(self, run: QueryRun) -> Shown:
        """Return what the grid shows of a snapshot; safe from any thread."""
        kept, wanted = self._kept, (self.class_index, self.sort)
        if kept is None or kept[1:] != wanted or not _same_pool(kept[0].run, run):
            kept = self._arranged(run), *wanted
            self._kept = kept
        return kept[0]

    def _arranged(self, run: QueryRun) -> Shown:
        positions = run.arranged(self.class_index, self.sort)
        uids = run.table.uids(run.pool[positions])
        token = hashlib.blake2b(uids.tobytes(), digest_size=8).hexdigest()
        repeats = run.strata is not None and run.strata.identity is not None
        return Shown(run=run, positions=positions, uids=uids, token=token, repeats=repeats)


def _same_pool(one: QueryRun, other: QueryRun) -> bool:
    """Tell whether two snapshots differ at most in weights, mode and seed of the draw."""
    return one is other or (one.pool is other.pool and one.table is other.table)
