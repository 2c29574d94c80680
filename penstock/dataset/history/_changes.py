"""What differs between two states of a sample: field by field, and in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.history._states import SampleState
from penstock.dataset.shown._history import FieldChange
from penstock.dataset.shown._words import Annotations, Difference, value_words, words_of_difference
from penstock.dataset.writing._conflicts import same, shown_value
from penstock.table import class_aliases, class_keys, sample_of_cell
from penstock.tensors import Cell, TensorSpec, boxes_xywh, group_of

__all__ = ["differences_between", "same_state"]

_EMPTY = Cell(value=None)


def same_state(one: SampleState | None, other: SampleState | None) -> bool:
    """Return whether a sample is the same, or missing, in two states."""
    if one is None or other is None:
        return one is other
    return not _changed(one, other)


def differences_between(before: SampleState, after: SampleState) -> tuple[list[FieldChange], list[Difference]]:
    """Return the tensors whose values differ, and the differences in words."""
    changed = _changed(before, after)
    changes = [FieldChange(tensor=name, before=_shown(before, name), after=_shown(after, name)) for name in changed]
    return changes, _words(before, after, changed)


def _changed(before: SampleState, after: SampleState) -> list[str]:
    return [name for name in after.specs if not _same(before, after, name)]


def _same(before: SampleState, after: SampleState, name: str) -> bool:
    one, other = before.cells.get(name, _EMPTY), after.cells.get(name, _EMPTY)
    spec = after.specs[name]
    if spec.htype == "class_label":
        aliases = {**class_aliases(before.meta, name), **class_aliases(after.meta, name)}
        sides = [[aliases.get(key, key) for key in _keys(state, name)] for state in (before, after)]
        return sides[0] == sides[1]
    if one.digest is not None and other.digest is not None and not spec.link:
        return one.digest == other.digest
    return same(one, other)


def _keys(state: SampleState, name: str) -> list[str]:
    """Return the lasting keys of a sample's labels."""
    value = state.cells.get(name, _EMPTY).value
    if value is None or name not in state.specs:
        return []
    keys = class_keys(state.meta, name)
    return [keys[label] if 0 <= label < len(keys) else str(label) for label in np.asarray(value, np.int64).tolist()]


def _shown(state: SampleState, name: str) -> Any:
    spec = state.specs.get(name)
    if spec is None:
        return None
    cell = state.cells[name]
    if spec.htype == "image" and not spec.link and cell.value is None and cell.digest is not None:
        return f"{spec.htype} of shape {cell.shape}" if cell.shape else spec.htype
    return cell.value if spec.link else shown_value(spec, cell)


# ---- words -----------------------------------------------------------------------------------------


def _words(before: SampleState, after: SampleState, changed: Sequence[str]) -> list[Difference]:
    specs = {**before.specs, **after.specs}
    labels = [name for name, spec in specs.items() if spec.htype == "class_label"]
    words: list[Difference] = []
    told: set[str] = set()
    for name in labels:
        group = group_of(specs, name)
        box = next((each for each in group if specs[each].htype == "bbox"), None)
        if not {name, box} & set(changed):
            continue
        told |= {name, box} if box is not None else {name}
        found = _object_words(before, after, name, box)
        words += found if len(labels) == 1 else [{**part, "text": f"{name}: {part['text']}"} for part in found]
        if len(_keys(before, name)) != len(_keys(after, name)):
            told |= set(group)  # the other tensors follow the objects
    for name in changed:
        if name not in told and not (words and name.endswith("area") and len(group_of(specs, name)) > 1):
            words += _value_words(before, after, name, specs[name])
    return words


def _object_words(before: SampleState, after: SampleState, name: str, box: str | None) -> list[Difference]:
    names: dict[str, str] = {}
    for state in (before, after):
        if name in state.specs:
            names.update(zip(class_keys(state.meta, name), state.specs[name].class_names, strict=False))
    places = {key: place for place, key in enumerate(names)}
    sides = []
    for state in (before, after):
        keys = _keys(state, name)
        for key in keys:
            places.setdefault(key, len(places))
            names.setdefault(key, key)
        sides.append(Annotations(labels=[places[key] for key in keys], boxes=_boxes(state, box)))
    return words_of_difference(sides[0], sides[1], list(names.values()), paired=box is not None)


def _value_words(before: SampleState, after: SampleState, name: str, spec: TensorSpec) -> list[Difference]:
    if spec.htype == "image":
        return [{"sign": "", "text": "image replaced"}]
    if spec.is_encoded:
        return [{"sign": "", "text": f"{name} changed"}]
    if spec.htype == "bbox":
        sides = [Annotations(labels=[], boxes=_boxes(state, name)) for state in (before, after)]
        found = words_of_difference(sides[0], sides[1], [], paired=False)
        return found or [{"sign": "", "text": f"{name} changed"}]
    one, other = (_sample(state, name) for state in (before, after))
    return value_words(name, spec.htype, one, other) or [{"sign": "", "text": f"{name} changed"}]


def _boxes(state: SampleState, name: str | None) -> NDArray[np.float64]:
    """Return boxes as x, y, width, height."""
    if name is None or name not in state.specs:
        return np.empty((0, 4))
    value = state.cells[name].value
    return boxes_xywh(np.asarray([] if value is None else value).reshape(-1, 4), state.specs[name].coords)


def _sample(state: SampleState, name: str) -> Any:
    return sample_of_cell(state.specs[name], state.cells[name]) if name in state.specs else None
