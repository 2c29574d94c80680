"""Labels, boxes and whole objects changed by hand: named, taken back, committed; the dataset alone is written."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.samples import content_of
from penstock.errors import DatasetError, SampleError
from penstock.table import OverlayTable
from penstock.widgets.editing._bulk import Relabel, relabeled
from penstock.widgets.editing._edits import Change, Edit, Step, equal, keys_of, rows_of
from penstock.widgets.editing._objects import state_of
from penstock.widgets.editing._sample import edited_uids, stored_alone, values_at
from penstock.widgets.editing._sample_edit import SampleEdit
from penstock.widgets.editing._shapes import EditedShape
from penstock.widgets.operations._describe import classes_fixed
from penstock.widgets.requests._checks import OutdatedError
from penstock.widgets.review._uncommitted import draft_token

if TYPE_CHECKING:
    from penstock.widgets.session._session import Session

__all__ = ["Chosen", "Editor"]

_ENCODED = ("image", "binary_mask", "segment_mask")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Some of the edited samples.

    Parameters
    ----------
    only : sequence of int, optional
        These; None for all.
    keep : sequence of int
        But not these.
    """

    only: Sequence[int] | None = None
    keep: Sequence[int] = ()

    def of(self, edited: frozenset[int]) -> frozenset[int]:
        """Return the ones of some samples."""
        wanted = edited if self.only is None else edited.intersection(self.only)
        return wanted.difference(self.keep)


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
        self,
        uid: int,
        labels: Sequence[int],
        boxes: Sequence[float] | None = None,
        *,
        sources: Sequence[int] | None = None,
        shapes: Sequence[EditedShape] = (),
        state: str | None = None,
    ) -> str:
        """Give a sample other labels, and boxes as x, y, width, height in pixels; return what was done.

        Where labels and boxes describe the same objects, whole objects are kept, made and removed: in
        every tensor that belongs to them.

        Parameters
        ----------
        uid : int
            The sample.
        labels : sequence of int
            Class indices.
        boxes : sequence of float, optional
            Four numbers a box.
        sources : sequence of int, optional
            For each label or box, its place in the sample before the edit, -1 for a new one.
        shapes : sequence of EditedShape
            Outlines and keypoints that were edited; the box of an object follows its outline.
        state : str, optional
            The `state_of` the sample that was edited.

        Raises
        ------
        UnknownClassError
            If a label is no class of the dataset.
        SampleError
            If the boxes are not boxes, or not as many as labels where each label has one.
        OutdatedError
            If the sample is not in `state` any more.
        """
        tensor = self._label_tensor()

        def make(table: OverlayTable) -> Edit:
            row = int(rows_of(table, np.array([uid], np.int64))[0])
            if state is not None and state != state_of(table, row, tensor):
                raise OutdatedError(f"sample {row} has changed since it was shown; look at it again")
            return SampleEdit(table, row, tensor).edit(labels, boxes, sources, shapes)

        return self._apply(make)

    def relabel_selected(self, change: Relabel) -> str:
        """Add, remove and replace classes on all selected samples, in one step; return what was done.

        Raises
        ------
        SampleError
            If nothing is selected, or a class is to be added to samples whose labels have boxes.
        """
        tensor = self._label_tensor()
        uids = self._session.display.selection.uids
        if not len(uids):
            raise SampleError("no sample is selected; select some first")
        return self._apply(lambda table: relabeled(table, tensor, uids, change))

    def change_classes(self, make: Callable[[str, OverlayTable], Step]) -> str:
        """Add, rename, merge, remove or color classes, in one step that can be taken back; return what was done.

        Parameters
        ----------
        make : callable
            Makes the step, of the label tensor and the dataset as it is now.

        Raises
        ------
        DatasetError
            If what is open is a view, or read-only.
        """
        session, tensor = self._session, self._label_tensor()
        reason = classes_fixed(session, session.table, tensor)
        if reason is not None:
            hint = "open the dataset: penstock.explore(ds)" if session.source.view is not None else None
            raise DatasetError(f"the classes cannot be changed here: {reason}", hint=hint)
        with session.edits.lock:
            step = make(tensor, content_of(session.dataset).table)
            session.edits.apply(session.dataset, step)
        session.follow(store=True)
        return step.name

    def undo(self) -> str:
        """Take the last edit back; return what was done."""
        session = self._session
        with session.holding():
            with session.edits.lock:
                dropped = session.edits.drop_outdated(content_of(session.dataset).table)
                edit = session.edits.undo(session.dataset)
            session.follow(store=True)
        return (f"undone: {edit.name}" if edit else "nothing to undo") + _dropped(dropped)

    def redo(self) -> str:
        """Do again what was taken back; return what was done."""
        session = self._session
        with session.holding():
            with session.edits.lock:
                dropped = session.edits.drop_outdated(content_of(session.dataset).table)
                edit = session.edits.redo(session.dataset)
            session.follow(store=True)
        return (f"redone: {edit.name}" if edit else "nothing to redo") + _dropped(dropped)

    def commit(
        self,
        message: str,
        *,
        on_conflict: Literal["ours", "theirs"] | None = None,
        chosen: Chosen | None = None,
        token: str | None = None,
    ) -> str:
        """Commit all changes with a message, but the edits of some samples; return what was done.

        Parameters
        ----------
        message : str
            What was done and why.
        on_conflict : {"ours", "theirs"}, optional
            Whose values stay where another session has committed the same samples; an error by default.
        chosen : Chosen, optional
            Samples whose edits are committed; the others stay in the draft. All by default.
        token : str, optional
            The `Uncommitted.token` of what was reviewed.

        Raises
        ------
        OutdatedError
            If edits have been made, or taken back, since the review with `token` was shown.
        ConflictError
            If another session has committed the same samples and `on_conflict` is not given; nothing is committed.
        """
        session = self._session
        conflict: Literal["raise", "ours", "theirs"] = "raise" if on_conflict is None else on_conflict
        with session.edits.lock:
            if not session.dataset.has_changes:
                raise DatasetError("there is nothing to commit; the dataset has no changes")
            table = content_of(session.dataset).table
            if token is not None and token != draft_token(table):
                raise OutdatedError("the edits have changed since they were shown; look at them again")
            edited = edited_uids(table)
            wanted = edited if chosen is None else chosen.of(edited)
            rows = None if wanted == edited else _rows_of(table, wanted)
            with warnings.catch_warnings(record=True) as raised:
                warnings.simplefilter("always")
                try:
                    version = session.dataset.commit(message.strip() or None, on_conflict=conflict, rows=rows)
                    done = f"committed {version[:7]}"
                except DatasetError:
                    if on_conflict != "theirs" or wanted & edited_uids(content_of(session.dataset).table):
                        raise
                    done = "kept what the other session committed; nothing else was left to commit"
        session.follow(store=True)
        return "; ".join([done, *(str(warning.message) for warning in raised)])

    def discard(self, chosen: Chosen | None = None) -> str:
        """Take edits that are not committed back, in one step that can be undone; return what was done.

        Parameters
        ----------
        chosen : Chosen, optional
            Only those of these samples. All by default.
        """
        session = self._session
        with session.edits.lock:
            table = content_of(session.dataset).table
            edited = edited_uids(table)
            wanted = edited if chosen is None else chosen.of(edited)
            if not wanted:
                return "there are no edits to discard"
            edit = _back_to_stored(table, wanted)
            if edit.changes:
                session.edits.apply(session.dataset, edit)
            session.dataset.discard_edits(rows=None if wanted == edited else _rows_of(table, wanted))
        session.follow(store=True)
        return edit.name

    def _apply(self, make: Callable[[OverlayTable], Edit]) -> str:
        session = self._session
        with session.holding():
            with session.edits.lock:
                edit = make(content_of(session.dataset).table)
                if edit.changes:
                    session.edits.apply(session.dataset, edit)
            session.follow(store=True)
        return edit.name if edit.changes else "nothing changed"

    def _label_tensor(self) -> str:
        tensor = self._session.labels
        if tensor is None:
            raise SampleError("the dataset has no class label tensor; create one with ds.create_tensor first")
        return tensor


def _dropped(count: int) -> str:
    if not count:
        return ""
    edits = f"{count:,} earlier edit{'s' if count > 1 else ''}"
    return f"; {edits} could not be undone or redone because the samples have changed"


def _rows_of(table: OverlayTable, uids: Collection[int]) -> NDArray[np.int64]:
    rows = table.positions(np.fromiter(uids, np.int64, len(uids)))
    return rows[rows >= 0]


def _back_to_stored(table: OverlayTable, wanted: Collection[int]) -> Edit:
    """Return the edit that makes labels, boxes and values what is stored; edited images and masks are not in it."""
    changes: list[Change] = []
    replaced = 0
    for tensor, cells in table.draft.edits.items():
        uids = np.array([uid for uid in cells if uid in wanted], np.int64)
        if table.tensors[tensor].htype in _ENCODED:
            replaced += len(uids)
        else:
            changes += _stored_changes(table, tensor, uids)
    name = f"discarded the edits of {_samples(table, wanted)}"
    if replaced:
        name += f"; {replaced:,} edited {'images cannot' if replaced > 1 else 'image cannot'} be brought back by Undo"
    classes = {tensor: keys_of(table, tensor) for tensor in {change.tensor for change in changes}}
    return Edit(name=name, changes=tuple(changes), classes=classes)


def _samples(table: OverlayTable, uids: Collection[int]) -> str:
    if len(uids) != 1:
        return f"{len(uids):,} samples"
    row = int(table.positions(np.fromiter(uids, np.int64, 1))[0])
    return f"sample {row}" if row >= 0 else "1 sample"


def _stored_changes(table: OverlayTable, tensor: str, uids: NDArray[np.int64]) -> list[Change]:
    here = table.positions(uids), table.stored.positions(uids)
    both = (here[0] >= 0) & (here[1] >= 0)
    now = values_at(table, tensor, here[0][both])
    then = values_at(stored_alone(table), tensor, here[1][both])
    pairs = zip(uids[both], now, then, strict=True)
    return [
        Change(uid=int(uid), tensor=tensor, before=before, after=after)
        for uid, before, after in pairs
        if not equal(before, after)
    ]
