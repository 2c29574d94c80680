"""What every view of a session displays, as one value that is replaced as a whole."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from penstock.widgets.session._follow import Behind
from penstock.widgets.session._query_run import QueryRun
from penstock.widgets.session._selection import NOTHING, Selection

__all__ = ["Display", "arranged"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Display:
    """The query that ran, the samples of the grid in its order, and which of them are selected.

    Every answer to a browser is made of one of these, so that its parts fit together; reading takes no lock.

    Parameters
    ----------
    run : QueryRun
        The query with the weights of now; the grid shows samples of its pool.
    revision : int
        Grows with every change of query, weights or data.
    class_index : int, optional
        Only samples with this class; None means all.
    sort : {"query", "row", "labels"}
        As `QueryRun.arranged` orders.
    positions : ndarray of int64, shape (num_shown,)
        Positions in the pool, in the order of the grid.
    uids : ndarray of int64, shape (num_shown,)
        The samples there.
    token : str
        The same for the same samples in the same order: positions mean what they meant.
    selection : Selection
        The selected samples; some may be outside of the grid.
    behind : Behind, optional
        How this differs from the dataset as it is now, as far as that is known.
    """

    run: QueryRun
    revision: int
    class_index: int | None
    sort: str
    positions: NDArray[np.int64]
    uids: NDArray[np.int64]
    token: str
    selection: Selection = NOTHING
    behind: Behind | None = None

    @property
    def repeats(self) -> bool:
        """Whether the pool has a sample twice."""
        return self.run.strata is not None and self.run.strata.identity is not None

    def position_of(self, uid: int, near: int | None = None) -> int:
        """Return where a sample is: at `near` if it is there, else its first position; -1 if the grid lacks it."""
        if near is not None and near < len(self.uids) and self.uids[near] == uid:
            return near
        found = np.flatnonzero(self.uids == uid)
        return int(found[0]) if len(found) else -1

    def with_weights(self, run: QueryRun) -> Display:
        """Return the same samples under other weights, mode, seed or size."""
        return replace(self, run=run, revision=self.revision + 1)

    def with_run(self, run: QueryRun, class_index: int | None, uids: NDArray[np.int64]) -> Display:
        """Return what is displayed after another run, in the same order; `uids` are the selected samples."""
        return arranged(run, class_index, self.sort, selected=uids, revision=self.revision + 1)

    def with_order(self, class_index: int | None, sort: str) -> Display:
        """Return the same run under another filter and order; nothing is selected then."""
        return replace(arranged(self.run, class_index, sort, revision=self.revision), behind=self.behind)

    def with_selected(self, uids: NDArray[np.int64]) -> Display:
        """Return the same samples, others of them selected."""
        return replace(self, selection=Selection.of(uids, self.uids))

    def with_selected_positions(self, positions: NDArray[np.int64]) -> Display:
        """Return the same samples, those at some ascending positions selected: a sample with all of its copies."""
        uids = self.uids[positions]
        if self.repeats:
            uids = uids[np.sort(np.unique(uids, return_index=True)[1])]
            return self.with_selected(uids)
        return replace(self, selection=Selection.at(uids, positions))


def arranged(
    run: QueryRun,
    class_index: int | None = None,
    sort: str = "query",
    *,
    selected: NDArray[np.int64] = NOTHING.uids,
    revision: int = 0,
) -> Display:
    """Return what is displayed of a run; the parameters are as of `Display`, `selected` are uids."""
    positions = run.arranged(class_index, sort)
    uids = run.table.uids(run.pool[positions])
    return Display(
        run=run,
        revision=revision,
        class_index=class_index,
        sort=sort,
        positions=positions,
        uids=uids,
        token=hashlib.blake2b(uids.tobytes(), digest_size=8).hexdigest(),
        selection=Selection.of(selected, uids),
    )
