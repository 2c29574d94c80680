"""Operations on the classes: how many objects each has, and what changes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from penstock.errors import SampleError, UnknownClassError
from penstock.table import OverlayTable, class_colors_of
from penstock.widgets.editing._class_steps import (
    AddClass,
    ColorClass,
    MergeClasses,
    RemoveClasses,
    RenameClass,
    touched,
)
from penstock.widgets.editing._edits import Step
from penstock.widgets.operations._arguments import CLASS
from penstock.widgets.operations._edit import edit_reply
from penstock.widgets.operations._editor import Editor
from penstock.widgets.requests import _checks as check
from penstock.widgets.requests._operation import Call, Reply, operation
from penstock.widgets.session._session import Session

__all__ = ["ClassOperations"]

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
