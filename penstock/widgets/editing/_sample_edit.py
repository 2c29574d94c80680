"""One sample's labels and boxes given anew: whole objects follow in every tensor of their group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SampleError, UnknownClassError
from penstock.table import OverlayTable
from penstock.tensors import first_tensor
from penstock.widgets.editing._edits import Change, Edit, equal, keys_of
from penstock.widgets.editing._objects import (
    ObjectGroup,
    blank_shape,
    length_of,
    matched,
    object_group,
    pixel_boxes,
    rebuilt,
    with_areas,
)
from penstock.widgets.editing._sample import values_at
from penstock.widgets.editing._shapes import (
    EditedShape,
    enclosing,
    moved_whole,
    polygon_area,
    shape_tensors,
    words_of,
)

__all__ = ["SampleEdit", "check_classes", "edit_of"]

_BOX_ROUNDING = 1e-3  # pixels; tiles carry three decimals
_SIZE_ROUNDING = 0.011  # the browser sends two decimals
_NEW = -1
_Boxes = NDArray[np.float64] | None


class SampleEdit:
    """Makes the edit of one sample.

    Parameters
    ----------
    table : OverlayTable
        The dataset as it is.
    row : int
        The sample.
    labels : str
        The class label tensor on show.
    """

    def __init__(self, table: OverlayTable, row: int, labels: str) -> None:
        self._table, self._row, self._labels = table, row, labels
        self._uid = int(table.uids(np.array([row], np.int64))[0])
        self._boxes = first_tensor(table.tensors, "bbox")
        self._group = object_group(table, labels)
        names = self._group.names if self._group else ()
        self._values = {name: self._value(name) for name in dict.fromkeys((*names, labels))}

    def edit(
        self,
        labels: Sequence[int],
        boxes: Sequence[float] | None,
        sources: Sequence[int] | None,
        shapes: Sequence[EditedShape] = (),
    ) -> Edit:
        """Return the edit that gives the sample these labels, boxes as x, y, width, height, flat, and edited shapes."""
        check_classes(labels, self._table.tensors[self._labels].class_names, self._labels)
        wanted, sent = np.array(labels, np.int64), self._checked_boxes(boxes)
        group = self._whole_group()
        if group is None:
            if shapes:
                raise SampleError(
                    f"the shapes of sample {self._row} belong to no objects. Expected tensors aligned with the boxes",
                    hint="declare it with ds.align first",
                )
            return self._named({self._labels: wanted, **self._loose_boxes(sent)})
        return self._named(self._objects(group, wanted, sent, sources, shapes), shapes, sources)

    def _whole_group(self) -> ObjectGroup | None:
        """Return the group, where its tensors agree in this sample: else labels and boxes are corrected one by one."""
        group = self._group
        if group is None:
            return None
        values = {name: self._values[name] for name in group.names}
        return group if length_of(self._table.tensors, values) is not None else None

    def _value(self, name: str) -> Any:
        return values_at(self._table, name, np.array([self._row], np.int64))[0]

    def _checked_boxes(self, boxes: Sequence[float] | None) -> _Boxes:
        if boxes is None:
            return None
        if self._boxes is None:
            raise SampleError("the dataset has no bbox tensor; create one with ds.create_tensor first")
        values = np.array(boxes, np.float64)
        if values.size % 4 or not np.isfinite(values).all() or (values.reshape(-1, 4)[:, 2:] < 0).any():
            raise SampleError(
                f"boxes must be x, y, width, height with width and height >= 0, got {values.size} numbers"
            )
        return values.reshape(-1, 4)

    def _objects(
        self,
        group: ObjectGroup,
        labels: NDArray[np.int64],
        boxes: _Boxes,
        sources: Sequence[int] | None,
        shapes: Sequence[EditedShape],
    ) -> dict[str, Any]:
        before = np.asarray(self._values[self._labels], np.int64).reshape(-1)
        shown = pixel_boxes(self._table, group.boxes, self._values[group.boxes]) if group.boxes else None
        if group.paired:
            self._check_pairs(len(labels), shown if boxes is None else boxes)
        sent = shown if boxes is None else boxes
        by_boxes = group.labels is None
        count = len(sent if by_boxes and sent is not None else labels)
        if sources is None:
            now = np.zeros(count, np.int64) if by_boxes else labels
            old = np.zeros(0 if shown is None else len(shown), np.int64) if by_boxes else before
            sources = matched((old, shown), (now, sent))
        self._check_sources(sources, count, len(shown) if shown is not None else len(before))
        after: dict[str, Any] = {self._labels: labels}
        for name in group.others:
            after[name] = rebuilt(
                self._table.tensors[name], self._values[name], sources, blank_shape(self._table, name)
            )
        outlined = self._with_shapes(group, after, shapes)
        if group.boxes is None or shown is None or sent is None:
            return after
        for place, polygons in outlined.items():
            sent[place] = enclosing(polygons)
        after[group.boxes], _ = self._boxes_of(group.boxes, sources, shown, sent)
        resized = _resized(sources, shown, sent)
        resized[list(outlined)] = False
        areas = {place: polygon_area(polygons) for place, polygons in outlined.items()}
        for name in group.others:
            after[name] = with_areas(name, after[name], sent, resized, areas)
        return after

    def _with_shapes(
        self, group: ObjectGroup, after: dict[str, Any], shapes: Sequence[EditedShape]
    ) -> dict[int, list[list[Any]]]:
        """Put edited shapes into `after`; return the outlines that changed otherwise than by moving whole."""
        tensors = shape_tensors(self._table.tensors, group.others)
        outlined: dict[int, list[list[Any]]] = {}
        for shape in shapes:
            for name, sent in ((tensors.segmentation, shape.polygons), (tensors.keypoints, shape.keypoints)):
                if sent is None:
                    continue
                if name is None or shape.place >= len(after[name]):
                    raise SampleError(
                        f"object {shape.place} of sample {self._row} has no outline or keypoints to edit. "
                        "Expected a json tensor 'segmentation' or 'keypoints' that is aligned with the boxes"
                    )
                before = after[name][shape.place]
                whole = name == tensors.segmentation and moved_whole(before, shape.polygons or [])
                made = shape.outline(before) if name == tensors.segmentation else shape.points(before)
                after[name][shape.place] = made
                if name == tensors.segmentation and not whole:
                    outlined[shape.place] = made
        return outlined

    def _check_pairs(self, num_labels: int, boxes: _Boxes) -> None:
        num_boxes = 0 if boxes is None else len(boxes)
        if num_labels != num_boxes:
            raise SampleError(
                f"{num_labels} labels and {num_boxes} boxes of sample {self._row}. Expected one label for each box",
                hint="draw a box for a new label; removing a label removes its box",
            )

    def _check_sources(self, sources: Sequence[int], count: int, num_before: int) -> None:
        kept = [source for source in sources if source != _NEW]
        wrong = [source for source in kept if not 0 <= source < num_before]
        if len(sources) != count or wrong or len(set(kept)) < len(kept):
            raise SampleError(
                f"sources {list(sources)[:20]} of {count} objects. Expected the place of each among the {num_before} "
                f"objects of sample {self._row}, none twice, or -1 for a new one"
            )

    def _boxes_of(
        self, tensor: str, sources: Sequence[int], shown: NDArray[np.float64], sent: NDArray[np.float64]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return boxes as stored, bit for bit where the browser sent back what it was shown, and which are new."""
        before = np.asarray(self._values[tensor], np.float32).reshape(-1, 4)
        stored = self._as_stored(tensor, sent)
        fresh = np.ones(len(sent), bool)
        for place, source in enumerate(sources):
            if source != _NEW and (np.abs(shown[source] - sent[place]) <= _BOX_ROUNDING).all():
                stored[place], fresh[place] = before[source], False
        return stored, fresh

    def _loose_boxes(self, sent: _Boxes) -> dict[str, Any]:
        """Return boxes that belong to no object as the tensors stand."""
        if sent is None or self._boxes is None:
            return {}
        self._values.setdefault(self._boxes, self._value(self._boxes))
        shown = pixel_boxes(self._table, self._boxes, self._values[self._boxes])
        sources = list(range(len(sent))) if len(sent) == len(shown) else [_NEW] * len(sent)
        return {self._boxes: self._boxes_of(self._boxes, sources, shown, sent)[0]}

    def _as_stored(self, tensor: str, sent: NDArray[np.float64]) -> NDArray[np.float32]:
        meant = sent.copy()
        if self._table.tensors[tensor].coords == "xyxy":
            meant[:, 2:] += meant[:, :2]
        return meant.astype(np.float32)

    def _named(
        self, after: dict[str, Any], shapes: Sequence[EditedShape] = (), sources: Sequence[int] | None = None
    ) -> Edit:
        before = {name: self._values[name] for name in after}
        changes = [
            Change(uid=self._uid, tensor=name, before=before[name], after=after[name])
            for name in after
            if not equal(before[name], after[name])
        ]
        names = self._table.tensors[self._labels].class_names
        old, new = list(before[self._labels]), list(after[self._labels])
        moved = any(change.tensor == self._boxes for change in changes)
        reshaped = self._reshaped(after, shapes, sources) if sorted(old) == sorted(new) else None
        done = reshaped or _named(old, new, names, self._row, moved=moved)
        return edit_of(self._table, done, changes)

    def _reshaped(
        self, after: dict[str, Any], shapes: Sequence[EditedShape], sources: Sequence[int] | None
    ) -> str | None:
        """Return what was done to the first shape that was edited, in words."""
        tensors = shape_tensors(self._table.tensors, self._group.others if self._group else ())
        named = [name for name in (tensors.segmentation, tensors.keypoints) if name is not None]
        for shape in shapes:
            source = shape.place if sources is None else sources[shape.place]
            if source == _NEW:
                continue
            before = {name: self._values[name][source] for name in named}
            done = words_of(tensors, before, {name: after[name][shape.place] for name in named})
            if done is not None:
                names, labels = self._table.tensors[self._labels].class_names, after[self._labels]
                what = _words([int(labels[shape.place])], names) if len(labels) > shape.place else "a box"
                return f"{done} {what} in sample {self._row:,}"
        return None


def _resized(sources: Sequence[int], shown: NDArray[np.float64], sent: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which boxes are new or of another size; a box that only moved keeps its area."""
    resized = np.ones(len(sent), bool)
    for place, source in enumerate(sources):
        if source != _NEW:
            resized[place] = (np.abs(shown[source] - sent[place])[2:] > _SIZE_ROUNDING).any()
    return resized


def edit_of(table: OverlayTable, name: str, changes: Sequence[Change]) -> Edit:
    """Return an edit with the classes it was made for."""
    classes = {change.tensor: keys_of(table, change.tensor) for change in changes}
    return Edit(name=name, changes=tuple(changes), classes={key: names for key, names in classes.items() if names})


def check_classes(labels: Sequence[int], names: Sequence[str], tensor: str) -> None:
    """Refuse what is not a class."""
    for label in labels:
        if not 0 <= label < len(names):
            raise UnknownClassError(str(label), names, tensor=tensor)


def _named(before: list[Any], after: list[Any], names: Sequence[str], row: int, *, moved: bool) -> str:
    added, removed = _surplus(after, before), _surplus(before, after)
    if added and removed:
        return f"{_words(removed, names)} → {_words(added, names)} in sample {row:,}"
    if added:
        return f"added {_words(added, names)} to sample {row:,}"
    if removed:
        return f"removed {_words(removed, names)} from sample {row:,}"
    return f"moved a box of sample {row:,}" if moved else f"reordered the labels of sample {row:,}"


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
    return ", ".join(names[label] if label < len(names) else str(label) for label in labels)
