"""Shapes of samples read from a table: polygons, run-length encodings, keypoints and masks, in one form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset import Dataset
from penstock.errors import PenstockError
from penstock.table import Table
from penstock.tensors import TensorSpec, first_tensor, group_of
from penstock.widgets.editing._shapes import shape_tensors
from penstock.widgets.shapes._outlines import polygon_ring, rings_of_mask, rings_of_polygons, rle_mask, shrunk

__all__ = ["ShapeSource", "Sides", "mask_names"]

POLYGON, KEYPOINTS, OUTLINE, MASK = range(4)
_NO_OBJECT = -1
_STEPS = 2  # in a pixel of a thumbnail
_TRACED = 1024  # longest side at which the masks of one sample are traced
_MOST_VALUES = 256  # of a mask
_BACKGROUND, _VOID = 0, 255
_VOC = (
    "background",
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
)

Sides = tuple[int, int]
_Record = tuple[int, int, int, NDArray[Any]]


class ShapeSource:
    """The tensors of a table that hold shapes."""

    def __init__(self, table: Table, labels: str | None, mask_names: Sequence[str]) -> None:
        tensors = table.tensors
        self._table, self._labels, self._mask_names = table, labels, mask_names
        boxes = first_tensor(tensors, "bbox")
        group = group_of(tensors, boxes) if boxes is not None else ()
        self._shapes = shape_tensors(tensors, group or tensors)
        self._masks = [spec for spec in tensors.values() if spec.htype in {"binary_mask", "segment_mask"}]
        objects = [name for name in (self._shapes.segmentation, self._shapes.keypoints) if name is not None]
        self._objects = objects
        self.names = [*objects, *(spec.name for spec in self._masks)]

    def revision(self) -> tuple[Any, ...]:
        """Return a key that changes whenever a value does, or the classes that masks are colored by."""
        of = [*self.names, *([self._labels] if self._masks and self._labels else [])]
        return (tuple(of), *(self._table.revision(name) for name in of), self._class_names() if self._masks else ())

    def _class_names(self) -> tuple[str, ...]:
        return self._table.tensors[self._labels].class_names if self._labels is not None else ()

    def drawn(
        self, rows: NDArray[np.int64], sides: Sequence[Sides], size: int | None
    ) -> Iterator[tuple[bytes, str | None]]:
        columns = self._columns(rows)
        for i, (width, height) in enumerate(sides):
            if min(width, height) <= 0:
                yield b"", None
                continue
            sample = {name: values[i] for name, values in columns.items()}
            longest = max(width, height)
            steps = 1.0 if size is None else _STEPS * size / longest
            notes: dict[str, int] = {}
            records = list(self._records(sample, (width, height), size, steps, notes, int(rows[i])))
            yield _packed(longest * steps, records, exact=size is None), _in_words(notes)

    def _columns(self, rows: NDArray[np.int64]) -> Mapping[str, Sequence[Any]]:
        try:
            return self._table.take(rows, self.names)
        except PenstockError:
            if len(rows) == 1:
                return {}
            parts = [self._columns(rows[i : i + 1]) for i in range(len(rows))]
            return {name: [part[name][0] if name in part else None for part in parts] for name in self.names}

    def _records(
        self, sample: Mapping[str, Any], sides: Sides, size: int | None, steps: float, notes: dict[str, int], row: int
    ) -> Iterator[_Record]:
        segmentation = sample.get(self._shapes.segmentation or "")
        for place, value in enumerate(segmentation if isinstance(segmentation, list) else ()):
            yield from _noted(notes, lambda value=value, place=place: _outlined(value, place, sides, size, steps))
        keypoints = sample.get(self._shapes.keypoints or "")
        for place, value in enumerate(keypoints if isinstance(keypoints, list) else ()):
            yield from _noted(notes, lambda value=value, place=place: _pointed(value, place, steps))
        for spec in self._masks:
            mask = sample.get(spec.name)
            if mask is not None:
                yield from _noted(notes, lambda mask=mask, spec=spec: self._masked(spec, mask, row, sides, size, steps))

    def _masked(
        self, spec: TensorSpec, mask: Any, row: int, sides: Sides, size: int | None, steps: float
    ) -> Iterator[_Record]:
        values = np.asarray(mask)
        side = _TRACED if size is None else size
        if values.ndim == 3:  # one layer an object
            for place in range(values.shape[2]):
                if values[..., place].any():
                    for ring in _fitted(rings_of_mask(values[..., place], side, steps), values, sides):
                        yield OUTLINE, place, -1, ring
            return
        small = shrunk(values, side)
        known = self._labels_at(row)
        for value in np.unique(small)[:_MOST_VALUES].tolist():
            label = self._class_of(spec, int(value), known)
            if label is None:
                continue
            step = steps * max(values.shape) / max(small.shape)
            for ring in _fitted(rings_of_mask(small == value, side, step), values, sides):
                yield MASK, _NO_OBJECT, label, ring

    def _labels_at(self, row: int) -> list[int]:
        return [] if self._labels is None else self._table.column(self._labels).row(row).reshape(-1).tolist()

    def _class_of(self, spec: TensorSpec, value: int, labels: Sequence[int]) -> int | None:
        """Return the class that a value of a mask is drawn as, -1 for none in particular, None for background."""
        if spec.htype == "binary_mask":
            return None if not value else labels[0] if len(set(labels)) == 1 else -1
        if value in {_BACKGROUND, _VOID}:
            return None
        if "instance" in spec.name or "object" in spec.name:
            return labels[value - 1] if value <= len(labels) else -1
        names = self._class_names()
        if not self._mask_names:
            return value if value < len(names) else -1
        name = self._mask_names[value] if value < len(self._mask_names) else ""
        return names.index(name) if name in names else -1


def mask_names(dataset: Dataset) -> tuple[str, ...]:
    """Return the classes that values of masks stand for, where those are not the indices of the classes on show."""
    source = dataset.info.get("source")
    return _VOC if isinstance(source, Mapping) and source.get("format") == "voc" else ()


def _fitted(rings: Sequence[NDArray[np.float32]], mask: NDArray[Any], sides: Sides) -> Iterator[NDArray[np.float32]]:
    """Yield rings of a mask over an image of another size."""
    factor = np.array([sides[0] / mask.shape[1], sides[1] / mask.shape[0]], np.float32)
    for ring in rings:
        yield ring * factor


def _noted(notes: dict[str, int], make: Any) -> list[_Record]:
    """Return what `make` gives; what cannot be drawn is counted."""
    try:
        return list(make())
    except (ValueError, TypeError, OverflowError) as error:
        reason = str(error)
        notes[reason] = notes.get(reason, 0) + 1
        return []


def _in_words(notes: Mapping[str, int]) -> str | None:
    if not notes:
        return None
    count = sum(notes.values())
    return f"{count:,} {'shapes are' if count > 1 else 'shape is'} not drawn: {next(iter(notes))}"


def _outlined(value: Any, place: int, sides: Sides, size: int | None, steps: float) -> Iterator[_Record]:
    if value is None:
        return
    if isinstance(value, Mapping):
        mask = rle_mask(value)
        for ring in _fitted(rings_of_mask(mask, _TRACED if size is None else size, steps), mask, sides):
            yield OUTLINE, place, -1, ring
    elif not isinstance(value, list):
        raise TypeError("a segmentation is neither polygons nor a run-length encoding")
    elif size is None:
        for polygon in value:
            polygon_ring(polygon)
            yield POLYGON, place, -1, np.array(polygon, np.float64).reshape(-1, 2)
    else:
        for small in rings_of_polygons(value, steps):
            yield POLYGON, place, -1, small


def _pointed(value: Any, place: int, steps: float) -> Iterator[_Record]:
    if not value:
        return
    points = np.array(value, np.float64)
    if points.ndim != 1 or points.size % 3 or not (np.abs(points) < 1e9).all():
        raise ValueError("keypoints are not x, y and visibility of each point")
    yield KEYPOINTS, place, -1, points.reshape(-1, 3) * [steps, steps, 1]


def _packed(longest: float, records: Sequence[_Record], *, exact: bool) -> bytes:
    if not records:
        return b""
    parts: list[Any] = [[longest]]
    for kind, place, label, points in records:
        parts += [(kind, place, label, len(points)), points.ravel()]
    flat: NDArray[np.float64] = np.concatenate(parts)
    whole = flat.astype(np.float64) if exact else np.clip(np.rint(flat), -32_768, 32_767).astype(np.int16)
    data: bytes = whole.tobytes()
    return data
