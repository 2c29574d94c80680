"""The content of a COCO file other than boxes and classes, kept so that it can be written again."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.importers.boxes._source import Field
from penstock.importers.building._text import printable
from penstock.importers.coco._notes import AnnotationNotes, Layouts, is_whole
from penstock.importers.coco._spans import Entries
from penstock.tensors import JsonText, decimals

__all__ = ["CocoSource"]

_KNOWN = frozenset(
    {"id", "image_id", "category_id", "bbox", "iscrowd", "area", "segmentation", "keypoints", "num_keypoints"}
)
_KNOWN_OF_IMAGES = frozenset({"id", "file_name"})
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
_LISTS = ("images", "annotations", "categories")


class CocoSource:
    """Images and annotations of a COCO file, by their places in it.

    Parameters
    ----------
    data : mapping
        The document, as `read_coco` returns it.
    name : str
        The file's name.
    boxes_xywh : ndarray of float64, shape (num_annotations, 4)
        Boxes as the file has them.
    notes : AnnotationNotes
        Of all annotations.
    class_names : sequence of str
        The classes.
    category_ids : sequence
        Id that is written for each class.
    in_order : tuple of bool
        Whether images, and annotations, are written in the order of the samples.
    """

    def __init__(
        self,
        data: Mapping[str, Any],
        name: str,
        *,
        boxes_xywh: NDArray[np.float64],
        notes: AnnotationNotes,
        class_names: Sequence[str],
        category_ids: Sequence[Any],
        in_order: tuple[bool, bool],
    ) -> None:
        self._data = data
        self._name = name
        self._boxes_xywh = boxes_xywh
        self._notes = notes
        self._classes = list(zip(class_names, category_ids, strict=True))
        self._images_in_order, self._annotations_in_order = in_order
        annotations = data["annotations"]
        self._storable = storable if not isinstance(annotations, Entries) or annotations.may_be_odd else _same
        self._image_layouts = Layouts()
        for entry in data["images"]:
            if isinstance(entry, dict):
                self._image_layouts.add(entry)
        self._image_notes = self._image_layouts.notes()
        self._object_notes = notes.layouts.notes()

    @property
    def image_fields(self) -> Mapping[str, Field]:
        """File name, id and other fields of images, and their positions if samples have another order."""
        ids = [entry.get("id") for entry in self._data["images"] if isinstance(entry, dict)]
        numbers = {"dtype": "int64"}
        found = {
            "file": Field(htype="text", blank=""),
            "source_id": Field(htype="generic", options=numbers, blank=0)
            if all(map(is_whole, ids))
            else Field(htype="json"),
        }
        if self._image_layouts.names - _KNOWN_OF_IMAGES or self._image_notes:
            found["image_attributes"] = Field(htype="json")
        if not self._images_in_order:
            found["image_index"] = Field(htype="generic", options=numbers, blank=0)
        return found

    def object_fields(self, objects: NDArray[np.int64], boxes_xywh: NDArray[np.float32]) -> Mapping[str, Field]:
        """Return id, area, outline, keypoints and other fields of annotations, and unusual original forms."""
        names = self._notes.layouts.names
        found = {}
        if "id" in names:
            found["annotation_id"] = _numbers("int64", 0)
        if "area" in names:
            found["area"] = _numbers("float64", np.nan)
        if "segmentation" in names:
            found["segmentation"] = _json()
        if "keypoints" in names:
            found["keypoints"] = _json()
        if names - _KNOWN:
            found["attributes"] = _json({})
        if not self._annotations_in_order:
            found["annotation_index"] = _numbers("int64", 0)
        if self._any_odd(objects, boxes_xywh):
            found["as_written"] = _json()
        return found

    @property
    def info(self) -> Mapping[str, Any]:
        """The document without its images and annotations, and the order of their keys."""
        file = {
            "name": self._name,
            "header": {name: None if name in _LISTS[:2] else value for name, value in self._data.items()},
            "classes": dict(self._classes),
            "image_keys": [list(keys) for keys in self._image_layouts.kept],
            "annotation_keys": [list(keys) for keys in self._notes.layouts.kept],
            "has_image_0": any(isinstance(entry, dict) and entry.get("id") == 0 for entry in self._data["images"]),
            "has_annotation_0": bool(self._notes.has_zero),
        }
        return {"format": "coco", "files": [storable(file)]}

    def of_image(self, image: int) -> Mapping[str, Any]:
        """Return the fields of an image."""
        entry = self._storable(self._data["images"][image])
        rest = {name: value for name, value in entry.items() if name not in _KNOWN_OF_IMAGES}
        note = self._image_notes.get(tuple(entry))
        return {
            "file": entry.get("file_name"),
            "source_id": entry.get("id"),
            "image_attributes": rest if note is None else {**rest, "_keys": note},
            "image_index": image,
        }

    def of_objects(
        self, objects: NDArray[np.int64], boxes_xywh: NDArray[np.float32]
    ) -> Mapping[str, Sequence[Any] | NDArray[Any]]:
        """Return the fields of some annotations of one image."""
        entries = [self._storable(self._data["annotations"][place]) for place in objects.tolist()]
        return {
            "annotation_id": self._notes.ids[objects],
            "area": self._notes.areas[objects],
            "segmentation": _texts([entry.get("segmentation") for entry in entries]),
            "keypoints": _texts([entry.get("keypoints") for entry in entries]),
            "attributes": [{name: value for name, value in entry.items() if name not in _KNOWN} for entry in entries],
            "annotation_index": objects,
            "as_written": self._as_written(objects, entries, decimals(boxes_xywh)),
        }

    def _as_written(
        self, objects: NDArray[np.int64], entries: Sequence[Mapping[str, Any]], boxes_xywh: NDArray[np.float64]
    ) -> list[Any]:
        odd_boxes = (boxes_xywh != self._boxes_xywh[objects]).any(axis=1).tolist()
        found: list[Any] = []
        for place, entry, box, is_odd in zip(objects.tolist(), entries, boxes_xywh.tolist(), odd_boxes, strict=True):
            fields: dict[str, Any] = self._storable(dict(self._notes.odd.get(place, {})))
            if is_odd or not entry.get("bbox"):
                fields["bbox"] = [entry.get("bbox"), box]
            if (note := self._object_notes.get(tuple(entry))) is not None:
                fields["keys"] = note
            found.append(fields or None)
        return found

    def _any_odd(self, objects: NDArray[np.int64], boxes_xywh: NDArray[np.float32]) -> bool:
        """Return whether any of some annotations is written in another way than its tensors would be."""
        places = set(objects.tolist())
        if self._object_notes or not places.isdisjoint(self._notes.odd):
            return True
        return bool((decimals(boxes_xywh) != self._boxes_xywh[objects]).any())


def _texts(values: list[Any]) -> JsonText:
    return JsonText(_encode(values), len(values))


def storable(value: Any) -> Any:
    """Return a JSON value without what JSON tensors refuse: numbers that are not finite, halves of characters."""
    if isinstance(value, dict):
        return {storable(name): storable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [storable(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return printable(value) if isinstance(value, str) and not _is_whole_text(value) else value


def _is_whole_text(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _same(value: Any) -> Any:
    return value


def _numbers(dtype: str, blank: Any) -> Field:
    return Field(htype="generic", options={"dtype": dtype, "aligned_with": "boxes"}, blank=blank)


def _json(blank: Any = None) -> Field:
    return Field(htype="json", options={"aligned_with": "boxes"}, blank=blank)
