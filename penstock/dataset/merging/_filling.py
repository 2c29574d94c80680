"""Entries of objects that one branch added in tensors of their group that only the other branch has."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.merging._sides import Sides, cells_of
from penstock.dataset.objects._objects import ID, blank_of, cell_of, has_blank, ids_of_cell
from penstock.dataset.writing._groups import object_counts
from penstock.errors import AlignmentError, ConflictError
from penstock.table import Difference, OverlayTable
from penstock.tensors import Cell, TensorSpec, object_groups

__all__ = ["check_lengths", "filled", "ids_of_both", "no_entry", "without_ids"]

_Counts = NDArray[np.int64]


def no_entry(spec: TensorSpec, where: str) -> ConflictError:
    """Return the error for objects without a box or a class."""
    what = "a box" if spec.htype == "bbox" else "a class"
    return ConflictError(
        f"{where} has new objects without {what} in {spec.name!r}, which only the other branch has. "
        f"Expected {what} for each object",
        hint=f"create the tensor {spec.name!r} on the branch with the new objects as well, and fill it there",
    )


def filled(table: OverlayTable, spec: TensorSpec, specs: Mapping[str, TensorSpec], rows: _Counts) -> list[Cell]:
    """Return samples of a tensor that a table does not have, with a blank entry for each object of its group.

    Parameters
    ----------
    table : OverlayTable
        Samples of a branch.
    spec : TensorSpec
        The tensor that the branch does not have.
    specs : mapping of str to TensorSpec
        All tensors after the merge.
    rows : ndarray of int64
        Rows of the table.
    """
    names = next((names for names in object_groups(specs).values() if spec.name in names), ())
    known = next((name for name in names if name in table.stored.specs), None)
    counts = np.zeros(len(rows), np.int64) if known is None else object_counts(table, known, rows)
    if counts.any() and not has_blank(spec):
        raise no_entry(spec, f"sample {rows[np.flatnonzero(counts)[0]]}")
    none = Cell(value=None)
    return [cell_of(spec, [blank_of(spec, None)] * count, none) if count else none for count in counts.tolist()]


# ---- ids -------------------------------------------------------------------------------------------


def ids_of_both(sides: Sides) -> frozenset[Hashable]:
    """Return the ids of objects that are new on both sides, each on its own."""
    spec = sides.specs.get(ID)
    if spec is None or not any(ID in names for names in object_groups(sides.specs).values()):
        return frozenset()
    mine, other = _new_ids(sides.ours, sides.mine), _new_ids(sides.theirs, sides.other)
    both = mine & other
    return frozenset(both - _ids(sides.base, np.arange(sides.base.num_rows, dtype=np.int64))) if both else frozenset()


def _new_ids(table: OverlayTable, changed: Difference) -> set[Hashable]:
    if ID not in table.stored.specs:
        return set()
    return _ids(table, np.union1d(changed.edited.get(ID, changed.added[:0]), changed.added).astype(np.int64))


def _ids(table: OverlayTable, rows: _Counts) -> set[Hashable]:
    spec = table.stored.specs.get(ID)
    if spec is None or not len(rows):
        return set()
    if spec.htype == "generic":
        return set(np.unique(table.column(ID).take(rows).values).tolist()) - {0}
    return {one for cell in cells_of(table, ID, table.uids(rows)) for one in ids_of_cell(spec, cell)}


def without_ids(spec: TensorSpec, cell: Cell, taken: frozenset[Hashable]) -> Cell:
    """Return the ids of a sample's objects without those that new objects of the other branch have."""
    found = ids_of_cell(spec, cell)
    if taken.isdisjoint(found):
        return cell
    return cell_of(spec, [blank_of(spec, None) if one in taken else one for one in found], cell)


# ---- lengths ---------------------------------------------------------------------------------------


def check_lengths(sides: Sides, joined: Mapping[str, Mapping[int, Cell]]) -> None:
    """Refuse a group that one branch declared where samples of the other branch differ in length.

    Raises
    ------
    ConflictError
        Naming a sample, tensors and lengths; before anything is written.
    """
    for names in object_groups(sides.specs).values():
        for table, changed, where in ((sides.ours, sides.mine, "here"), (sides.theirs, sides.other, "there")):
            known = [name for name in names if name in table.stored.specs]
            if len(known) > 1 and not _is_declared(table, known):
                _check(table, known, _untouched(sides, table, changed, known, joined), where)


def _is_declared(table: OverlayTable, names: Sequence[str]) -> bool:
    return any(set(names) <= set(group) for group in object_groups(table.stored.specs).values())


def _untouched(
    sides: Sides,
    table: OverlayTable,
    changed: Difference,
    names: Sequence[str],
    joined: Mapping[str, Mapping[int, Cell]],
) -> _Counts:
    """Return the rows that come out of the merge as this side has them."""
    if table is sides.theirs:
        edited = [changed.edited[name] for name in names if name in changed.edited]
        rows = np.unique(np.concatenate([changed.added, *edited])).astype(np.int64)
    else:
        theirs = [sides.theirs.uids(sides.other.edited[name]) for name in names if name in sides.other.edited]
        rows = np.arange(table.num_rows, dtype=np.int64)
        gone = np.concatenate([sides.base.uids(sides.other.removed), *theirs])
        rows = rows[~np.isin(table.uids(rows), gone)]
    settled = [uid for name in names for uid in joined.get(name, ())]
    kept: _Counts = rows[~np.isin(table.uids(rows), np.array(settled, np.int64))]
    return kept


def _check(table: OverlayTable, names: Sequence[str], rows: _Counts, where: str) -> None:
    counts = np.stack([object_counts(table, name, rows) for name in names])
    wrong = np.flatnonzero((counts != counts[0]).any(axis=0))
    if len(wrong):
        told = {int(rows[place]): dict(zip(names, counts[:, place].tolist(), strict=True)) for place in wrong.tolist()}
        raise ConflictError(
            f"{', '.join(map(repr, names))} are an object group on one branch only, and samples {where} do not fit: "
            f"{AlignmentError(told).message}",
            hint="make the lengths equal on that branch, commit, and merge again",
        )
