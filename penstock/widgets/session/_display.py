"""What every view of a session displays, as one value that is replaced as a whole."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from penstock.storage import Holder
from penstock.table import OverlayTable, is_every_row
from penstock.widgets.grid._filter import EVERYTHING, GridFilter, matching
from penstock.widgets.grid._held import NONE_HELD, held_order
from penstock.widgets.grid._order import AS_QUERIED, GridOrder, SortKeys, arranged_positions, result_order
from penstock.widgets.grid._selection import NOTHING, Selection
from penstock.widgets.queries._query_run import QueryRun
from penstock.widgets.session._follow import Behind

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
    filter : GridFilter
        Which samples of the pool are shown.
    order : GridOrder
        What they are ordered by.
    positions : ndarray of int64, shape (num_shown,)
        Positions in the pool, in the order of the grid; -1 for a held sample that is not in the pool.
    rows : ndarray of int64, shape (num_shown,)
        Rows of the run's table there.
    token : str
        Another one for other samples or another order: where it is the same, positions mean what they meant.
    selection : Selection
        The selected samples; some may be outside of the grid.
    unreadable : ndarray of int64
        Samples whose image could not be read, as far as anybody has looked, by uid.
    sort_keys : SortKeys
        What the last tensor is sorted by.
    behind : Behind, optional
        How this differs from the dataset as it is now, as far as that is known.
    held : ndarray of int64
        Samples that are shown though they no longer match, by uid: they were edited since the grid was arranged.
    stale : bool
        Whether the grid would show other samples, or in another order, if it were arranged now.
    result_rows : ndarray of int64, shape (num_rows,), optional
        The rows of a table result in the order they are shown; None: as they are.
    holder : Holder, optional
        The other process that has uncommitted edits, so that none can be made here.
    """

    run: QueryRun
    revision: int
    filter: GridFilter
    order: GridOrder
    positions: NDArray[np.int64]
    rows: NDArray[np.int64]
    token: str
    selection: Selection = NOTHING
    unreadable: NDArray[np.int64] = field(default_factory=lambda: NOTHING.uids)
    sort_keys: SortKeys = field(default_factory=SortKeys)
    behind: Behind | None = None
    held: NDArray[np.int64] = field(default_factory=lambda: NONE_HELD)
    stale: bool = False
    result_rows: NDArray[np.int64] | None = None
    holder: Holder | None = None

    @property
    def uids(self) -> NDArray[np.int64]:
        """The samples of the grid, int64 of shape (num_shown,); looked up anew each time."""
        return self.run.table.uids(self.rows)

    @property
    def matching(self) -> NDArray[np.int64]:
        """Positions in the pool of what the filter shows, without held samples, int64."""
        if not len(self.held):
            return self.positions
        return self.positions[~np.isin(self.rows, self.run.table.positions(self.held))]

    @property
    def repeats(self) -> bool:
        """Whether the pool has a sample twice."""
        return self.run.strata is not None and self.run.strata.identity is not None

    def position_of(self, uid: int, near: int | None = None) -> int:
        """Return where a sample is: at `near` if it is there, else its first position; -1 if the grid lacks it."""
        row = self.run.table.positions(np.array([uid], np.int64))[0]
        if near is not None and near < len(self.rows) and self.rows[near] == row:
            return near
        found = np.flatnonzero(self.rows == row)
        return int(found[0]) if len(found) else -1

    def with_weights(self, run: QueryRun) -> Display:
        """Return the same samples under other weights, mode, seed or size."""
        weighed = replace(self, run=run, revision=self.revision + 1)
        return _anew(weighed) if self.order.by_weight else weighed

    def with_run(self, run: QueryRun, wanted: GridFilter, order: GridOrder, uids: NDArray[np.int64]) -> Display:
        """Return what is displayed after another run; `uids` are the selected samples."""
        there = self.unreadable[run.table.positions(self.unreadable) >= 0]
        found = arranged(
            run,
            wanted,
            order,
            selected=uids,
            unreadable=there,
            sort_keys=self.sort_keys,
            revision=self.revision + 1,
        )
        return replace(found, holder=self.holder)

    def holding(self, before: Display | None) -> Display:
        """Return the same with the samples that were shown before, where they were: edits take nothing away."""
        if before is None or self.repeats or before.repeats or _are_alike(before, self):
            return self
        table, pool = self.run.table, self.run.pool
        rows, held = held_order(_rows_now(before, table), self.rows, table.num_rows)
        places = np.full(table.num_rows, -1)
        places[pool] = np.arange(len(pool))
        return replace(
            self,
            positions=places[rows],
            rows=rows,
            token=_token(table, rows),
            selection=_selection(self.run, self.selection.uids, rows),
            held=table.uids(held),
            stale=not np.array_equal(rows, self.rows),
        )

    def with_filter(self, wanted: GridFilter, unreadable: NDArray[np.int64]) -> Display:
        """Return the same run under another filter, the same samples selected."""
        return _anew(replace(self, filter=wanted, unreadable=unreadable))

    def with_order(self, order: GridOrder) -> Display:
        """Return the same samples in another order."""
        return _anew(replace(self, order=order))

    def with_selected(self, uids: NDArray[np.int64]) -> Display:
        """Return the same samples, others of them selected; where only selected ones are shown, those."""
        chosen = replace(self, selection=_selection(self.run, uids, self.rows))
        return _anew(chosen) if "selected" in self.filter.states else chosen

    def with_selected_positions(self, positions: NDArray[np.int64], *, keep_hidden: bool = False) -> Display:
        """Return the same samples, those at some ascending positions selected: a sample with all of its copies.

        With `keep_hidden`, selected samples that are not shown stay selected.
        """
        uids = self.run.table.uids(self.rows[positions])
        if self.repeats:
            uids = uids[np.sort(np.unique(uids, return_index=True)[1])]
        hidden = self._hidden() if keep_hidden else NOTHING.uids
        if self.repeats or len(hidden) or "selected" in self.filter.states:
            return self.with_selected(np.concatenate([hidden, uids]))
        return replace(self, selection=Selection.at(uids, positions))

    def _hidden(self) -> NDArray[np.int64]:
        """Return the selected samples that are not shown."""
        uids = self.selection.uids
        shown = np.zeros(self.run.table.num_rows + 1, bool)  # the last one for samples that are gone
        shown[self.rows] = True
        return uids[~shown[self.run.table.positions(uids)]]


def _are_alike(one: Display, other: Display) -> bool:
    return one.token == other.token or len(one.rows) == len(other.rows) == 0


def _rows_now(display: Display, table: OverlayTable) -> NDArray[np.int64]:
    """Return the rows that what is displayed has in another state of the dataset; without those that are gone."""
    if display.run.table.samples_key == table.samples_key:
        return display.rows
    rows = table.positions(display.uids)
    return rows[rows >= 0]


def _anew(display: Display) -> Display:
    """Return what is displayed with its filter and order applied again."""
    found = arranged(
        display.run,
        display.filter,
        display.order,
        selected=display.selection.uids,
        unreadable=display.unreadable,
        sort_keys=display.sort_keys,
        revision=display.revision,
    )
    return replace(found, behind=display.behind, holder=display.holder)


def arranged(
    run: QueryRun,
    wanted: GridFilter = EVERYTHING,
    order: GridOrder = AS_QUERIED,
    *,
    selected: NDArray[np.int64] = NOTHING.uids,
    unreadable: NDArray[np.int64] = NOTHING.uids,
    sort_keys: SortKeys | None = None,
    revision: int = 0,
) -> Display:
    """Return what is displayed of a run; the parameters are as of `Display`, `selected` and `unreadable` are uids."""
    keys = SortKeys() if sort_keys is None else sort_keys
    if wanted or order != AS_QUERIED:
        found = matching(wanted, run, {"selected": selected, "unreadable": unreadable})
        positions = arranged_positions(run, found, order, keys)
        rows = run.pool[positions]
    else:
        rows = run.pool
        positions = rows if run.every_row else np.arange(len(rows))
    result_rows = result_order(run, order)
    return Display(
        run=run,
        revision=revision,
        filter=wanted,
        order=order,
        positions=positions,
        rows=rows,
        token=_token(run.table, rows, result_rows, every=run.every_row and rows is run.pool),
        result_rows=result_rows,
        selection=_selection(run, selected, rows),
        unreadable=unreadable,
        sort_keys=keys,
    )


def _token(
    table: OverlayTable,
    rows: NDArray[np.int64],
    result_rows: NDArray[np.int64] | None = None,
    *,
    every: bool = False,
) -> str:
    digest = hashlib.blake2b(table.samples_key.encode(), digest_size=8)
    if result_rows is not None:
        digest.update(result_rows.data)
    elif every or is_every_row(rows, table.num_rows):
        digest.update(b"every row")
    else:
        digest.update(np.ascontiguousarray(rows).data)
    return digest.hexdigest()


def _selection(run: QueryRun, uids: NDArray[np.int64], shown: NDArray[np.int64]) -> Selection:
    """Return a selection by uids, with its places among the rows that are shown."""
    if not len(uids):
        return NOTHING
    rows = run.table.positions(uids)
    chosen = np.zeros(run.table.num_rows, bool)
    chosen[rows[rows >= 0]] = True
    return Selection.at(uids, np.flatnonzero(chosen[shown]))
