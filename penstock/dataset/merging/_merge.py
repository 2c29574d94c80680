"""Another branch's changes, taken into this one in one step."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.merging._classes_merged import merged_classes
from penstock.dataset.merging._filling import check_lengths, filled, ids_of_both, without_ids
from penstock.dataset.merging._objects_merged import MergedObjects, merged_objects
from penstock.dataset.merging._reconciled import recast_cells, reconciled, with_new_values
from penstock.dataset.merging._report import MergeReport
from penstock.dataset.merging._sides import Sides, cells_of, moved
from penstock.dataset.objects._objects import ID
from penstock.dataset.writing._committing import land
from penstock.dataset.writing._conflicts import Conflict, same, shown_value
from penstock.dataset.writing._history import ancestors, nearest_common
from penstock.dataset.writing._working import Working
from penstock.errors import DatasetError
from penstock.storage import Commit, Steps, table_of
from penstock.table import Difference, Draft, OverlayTable, StoredTable, compare
from penstock.tensors import Cell, TensorSpec, object_groups, same_type

__all__ = ["merge_branch"]

Prefer = Literal["ours", "theirs"]
_CHUNK = 1024
_SHOWN = 5


def merge_branch(ours: Working, theirs: Working, name: str, prefer: Prefer | None) -> MergeReport:
    """Apply what `theirs` changed since the common commit; with conflicts and no preference, nothing."""
    last = theirs.last_commit
    if last is None or last.id in ancestors(ours.store, ours.last_commit):
        return MergeReport()
    sides, contested = _sides(ours, theirs, name, prefer)
    taken_ids = ids_of_both(sides)
    objects = merged_objects(sides, prefer, taken_ids)
    whole = _conflicts(sides)
    conflicts = [*contested, *objects.conflicts, *whole]
    notes = _notes(objects, taken_ids, name)
    if conflicts and prefer is None:
        return MergeReport(conflicts, merged=False)
    skipped = {(conflict.uid, conflict.tensor) for conflict in [*contested, *whole]} if prefer == "ours" else set()
    if prefer == "theirs":
        sides = replace(sides, other=_with_revived(sides))
    _check_fit(sides)
    check_lengths(sides, objects.cells)
    taken = _Taken(sides=sides, skipped=skipped, objects=objects, taken_ids=taken_ids, blanks=_blanks(sides))
    _take_in(ours, theirs, taken, f"merge {name}")
    return MergeReport(conflicts, notes=notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """What is taken in: the sides, what stays as it is here, and samples joined object by object."""

    sides: Sides
    skipped: set[tuple[int | None, str | None]]
    objects: MergedObjects
    taken_ids: frozenset[Hashable]
    blanks: Mapping[str, Mapping[int, Cell]]


def _sides(ours: Working, theirs: Working, name: str, prefer: Prefer | None) -> tuple[Sides, list[Conflict]]:
    base = _common(ours, theirs, name)
    classes = {
        tensor: merged_classes(base.stored, ours.stored, theirs.stored, tensor, prefer_theirs=prefer == "theirs")
        for tensor, spec in theirs.stored.specs.items()
        if spec.htype == "class_label" and ours.specs.get(tensor, spec).htype == "class_label" and tensor in ours.specs
    }
    mine, other = (compare(base, side.table, follow_merges=True) for side in (ours, theirs))
    specs, contested = _surviving(base, ours, theirs, mine, other)
    both = set(mine.tensors_added) & set(other.tensors_added)
    sides = Sides(
        base=base,
        ours=ours.table,
        theirs=theirs.table,
        mine=with_new_values(mine, ours.table, both),
        other=with_new_values(other, theirs.table, both),
        classes=classes,
        specs=specs,
    )
    return sides, contested


def _notes(objects: MergedObjects, taken_ids: frozenset[Hashable], name: str) -> list[str]:
    """Return what was joined in a way worth a look."""
    notes = []
    if objects.twice:
        rows = sorted({row for row, _ in objects.twice})
        shown = ", ".join(map(str, rows[:_SHOWN])) + (", ..." if len(rows) > _SHOWN else "")
        number = len(objects.twice)
        what = "1 object was" if number == 1 else f"{number:,} objects were"
        notes.append(f"{what} drawn alike on both branches and kept once: sample{'s' * (len(rows) > 1)} {shown}")
    if taken_ids:
        shown = ", ".join(map(str, sorted(taken_ids, key=str)[:_SHOWN])) + (", ..." if len(taken_ids) > _SHOWN else "")
        notes.append(
            f"new objects of both branches have the {ID} {shown}; those of {name!r} have none now, and get a new one "
            "when they are exported"
        )
    return notes


def _blanks(sides: Sides) -> dict[str, dict[int, Cell]]:
    """Return samples that only exist here in tensors of object groups that only the other branch has.

    Checks that objects of their new samples can go without an entry in tensors that are only here.
    """
    found = {}
    grouped = [name for names in object_groups(sides.specs).values() for name in names]
    uids = sides.ours.stored.uids
    rows = np.flatnonzero(sides.theirs.positions(uids) < 0).astype(np.int64)
    for name in grouped:
        spec = sides.specs[name]
        if name not in sides.ours.stored.specs:
            cells = filled(sides.ours, spec, sides.specs, rows)
            found[name] = dict(zip(uids[rows].tolist(), cells, strict=True))
        elif name not in sides.theirs.stored.specs:
            filled(sides.theirs, spec, sides.specs, sides.other.added)
    return found


def _with_revived(sides: Sides) -> Difference:
    """Return their changes with the samples they edited and that were deleted here: those come back whole."""
    edited = np.intersect1d(sides.base.uids(sides.mine.removed), _edited_uids(sides.theirs, sides.other))
    back = sides.theirs.positions(edited)
    return replace(sides.other, added=np.union1d(sides.other.added, back[back >= 0]).astype(np.int64))


def _surviving(
    base: OverlayTable, ours: Working, theirs: Working, mine: Difference, other: Difference
) -> tuple[dict[str, TensorSpec], list[Conflict]]:
    """Return the tensors after a merge: those that one side deleted are gone, unless the other edited them."""
    specs = reconciled(base.stored.specs, ours.specs, theirs.specs)
    contested = []
    for name in base.stored.specs:
        for side, edited, reason in (
            (ours.specs, other, "the tensor was deleted here and edited there"),
            (theirs.specs, mine, "the tensor was edited here and deleted there"),
        ):
            if name not in side:
                specs.pop(name, None)
                if len(edited.edited.get(name, ())):
                    contested.append(Conflict(uid=None, tensor=name, reason=reason))
    return specs, contested


def _check_fit(sides: Sides) -> None:
    """Raise if samples of theirs do not fit a type fixed here, before anything is written."""
    theirs, other = sides.theirs, sides.other
    for name, spec in theirs.stored.specs.items():
        if name in sides.specs and not same_type(spec, sides.specs[name]):
            rows = np.union1d(other.edited.get(name, np.arange(theirs.num_rows)), other.added).astype(np.int64)
            recast_cells(theirs.cells(rows, [name])[name], spec, sides.specs[name], theirs.uids(rows).tolist())


def _common(ours: Working, theirs: Working, name: str) -> OverlayTable:
    shared = nearest_common(ours.store, ours.last_commit, theirs.last_commit)
    if shared is None:
        raise DatasetError(f"branch {name!r} has no commit in common with this branch")
    return _at(ours, shared)


def _at(working: Working, commit: Commit) -> OverlayTable:
    snapshot = working.store.on(commit.branch).at(commit.version)
    return OverlayTable(StoredTable(snapshot, commit.id), Draft(), working.credentials)


# ---- conflicts -------------------------------------------------------------------------------------


def _conflicts(sides: Sides) -> list[Conflict]:
    found: list[Conflict] = []
    grouped = {name for names in object_groups(sides.specs).values() for name in names}
    for tensor in (sides.other.edited.keys() & sides.mine.edited.keys() & sides.specs.keys()) - grouped:
        my_uids = sides.ours.uids(sides.mine.edited[tensor])
        both = np.intersect1d(my_uids, sides.theirs.uids(sides.other.edited[tensor]))
        found += _unlike(sides, tensor, both)
    found += [conflict for merged in sides.classes.values() for conflict in merged.conflicts]
    mine, other = _edited_uids(sides.ours, sides.mine), _edited_uids(sides.theirs, sides.other)
    deleted_here = np.intersect1d(sides.base.uids(sides.mine.removed), other)
    deleted_there = np.intersect1d(sides.base.uids(sides.other.removed), mine)
    found += [Conflict(uid=uid, tensor=None, reason="deleted here, edited there") for uid in deleted_here.tolist()]
    return found + [
        Conflict(uid=uid, tensor=None, reason="edited here, deleted there") for uid in deleted_there.tolist()
    ]


def _edited_uids(table: OverlayTable, difference: Difference) -> NDArray[np.int64]:
    parts = [table.uids(rows) for rows in difference.edited.values()]
    return np.unique(np.concatenate(parts)) if parts else np.empty(0, np.int64)


def _unlike(sides: Sides, tensor: str, uids: NDArray[np.int64]) -> Iterator[Conflict]:
    merged = sides.classes.get(tensor)
    rows = sides.ours.positions(uids).tolist()
    mine, other = cells_of(sides.ours, tensor, uids), cells_of(sides.theirs, tensor, uids)
    here, there = (merged.from_ours, merged.from_theirs) if merged else (None, None)
    ours, theirs = sides.ours.stored.specs[tensor], sides.theirs.stored.specs[tensor]
    for uid, row, one, two in zip(uids.tolist(), rows, mine, other, strict=True):
        if not same(moved(one, here), moved(two, there)):
            yield Conflict(
                uid=uid,
                tensor=tensor,
                reason="it was edited on both branches",
                row=row,
                ours=shown_value(ours, one),
                theirs=shown_value(theirs, two),
                base=_shown_base(sides.base, tensor, uid),
            )


def _shown_base(base: OverlayTable, tensor: str, uid: int) -> Any:
    if tensor not in base.stored.specs:
        return None
    (cell,) = cells_of(base, tensor, np.array([uid], np.int64))
    return shown_value(base.stored.specs[tensor], cell)


# ---- taking in -------------------------------------------------------------------------------------


def _take_in(ours: Working, theirs: Working, taken: _Taken, message: str) -> None:
    sides = taken.sides
    meta = _merged_meta(ours.meta, theirs.meta, sides)
    specs = {entry["name"]: TensorSpec.from_json(entry) for entry in meta["tensors"]}
    ours.store.add_columns(list(specs.values()))

    def change(steps: Steps) -> None:
        steps.set_meta(lambda now: {**now, **{key: meta[key] for key in _merged_keys(meta)}})
        _delete(steps, sides, taken.skipped)
        for name, spec in specs.items():
            _rewrite(steps, taken, spec, name)
        _append(steps, taken, specs)

    land(ours, change, message, merged=theirs.last_commit)


def _merged_keys(meta: Mapping[str, Any]) -> list[str]:
    return [key for key in ("tensors", "classes", "creds_keys", "link_roots") if key in meta]


def _merged_meta(ours: Mapping[str, Any], theirs: Mapping[str, Any], sides: Sides) -> dict[str, Any]:
    """Return our description with their tensors, classes, credential names and folders."""
    mine = {entry["name"] for entry in ours["tensors"]}
    added = [entry for entry in theirs["tensors"] if entry["name"] not in mine]
    meta = {
        **ours,
        "tensors": [spec.to_json() for spec in sides.specs.values()],
        "creds_keys": {**theirs.get("creds_keys", {}), **ours.get("creds_keys", {})},
        "link_roots": sorted({*ours.get("link_roots", []), *theirs.get("link_roots", [])}),
    }
    kept = {entry["name"]: theirs.get("classes", {}).get(entry["name"]) for entry in added}
    meta["classes"] = {**ours.get("classes", {}), **{name: entry for name, entry in kept.items() if entry}}
    for name, merged in sides.classes.items():
        meta = merged.into(meta, name)
    return meta


def _delete(steps: Steps, sides: Sides, skipped: set[tuple[int | None, str | None]]) -> None:
    kept = {uid for uid, tensor in skipped if tensor is None}
    gone = [uid for uid in sides.base.uids(sides.other.removed).tolist() if uid not in kept]
    here = np.array(gone, np.int64)
    here = here[sides.ours.positions(here) >= 0]
    if len(here):
        steps.delete(here)


def _rewrite(steps: Steps, taken: _Taken, spec: TensorSpec, name: str) -> None:
    """Write the changes of a tensor in our samples: renumbered classes, their edits, and joined objects."""
    sides = taken.sides
    joined = taken.objects.cells.get(name, {})
    cells = {**_renumbered(sides, name), **taken.blanks.get(name, {}), **joined}
    if name in sides.theirs.stored.specs:
        new = name not in sides.ours.stored.specs
        every = np.arange(sides.theirs.num_rows, dtype=np.int64)
        rows = every if new else sides.other.edited.get(name, every[:0])
        kept = (uid for uid in sides.theirs.uids(rows).tolist() if uid not in joined)
        uids = [uid for uid in kept if (uid, name) not in taken.skipped]
        index = sides.classes[name].from_theirs if name in sides.classes else None
        for start in range(0, len(uids), _CHUNK):
            chunk = np.array(uids[start : start + _CHUNK], np.int64)
            chunk = chunk[sides.ours.positions(chunk) >= 0]
            found = [moved(cell, index) for cell in cells_of(sides.theirs, name, chunk)]
            fit = recast_cells(found, sides.theirs.stored.specs[name], spec, chunk.tolist())
            cells.update(zip(chunk.tolist(), _with_free_ids(fit, spec, taken), strict=True))
    left = StoredTable(steps.snapshot(), "")
    uids_left = np.array([*cells], np.int64)
    there = uids_left[left.positions(uids_left) >= 0] if len(uids_left) else uids_left
    if len(there):
        steps.rewrite(table_of(there, {spec: [cells[uid] for uid in there.tolist()]}))


def _renumbered(sides: Sides, name: str) -> dict[int, Cell]:
    """Return our labels that the merge renumbers, by uid."""
    merged = sides.classes.get(name)
    if merged is None or merged.from_ours is None:
        return {}
    column = sides.ours.column(name)
    moved = np.concatenate([[0], np.cumsum(merged.from_ours[column.values] != column.values)])
    rows = np.flatnonzero(moved[column.offsets[1:]] > moved[column.offsets[:-1]])
    uids = sides.ours.uids(rows)
    return {
        uid: Cell(value=merged.from_ours[column.row(row)])
        for uid, row in zip(uids.tolist(), rows.tolist(), strict=True)
    }


def _with_free_ids(cells: list[Cell], spec: TensorSpec, taken: _Taken) -> list[Cell]:
    if spec.name != ID or not taken.taken_ids:
        return cells
    return [without_ids(spec, cell, taken.taken_ids) for cell in cells]


def _append(steps: Steps, taken: _Taken, specs: Mapping[str, TensorSpec]) -> None:
    sides = taken.sides
    added = sides.other.added
    new = added[sides.ours.positions(sides.theirs.uids(added)) < 0] if len(added) else added
    for start in range(0, len(new), _CHUNK):
        chunk = new[start : start + _CHUNK]
        uids = sides.theirs.uids(chunk)
        cells = sides.theirs.cells(chunk, [name for name in specs if name in sides.theirs.stored.specs])
        columns = {}
        for name, spec in specs.items():
            index = sides.classes[name].from_theirs if name in sides.classes else None
            if name not in cells:
                columns[spec] = filled(sides.theirs, spec, specs, chunk)
                continue
            found = [moved(cell, index) for cell in cells[name]]
            fit = recast_cells(found, sides.theirs.stored.specs[name], spec, uids.tolist())
            columns[spec] = _with_free_ids(fit, spec, taken)
        steps.append(uids, columns)
