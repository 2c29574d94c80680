"""Objects that two branches edited in the same samples, joined object by object."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.merging._filling import no_entry
from penstock.dataset.merging._reconciled import recast_cells
from penstock.dataset.merging._sides import Sides, cells_of, moved
from penstock.dataset.objects._joining import UNKNOWN, Clash, Joined, Side, Version, join
from penstock.dataset.objects._objects import ID, Objects, blank_of, cell_of, has_blank, objects_of
from penstock.dataset.writing._conflicts import Conflict
from penstock.dataset.writing._object_conflicts import State, object_conflicts
from penstock.table import Difference, OverlayTable, class_keys, merged_into, new_index
from penstock.tensors import Cell, object_groups

__all__ = ["MergedObjects", "merged_objects"]

_CHUNK = 1024
_Cells = dict[str, Cell]
_Index = NDArray[np.int64] | None


@dataclass(slots=True, kw_only=True)
class MergedObjects:
    """Samples whose objects both sides edited, as they are after the merge.

    Parameters
    ----------
    cells : dict of str to dict of int to Cell
        For each tensor of a group, the sample of each uid, as our types and the merged classes have it.
    conflicts : list of Conflict
        Fields of objects that both sides set to different values.
    twice : list of tuple of int
        Row here and uid of the sample of each object that both drew alike, which is there once.
    """

    cells: dict[str, dict[int, Cell]] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    twice: list[tuple[int, int]] = field(default_factory=list)


def merged_objects(sides: Sides, prefer: str | None, taken_ids: frozenset[Hashable]) -> MergedObjects:
    """Join the objects of the samples that both sides edited.

    Parameters
    ----------
    sides : Sides
        The states to merge.
    prefer : {"ours", "theirs"} or None
        Whose value is taken in a conflict.
    taken_ids : frozenset
        Ids that new objects of both sides were given; theirs get none.
    """
    found = MergedObjects()
    for names in object_groups(sides.specs).values():
        uids = _edited_on_both(sides, names)
        for start in range(0, len(uids), _CHUNK):
            _Group(sides, names, prefer, taken_ids).merge(uids[start : start + _CHUNK], found)
    return found


def _edited_on_both(sides: Sides, names: Sequence[str]) -> NDArray[np.int64]:
    """Return samples whose objects both sides edited, or one edited and the other gave a new field."""
    mine, other = _edited(sides.ours, sides.mine, names), _edited(sides.theirs, sides.other, names)
    found = np.intersect1d(mine, other)
    if any(name not in sides.ours.stored.specs for name in names):
        found = np.union1d(found, mine)
    if any(name not in sides.theirs.stored.specs for name in names):
        found = np.union1d(found, other)
    present = [table.positions(found) >= 0 for table in (sides.base, sides.ours, sides.theirs)]
    found = found[np.logical_and.reduce(present)].astype(np.int64)
    return found[np.argsort(sides.ours.positions(found))]


def _edited(table: OverlayTable, changed: Difference, names: Sequence[str]) -> NDArray[np.int64]:
    parts = [table.uids(changed.edited[name]) for name in names if name in changed.edited]
    return np.unique(np.concatenate(parts)) if parts else np.empty(0, np.int64)


class _Group:
    """One object group of the three states."""

    def __init__(self, sides: Sides, names: Sequence[str], prefer: str | None, taken_ids: frozenset[Hashable]) -> None:
        self._sides = sides
        self._names = names
        self._specs = {name: sides.specs[name] for name in names}
        self._side: Side = "theirs" if prefer == "theirs" else "ours"
        self._taken_ids = taken_ids
        tables = {"ours": sides.ours, "theirs": sides.theirs}
        self._then = {side: self._numbering(table) for side, table in tables.items()}
        self._later = {
            "ours": {name: one.from_ours for name, one in sides.classes.items()},
            "theirs": {name: one.from_theirs for name, one in sides.classes.items()},
        }

    def _numbering(self, table: OverlayTable) -> dict[str, _Index]:
        """Return the index on a side of each class of the common state; negative for those that are gone."""
        then, now = self._sides.base.stored.snapshot.meta, table.stored.snapshot.meta
        found = {}
        for name, spec in self._specs.items():
            index = None
            if spec.htype == "class_label" and name in self._sides.base.stored.specs:
                index = new_index(class_keys(then, name), class_keys(now, name), merged_into(now, name))
            if index is not None:
                index = np.where(index < 0, -1 - np.arange(len(index)), index)
            found[name] = index
        return found

    def merge(self, uids: NDArray[np.int64], found: MergedObjects) -> None:
        """Join the objects of some samples."""
        sides = self._sides
        rows = sides.ours.positions(uids).tolist()
        base, ours, theirs = (self._cells(table, uids) for table in (sides.base, sides.ours, sides.theirs))
        for uid, row, before, mine, other in zip(uids.tolist(), rows, base, ours, theirs, strict=True):
            self._merge_sample(uid, row, (before, mine, other), found)

    def _cells(self, table: OverlayTable, uids: NDArray[np.int64]) -> list[_Cells]:
        """Return the cells of each sample by tensor, as our types take them."""
        columns = {}
        for name, spec in self._specs.items():
            own = table.stored.specs.get(name)
            if own is not None:
                columns[name] = recast_cells(cells_of(table, name, uids), own, spec, uids.tolist())
        return [{name: cells[at] for name, cells in columns.items()} for at in range(len(uids))]

    def _merge_sample(self, uid: int, row: int, cells: tuple[_Cells, _Cells, _Cells], found: MergedObjects) -> None:
        before, mine, other = cells
        sides = self._sides
        finals = {"ours": self._moved(mine, self._later["ours"]), "theirs": self._moved(other, self._later["theirs"])}
        states = [objects_of(self._specs, one) for one in cells]
        ours = self._version((before, mine), states[0], states[1], "ours")
        theirs = self._version((before, other), states[0], states[2], "theirs")
        if ours is None or theirs is None:
            clashes: Sequence[Clash] = [Clash(tensor=None, reason=UNKNOWN)]
            made = finals[self._side]
        else:
            joined = join(ours, theirs, self._specs, prefer=self._side)
            clashes = joined.clashes
            found.twice += [(row, uid)] * len(joined.twice)
            made = self._written(row, joined, (ours.final, theirs.final), (finals["ours"], finals["theirs"]))
        for name, cell in made.items():
            found.cells.setdefault(name, {})[uid] = cell
        if clashes:
            tables = (sides.base, sides.ours, sides.theirs)
            base, here, there = (
                State(objects=one, specs=table.stored.specs) for one, table in zip(states, tables, strict=True)
            )
            found.conflicts += object_conflicts(clashes, uid, row, self._names, (base, here, there))

    def _moved(self, cells: _Cells, index: Mapping[str, _Index]) -> _Cells:
        return {name: moved(cell, index.get(name)) for name, cell in cells.items()}

    def _version(
        self, cells: tuple[_Cells, _Cells], before: Objects | None, after: Objects | None, side: Side
    ) -> Version | None:
        """Return what a side did; None where its tensors, or those before, differ in length."""
        then = self._renumbered(before, cells[0], self._then[side])
        later = self._renumbered(after, cells[1], self._later[side])
        if then is None or after is None or later is None:
            return None
        return Version(before=then, after=after, final=later)

    def _renumbered(self, objects: Objects | None, cells: _Cells, index: Mapping[str, _Index]) -> Objects | None:
        if all(index.get(name) is None for name in cells):
            return objects
        return objects_of(self._specs, self._moved(cells, index))

    def _written(
        self, row: int, joined: Joined, objects: tuple[Objects, Objects], finals: tuple[_Cells, _Cells]
    ) -> _Cells:
        """Return the joined objects as cells; a cell of one side where they are its objects."""
        for place in joined.theirs_new:
            if ID in self._specs and _id_token(joined.objects[place].get(ID)) in self._taken_ids:
                joined.objects[place][ID] = blank_of(self._specs[ID], None)
        made = {}
        for name, spec in self._specs.items():
            known = sorted((cells[name] for cells in finals if name in cells), key=lambda cell: cell.value is None)
            entries = [self._entry(one, name, known[0], row) for one in joined.objects]
            same = (
                cells[name]
                for cells, side in zip(finals, objects, strict=True)
                if name in cells and side.are(name, entries)
            )
            made[name] = next(same, None) or cell_of(spec, entries, known[0])
        return made

    def _entry(self, entries: Mapping[str, Any], name: str, like: Cell, row: int) -> Any:
        if name in entries:
            return entries[name]
        if not has_blank(self._specs[name]):
            raise no_entry(self._specs[name], f"sample {row}")
        return blank_of(self._specs[name], like)


def _id_token(entry: Any) -> Hashable:
    found: Hashable = entry.item() if isinstance(entry, np.generic) else entry
    return found
