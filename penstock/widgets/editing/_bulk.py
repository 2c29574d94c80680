"""Classes added, removed and replaced on many samples at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SampleError
from penstock.table import OverlayTable
from penstock.widgets.editing._edits import Change, Edit, equal, rows_of
from penstock.widgets.editing._objects import ObjectGroup, blank_shape, count_of, length_of, object_group, rebuilt
from penstock.widgets.editing._sample import values_at
from penstock.widgets.editing._sample_edit import check_classes, edit_of

__all__ = ["Relabel", "relabeled"]

_NEW = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Relabel:
    """What is to be done to each sample.

    Parameters
    ----------
    add, remove : sequence of int
        Classes every sample has afterwards, and those none has.
    replace : sequence of (int, int)
        Classes that become another.
    """

    add: Sequence[int] = ()
    remove: Sequence[int] = ()
    replace: Sequence[tuple[int, int]] = ()

    @property
    def classes(self) -> list[int]:
        """Every class it names."""
        return [*self.add, *self.remove, *(label for pair in self.replace for label in pair)]

    def words(self, names: Sequence[str]) -> str:
        """Return it in words."""
        words = [f"added {names[i]}" for i in self.add] + [f"removed {names[i]}" for i in self.remove]
        return ", ".join([*words, *(f"{names[one]} → {names[other]}" for one, other in self.replace)])

    def replaced(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return labels with the classes that become another replaced, each by its own rule alone."""
        made = labels.copy()
        for one, other in self.replace:
            made[labels == one] = other
        return made


def relabeled(table: OverlayTable, tensor: str, uids: NDArray[np.int64], change: Relabel) -> Edit:
    """Return the edit of all samples; where labels belong to objects, whole objects are relabeled and removed.

    Raises
    ------
    SampleError
        If a class is to be added where each label has a box.
    """
    names = table.tensors[tensor].class_names
    check_classes(change.classes, names, tensor)
    rows = rows_of(table, uids)
    group = object_group(table, tensor)
    group = group if group is not None and group.labels is not None else None
    columns = {name: values_at(table, name, rows) for name in (group.names if group else (tensor,))}
    if group is not None and group.paired and change.add:
        _refuse_add(change, names, rows, group, columns)
    whole = None if group is None else _Group(table, group)
    changes: list[Change] = []
    for place, uid in enumerate(uids.tolist()):
        before = {name: values[place] for name, values in columns.items()}
        after = _after(whole, tensor, before, change, int(rows[place]))
        changes += [
            Change(uid=uid, tensor=name, before=before[name], after=value)
            for name, value in after.items()
            if not equal(before[name], value)
        ]
    touched = len({entry.uid for entry in changes})
    return edit_of(table, f"{change.words(names)}: {touched:,} sample{'s' if touched != 1 else ''}", changes)


def _refuse_add(
    change: Relabel,
    names: Sequence[str],
    rows: NDArray[np.int64],
    group: ObjectGroup,
    columns: dict[str, list[Any]],
) -> None:
    wanted = ", ".join(names[i] for i in change.add)
    boxed = sum(len(np.asarray(value).reshape(-1, 4)) > 0 for value in columns[str(group.boxes)] if value is not None)
    where = f"{boxed} of the {len(rows)} selected samples have boxes" if boxed else "each label here has a box"
    raise SampleError(
        f"cannot add {wanted}: {where}, and each label needs a box",
        hint="draw the boxes one by one, or replace a class by another",
    )


def _after(group: _Group | None, tensor: str, before: dict[str, Any], change: Relabel, row: int) -> dict[str, Any]:
    labels = np.asarray(before[tensor], np.int64).reshape(-1)
    made = change.replaced(labels)
    keep = ~np.isin(labels, np.array(change.remove, np.int64))
    if group is None:
        return {tensor: _with_added(made[keep & ~_doubled(labels, made)], change.add)}
    group.check(before, row)
    sources = [*np.flatnonzero(keep).tolist(), *([_NEW] * len(_missing(made[keep], change.add)))]
    return {tensor: _with_added(made[keep], change.add), **group.rebuilt(before, sources, tensor)}


class _Group:
    """The tensors of an object group, with what a new object is in each of them."""

    def __init__(self, table: OverlayTable, group: ObjectGroup) -> None:
        self.names = group.names
        self._specs = {name: table.tensors[name] for name in group.names}
        self._blanks = {name: blank_shape(table, name) for name in group.names}

    def check(self, before: dict[str, Any], row: int) -> None:
        if length_of(self._specs, before) is None:
            counts = ", ".join(f"{count_of(self._specs[name], value)} {name}" for name, value in before.items())
            raise SampleError(
                f"sample {row} has {counts}. Expected as many of each before its objects are edited together"
            )

    def rebuilt(self, before: dict[str, Any], sources: list[int], tensor: str) -> dict[str, Any]:
        if sources == list(range(count_of(self._specs[tensor], before[tensor]))):
            return {}
        others = (name for name in self.names if name != tensor)
        return {name: rebuilt(self._specs[name], before[name], sources, self._blanks[name]) for name in others}


def _doubled(labels: NDArray[np.int64], made: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which labels became one that the sample has already."""
    known = set(labels[labels == made].tolist())
    doubled = np.zeros(len(labels), bool)
    for place in np.flatnonzero(labels != made).tolist():
        doubled[place] = int(made[place]) in known
        known.add(int(made[place]))
    return doubled


def _missing(labels: NDArray[np.int64], add: Sequence[int]) -> list[int]:
    return [label for label in dict.fromkeys(add) if label not in labels]


def _with_added(labels: NDArray[np.int64], add: Sequence[int]) -> NDArray[np.int64]:
    return np.concatenate([labels, np.array(_missing(labels, add), np.int64)]).astype(np.int64)
