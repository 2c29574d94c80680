"""Classes of a label tensor that are removed, colored, or restored, each in one step and kept at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.writing._description import Meta, renumber, spec_in, with_spec, write_draft_into
from penstock.dataset.writing._head import change_meta
from penstock.dataset.writing._working import Working
from penstock.errors import DatasetError, UnknownClassError
from penstock.storage import Steps
from penstock.table import (
    Draft,
    StoredTable,
    class_keys,
    class_totals,
    merged_into,
    new_index,
    with_class_color,
    with_class_keys,
    with_classes,
)
from penstock.tensors import Cell, TensorSpec

__all__ = ["ClassState", "class_state", "remove_classes", "restore_classes", "set_class_color"]

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassState:
    """The classes of a tensor, and the labels that have some of them.

    Parameters
    ----------
    names, keys : tuple of str
        The classes, by index, and what identifies each.
    merged : dict of str to str
        For each class that was merged away, the key of the one it went into.
    stored, edited : dict of int to ndarray
        Labels by uid: as stored, and as edited where that differs.
    """

    names: tuple[str, ...]
    keys: tuple[str, ...]
    merged: dict[str, str]
    stored: dict[int, NDArray[np.int64]]
    edited: dict[int, NDArray[np.int64]]


def class_state(working: Working, spec: TensorSpec, names: Sequence[str]) -> ClassState:
    """Return the classes, and the labels of all samples that have one of `names`."""
    meta = with_class_keys(working.meta, working.meta)
    wanted = [index for index, name in enumerate(spec.class_names) if name in names]
    column = working.stored.column(spec.name)
    hits = np.concatenate([[0], np.cumsum(np.isin(column.values, wanted))])
    rows = np.flatnonzero(hits[column.offsets[1:]] > hits[column.offsets[:-1]])
    uids = working.stored.uids[rows].tolist()
    edits = {
        uid: np.asarray([] if cell.value is None else cell.value, np.int64)
        for uid, cell in working.draft.edits.get(spec.name, {}).items()
    }
    return ClassState(
        names=tuple(spec.class_names),
        keys=class_keys(meta, spec.name),
        merged=merged_into(meta, spec.name),
        stored={uid: np.array(column.row(row)) for uid, row in zip(uids, rows.tolist(), strict=True)},
        edited={uid: labels for uid, labels in edits.items() if np.isin(labels, wanted).any()},
    )


def remove_classes(working: Working, spec: TensorSpec, names: Sequence[str]) -> None:
    """Remove classes that no label has; those after them move up.

    Raises
    ------
    UnknownClassError
        If there is no such class.
    DatasetError
        If a sample has one, or an edit that is not committed.
    """
    for name in names:
        if name not in spec.class_names:
            raise UnknownClassError(name, spec.class_names, tensor=spec.name)
    _check_unused(spec, names, class_totals(working.table, spec.name))

    def change(steps: Steps) -> None:
        meta = with_class_keys(steps.meta, steps.meta)
        before = spec_in(meta, spec.name)
        labels = StoredTable(steps.snapshot(), "").column(spec.name).values
        _check_unused(before, names, np.bincount(labels[labels >= 0], minlength=len(before.class_names)))
        kept = [name for name in before.class_names if name not in names]
        keys = class_keys(meta, spec.name)
        now = [key for key, name in zip(keys, before.class_names, strict=True) if name not in names]
        index = new_index(keys, now, {})
        if index is not None:
            renumber(steps, before, index)
        meta = with_classes(meta, spec.name, now, merged_into(meta, spec.name))
        steps.set_meta(lambda _: with_spec(meta, spec.name, {"class_names": kept}))

    _land(working, f"remove classes of {spec.name!r}", "remove classes", change)


def _check_unused(spec: TensorSpec, names: Sequence[str], counts: NDArray[np.int64]) -> None:
    for index, name in enumerate(spec.class_names):
        if name in names and counts[index]:
            labels = f"{int(counts[index]):,} label{'s' if counts[index] > 1 else ''}"
            raise DatasetError(
                f"the class {name!r} of {spec.name!r} cannot be removed: {labels} have it. Expected a class without "
                "labels",
                hint=f"merge_classes([{name!r}], into=...) gives its labels to another class",
            )


def restore_classes(working: Working, spec: TensorSpec, state: ClassState) -> None:
    """Bring classes back that were merged or removed since, with the labels that had them.

    Raises
    ------
    DatasetError
        If other classes came since: their labels would have no class.
    """
    then = _now(working, spec, state)

    def change(steps: Steps) -> None:
        meta = with_class_keys(steps.meta, steps.meta)
        before = spec_in(meta, spec.name)
        keys = class_keys(meta, spec.name)
        fresh = [name for key, name in zip(keys, before.class_names, strict=True) if key not in state.keys]
        if fresh:
            raise DatasetError(f"the classes of {spec.name!r} have changed since: {fresh[0]!r} is new")
        index = new_index(keys, state.keys, {})
        if index is not None:
            renumber(steps, before, index)
        renamed = dict(zip(keys, before.class_names, strict=True))
        names = [renamed.get(key, name) for key, name in zip(state.keys, state.names, strict=True)]
        meta = with_classes(meta, spec.name, state.keys, state.merged)
        steps.set_meta(lambda _: with_spec(meta, spec.name, {"class_names": names}))
        cells = {uid: Cell(value=labels) for uid, labels in then.items()}
        write_draft_into(steps, {spec.name: spec_in(steps.meta, spec.name)}, Draft().with_edits(spec.name, cells))

    edited = working.draft.edits.get(spec.name, {})
    cells = {uid: Cell(value=labels) for uid, labels in state.edited.items() if uid in edited}
    draft = Draft().with_edits(spec.name, cells)
    if cells:  # first, under the classes as they were: until these are back it says what it said before
        working.save(draft, {spec.name: state.keys})
    _land(working, f"restore the classes of {spec.name!r}", "restore classes", change)
    if cells:
        working.edit(draft)


def _now(working: Working, spec: TensorSpec, state: ClassState) -> dict[int, NDArray[np.int64]]:
    """Return the stored labels to write: as they were stored, or as edited where the edits are committed by now."""
    now = class_keys(with_class_keys(working.meta, working.meta), spec.name)
    index = new_index(state.keys, now, merged_into(working.meta, spec.name))
    column = working.stored.column(spec.name)
    found: dict[int, NDArray[np.int64]] = {}
    for uid in dict.fromkeys([*state.stored, *state.edited]):
        row = working.stored.row_of(uid)
        if row < 0:
            continue
        for labels in (state.stored.get(uid), state.edited.get(uid)):
            if labels is not None and np.array_equal(labels if index is None else index[labels], column.row(row)):
                found[uid] = labels
    return found


def set_class_color(working: Working, spec: TensorSpec, name: str, color: str | None) -> None:
    """Give a class a color of its own, or take it away.

    Raises
    ------
    UnknownClassError
        If there is no such class.
    DatasetError
        If `color` is not written ``#rrggbb``.
    """
    if color is not None and (not isinstance(color, str) or not _COLOR.fullmatch(color)):
        raise DatasetError(f"{color!r} is not a valid color. Expected #rrggbb, such as '#7a41b4', or None")

    def change(meta: Meta) -> Meta:
        known = spec_in(meta, spec.name).class_names
        if name not in known:
            raise UnknownClassError(name, known, tensor=spec.name)
        meta = with_class_keys(meta, meta)
        key = class_keys(meta, spec.name)[known.index(name)]
        return with_class_color(meta, spec.name, key, None if color is None else color.lower())

    change_meta(working, change)


def _land(working: Working, action: str, kind: str, change: Callable[[Steps], None]) -> None:
    with working.store.location.lock():
        working.store.transact(f"{action} in {working.store.location.path!r}", kind, change)
        working.refresh()
