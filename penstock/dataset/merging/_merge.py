"""Another branch's changes, taken into this one in one step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.merging._classes_merged import MergedClasses, merged_classes
from penstock.dataset.merging._group_conflicts import Side, count_conflicts, whole_groups, with_whole_groups
from penstock.dataset.merging._reconciled import recast_cells, reconciled, with_new_values
from penstock.dataset.writing._committing import land
from penstock.dataset.writing._conflicts import Conflict, same, shown_value
from penstock.dataset.writing._history import ancestors, nearest_common
from penstock.dataset.writing._working import Working
from penstock.errors import DatasetError
from penstock.storage import Commit, Steps, table_of
from penstock.table import Difference, Draft, OverlayTable, StoredTable, compare
from penstock.tensors import Cell, TensorSpec, same_type

__all__ = ["merge_branch"]

Prefer = Literal["ours", "theirs"]
_CHUNK = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """The three states of a merge, what either side changed, and the classes and specs they end with."""

    base: OverlayTable
    ours: OverlayTable
    theirs: OverlayTable
    mine: Difference
    other: Difference
    classes: Mapping[str, MergedClasses]
    specs: Mapping[str, TensorSpec]


def merge_branch(ours: Working, theirs: Working, name: str, prefer: Prefer | None) -> list[Conflict]:
    """Apply what `theirs` changed since the common commit; with conflicts and no preference, nothing."""
    last = theirs.last_commit
    if last is None or last.id in ancestors(ours.store, ours.last_commit):
        return []
    base = _common(ours, theirs, name)
    classes = {
        tensor: merged_classes(base.stored, ours.stored, theirs.stored, tensor, prefer_theirs=prefer == "theirs")
        for tensor, spec in theirs.stored.specs.items()
        if spec.htype == "class_label" and ours.specs.get(tensor, spec).htype == "class_label" and tensor in ours.specs
    }
    mine, other = (compare(base, side.table, follow_merges=True) for side in (ours, theirs))
    specs, contested = _surviving(base, ours, theirs, mine, other)
    both = set(mine.tensors_added) & set(other.tensors_added)
    sides = _Sides(
        base=base,
        ours=ours.table,
        theirs=theirs.table,
        mine=with_new_values(mine, ours.table, both),
        other=with_new_values(other, theirs.table, both),
        classes=classes,
        specs=specs,
    )
    conflicts = [*contested, *_conflicts(sides)]
    if conflicts and prefer is None:
        return conflicts
    pairs = whole_groups(((conflict.uid, conflict.tensor) for conflict in conflicts), sides.specs)
    skipped = pairs if prefer == "ours" else set()
    sides = replace(sides, other=with_whole_groups(sides.other, sides.theirs, pairs - skipped, sides.specs))
    if prefer == "theirs":
        sides = replace(sides, other=_with_revived(sides))
    _check_fit(sides)
    _take_in(ours, theirs, sides, skipped, f"merge {name}")
    return conflicts


def _with_revived(sides: _Sides) -> Difference:
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


def _check_fit(sides: _Sides) -> None:
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


def _conflicts(sides: _Sides) -> list[Conflict]:
    found: list[Conflict] = []
    for tensor in sides.other.edited.keys() & sides.mine.edited.keys() & sides.specs.keys():
        my_uids = sides.ours.uids(sides.mine.edited[tensor])
        both = np.intersect1d(my_uids, sides.theirs.uids(sides.other.edited[tensor]))
        found += _unlike(sides, tensor, both)
    sizes = count_conflicts(
        sides.base,
        Side(table=sides.ours, changed=sides.mine),
        Side(table=sides.theirs, changed=sides.other),
        sides.specs,
    )
    found += [
        Conflict(uid=uid, tensor=tensor, reason="its objects were edited on both branches") for uid, tensor in sizes
    ]
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


def _unlike(sides: _Sides, tensor: str, uids: NDArray[np.int64]) -> Iterator[Conflict]:
    merged = sides.classes.get(tensor)
    rows = sides.ours.positions(uids).tolist()
    mine, other = _cells(sides.ours, tensor, uids), _cells(sides.theirs, tensor, uids)
    here, there = (merged.from_ours, merged.from_theirs) if merged else (None, None)
    ours, theirs = sides.ours.stored.specs[tensor], sides.theirs.stored.specs[tensor]
    for uid, row, one, two in zip(uids.tolist(), rows, mine, other, strict=True):
        if not same(_moved(one, here), _moved(two, there)):
            yield Conflict(
                uid=uid,
                tensor=tensor,
                reason="it was edited on both branches",
                row=row,
                ours=shown_value(ours, one),
                theirs=shown_value(theirs, two),
            )


def _cells(table: OverlayTable, tensor: str, uids: NDArray[np.int64]) -> list[Cell]:
    if not len(uids):
        return []
    rows = table.positions(uids)
    ranks = np.argsort(rows)
    cells = table.cells(rows[ranks], [tensor])[tensor]
    return [cells[place] for place in np.argsort(ranks)]


def _moved(cell: Cell, index: NDArray[np.int64] | None) -> Cell:
    """Return a label as the merged classes count."""
    if index is None or cell.value is None:
        return cell
    return Cell(value=index[np.asarray(cell.value, np.int64)])


# ---- taking in -------------------------------------------------------------------------------------


def _take_in(
    ours: Working, theirs: Working, sides: _Sides, skipped: set[tuple[int | None, str | None]], message: str
) -> None:
    meta = _merged_meta(ours.meta, theirs.meta, sides)
    specs = {entry["name"]: TensorSpec.from_json(entry) for entry in meta["tensors"]}
    ours.store.add_columns(list(specs.values()))

    def change(steps: Steps) -> None:
        steps.set_meta(lambda now: {**now, **{key: meta[key] for key in _merged_keys(meta)}})
        _delete(steps, sides, skipped)
        for name, spec in specs.items():
            _rewrite(steps, sides, spec, name, skipped)
        _append(steps, sides, specs)

    land(ours, change, message, merged=theirs.last_commit)


def _merged_keys(meta: Mapping[str, Any]) -> list[str]:
    return [key for key in ("tensors", "classes", "creds_keys", "link_roots") if key in meta]


def _merged_meta(ours: Mapping[str, Any], theirs: Mapping[str, Any], sides: _Sides) -> dict[str, Any]:
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


def _delete(steps: Steps, sides: _Sides, skipped: set[tuple[int | None, str | None]]) -> None:
    kept = {uid for uid, tensor in skipped if tensor is None}
    gone = [uid for uid in sides.base.uids(sides.other.removed).tolist() if uid not in kept]
    here = np.array(gone, np.int64)
    here = here[sides.ours.positions(here) >= 0]
    if len(here):
        steps.delete(here)


def _rewrite(
    steps: Steps, sides: _Sides, spec: TensorSpec, name: str, skipped: set[tuple[int | None, str | None]]
) -> None:
    """Write the changes of a tensor in our samples: renumbered classes, and their edits."""
    cells = _renumbered(sides, name)
    if name in sides.theirs.stored.specs:
        new = name not in sides.ours.stored.specs
        every = np.arange(sides.theirs.num_rows, dtype=np.int64)
        rows = every if new else sides.other.edited.get(name, every[:0])
        uids = [uid for uid in sides.theirs.uids(rows).tolist() if (uid, name) not in skipped]
        index = sides.classes[name].from_theirs if name in sides.classes else None
        for start in range(0, len(uids), _CHUNK):
            chunk = np.array(uids[start : start + _CHUNK], np.int64)
            chunk = chunk[sides.ours.positions(chunk) >= 0]
            found = _cells(sides.theirs, name, chunk)
            moved = [_moved(cell, index) for cell in found]
            fit = recast_cells(moved, sides.theirs.stored.specs[name], spec, chunk.tolist())
            cells.update(zip(chunk.tolist(), fit, strict=True))
    left = StoredTable(steps.snapshot(), "")
    uids_left = np.array([*cells], np.int64)
    there = uids_left[left.positions(uids_left) >= 0] if len(uids_left) else uids_left
    if len(there):
        steps.rewrite(table_of(there, {spec: [cells[uid] for uid in there.tolist()]}))


def _renumbered(sides: _Sides, name: str) -> dict[int, Cell]:
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


def _append(steps: Steps, sides: _Sides, specs: Mapping[str, TensorSpec]) -> None:
    added = sides.other.added
    new = added[sides.ours.positions(sides.theirs.uids(added)) < 0] if len(added) else added
    for start in range(0, len(new), _CHUNK):
        chunk = new[start : start + _CHUNK]
        uids = sides.theirs.uids(chunk)
        cells = sides.theirs.cells(chunk, [name for name in specs if name in sides.theirs.stored.specs])
        columns = {}
        for name, spec in specs.items():
            index = sides.classes[name].from_theirs if name in sides.classes else None
            found = cells.get(name, [Cell(value=None)] * len(chunk))
            moved = [_moved(cell, index) for cell in found]
            columns[spec] = recast_cells(moved, sides.theirs.stored.specs.get(name, spec), spec, uids.tolist())
        steps.append(uids, columns)
