"""Changes to the classes of a label tensor that can be taken back: each one step in the dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.opened._class_changes import ClassState
from penstock.dataset.samples import content_of
from penstock.table import OverlayTable, class_colors_of, merged_into, new_index
from penstock.widgets.editing._edits import keys_of

if TYPE_CHECKING:
    from penstock.dataset import Dataset

__all__ = ["AddClass", "ColorClass", "MergeClasses", "RemoveClasses", "RenameClass", "in_words", "touched"]


def touched(table: OverlayTable, tensor: str, classes: Sequence[int]) -> tuple[int, int]:
    """Return how many labels some classes have, and in how many samples.

    Parameters
    ----------
    table : OverlayTable
        The dataset with its edits.
    tensor : str
        A class label tensor.
    classes : sequence of int
        Class indices.
    """
    column = table.column(tensor)
    hits = np.concatenate([[0], np.cumsum(np.isin(column.values, np.asarray(classes, np.int64)))])
    return int(hits[-1]), int((hits[column.offsets[1:]] > hits[column.offsets[:-1]]).sum())


def in_words(names: Sequence[str]) -> str:
    """Return names for a sentence, at most three.

    Examples
    --------
    >>> in_words(["cat"]), in_words(["cat", "dog"]), in_words(["a", "b", "c", "d"])
    ('cat', 'cat and dog', 'a, b and 2 more')
    """
    shown = list(names) if len(names) <= 3 else [*names[:2], f"{len(names) - 2:,} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _names(table: OverlayTable, tensor: str) -> tuple[str, ...]:
    spec = table.tensors.get(tensor)
    return () if spec is None else spec.class_names


@dataclass(frozen=True, slots=True, kw_only=True)
class AddClass:
    """A class without labels at the end of the list."""

    tensor: str
    added: str

    @property
    def name(self) -> str:
        """What was done."""
        return f"added the class {self.added}"

    def do(self, dataset: Dataset) -> None:
        """Add it."""
        dataset[self.tensor].add_class(self.added)

    def undo(self, dataset: Dataset) -> None:
        """Remove it."""
        dataset[self.tensor].remove_class(self.added)

    def is_done(self, table: OverlayTable) -> bool:
        """Return whether it is there and has no labels yet."""
        names = _names(table, self.tensor)
        return self.added in names and touched(table, self.tensor, [names.index(self.added)])[0] == 0

    def is_undone(self, table: OverlayTable) -> bool:
        """Return whether it is not there."""
        return self.tensor in table.tensors and self.added not in _names(table, self.tensor)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameClass:
    """Another name for a class; its labels stay."""

    tensor: str
    old: str
    new: str

    @property
    def name(self) -> str:
        """What was done."""
        return f"renamed {self.old} to {self.new}"

    def do(self, dataset: Dataset) -> None:
        """Rename it."""
        dataset[self.tensor].rename_class(self.old, self.new)

    def undo(self, dataset: Dataset) -> None:
        """Give it its old name again."""
        dataset[self.tensor].rename_class(self.new, self.old)

    def is_done(self, table: OverlayTable) -> bool:
        """Return whether it has the new name, and no other class the old one."""
        names = _names(table, self.tensor)
        return self.new in names and self.old not in names

    def is_undone(self, table: OverlayTable) -> bool:
        """Return whether it has the old name, and no other class the new one."""
        names = _names(table, self.tensor)
        return self.old in names and self.new not in names


@dataclass(frozen=True, slots=True, kw_only=True)
class ColorClass:
    """Another color for a class; None is the usual one."""

    tensor: str
    class_name: str
    before: str | None
    after: str | None

    @property
    def name(self) -> str:
        """What was done."""
        return f"recolored {self.class_name}" if self.after else f"{self.class_name} has its usual color again"

    def do(self, dataset: Dataset) -> None:
        """Color it."""
        dataset[self.tensor].set_class_color(self.class_name, self.after)

    def undo(self, dataset: Dataset) -> None:
        """Give it the color it had."""
        dataset[self.tensor].set_class_color(self.class_name, self.before)

    def is_done(self, table: OverlayTable) -> bool:
        """Return whether it has the new color."""
        return self._has(table, self.after)

    def is_undone(self, table: OverlayTable) -> bool:
        """Return whether it has the color it had."""
        return self._has(table, self.before)

    def _has(self, table: OverlayTable, color: str | None) -> bool:
        known = self.class_name in _names(table, self.tensor)
        return known and class_colors_of(table, self.tensor).get(self.class_name) == color


@dataclass(slots=True, kw_only=True)
class _Restorable:
    """What is taken back by bringing classes back as they were, with the labels that had them."""

    tensor: str
    names: tuple[str, ...]
    state: ClassState | None = field(default=None, init=False)

    def undo(self, dataset: Dataset) -> None:
        """Bring the classes back."""
        if self.state is not None:
            content_of(dataset).edits.restore_classes(self.tensor, self.state)

    def is_done(self, table: OverlayTable) -> bool:
        """Return whether the other classes are as they were left, and the labels too."""
        state = self.state
        if state is None or self.tensor not in table.tensors:
            return False
        now = keys_of(table, self.tensor)
        left = tuple(key for key, name in zip(state.keys, state.names, strict=True) if name not in self.gone)
        if now != left:
            return False
        index = new_index(state.keys, now, merged_into(table.stored.snapshot.meta, self.tensor))
        return index is None or _shows(table, self.tensor, {**state.stored, **state.edited}, index)

    def is_undone(self, table: OverlayTable) -> bool:
        """Return whether the classes are there."""
        return set(self.names) <= set(_names(table, self.tensor))

    @property
    def gone(self) -> tuple[str, ...]:
        """The classes that go."""
        return self.names


@dataclass(slots=True, kw_only=True)
class RemoveClasses(_Restorable):
    """Classes without labels, removed."""

    @property
    def name(self) -> str:
        """What was done."""
        return f"deleted the class{'es' if len(self.names) > 1 else ''} {in_words(self.names)}"

    def do(self, dataset: Dataset) -> None:
        """Remove them."""
        edits = content_of(dataset).edits
        self.state = edits.class_state(self.tensor, ())
        edits.remove_classes(self.tensor, self.names)


@dataclass(slots=True, kw_only=True)
class MergeClasses(_Restorable):
    """Classes that become one; their labels follow."""

    into: str

    @property
    def name(self) -> str:
        """What was done."""
        return f"merged {in_words(self.gone)} into {self.into}"

    @property
    def gone(self) -> tuple[str, ...]:
        """The classes that go."""
        return tuple(name for name in self.names if name != self.into)

    def do(self, dataset: Dataset) -> None:
        """Merge them."""
        edits = content_of(dataset).edits
        self.state = edits.class_state(self.tensor, self.names)
        edits.merge_classes(self.tensor, self.gone, self.into)


def _shows(table: OverlayTable, tensor: str, before: dict[int, NDArray[np.int64]], index: NDArray[np.int64]) -> bool:
    """Return whether a table shows some labels by their new indices."""
    uids = np.fromiter(before, np.int64, len(before))
    rows = table.positions(uids)
    if (rows < 0).any():
        return False
    column = table.column(tensor)
    return all(
        np.array_equal(column.row(row), index[labels])
        for row, labels in zip(rows.tolist(), before.values(), strict=True)
    )
