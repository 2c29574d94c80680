"""Conflicts of the objects of a sample, with the values that each side gave them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from penstock.dataset.objects._joining import Clash
from penstock.dataset.objects._objects import Objects
from penstock.dataset.writing._conflicts import Conflict
from penstock.tensors import TensorSpec, decimals

__all__ = ["State", "object_conflicts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The objects of a sample in one state, and the tensors that name their classes.

    Parameters
    ----------
    objects : Objects or None
        None where it is not known what the objects are, as tensors differ in length.
    specs : mapping of str to TensorSpec
        Tensors of that state.
    """

    objects: Objects | None
    specs: Mapping[str, TensorSpec]

    def shown(self, tensor: str, place: int | None) -> Any:
        """Return an entry as a person would write it; None where there is none."""
        if place is None or self.objects is None or tensor not in self.objects.entries:
            return None
        return _shown(self.specs[tensor], self.objects.entries[tensor][place])

    def shown_all(self, tensor: str) -> list[Any] | None:
        """Return the entries of all objects as a person would write them."""
        if self.objects is None or tensor not in self.objects.entries:
            return None
        return [self.shown(tensor, place) for place in range(self.objects.count)]

    def id_of(self, place: int | None) -> Any:
        """Return the id of an object; None where it has none."""
        return None if place is None or self.objects is None else self.objects.shown_id(place)


def _shown(spec: TensorSpec, entry: Any) -> Any:
    if spec.htype == "json":
        return entry
    if spec.htype == "class_label":
        known = 0 <= int(entry) < len(spec.class_names)
        return spec.class_names[int(entry)] if known else int(entry)
    array = np.asarray(entry)
    if array.dtype == np.float32:
        array = decimals(array.reshape(-1)).reshape(array.shape)
    return array.tolist()


def object_conflicts(
    clashes: Sequence[Clash], uid: int, row: int, names: Sequence[str], states: tuple[State, State, State]
) -> list[Conflict]:
    """Return clashes in a sample as conflicts.

    Parameters
    ----------
    clashes : sequence of Clash
        What both sides set.
    uid, row : int
        The sample.
    names : sequence of str
        Tensors of the group; the first stands for the objects as a whole.
    states : tuple of State
        The common state, ours, theirs.
    """
    base, ours, theirs = states
    found = []
    for clash in clashes:
        if clash.tensor is None:
            values = {"ours": ours.shown_all(names[0]), "theirs": theirs.shown_all(names[0])}
            was = base.shown_all(names[0])
        else:
            values = {
                "ours": ours.shown(clash.tensor, clash.ours),
                "theirs": theirs.shown(clash.tensor, clash.theirs),
            }
            was = base.shown(clash.tensor, clash.base)
        found.append(
            Conflict(
                uid=uid,
                tensor=clash.tensor or names[0],
                reason=clash.reason,
                row=row,
                base=was,
                object=clash.ours,
                object_there=clash.theirs,
                annotation_id=base.id_of(clash.base),
                **values,
            )
        )
    return found
