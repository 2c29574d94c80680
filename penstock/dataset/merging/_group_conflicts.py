"""Objects that two branches changed: the tensors of one group are taken from one side, whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.writing._groups import object_counts
from penstock.table import Difference, OverlayTable
from penstock.tensors import TensorSpec, group_of, object_groups

__all__ = ["Side", "count_conflicts", "whole_groups", "with_whole_groups"]

_Specs = Mapping[str, TensorSpec]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A branch, and what it changed since the common commit."""

    table: OverlayTable
    changed: Difference


def count_conflicts(base: OverlayTable, ours: Side, theirs: Side, specs: _Specs) -> list[tuple[int, str]]:
    """Return uid and tensor of samples whose objects both edited where one side added or removed some.

    The tensors differ from side to side; samples of which both edited the same tensor are found by its values.
    """
    found = []
    for names in object_groups(specs).values():
        mine, other = _edited(ours, names), _edited(theirs, names)
        for uid in sorted(mine.keys() & other.keys()):
            counts = {_count(table, names, uid) for table in (base, ours.table, theirs.table)}
            if len(counts) > 1 and not mine[uid] & other[uid]:
                found.append((uid, min(other[uid])))
    return found


def _edited(side: Side, names: Iterable[str]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for name in names:
        for uid in side.table.uids(side.changed.edited.get(name, np.empty(0, np.int64))).tolist():
            found.setdefault(uid, set()).add(name)
    return found


def _count(table: OverlayTable, names: Iterable[str], uid: int) -> tuple[int, ...]:
    row = table.positions(np.array([uid], np.int64))
    return tuple(int(object_counts(table, name, row)[0]) for name in names if name in table.stored.specs)


def whole_groups(pairs: Iterable[tuple[int | None, str | None]], specs: _Specs) -> set[tuple[int | None, str | None]]:
    """Return pairs of uid and tensor, with every other tensor of the same group."""
    found = set(pairs)
    for uid, tensor in tuple(found):
        if tensor is not None and tensor in specs:
            found |= {(uid, name) for name in group_of(specs, tensor)}
    return found


def with_whole_groups(
    other: Difference, theirs: OverlayTable, pairs: Iterable[tuple[int | None, str | None]], specs: _Specs
) -> Difference:
    """Return what they changed with every tensor of the groups of some samples, so that theirs is taken whole."""
    edited = dict(other.edited)
    for uid, tensor in whole_groups(pairs, specs):
        if uid is not None and tensor in edited:
            edited[tensor] = np.union1d(edited[tensor], _row(theirs, uid)).astype(np.int64)
    return replace(other, edited=edited)


def _row(table: OverlayTable, uid: int) -> NDArray[np.int64]:
    rows = table.positions(np.array([uid], np.int64))
    return rows[rows >= 0]
