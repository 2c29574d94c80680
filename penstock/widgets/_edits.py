"""Changes to samples that can be taken back: one stack for each dataset, whoever edits it."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SampleIndexError
from penstock.table import OverlayTable, Table

if TYPE_CHECKING:
    from penstock.dataset import Dataset

__all__ = ["Change", "Edit", "EditStack", "RowFinder", "edit_stack"]

_MAX_EDITS = 1000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Change:
    """One sample of one tensor, before and after."""

    uid: int
    tensor: str
    before: NDArray[Any]
    after: NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Edit:
    """What one gesture changed, and how a toast names it."""

    name: str
    changes: tuple[Change, ...]


class RowFinder:
    """Finds the rows of uids in O(log rows) each, without a Python object per row."""

    def __init__(self) -> None:
        empty = np.empty(0, np.int64)
        self._index = (empty, empty)

    def row(self, table: Table, uid: int) -> int:
        """Return the row of `table` with this uid.

        Raises
        ------
        SampleIndexError
            If no row has it.
        """
        return int(self.rows(table, np.array([uid], np.int64))[0])

    def rows(self, table: Table, uids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the row of each uid, int64 of shape (num_uids,).

        Raises
        ------
        SampleIndexError
            If no row has one of them.
        """
        rows = self._look_up(uids)
        if self._where_wrong(table, rows, uids).any():
            known = table.uids(np.arange(table.num_rows))
            self._index = (known, np.argsort(known, kind="stable"))
            rows = self._look_up(uids)
            wrong = self._where_wrong(table, rows, uids)
            if wrong.any():
                raise SampleIndexError(f"no sample has the uid {int(uids[wrong][0])}; it may have been removed")
        return rows

    def _look_up(self, uids: NDArray[np.int64]) -> NDArray[np.int64]:
        known, order = self._index
        if not len(order):
            return np.full(len(uids), -1, np.int64)
        return order[np.minimum(np.searchsorted(known, uids, sorter=order), len(order) - 1)]

    @staticmethod
    def _where_wrong(table: Table, rows: NDArray[np.int64], uids: NDArray[np.int64]) -> NDArray[np.bool_]:
        wrong = (rows < 0) | (rows >= table.num_rows)
        wrong[~wrong] = table.uids(rows[~wrong]) != uids[~wrong]
        return wrong


@dataclass(slots=True)
class EditStack:
    """Edits done and undone of one dataset, and the lock under which it is edited."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    rows: RowFinder = field(default_factory=RowFinder)
    done: list[Edit] = field(default_factory=list)
    undone: list[Edit] = field(default_factory=list)
    sessions: weakref.WeakSet[Any] = field(default_factory=weakref.WeakSet)

    def apply(self, dataset: Dataset, edit: Edit) -> None:
        """Do a new edit; what was undone before can no longer be redone."""
        self._write(dataset, edit, lambda change: change.after)
        self.done.append(edit)
        del self.done[:-_MAX_EDITS]
        self.undone.clear()

    def undo(self, dataset: Dataset) -> Edit | None:
        """Take the last edit back; None when there is none."""
        if not self.done:
            return None
        self._write(dataset, self.done[-1], lambda change: change.before)
        self.undone.append(self.done.pop())
        return self.undone[-1]

    def redo(self, dataset: Dataset) -> Edit | None:
        """Do the edit again that was taken back last; None when there is none."""
        if not self.undone:
            return None
        self._write(dataset, self.undone[-1], lambda change: change.after)
        self.done.append(self.undone.pop())
        return self.done[-1]

    def _write(self, dataset: Dataset, edit: Edit, value: Callable[[Change], NDArray[Any]]) -> None:
        """Assign, one write a tensor; a sample that is again as stored leaves the draft."""
        table = dataset.table
        for tensor in sorted({change.tensor for change in edit.changes}):
            changes = [change for change in edit.changes if change.tensor == tensor]
            uids = np.array([change.uid for change in changes], np.int64)
            rows = self.rows.rows(table, uids)
            values = [value(change) for change in changes]
            stored = _are_stored(table, tensor, uids, values)
            if not stored.all():
                fresh = [v for v, same in zip(values, stored, strict=True) if not same]
                dataset[tensor][rows[~stored]] = fresh
            if stored.any():
                dataset.discard_edits(tensor, rows[stored])


def _are_stored(
    table: OverlayTable, tensor: str, uids: NDArray[np.int64], values: Sequence[NDArray[Any]]
) -> NDArray[np.bool_]:
    column, rows = table.stored.column(tensor), table.stored.positions(uids)
    same = [row >= 0 and np.array_equal(column.row(row), value) for row, value in zip(rows, values, strict=True)]
    return np.array(same, bool)


_stacks: weakref.WeakKeyDictionary[Any, EditStack] = weakref.WeakKeyDictionary()
_stacks_lock = threading.Lock()


def edit_stack(dataset: Dataset) -> EditStack:
    """Return the one stack of a dataset."""
    with _stacks_lock:
        return _stacks.setdefault(dataset, EditStack())
