"""Edits of a session joined with what another session committed, object by object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from penstock.dataset.objects._joining import Side, Version, join
from penstock.dataset.objects._objects import Objects, cell_of, objects_of
from penstock.dataset.writing._conflicts import Conflict, cells_at, class_index, renumbered, same
from penstock.dataset.writing._drafts import Pending
from penstock.dataset.writing._object_conflicts import State, object_conflicts
from penstock.errors import PenstockError
from penstock.storage import Store
from penstock.table import Draft, StoredTable
from penstock.tensors import Cell, object_groups

__all__ = ["JoinedEdits", "joined_edits"]

_Cells = dict[str, Cell]


@dataclass(slots=True, kw_only=True)
class JoinedEdits:
    """Samples of which another session committed the objects since they were edited here.

    Parameters
    ----------
    cells : dict of str to dict of int to Cell
        For each tensor, the samples to commit.
    settled : set of tuple of str and int
        Tensors and uids whose edits are replaced by `cells`.
    conflicts : list of Conflict
        Fields of objects that both set.
    """

    cells: dict[str, dict[int, Cell]] = field(default_factory=dict)
    settled: set[tuple[str, int]] = field(default_factory=set)
    conflicts: list[Conflict] = field(default_factory=list)

    def into(self, draft: Draft) -> Draft:
        """Return a draft with the joined samples."""
        for tensor in {tensor for tensor, _ in self.settled}:
            draft = draft.without({uid for name, uid in self.settled if name == tensor}, tensor)
        for tensor, cells in self.cells.items():
            draft = draft.with_edits(tensor, cells)
        return draft


def joined_edits(store: Store, stored: StoredTable, session: Pending, prefer: Side) -> JoinedEdits:
    """Join the edits of a session with the newest version, where that differs from what they were made over."""
    found = JoinedEdits()
    for names in object_groups(stored.specs).values():
        for version, uids in _by_version(session, names, stored.snapshot.version).items():
            before: StoredTable | None = None
            with suppress(PenstockError):  # an old version may be cleaned up; then nothing is known of it
                before = StoredTable(store.at(version), "")
            if before is not None and all(name in before.specs for name in names):
                _Group(before, stored, session.draft, names, prefer).join(uids, found)
    return found


def _by_version(session: Pending, names: Sequence[str], newest: int) -> dict[int, list[int]]:
    """Return the edited samples by the version that their first edit was made over, if it is an older one."""
    edited = {uid for name in names for uid in session.draft.edits.get(name, ())}
    found: dict[int, list[int]] = {}
    for uid in sorted(edited):
        over = [session.over.get(name, {}).get(uid, -1) for name in names if uid in session.draft.edits.get(name, ())]
        if min(over) not in {-1, newest}:
            found.setdefault(min(over), []).append(uid)
    return found


class _Group:
    """One object group before, as edited here, and as it is stored now."""

    def __init__(
        self, before: StoredTable, stored: StoredTable, draft: Draft, names: Sequence[str], prefer: Side
    ) -> None:
        self._before, self._stored, self._draft = before, stored, draft
        self._names = names
        self._specs = {name: stored.specs[name] for name in names}
        self._prefer = prefer

    def join(self, uids: Sequence[int], found: JoinedEdits) -> None:
        """Join the objects of some samples."""
        then = {name: cells_at(self._before, name, uids) for name in self._names}
        now = {name: cells_at(self._stored, name, uids) for name in self._names}
        index = {name: class_index(self._before, self._stored, name) for name in self._names}
        rows = self._stored.positions(np.array(uids, np.int64)).tolist()
        for at, (uid, row) in enumerate(zip(uids, rows, strict=True)):
            base = {name: renumbered(cell, index[name]) for name in self._names if (cell := then[name][at]) is not None}
            theirs = {name: cell for name in self._names if (cell := now[name][at]) is not None}
            if len(base) == len(theirs) == len(self._names):
                self._join_sample(uid, row, base, theirs, found)

    def _join_sample(self, uid: int, row: int, before: _Cells, theirs: _Cells, found: JoinedEdits) -> None:
        if all(same(before[name], theirs[name]) for name in self._names):
            return
        edits = {name: self._draft.edits.get(name, {}) for name in self._names}
        ours = {name: edits[name].get(uid, before[name]) for name in self._names}
        was, mine, other = (objects_of(self._specs, cells) for cells in (before, ours, theirs))
        if was is None or mine is None or other is None:
            return
        joined = join(
            Version(before=was, after=mine, final=mine),
            Version(before=was, after=other, final=other),
            self._specs,
            prefer=self._prefer,
        )
        base, here, there = (State(objects=one, specs=self._specs) for one in (was, mine, other))
        found.conflicts += object_conflicts(joined.clashes, uid, row, self._names, (base, here, there))
        found.settled |= {(name, uid) for name in self._names}
        for name, cell in self._written(joined.objects, (mine, other), (ours, theirs)).items():
            if not same(cell, theirs[name]):
                found.cells.setdefault(name, {})[uid] = cell

    def _written(
        self, entries: Sequence[Mapping[str, object]], objects: tuple[Objects, Objects], cells: tuple[_Cells, _Cells]
    ) -> _Cells:
        """Return objects as cells; a cell of one side where they are its objects."""
        made = {}
        for name, spec in self._specs.items():
            values = [one[name] for one in entries]
            same_as = (known[name] for known, side in zip(cells, objects, strict=True) if side.are(name, values))
            made[name] = next(same_as, None) or cell_of(spec, values, cells[1][name])
        return made
