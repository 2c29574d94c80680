"""Changes to samples that can be taken back: one stack for each dataset, whoever edits it."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.samples import content_of
from penstock.dataset.shown._words import equal
from penstock.errors import SampleIndexError
from penstock.table import OverlayTable, class_keys
from penstock.widgets.editing._sample import stored_alone, values_at

if TYPE_CHECKING:
    from penstock.dataset import Dataset

__all__ = ["Change", "Edit", "EditStack", "Step", "drop_stored_edits", "edit_stack", "equal", "keys_of", "rows_of"]

_MAX_EDITS = 1000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Change:
    """One sample of one tensor, before and after: an array, or what JSON holds."""

    uid: int
    tensor: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Edit:
    """What one gesture changed, and how a toast names it.

    Parameters
    ----------
    name : str
        In words.
    changes : tuple of Change
        Every sample and tensor.
    classes : mapping of str to tuple of str
        Keys of the classes of the tensors it changed, as they were then: a class that was renamed keeps its key.
    """

    name: str
    changes: tuple[Change, ...]
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def do(self, dataset: Dataset) -> None:
        """Write what it changed."""
        _write(dataset, self, lambda change: change.after)

    def undo(self, dataset: Dataset) -> None:
        """Write what was before."""
        _write(dataset, self, lambda change: change.before)

    def is_done(self, table: OverlayTable) -> bool:
        """Return whether a table shows what it changed."""
        return _holds(table, self, lambda change: change.after)

    def is_undone(self, table: OverlayTable) -> bool:
        """Return whether a table shows what was before."""
        return _holds(table, self, lambda change: change.before)


class Step(Protocol):
    """What can be done, taken back, and done again."""

    @property
    def name(self) -> str:
        """How a toast names it."""
        ...

    def do(self, dataset: Dataset) -> None:
        """Do it."""
        ...

    def undo(self, dataset: Dataset) -> None:
        """Take it back."""
        ...

    def is_done(self, table: OverlayTable) -> bool:
        """Return whether a table shows it as done: else taking it back would undo other work."""
        ...

    def is_undone(self, table: OverlayTable) -> bool:
        """Return whether a table shows it as taken back."""
        ...


def keys_of(table: OverlayTable, tensor: str) -> tuple[str, ...]:
    """Return what identifies each class of a tensor, by index, whatever its name."""
    return class_keys(table.stored.snapshot.meta, tensor)


def rows_of(table: OverlayTable, uids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the row of each uid, int64 of shape (num_uids,).

    Raises
    ------
    SampleIndexError
        If no row has one of them.
    """
    rows = table.positions(uids)
    wrong = uids[rows < 0]
    if len(wrong):
        raise SampleIndexError(f"no sample has the uid {int(wrong[0])}; it may have been removed")
    return rows


@dataclass(slots=True)
class EditStack:
    """Edits done and undone of one dataset, and the lock under which it is edited."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    done: list[Step] = field(default_factory=list)
    undone: list[Step] = field(default_factory=list)
    _checked: tuple[Step | None, Step | None, str] | None = None

    def apply(self, dataset: Dataset, edit: Step) -> None:
        """Do a new edit; what was undone before can no longer be redone."""
        edit.do(dataset)
        self.done.append(edit)
        del self.done[:-_MAX_EDITS]
        self.undone.clear()
        self._seen(content_of(dataset).table)

    def undo(self, dataset: Dataset) -> Step | None:
        """Take the last edit back; None when there is none."""
        self.drop_outdated(content_of(dataset).table)
        if not self.done:
            return None
        self.done[-1].undo(dataset)
        self.undone.append(self.done.pop())
        self.drop_outdated(content_of(dataset).table)
        return self.undone[-1]

    def redo(self, dataset: Dataset) -> Step | None:
        """Do the edit again that was taken back last; None when there is none."""
        self.drop_outdated(content_of(dataset).table)
        if not self.undone:
            return None
        self.undone[-1].do(dataset)
        self.done.append(self.undone.pop())
        self.drop_outdated(content_of(dataset).table)
        return self.done[-1]

    def drop_outdated(self, table: OverlayTable) -> int:
        """Drop the next edits to undo and to redo that `table` no longer shows; return how many.

        An edit is out of date when a sample it changed is gone or has another value since, or when
        the classes it used have other numbers: taking it back would undo somebody else's work.
        """
        with self.lock:
            if self._checked == (*self._tops(), table.version):
                return 0
            before = len(self.done) + len(self.undone)
            while self.done and not self.done[-1].is_done(table):
                self.done.pop()
            while self.undone and not self.undone[-1].is_undone(table):
                self.undone.pop()
            self._seen(table)
            return before - len(self.done) - len(self.undone)

    def _seen(self, table: OverlayTable) -> None:
        self._checked = (*self._tops(), table.version)

    def _tops(self) -> tuple[Step | None, Step | None]:
        return self.done[-1] if self.done else None, self.undone[-1] if self.undone else None


def _by_tensor(edit: Edit) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = {}
    for change in edit.changes:
        found.setdefault(change.tensor, []).append(change)
    return found


def _holds(table: OverlayTable, edit: Edit, value: Callable[[Change], Any]) -> bool:
    for tensor, changes in _by_tensor(edit).items():
        if tensor not in table.tensors or not _same_classes(table, edit, tensor, changes):
            return False
        rows = table.positions(np.array([change.uid for change in changes], np.int64))
        if (rows < 0).any():
            return False
        now = values_at(table, tensor, rows)
        if not all(equal(value(change), found) for change, found in zip(changes, now, strict=True)):
            return False
    return True


def _same_classes(table: OverlayTable, edit: Edit, tensor: str, changes: Sequence[Change]) -> bool:
    then, now = edit.classes.get(tensor, ()), keys_of(table, tensor)
    if then == now[: len(then)]:
        return True
    used = np.unique(np.concatenate([part for change in changes for part in (change.before, change.after)]))
    return all(label < len(then) and label < len(now) and then[label] == now[label] for label in used.tolist())


def _write(dataset: Dataset, edit: Edit, value: Callable[[Change], Any]) -> None:
    """Assign all at once; a sample that is again as stored then leaves the draft."""
    unchanged: list[tuple[str, NDArray[np.int64]]] = []
    with dataset:  # one write for all tensors: objects are never half there
        for tensor, changes in _by_tensor(edit).items():
            table = content_of(dataset).table
            uids = np.array([change.uid for change in changes], np.int64)
            rows = rows_of(table, uids)
            values = [value(change) for change in changes]
            dataset[tensor][rows] = values
            stored = _are_stored(table, tensor, uids, values)
            unchanged.append((tensor, rows[stored]))
    for tensor, rows in unchanged:
        if len(rows):
            dataset.discard_edits(tensor, rows)


def _are_stored(table: OverlayTable, tensor: str, uids: NDArray[np.int64], values: Sequence[Any]) -> NDArray[np.bool_]:
    rows = table.stored.positions(uids)
    here = rows >= 0
    found = iter(values_at(stored_alone(table), tensor, rows[here]))
    return np.array([there and equal(next(found), value) for there, value in zip(here, values, strict=True)], bool)


def drop_stored_edits(dataset: Dataset, since: OverlayTable) -> int:
    """Take edits out of the draft that are what is stored, after another session committed the same; return how many.

    Nothing is compared where nothing was stored `since`; images and masks never are.
    """
    table = content_of(dataset).table
    dropped = 0
    if table.stored is since.stored or dataset.read_only:
        return dropped
    for tensor, cells in table.draft.edits.items():
        if tensor not in table.tensors or table.tensors[tensor].is_encoded:
            continue
        uids = np.fromiter(cells, np.int64, len(cells))
        uids = uids[table.positions(uids) >= 0]
        now = values_at(table, tensor, table.positions(uids))
        same = uids[_are_stored(table, tensor, uids, now)]
        if len(same):
            dataset.discard_edits(tensor, table.positions(same))
            dropped += len(same)
    return dropped


_stacks: weakref.WeakKeyDictionary[Any, EditStack] = weakref.WeakKeyDictionary()
_stacks_lock = threading.Lock()


def edit_stack(dataset: Dataset) -> EditStack:
    """Return the one stack of a dataset."""
    with _stacks_lock:
        return _stacks.setdefault(dataset, EditStack())
