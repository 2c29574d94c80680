"""Which samples of two states may differ; where their files are known, everything else is not even read."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from penstock.storage import Changes, column_names
from penstock.table.drafts._overlay import OverlayTable

__all__ = ["Pairs", "pairs_of"]

_Rows = NDArray[np.int64]


class Pairs:
    """The samples of two states: those of one alone, and those of both, which may all differ.

    Parameters
    ----------
    before, after : OverlayTable
        The earlier and the later state.
    """

    def __init__(self, before: OverlayTable, after: OverlayTable) -> None:
        self._before = before
        self._after = after

    @cached_property
    def _in_after(self) -> _Rows:
        """For each row before its row after; -1 if it is gone."""
        return self._after.positions(self._before.stored.uids)

    @property
    def removed(self) -> _Rows:
        """Rows of the earlier state that the later has not, increasing."""
        return np.flatnonzero(self._in_after < 0).astype(np.int64)

    @property
    def added(self) -> _Rows:
        """Rows of the later state that the earlier has not, increasing."""
        alone = np.ones(self._after.num_rows, bool)
        alone[self._in_after[self._in_after >= 0]] = False
        return np.flatnonzero(alone).astype(np.int64)

    def common(self) -> tuple[_Rows, _Rows]:
        """Return the rows, before and after, of the samples of both."""
        rows = np.flatnonzero(self._in_after >= 0).astype(np.int64)
        return rows, self._in_after[rows]

    def suspects(self, name: str) -> tuple[_Rows, _Rows]:  # noqa: ARG002  all of them, in every tensor
        """Return the rows, before and after, of samples of both that may differ in a tensor."""
        return self.common()


class _OfFiles(Pairs):
    """The samples of two states whose files are known: equal files hold equal samples."""

    def __init__(self, before: OverlayTable, after: OverlayTable) -> None:
        super().__init__(before, after)
        self._changes = Changes(before.stored.snapshot, after.stored.snapshot)

    @property
    def removed(self) -> _Rows:
        """Rows of the earlier state that the later has not, increasing."""
        return self._changes.removed

    @property
    def added(self) -> _Rows:
        """Rows of the later state that the earlier has not, increasing."""
        return self._changes.added

    def suspects(self, name: str) -> tuple[_Rows, _Rows]:
        """Return the rows whose files of a tensor differ, and those that are edited in either draft."""
        names = {*column_names(self._before.stored.specs[name]), *column_names(self._after.stored.specs[name])}
        rows, others = self._changes.suspects(names)
        mine, theirs = _edited(self._before, self._after, name)
        if not len(mine):
            return rows, others
        rows, first = np.unique(np.concatenate([rows, mine]), return_index=True)
        return rows, np.concatenate([others, theirs])[first]


class _OfDrafts(Pairs):
    """The samples of one version under two drafts."""

    def suspects(self, name: str) -> tuple[_Rows, _Rows]:
        """Return the rows that are edited in either draft."""
        return _edited(self._before, self._after, name)

    @property
    def removed(self) -> _Rows:
        """Return no rows: both have the same."""
        return np.empty(0, np.int64)

    @property
    def added(self) -> _Rows:
        """Return no rows: both have the same."""
        return np.empty(0, np.int64)


def _edited(before: OverlayTable, after: OverlayTable, name: str) -> tuple[_Rows, _Rows]:
    """Return the rows, before and after, of samples of both that are edited in either draft."""
    here, there = before.edited_rows(name), after.edited_rows(name)
    if not len(here) and not len(there):
        return here, there
    uids = np.union1d(before.uids(here), after.uids(there))
    mine, theirs = before.positions(uids), after.positions(uids)
    both = (mine >= 0) & (theirs >= 0)
    return mine[both], theirs[both]


def pairs_of(before: OverlayTable, after: OverlayTable) -> Pairs:
    """Return the pairs of two states, by as little reading as what is known of their files allows."""
    one, two = before.stored.snapshot, after.stored.snapshot
    if one.path != two.path or one.meta.get("id") != two.meta.get("id"):
        return Pairs(before, after)
    if (one.branch, one.version) == (two.branch, two.version):
        return _OfDrafts(before, after)
    one.learn(two)  # the one that is in memory may tell the order of the other
    two.learn(one)
    return Pairs(before, after) if one.parts is None or two.parts is None else _OfFiles(before, after)
