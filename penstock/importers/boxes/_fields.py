"""Tensors of the fields of images and objects other than boxes and classes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from penstock.importers.boxes._annotated import Detections
from penstock.importers.boxes._source import Field
from penstock.importers.building._write import Column

__all__ = ["field_columns"]


def field_columns(found: Detections) -> list[Column]:
    """Return a column for each field that images and objects have in their source."""
    source, images, objects = found.source, found.image_places, found.object_places
    if source is None or images is None or objects is None:
        return []
    boxes = found.boxes_xywh.astype(np.float32)
    of_images, of_objects = source.image_fields, source.object_fields(objects, boxes)

    def objects_of(row: int) -> Mapping[str, Any]:
        own = slice(found.offsets[row], found.offsets[row + 1])
        return source.of_objects(objects[own], boxes[own])

    return [
        *_columns(of_images, lambda row: source.of_image(int(images[row]))),
        *_columns(of_objects, objects_of),
    ]


def _columns(fields: Mapping[str, Field], read: Callable[[int], Mapping[str, Any]]) -> list[Column]:
    rows = _Rows(read, len(fields))
    return [
        Column(name=name, htype=one.htype, sample=rows.reader(name), options=dict(one.options))
        for name, one in fields.items()
    ]


class _Rows:
    """Rows read once for all their columns, which ask one after the other for a chunk of rows."""

    def __init__(self, read: Callable[[int], Mapping[str, Any]], num_columns: int) -> None:
        self._read = read
        self._num_columns = num_columns
        self._lock = threading.Lock()
        self._kept: dict[int, tuple[Mapping[str, Any], int]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without the rows and the lock."""
        return _Rows, (self._read, self._num_columns)

    def reader(self, name: str) -> Callable[[int], Any]:
        """Return the function from a row to the value of a column."""
        return lambda row: self._take(row)[name]

    def _take(self, row: int) -> Mapping[str, Any]:
        """Return a row, and drop it when every column has read it."""
        with self._lock:
            values, left = self._kept.pop(row, (None, self._num_columns))
        if values is None:
            values = self._read(row)
        if left > 1:
            with self._lock:
                self._kept[row] = values, left - 1
        return values
