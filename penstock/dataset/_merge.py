"""Another branch's changes, taken into this one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from penstock.dataset._working import Working
from penstock.errors import DatasetError
from penstock.storage import Commit, Store, table_of
from penstock.table import Difference, Draft, OverlayTable, StoredTable, compare
from penstock.tensors import Cell, TensorSpec

__all__ = ["Conflict", "merge_branch"]

Prefer = Literal["ours", "theirs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A sample that both branches changed, each in its own way.

    Parameters
    ----------
    uid : int
        Lasting identity of the sample.
    tensor : str or None
        The tensor both edited; None where one branch deleted what the other edited.
    reason : str
        What each of them did.
    """

    uid: int
    tensor: str | None
    reason: str


def merge_branch(ours: Working, theirs: Working, name: str, prefer: Prefer | None) -> list[Conflict]:
    """Apply what `theirs` changed since the common commit; with conflicts and no preference, nothing."""
    base = _common(ours, theirs, name)
    mine, other = compare(base, ours.table), compare(base, theirs.table)
    conflicts = _conflicts(base, ours.table, theirs.table, mine, other)
    if not other or (conflicts and prefer is None):
        return conflicts
    skipped = {(conflict.uid, conflict.tensor) for conflict in conflicts} if prefer == "ours" else set()
    _apply(ours, theirs.table, base, other, skipped)
    ours.commit(f"merge {name}")
    return conflicts


def _common(ours: Working, theirs: Working, name: str) -> OverlayTable:
    mine = {commit.id for commit in ours.history()}
    shared = next((commit for commit in theirs.history() if commit.id in mine), None)
    if shared is None:
        raise DatasetError(f"branch {name!r} has no commit in common with this one")
    return _at(ours.store, shared, ours)


def _at(store: Store, commit: Commit, working: Working) -> OverlayTable:
    snapshot = Store.open(store.location, commit.branch).at(commit.version)
    return OverlayTable(StoredTable(snapshot, commit.id), Draft(), working.credentials)


def _conflicts(
    base: OverlayTable, ours: OverlayTable, theirs: OverlayTable, mine: Difference, other: Difference
) -> list[Conflict]:
    found: list[Conflict] = []
    for tensor in other.edited.keys() & mine.edited.keys() & ours.tensors.keys() & theirs.tensors.keys():
        both = np.intersect1d(ours.uids(mine.edited[tensor]), theirs.uids(other.edited[tensor]))
        unlike = both[_unlike(ours, theirs, tensor, both)] if len(both) else both
        found += [Conflict(uid=uid, tensor=tensor, reason="both edited it") for uid in unlike.tolist()]
    my_edits, their_edits = _edited_uids(ours, mine), _edited_uids(theirs, other)
    deleted_here = np.intersect1d(base.uids(mine.removed), their_edits)
    deleted_there = np.intersect1d(base.uids(other.removed), my_edits)
    found += [Conflict(uid=uid, tensor=None, reason="deleted here, edited there") for uid in deleted_here.tolist()]
    found += [Conflict(uid=uid, tensor=None, reason="edited here, deleted there") for uid in deleted_there.tolist()]
    return found


def _edited_uids(table: OverlayTable, difference: Difference) -> NDArray[np.int64]:
    parts = [table.uids(rows) for rows in difference.edited.values()]
    return np.unique(np.concatenate(parts)) if parts else np.empty(0, np.int64)


def _unlike(ours: OverlayTable, theirs: OverlayTable, tensor: str, uids: NDArray[np.int64]) -> NDArray[np.bool_]:
    translate = _translation(theirs.stored.specs[tensor], ours.stored.specs[tensor])
    one, two = _cells(ours, tensor, uids), _cells(theirs, tensor, uids)
    return np.array(
        [_value(first) != _value(_translated(second, translate)) for first, second in zip(one, two, strict=True)], bool
    )


def _value(cell: Cell) -> tuple[object, ...]:
    value = cell.value.tobytes() if isinstance(cell.value, np.ndarray) else cell.value
    return value, cell.creds_key


def _cells(table: OverlayTable, tensor: str, uids: NDArray[np.int64]) -> list[Cell]:
    rows = table.positions(uids)
    ranks = np.argsort(rows)
    cells = table.cells(rows[ranks], [tensor])[tensor]
    return [cells[place] for place in np.argsort(ranks)]


def _translation(spec: TensorSpec, into: TensorSpec) -> NDArray[np.int64] | None:
    """Return our index of each of their classes; None where the indices agree."""
    if spec.htype != "class_label" or spec.class_names == into.class_names[: len(spec.class_names)]:
        return None
    names = {entry: index for index, entry in enumerate(into.class_names)}
    return np.array([names[entry] for entry in spec.class_names], np.int64)


def _translated(cell: Cell, translation: NDArray[np.int64] | None) -> Cell:
    return cell if translation is None else Cell(value=translation[np.asarray(cell.value, np.int64)])


def _apply(
    ours: Working, theirs: OverlayTable, base: OverlayTable, other: Difference, skipped: set[tuple[int, str | None]]
) -> None:
    for name in other.tensors_added:
        if name not in ours.specs:
            ours.add_tensor(theirs.stored.specs[name])
    ours.grow_classes(
        {
            name: _grown(ours.specs[name], base, spec)
            for name, spec in theirs.stored.specs.items()
            if spec.class_names and name in ours.specs
        }
    )
    kept_out = {uid for uid, tensor in skipped if tensor is None}
    gone = np.array([uid for uid in base.uids(other.removed).tolist() if uid not in kept_out], np.int64)
    here = ours.table.positions(gone)
    if (here >= 0).any():
        ours.delete(here[here >= 0])
    names = [name for name in (*other.edited, *other.tensors_added) if name in ours.specs]  # others are deleted here
    for name in names:
        rows = other.edited[name] if name in other.edited else np.arange(theirs.num_rows, dtype=np.int64)
        uids = np.array([uid for uid in theirs.uids(rows).tolist() if (uid, name) not in skipped], np.int64)
        uids = uids[ours.table.positions(uids) >= 0]
        if len(uids):
            translate = _translation(theirs.stored.specs[name], ours.specs[name])
            cells = [_translated(cell, translate) for cell in _cells(theirs, name, uids)]
            ours.store.add_columns([ours.specs[name]])
            ours.store.rewrite(table_of(uids, {ours.specs[name]: cells}), "merge")
    _append(ours, theirs, other.added)
    ours.refresh()


def _grown(spec: TensorSpec, base: OverlayTable, theirs: TensorSpec) -> tuple[str, ...]:
    """Return our class names, renamed as they renamed since the base, and theirs that we have not."""
    names = list(spec.class_names)
    common = base.stored.specs.get(spec.name)
    for before, after in zip(common.class_names if common else (), theirs.class_names, strict=False):
        if before != after and before in names and after not in names:
            names[names.index(before)] = after
    return tuple(names) + tuple(entry for entry in theirs.class_names if entry not in names)


def _append(ours: Working, theirs: OverlayTable, rows: NDArray[np.int64]) -> None:
    ours.refresh()
    new = rows[ours.table.positions(theirs.uids(rows)) < 0] if len(rows) else rows
    for start in range(0, len(new), 1024):
        chunk = new[start : start + 1024]
        columns = {}
        cells = theirs.cells(chunk, [name for name in ours.specs if name in theirs.stored.specs])
        for name, spec in ours.specs.items():
            translate = _translation(theirs.stored.specs[name], spec) if name in cells else None
            found = cells.get(name, [Cell(value=None)] * len(chunk))
            columns[replace(spec)] = [_translated(cell, translate) for cell in found]
        ours.store.add_columns(list(columns))
        ours.store.append(theirs.uids(chunk), columns)
