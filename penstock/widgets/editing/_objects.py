"""Objects of a sample: one entry in each of several tensors, kept, made and removed together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SampleError
from penstock.table import OverlayTable
from penstock.tensors import TensorSpec, boxes_xywh, first_tensor, group_of
from penstock.widgets.editing._sample import values_at

__all__ = [
    "ObjectGroup",
    "blank_shape",
    "count_of",
    "length_of",
    "matched",
    "object_group",
    "pixel_boxes",
    "rebuilt",
    "state_of",
    "with_areas",
]

_PAIRED_SHARE = 0.9  # of the samples that have any: labels belong to boxes, though a few samples were left unequal
_AREA = "area"
_SCORE = "score"  # what was drawn has none
_NEW = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectGroup:
    """Tensors that describe the same objects.

    Parameters
    ----------
    names : tuple of str
        Every tensor of the group.
    boxes : str, optional
        Its box tensor.
    labels : str, optional
        The class label tensor on show, where it belongs to the group.
    """

    names: tuple[str, ...]
    boxes: str | None
    labels: str | None

    @property
    def others(self) -> tuple[str, ...]:
        """Tensors beside the boxes and labels on show."""
        return tuple(name for name in self.names if name not in {self.boxes, self.labels})

    @property
    def paired(self) -> bool:
        """Whether each label on show has a box."""
        return self.boxes is not None and self.labels is not None


def object_group(table: OverlayTable, labels: str | None) -> ObjectGroup | None:
    """Return the group of the boxes on show, or of the labels; None where tensors stand alone.

    Datasets that declare no groups have one where counts agree: class labels as many as boxes nearly everywhere,
    other tensors everywhere.
    """
    boxes = first_tensor(table.tensors, "bbox")
    first = boxes or labels
    if first is None:
        return None
    names = group_of(table.tensors, first) or _agreeing(table, first)
    if len(names) <= 1:
        return None
    return ObjectGroup(names=names, boxes=boxes, labels=labels if labels in names else None)


def _agreeing(table: OverlayTable, first: str) -> tuple[str, ...]:
    if table.tensors[first].htype != "bbox" or not table.num_rows:
        return ()
    wanted = _counts(table, first)
    return (first, *(name for name in table.tensors if name != first and _agrees(table, name, wanted)))


def _agrees(table: OverlayTable, name: str, wanted: NDArray[np.int64]) -> bool:
    spec = table.tensors[name]
    if spec.aligned_with is not None:
        return False
    if spec.htype == "class_label":
        counts = _counts(table, name)
        some = (counts > 0) | (wanted > 0)
        return bool(some.any()) and float((counts == wanted)[some].mean()) >= _PAIRED_SHARE
    if spec.htype != "generic" or not spec.ndim or wanted.max() <= 1 or wanted.min() == wanted.max():
        return False
    return bool((_counts(table, name) == wanted).all())


def _counts(table: OverlayTable, name: str) -> NDArray[np.int64]:
    """Return the number of objects in each stored sample; edits that are not committed say nothing of the tensors."""
    column = table.stored.column(name)
    if table.tensors[name].htype == "bbox":
        return column.lengths // 4
    if column.shapes is None or column.shapes.shape[1] == 0:
        return column.lengths
    counts: NDArray[np.int64] = column.shapes[:, 0]
    return counts


def count_of(spec: TensorSpec, value: Any) -> int:
    """Return the number of objects in a sample of a tensor; -1 where it holds no list."""
    if value is None:
        return 0
    if spec.htype == "bbox":
        return int(np.asarray(value).size // 4)
    if spec.htype == "json":
        return len(value) if isinstance(value, list) else -1
    return len(value) if np.ndim(value) else -1


def length_of(tensors: Mapping[str, TensorSpec], values: Mapping[str, Any]) -> int | None:
    """Return how many objects all tensors of a group hold; None where they differ."""
    counts = {count_of(tensors[name], value) for name, value in values.items()}
    return counts.pop() if len(counts) == 1 and -1 not in counts else None


_Annotations = tuple[NDArray[np.int64], NDArray[np.float64] | None]


def matched(before: _Annotations, after: _Annotations) -> list[int]:
    """Return for each object after an edit which one it was, -1 for a new one: by what is equal, if nobody said."""
    (old_labels, old_boxes), (labels, boxes) = before, after
    if len(labels) == len(old_labels):
        return list(range(len(labels)))
    left = list(range(len(old_labels)))
    sources = []
    for i, label in enumerate(labels):
        same = (
            j
            for j in left
            if old_labels[j] == label
            and (old_boxes is None or boxes is None or np.allclose(old_boxes[j], boxes[i], atol=1e-3))
        )
        found = next(same, _NEW)
        sources.append(found)
        if found != _NEW:
            left.remove(found)
    return sources


def rebuilt(spec: TensorSpec, before: Any, sources: Sequence[int], blank: tuple[int, ...]) -> Any:
    """Return a sample of a tensor with its objects taken from `sources`; new ones are 0 or None, and have no score.

    Parameters
    ----------
    spec : TensorSpec
        The tensor.
    before : ndarray or list or None
        The sample as it is.
    sources : sequence of int
        For each object that shall be, its place in `before`, -1 for a new one.
    blank : tuple of int
        Shape of one object, where `before` has none to take it from.
    """
    if spec.htype == "json":
        return [None if source == _NEW else before[source] for source in sources]
    known = np.zeros((0, *blank), spec.dtype) if before is None else np.asarray(before)
    known = known.reshape(-1, 4) if spec.htype == "bbox" else known
    shape = known.shape[1:] if len(known) else blank
    if spec.htype == "class_label" and _NEW in sources and not spec.class_names:
        raise SampleError(f"a new object has no class in {spec.name!r}, which has no classes. Expected one at least")
    made = np.full(
        (len(sources), *shape), np.nan if spec.name == _SCORE and known.dtype.kind == "f" else 0, known.dtype
    )
    for place, source in enumerate(sources):
        if source != _NEW:
            made[place] = known[source]
    return made


def blank_shape(table: OverlayTable, name: str) -> tuple[int, ...]:
    """Return the shape of one object of a tensor, read off the first sample that has one."""
    spec = table.tensors[name]
    if spec.htype == "bbox":
        return (4,)
    if spec.htype != "generic":
        return ()
    shapes = table.column(name).shapes
    if shapes is None or shapes.shape[1] <= 1:
        return ()
    filled = shapes[shapes[:, 0] > 0]
    return tuple(int(side) for side in (filled if len(filled) else shapes)[0][1:])


def with_areas(
    name: str, value: Any, boxes: NDArray[np.float64], fresh: NDArray[np.bool_], outlined: Mapping[int, float]
) -> Any:
    """Return the sample with areas computed again, where the tensor is that of areas.

    Parameters
    ----------
    name : str
        The tensor.
    value : ndarray
        The sample.
    boxes : ndarray, shape (num_objects, 4)
        Boxes as x, y, width, height.
    fresh : ndarray of bool, shape (num_objects,)
        Objects that get the area of their box.
    outlined : mapping of int to float
        Areas of the objects whose outline was edited.
    """
    if name.rsplit("/", 1)[-1] != _AREA or not isinstance(value, np.ndarray) or value.ndim != 1:
        return value
    value = value.copy()
    value[fresh] = (boxes[:, 2] * boxes[:, 3])[fresh].astype(value.dtype)
    for place, area in outlined.items():
        value[place] = area
    return value


def state_of(table: OverlayTable, row: int, labels: str | None) -> str:
    """Return a short text that differs when labels, boxes or what belongs to them differ."""
    boxes = first_tensor(table.tensors, "bbox")
    group = object_group(table, labels)
    names = dict.fromkeys([*([labels] if labels else []), *([boxes] if boxes else []), *(group.names if group else ())])
    digest = hashlib.blake2b(digest_size=8)
    for name in names:
        value = values_at(table, name, np.array([row], np.int64))[0]
        said = value.tobytes() if isinstance(value, np.ndarray) else json.dumps(value, sort_keys=True).encode()
        digest.update(name.encode() + b"\0" + said + b"\0")
    return digest.hexdigest()


def pixel_boxes(table: OverlayTable, name: str, value: Any) -> NDArray[np.float64]:
    """Return a sample's boxes as the browser has them: x, y, width, height in pixels; 0 where not finite."""
    shown = boxes_xywh(np.asarray(value), table.tensors[name].coords)
    return np.where(np.isfinite(shown), shown, 0.0)
