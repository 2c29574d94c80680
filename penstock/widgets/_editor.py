"""Labels and boxes changed by hand: named, taken back, committed; the dataset is the only thing written."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import DatasetError, SampleError, UnknownClassError
from penstock.table import OverlayTable, Table
from penstock.widgets._edits import Change, Edit
from penstock.widgets._sample import boxes_xywh, first_tensor

if TYPE_CHECKING:
    from penstock.widgets._session import Session

__all__ = ["Editor"]

_MAX_CLASS_NAME = 200
_IN_MEMORY = ("class_label", "bbox", "generic", "embedding")
_BOX_ROUNDING = 1e-3  # pixels; tiles carry three decimals


class Editor:
    """Edits the dataset of a session; every session of the dataset hears of it.

    Parameters
    ----------
    session : Session
        Whose label tensor and selection are meant.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def set_labels(
        self, uid: int, labels: Sequence[int], boxes: Sequence[float] | None = None, *, origin: str | None = None
    ) -> str:
        """Give a sample other labels, and boxes as x, y, width, height in pixels; return what was done.

        Raises
        ------
        UnknownClassError
            If a label is no class of the dataset.
        SampleError
            If the boxes are no boxes.
        """
        tensor = self._label_tensor()

        def make(table: Table) -> Edit:
            row = self._session.edits.rows.row(table, uid)
            changes = [_label_change(table, tensor, row, uid, labels)]
            if boxes is not None:
                changes.append(_box_change(table, row, uid, boxes))
            names = table.tensors[tensor].class_names
            done = _named(changes, names, row)
            return Edit(name=done, changes=tuple(change for change in changes if _differs(change)))

        return self._apply(make, origin)

    def relabel_selected(self, add: Sequence[int], remove: Sequence[int], *, origin: str | None = None) -> str:
        """Add and remove classes on all selected samples, in one step; return what was done."""
        tensor = self._label_tensor()
        uids = self._session.selected_uids
        if not len(uids):
            raise SampleError("no sample is selected; select some first")

        def make(table: Table) -> Edit:
            names = table.tensors[tensor].class_names
            _check_classes([*add, *remove], names, tensor)
            rows = self._session.edits.rows.rows(table, uids)
            column = table.column(tensor)
            changes = [
                Change(uid=int(uid), tensor=tensor, before=labels, after=_relabelled(labels, add, remove))
                for uid, labels in zip(uids, (column.row(int(row)) for row in rows), strict=True)
            ]
            words = [f"added {names[i]}" for i in add] + [f"removed {names[i]}" for i in remove]
            kept = tuple(change for change in changes if _differs(change))
            return Edit(name=f"{', '.join(words)}: {len(kept)} samples", changes=kept)

        return self._apply(make, origin)

    def add_class(self, name: str, *, origin: str | None = None) -> str:
        """Add a class without samples; return what was done."""
        tensor = self._label_tensor()
        wanted = name.strip()
        if not wanted or len(wanted) > _MAX_CLASS_NAME:
            raise SampleError(f"class name {name[:40]!r} is empty or longer than {_MAX_CLASS_NAME} characters")
        session = self._session
        with session.edits.lock:
            known = session.dataset.table.tensors[tensor].class_names
            if wanted in known:
                raise SampleError(f"{tensor} has a class {wanted!r} already")
            session.dataset[tensor].add_class(wanted)
        self._tell(origin)
        return f"added the class {wanted}"

    def undo(self, *, origin: str | None = None) -> str:
        """Take the last edit back; return what was done."""
        with self._session.edits.lock:
            edit = self._session.edits.undo(self._session.dataset)
        self._tell(origin)
        return f"undone: {edit.name}" if edit else "nothing to undo"

    def redo(self, *, origin: str | None = None) -> str:
        """Do again what was taken back; return what was done."""
        with self._session.edits.lock:
            edit = self._session.edits.redo(self._session.dataset)
        self._tell(origin)
        return f"redone: {edit.name}" if edit else "nothing to redo"

    def commit(self, message: str, *, origin: str | None = None) -> str:
        """Commit all edits with a message; return what was done."""
        session = self._session
        with session.edits.lock:
            if not session.dataset.has_changes:
                raise DatasetError("there is nothing to commit; the dataset has no edits")
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                version = session.dataset.commit(message.strip() or None)
        self._tell(origin)
        return "; ".join([f"committed {str(version)[:7]}", *(str(warning.message) for warning in said)])

    def discard(self, *, origin: str | None = None) -> str:
        """Take every edit that is not committed back, in one step that can be undone; return what was done."""
        session = self._session
        with session.edits.lock:
            if not session.dataset.table.draft:
                return "there are no edits to discard"
            edit = _back_to_stored(session.dataset.table)
            if edit.changes:
                session.edits.apply(session.dataset, edit)
            session.dataset.discard_edits()
        self._tell(origin)
        return edit.name

    def _apply(self, make: Callable[[Table], Edit], origin: str | None) -> str:
        session = self._session
        with session.edits.lock:
            edit = make(session.dataset.table)
            if not edit.changes:
                return "nothing changed"
            session.edits.apply(session.dataset, edit)
        self._tell(origin)
        return edit.name

    def _tell(self, origin: str | None) -> None:
        self._session.refresh(origin=origin)
        for session in list(self._session.edits.sessions):
            if session is not self._session:
                session.refresh_soon()

    def _label_tensor(self) -> str:
        tensor = self._session.labels
        if tensor is None:
            raise SampleError("the dataset has no class label tensor; create one with ds.create_tensor first")
        return tensor


def _back_to_stored(table: OverlayTable) -> Edit:
    """Return the edit that makes labels, boxes and values what is stored; edited images are not in it."""
    changes: list[Change] = []
    edited: set[int] = set()
    for tensor, cells in table.draft.edits.items():
        edited |= set(cells)
        if table.tensors[tensor].htype in _IN_MEMORY:
            changes += _stored_changes(table, tensor, np.fromiter(cells, np.int64, len(cells)))
    name = f"discarded the edits of {len(edited)} sample{'s' if len(edited) != 1 else ''}"
    return Edit(name=name, changes=tuple(changes))


def _stored_changes(table: OverlayTable, tensor: str, uids: NDArray[np.int64]) -> list[Change]:
    now, then = table.column(tensor), table.stored.column(tensor)
    places = zip(uids, table.positions(uids), table.stored.positions(uids), strict=True)
    return [
        Change(uid=int(uid), tensor=tensor, before=np.array(now.row(row)), after=np.array(then.row(stored)))
        for uid, row, stored in places
        if row >= 0 and stored >= 0
    ]


def _check_classes(labels: Sequence[int], names: Sequence[str], tensor: str) -> None:
    for label in labels:
        if not 0 <= label < len(names):
            raise UnknownClassError(str(label), names, tensor=tensor)


def _label_change(table: Table, tensor: str, row: int, uid: int, labels: Sequence[int]) -> Change:
    _check_classes(labels, table.tensors[tensor].class_names, tensor)
    before = np.array(table.column(tensor).row(row), np.int64)
    return Change(uid=uid, tensor=tensor, before=before, after=np.array(labels, np.int64))


def _relabelled(labels: NDArray[Any], add: Sequence[int], remove: Sequence[int]) -> NDArray[np.int64]:
    kept = labels[~np.isin(labels, np.array(remove, np.int64))]
    new = [label for label in add if label not in kept]
    return np.concatenate([kept, np.array(new, np.int64)]).astype(np.int64)


def _box_change(table: Table, row: int, uid: int, boxes: Sequence[float]) -> Change:
    tensor = first_tensor(table.tensors, "bbox")
    if tensor is None:
        raise SampleError("the dataset has no bbox tensor; create one with ds.create_tensor first")
    values = np.array(boxes, np.float64)
    if values.size % 4 or not np.isfinite(values).all() or (values.reshape(-1, 4)[:, 2:] < 0).any():
        raise SampleError(f"boxes must be x, y, width, height with width and height >= 0, got {values.size} numbers")
    coords = table.tensors[tensor].coords
    sent = values.reshape(-1, 4)
    before = np.array(table.column(tensor).row(row), np.float32).reshape(-1, 4)
    meant = sent.copy()
    if coords == "xyxy":
        meant[:, 2:] += meant[:, :2]
    after = _kept_where_equal(before, meant.astype(np.float32), boxes_xywh(before, coords), sent)
    return Change(uid=uid, tensor=tensor, before=before, after=after)


def _kept_where_equal(
    before: NDArray[np.float32], after: NDArray[np.float32], shown: NDArray[np.float64], sent: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Keep stored boxes bit for bit where the browser sent back what it was shown, rounded."""
    if len(before) != len(after):
        return after
    same = (np.abs(shown - sent) <= _BOX_ROUNDING).all(axis=1, keepdims=True)
    return np.where(same, before, after)


def _differs(change: Change) -> bool:
    return not np.array_equal(change.before, change.after)


def _named(changes: Sequence[Change], names: Sequence[str], row: int) -> str:
    before, after = list(changes[0].before), list(changes[0].after)
    added, removed = _surplus(after, before), _surplus(before, after)
    if added and removed:
        return f"{_words(removed, names)} → {_words(added, names)} in sample {row}"
    if added:
        return f"added {_words(added, names)} to sample {row}"
    if removed:
        return f"removed {_words(removed, names)} from sample {row}"
    return f"moved a box of sample {row}" if len(changes) > 1 else f"ordered the labels of sample {row}"


def _surplus(some: list[Any], others: list[Any]) -> list[int]:
    left = list(others)
    surplus = []
    for label in some:
        if label in left:
            left.remove(label)
        else:
            surplus.append(int(label))
    return surplus


def _words(labels: Sequence[int], names: Sequence[str]) -> str:
    return ", ".join(names[label] for label in labels)
