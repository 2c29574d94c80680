"""The differences between two states of a dataset, sample by sample."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from penstock.table._ragged import Ragged
from penstock.table.drafts._class_keys import class_keys, merged_into, new_index
from penstock.table.drafts._overlay import OverlayTable
from penstock.table.drafts._pairs import Pairs, pairs_of
from penstock.tensors import Cell

__all__ = ["Difference", "compare"]

_CHUNK = 1024


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Difference:
    """Samples that differ between an earlier and a later state.

    Parameters
    ----------
    added : ndarray of int64
        Rows of the later state that the earlier has not.
    removed : ndarray of int64
        Rows of the earlier state that the later has not.
    edited : dict of str to ndarray of int64
        For each tensor of both, rows of the later state whose sample differs.
    tensors_added, tensors_removed : tuple of str
        Tensors that only one of them has.
    class_names : dict of str to (tuple of str, tuple of str)
        Class names before and after, where they differ.
    aligned : dict of str to (str or None, str or None)
        First tensor of the object group before and after, where they differ.
    """

    added: NDArray[np.int64]
    removed: NDArray[np.int64]
    edited: dict[str, NDArray[np.int64]]
    tensors_added: tuple[str, ...]
    tensors_removed: tuple[str, ...]
    class_names: dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
    aligned: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Return whether anything differs."""
        rows = len(self.added) + len(self.removed) + sum(map(len, self.edited.values()))
        return bool(rows or self.tensors_added or self.tensors_removed or self.class_names or self.aligned)


def compare(before: OverlayTable, after: OverlayTable, *, follow_merges: bool = False) -> Difference:
    """Compare two states by identity and value; labels by the lasting identity of their classes.

    Values are compared, not stamps of versions: a restored row carries its old stamp.

    Parameters
    ----------
    before, after : OverlayTable
        The earlier and the later state.
    follow_merges : bool
        Whether a label of a class that was merged into another counts as unchanged.

    Returns
    -------
    Difference
        What differs.
    """
    pairs = pairs_of(before, after)
    specs, others = after.stored.specs, before.stored.specs
    shared = [name for name in specs if name in others]
    return Difference(
        added=pairs.added,
        removed=pairs.removed,
        edited={name: _edited(before, after, name, pairs, follow_merges) for name in shared},
        tensors_added=tuple(name for name in specs if name not in others),
        tensors_removed=tuple(name for name in others if name not in specs),
        class_names={
            name: (others[name].class_names, specs[name].class_names)
            for name in shared
            if others[name].class_names != specs[name].class_names
        },
        aligned={
            name: (others[name].aligned_with, specs[name].aligned_with)
            for name in shared
            if others[name].aligned_with != specs[name].aligned_with
        },
    )


def _edited(before: OverlayTable, after: OverlayTable, name: str, pairs: Pairs, follow: bool) -> NDArray[np.int64]:
    """Return the rows of the later state whose sample of a tensor differs, increasing."""
    index = _class_index(before, after, name, follow)
    one, two = before.stored.specs[name], after.stored.specs[name]
    alike = (one.htype, one.dtype, one.ndim, one.link) == (two.htype, two.dtype, two.ndim, two.link)
    rows = pairs.suspects(name) if alike and index is None else pairs.common()
    return np.sort(rows[1][_differs(before, after, name, rows, index)])


def _differs(
    before: OverlayTable,
    after: OverlayTable,
    name: str,
    rows: tuple[NDArray[np.int64], NDArray[np.int64]],
    index: NDArray[np.int64] | None,
) -> NDArray[np.bool_]:
    if after.stored.specs[name].is_encoded or before.stored.specs[name].is_encoded:
        return _cells_differ(before, after, name, *rows)
    column = before.some(name, rows[0])
    if index is not None and len(index):
        column = replace(column, values=index[column.values])
    return columns_differ(column, after.some(name, rows[1]))


def _class_index(before: OverlayTable, after: OverlayTable, name: str, follow: bool) -> NDArray[np.int64] | None:
    """Return the later index of each earlier class; None if none has changed."""
    if after.stored.specs[name].htype != "class_label":
        return None
    then, now = before.stored.snapshot.meta, after.stored.snapshot.meta
    return new_index(class_keys(then, name), class_keys(now, name), merged_into(now, name), follow=follow)


def columns_differ(first: Ragged, second: Ragged) -> NDArray[np.bool_]:
    """Return which rows of two columns of one length differ; NaN equals NaN."""
    differs: NDArray[np.bool_] = first.lengths != second.lengths
    if first.ndim == second.ndim and first.shapes is not None and second.shapes is not None:
        differs |= (first.shapes != second.shapes).any(axis=1)
    valid = [np.ones(len(part), bool) if part.valid is None else part.valid for part in (first, second)]
    differs |= valid[0] != valid[1]
    same = np.flatnonzero(~differs).astype(np.int64)
    one, two = first.take(same), second.take(same)
    unequal: NDArray[np.bool_] = one.values != two.values
    if one.values.dtype.kind == "f":
        unequal &= ~(np.isnan(one.values) & np.isnan(two.values))
    counts = np.bincount(np.repeat(np.arange(len(same)), one.lengths), weights=unequal, minlength=len(same))
    differs[same[counts > 0]] = True
    return differs


def _cells_differ(
    before: OverlayTable, after: OverlayTable, name: str, rows: NDArray[np.int64], others: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Compare images, masks and links by what is stored, a chunk at a time; equal digests spare the bytes."""
    differs = np.zeros(len(rows), bool)
    places = _unlike_digests(before, after, name, rows, others) if len(rows) else rows
    for start in range(0, len(places), _CHUNK):
        chunk = places[start : start + _CHUNK]
        ours = _in_order(before, rows[chunk], name)
        theirs = _in_order(after, others[chunk], name)
        differs[chunk] = [_unlike(one, two) for one, two in zip(ours, theirs, strict=True)]
    return differs


def _unlike_digests(
    before: OverlayTable, after: OverlayTable, name: str, rows: NDArray[np.int64], others: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the places whose recorded digests do not prove them equal."""
    ours, theirs = before.digests(name), after.digests(name)
    if ours is None or theirs is None or after.stored.specs[name].link or before.stored.specs[name].link:
        return np.arange(len(rows), dtype=np.int64)
    equal = (ours[rows] == theirs[others]) & (ours[rows] != 0)
    return np.flatnonzero(~equal).astype(np.int64)


def _in_order(table: OverlayTable, rows: NDArray[np.int64], name: str) -> list[Cell]:
    unique, places = np.unique(rows, return_inverse=True)
    cells = table.cells(unique, [name])[name]
    return [cells[place] for place in places]


def _unlike(one: Cell, two: Cell) -> bool:
    return (one.value, one.creds_key) != (two.value, two.creds_key)
