"""Edits of a dataset: samples assigned in the draft, and classes changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.opened import _class_changes as classes
from penstock.dataset.opened._opened import OpenDataset
from penstock.dataset.writing import _head as head
from penstock.dataset.writing._groups import check_lists
from penstock.errors import DatasetError, SampleError, TensorNotFoundError
from penstock.table import Draft
from penstock.tensors import Cell, TensorSpec, encode_sample, group_of, same_type, with_type

__all__ = ["Editor"]


class Editor:
    """The editor of the samples and classes of an open dataset.

    Parameters
    ----------
    opened : OpenDataset
        The dataset.
    """

    def __init__(self, opened: OpenDataset) -> None:
        self._opened = opened

    # ---- samples -------------------------------------------------------------------------

    def assign(self, name: str, positions: NDArray[np.int64], values: Sequence[Any]) -> None:
        """Replace samples of a tensor in the draft.

        Parameters
        ----------
        name : str
            The tensor.
        positions : ndarray of int64
            The samples.
        values : sequence
            As many new values.

        Raises
        ------
        SampleError
            If a value does not fit, or their numbers differ; nothing is changed then.
        """
        opened = self._opened
        with opened.lock, opened.editing(adds=True):
            opened.check_writable()
            opened.flush()
            working, spec = opened.working, self._spec(name)
            if len(values) != len(positions):
                raise SampleError(
                    f"there are {len(values)} values for {len(positions)} samples of {name!r}. Expected equal numbers"
                )
            if group_of(working.specs, name):
                check_lists(spec, values)
            spec, cells = self._typed_cells(spec, values)
            if not spec.is_typed:
                return  # None in a tensor that never had a value: it is empty already
            if spec.link:
                cells = head.checked_edit_links(working, spec, cells, opened.max_image_bytes)
            uids = working.table.uids(positions)
            edits = Draft().with_edits(name, dict(zip(uids.tolist(), cells, strict=True)))
            if not opened.is_grouping:
                working.save(edits)  # first: what cannot be kept is not shown either
            working.edit(edits)
            if opened.is_grouping:
                opened.hold(edits)

    def _typed_cells(self, spec: TensorSpec, values: Sequence[Any]) -> tuple[TensorSpec, list[Cell]]:
        """Return the checked values, and the spec; the first value of a tensor fixes its type, kept at once."""
        opened = self._opened
        typed = with_type(spec, values)
        cells = [encode_sample(typed, value, max_bytes=opened.max_image_bytes) for value in values]
        if same_type(typed, spec):
            return spec, cells
        head.fix_type(opened.working, typed)
        opened.renew_buffer()
        fixed = opened.working.specs[spec.name]
        if same_type(typed, fixed):
            return fixed, cells
        return fixed, [encode_sample(fixed, value) for value in values]

    def _spec(self, name: str) -> TensorSpec:
        """Return the spec of a tensor; everything that was appended is written."""
        specs = self._opened.working.table.tensors
        if name not in specs:
            raise TensorNotFoundError(name, list(specs))
        return specs[name]

    @property
    def count(self) -> int:
        """Number of samples edited and not committed, counted once for each tensor."""
        return len(self._opened.working.draft)

    def discard(self, name: str | None, rows: NDArray[np.int64] | None) -> None:
        """Drop edits that are not committed: of a tensor, of some samples, or all."""
        opened = self._opened
        with opened.lock, opened.editing() as hidden:
            opened.check_writable()
            opened.settle()
            if hidden:
                opened.refuse_others_edits()
            opened.working.drop_edits(name, rows)

    # ---- classes -------------------------------------------------------------------------

    def change_classes(self, name: str, action: str, *names: str) -> int:
        """Add a class name, or rename one; kept at once. Returns the index of the class."""
        opened = self._opened
        with opened.lock:
            opened.check_writable()
            opened.settle()
            index = head.change_classes(opened.working, self._spec(name), action, names)
            opened.renew_buffer()
            return index

    def merge_classes(self, name: str, names: Sequence[str], into: str) -> None:
        """Merge several classes into `into`; the other names are removed.

        Parameters
        ----------
        name : str
            A class label tensor.
        names : sequence of str
            Classes that are merged.
        into : str
            The class they become: one that is there, or a new name.

        Raises
        ------
        UnknownClassError
            If there is no class of one of `names`.
        DatasetError
            If the tensor is no class label, or `into` is no name.
        """
        opened = self._opened
        with opened.lock, opened.editing():
            opened.check_writable()
            opened.settle()
            spec = self._spec(name)
            if spec.htype != "class_label" or isinstance(names, str) or not names:
                raise DatasetError(
                    f"cannot merge classes {names!r} of {name!r} ({spec.shown_htype}). Expected a list of class names"
                )
            head.merge_classes(opened.working, opened.working.specs[name], names, into)
            opened.renew_buffer()

    def class_state(self, name: str, names: Sequence[str]) -> classes.ClassState:
        """Return the classes of a tensor and the labels that have some of them, for `restore_classes`."""
        opened = self._opened
        with opened.lock:
            opened.settle()
            return classes.class_state(opened.working, self._class_label(name), names)

    def restore_classes(self, name: str, state: classes.ClassState) -> None:
        """Bring classes back that were merged or removed since, with the labels that had them."""
        self._in_classes(
            name, lambda spec: classes.restore_classes(self._opened.working, spec, state), adds=bool(state.edited)
        )

    def remove_classes(self, name: str, names: Sequence[str]) -> None:
        """Remove classes that no label has; kept at once."""
        self._in_classes(name, lambda spec: classes.remove_classes(self._opened.working, spec, names))

    def set_class_color(self, name: str, class_name: str, color: str | None) -> None:
        """Give a class a color of its own, or take it away; kept at once."""
        self._in_classes(name, lambda spec: classes.set_class_color(self._opened.working, spec, class_name, color))

    def _in_classes(self, name: str, change: Callable[[TensorSpec], None], *, adds: bool = False) -> None:
        opened = self._opened
        with opened.lock, opened.editing(adds=adds):
            opened.check_writable()
            opened.settle()
            change(self._class_label(name))
            opened.renew_buffer()

    def _class_label(self, name: str) -> TensorSpec:
        spec = self._spec(name)
        if spec.htype != "class_label":
            raise DatasetError(
                f"{name!r} has htype {spec.shown_htype}, so it has no classes. Expected a class_label tensor"
            )
        return self._opened.working.specs[name]
