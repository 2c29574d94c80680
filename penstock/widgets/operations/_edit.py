"""Operations that change labels, boxes and classes, take changes back, and commit them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from penstock.errors import SampleError, UnknownClassError
from penstock.table import OverlayTable, class_colors_of
from penstock.widgets.editing._bulk import Relabel
from penstock.widgets.editing._class_steps import (
    AddClass,
    ColorClass,
    MergeClasses,
    RemoveClasses,
    RenameClass,
    touched,
)
from penstock.widgets.editing._edits import Step, rows_of
from penstock.widgets.editing._shapes import EditedShape
from penstock.widgets.operations._arguments import CLASS, UID
from penstock.widgets.operations._describe import display_state
from penstock.widgets.operations._editor import Chosen, Editor
from penstock.widgets.operations.images._tiles import sample_detail
from penstock.widgets.requests import _checks as check
from penstock.widgets.requests._operation import Call, Reply, operation
from penstock.widgets.session._display import Display
from penstock.widgets.session._session import Session

__all__ = ["ClassOperations", "EditOperations", "edit_reply"]

_LABELS = check.array(CLASS, 10_000)
_SOURCES = check.array(check.integer(-1, 10_000), 10_000)
_REPLACE = check.array(check.mapping(**{"from": CLASS, "to": CLASS}), 1000)
_BOXES = check.array(check.number(-1e9, 1e9), 40_000)
_NUMBER = check.number(-1e9, 1e9)
_SHAPES = check.array(
    check.mapping(
        object=check.integer(0, 10_000),
        polygons=check.maybe(check.array(check.array(_NUMBER, 40_000), 10_000)),
        keypoints=check.maybe(check.array(_NUMBER, 3_000)),
    ),
    10_000,
)
_MESSAGE = check.text(5000)
_UIDS = check.array(UID, 1_000_000)
_SMALL = 16


class EditOperations:
    """Edit; answer with everything on display as it is then, and the sample that changed.

    Parameters
    ----------
    session : Session
        What the widget shows.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def _editor(self) -> Editor:
        """What edits the session's dataset, as it is now."""
        self._session.follow(store=True)
        return Editor(self._session)

    @operation(
        "edit.labels",
        uid=UID,
        labels=_LABELS,
        boxes=check.maybe(_BOXES),
        sources=check.maybe(_SOURCES),
        shapes=check.maybe(_SHAPES),
        state=check.maybe(check.text(40)),
    )
    def labels(
        self,
        _call: Call,
        *,
        uid: int,
        labels: list[int],
        boxes: Sequence[float] | None,
        sources: list[int] | None,
        shapes: list[dict[str, Any]] | None,
        state: str | None,
    ) -> Reply:
        """Give a sample other labels and boxes; `sources` says which object each was, so that whole objects follow."""
        edited = [
            EditedShape(place=shape["object"], polygons=shape["polygons"], keypoints=shape["keypoints"])
            for shape in shapes or ()
        ]
        done = self._editor.set_labels(uid, labels, boxes, sources=sources, shapes=edited, state=state)
        return self._edited(done, uid)

    @operation("edit.bulk", add=_LABELS, remove=_LABELS, replace=check.maybe(_REPLACE))
    def bulk(self, _call: Call, *, add: list[int], remove: list[int], replace: list[dict[str, int]] | None) -> Reply:
        """Relabel all selected samples in one step."""
        pairs = [(pair["from"], pair["to"]) for pair in replace or ()]
        change = Relabel(add=add, remove=remove, replace=pairs)
        return self._edited(self._editor.relabel_selected(change))

    @operation("edit.undo")
    def undo(self, _call: Call) -> Reply:
        """Take the last edit back."""
        return self._edited(self._editor.undo())

    @operation("edit.redo")
    def redo(self, _call: Call) -> Reply:
        """Do again what was taken back."""
        return self._edited(self._editor.redo())

    @operation(
        "edit.commit",
        message=_MESSAGE,
        on_conflict=check.maybe(check.choice("ours", "theirs")),
        only=check.maybe(_UIDS),
        keep=check.maybe(_UIDS),
        token=check.maybe(check.text(200)),
    )
    def commit(
        self,
        _call: Call,
        *,
        message: str,
        on_conflict: Literal["ours", "theirs"] | None,
        only: list[int] | None,
        keep: list[int] | None,
        token: str | None,
    ) -> Reply:
        """Commit with a message; a conflict with another session's commit is an error until one side is chosen.

        `only`: samples whose edits are committed; `keep`: those whose edits stay in the draft. `token`: of the review
        that was shown; what came since is not committed unseen.
        """
        chosen = Chosen(only=only, keep=keep or ())
        return self._edited(self._editor.commit(message, on_conflict=on_conflict, chosen=chosen, token=token))

    @operation("dataset.update")
    def update(self, _call: Call) -> Reply:
        """Show the dataset as it is now, with what other sessions have written."""
        self._session.follow(store=True)
        return self._edited("up to date" if self._session.behind is None else self._session.behind.message)

    @operation("edit.discard", only=check.maybe(_UIDS), keep=check.maybe(_UIDS))
    def discard(self, _call: Call, *, only: list[int] | None, keep: list[int] | None) -> Reply:
        """Drop all edits that are not committed, only those of some samples, or all but those of some."""
        return self._edited(self._editor.discard(Chosen(only=only, keep=keep or ())))

    @operation("draft.take_over")
    def take_over(self, _call: Call) -> Reply:
        """Take the edits of another process over: they are this session's to commit, or to discard."""
        count = self._session.dataset.take_over()
        self._session.follow(store=True)
        return self._edited(f"took {count} edit{'' if count == 1 else 's'} over")

    @operation("draft.branch", name=check.text(200))
    def branch(self, _call: Call, *, name: str) -> Reply:
        """Go to a new branch, where nobody else edits."""
        self._session.dataset.checkout(name.strip(), create=True)
        self._session.follow(store=True)
        return self._edited(f"on branch {name.strip()}")

    def _edited(self, done: str, uid: int | None = None) -> Reply:
        return edit_reply(self._session, done, uid)


def edit_reply(session: Session, done: str, uid: int | None = None) -> Reply:
    """Return the `EditReply` of the contract: what was done, all on display, and the sample that changed."""
    display = session.display
    state, buffers = display_state(session, display)
    if uid is None:
        return Reply(result={**state, "sample": None, "done": done}, buffers=buffers, news="query")
    sample, more = _after(session, display, uid, len(buffers))
    return Reply(result={**state, "sample": sample, "done": done}, buffers=[*buffers, *more], news="query")


def _after(session: Session, display: Display, uid: int, num_before: int) -> tuple[dict[str, Any], list[bytes]]:
    """Return the sample after an edit, and its shapes, which come after `num_before` other buffers; not its image."""
    row = int(rows_of(display.run.table, np.array([uid], np.int64))[0])
    sample, buffers = sample_detail(session, display, row, _SMALL)
    num_images = sample["image"] + 1
    for part in (sample, sample["before"] or {}):
        if part.get("shapes", -1) >= 0:
            part["shapes"] += num_before - num_images
    return sample, buffers[num_images:]


_MAX_CLASS_NAME = 200
_NAME = check.text(1000)
_NAMES = check.array(_NAME, 100_000)


class ClassOperations:
    """Count and change classes; they are named, so that a list that is out of date changes no other class.

    Parameters
    ----------
    session : Session
        What the widget shows.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @operation("classes.count", lane="read", classes=check.array(CLASS, 100_000))
    def count(self, _call: Call, *, classes: list[int]) -> dict[str, Any]:
        """Return how many labels some classes have, and in how many samples, of the whole dataset."""
        run = self._session.run
        objects, samples = touched(run.table, run.labels, classes) if run.labels else (0, 0)
        return {"objects": objects, "samples": samples}

    @operation("edit.new_class", name=_NAME)
    def add(self, _call: Call, *, name: str) -> Reply:
        """Add a class without labels."""
        return self._changed(lambda tensor, table: AddClass(tensor=tensor, added=_new_name(name, tensor, table)))

    @operation("classes.rename", old=_NAME, new=_NAME)
    def rename(self, _call: Call, *, old: str, new: str) -> Reply:
        """Give a class another name."""

        def make(tensor: str, table: OverlayTable) -> Step:
            _check_known([old], tensor, table)
            return RenameClass(tensor=tensor, old=old, new=_new_name(new, tensor, table))

        return self._changed(make)

    @operation("classes.merge", names=_NAMES, into=_NAME)
    def merge(self, _call: Call, *, names: list[str], into: str) -> Reply:
        """Merge classes into one of the dataset."""

        def make(tensor: str, table: OverlayTable) -> Step:
            _check_known([*names, into], tensor, table)
            if not set(names) - {into}:
                raise SampleError(f"there is nothing to merge into {into!r}. Expected another class")
            return MergeClasses(tensor=tensor, names=tuple(dict.fromkeys([*names, into])), into=into)

        return self._changed(make)

    @operation("classes.remove", names=_NAMES)
    def remove(self, _call: Call, *, names: list[str]) -> Reply:
        """Remove classes that no label has."""

        def make(tensor: str, table: OverlayTable) -> Step:
            _check_known(names, tensor, table)
            if not names:
                raise SampleError("no class was given to delete")
            return RemoveClasses(tensor=tensor, names=tuple(dict.fromkeys(names)))

        return self._changed(make)

    @operation("classes.recolor", name=_NAME, color=check.maybe(check.text(7, pattern="#[0-9a-fA-F]{6}")))
    def recolor(self, _call: Call, *, name: str, color: str | None) -> Reply:
        """Give a class a color of its own, or its usual one again."""

        def make(tensor: str, table: OverlayTable) -> Step:
            _check_known([name], tensor, table)
            before = class_colors_of(table, tensor).get(name)
            after = None if color is None else color.lower()
            return ColorClass(tensor=tensor, class_name=name, before=before, after=after)

        return self._changed(make)

    def _changed(self, make: Callable[[str, OverlayTable], Step]) -> Reply:
        self._session.follow(store=True)
        return edit_reply(self._session, Editor(self._session).change_classes(make))


def _new_name(name: str, tensor: str, table: OverlayTable) -> str:
    wanted = name.strip()
    if not wanted or len(wanted) > _MAX_CLASS_NAME:
        raise SampleError(f"class name {name[:40]!r} is empty or longer than {_MAX_CLASS_NAME} characters")
    known = table.tensors[tensor].class_names
    if wanted in known:
        raise SampleError(f"class {wanted!r} already exists in {tensor!r}")
    return wanted


def _check_known(names: list[str], tensor: str, table: OverlayTable) -> None:
    known = table.tensors[tensor].class_names
    for name in names:
        if name not in known:
            raise UnknownClassError(name, known, tensor=tensor)
