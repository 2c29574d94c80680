"""The content of a COCO file other than boxes and classes, kept so that it can be written again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.importers.boxes._source import Field
from penstock.importers.coco._kept import KNOWN, KeptAnnotations, json_text, storable
from penstock.importers.coco._notes import AnnotationNotes, Layouts, is_whole
from penstock.tensors import decimals

__all__ = ["CocoSource"]

_KNOWN_OF_IMAGES = frozenset({"id", "file_name"})
_AS_TEXT = ("segmentation", "keypoints")
_OUR_KEYS = "_keys"  # of image_attributes: the order of the keys
_PART = 65_536  # boxes that are compared at a time
_LISTS = ("images", "annotations", "categories")


class CocoSource:
    """Images and annotations of a COCO file, by their places in it.

    Parameters
    ----------
    data : mapping
        The document, as `read_coco` returns it.
    name : str
        The file's name.
    places : ndarray of int64
        The annotations that have a box, increasing.
    boxes_xywh : ndarray of float64, shape (len(places), 4)
        Their boxes as the file has them.
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
        places: NDArray[np.int64],
        boxes_xywh: NDArray[np.float64],
        notes: AnnotationNotes,
        class_names: Sequence[str],
        category_ids: Sequence[Any],
        in_order: tuple[bool, bool],
    ) -> None:
        self._data = data
        self._name = name
        self._places, self._boxes_xywh = places, boxes_xywh
        self._notes = notes
        self._classes = list(zip(class_names, category_ids, strict=True))
        self._images_in_order, self._annotations_in_order = in_order
        self._image_layouts = Layouts()
        for entry in data["images"]:
            self._image_layouts.add(entry if isinstance(entry, dict) else ())
        self._image_notes = self._image_layouts.notes()
        self._object_notes = notes.layouts.notes()
        self._layouts = notes.layouts.all
        self._layout_of = notes.layouts.of_entries
        self._odd_boxes: NDArray[np.bool_] = np.zeros(len(self._layout_of), bool)
        self._fields: Mapping[str, Field] = {}

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
        if names - KNOWN:
            found["attributes"] = _json({})
        if not self._annotations_in_order:
            found["annotation_index"] = _numbers("int64", 0)
        for start in range(0, len(objects), _PART):
            part = objects[start : start + _PART]
            as_read = self._boxes_xywh[np.searchsorted(self._places, part)]
            self._odd_boxes[part] = (decimals(boxes_xywh[start : start + _PART]) != as_read).any(axis=1)
        if self._object_notes or self._odd_boxes.any() or not self._notes.odd.keys().isdisjoint(objects.tolist()):
            found["as_written"] = _json()
        self._fields = found
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
        entry = self._data["images"][image]
        rest = {name: value for name, value in entry.items() if name not in _KNOWN_OF_IMAGES}
        note = self._image_notes.get(tuple(entry))
        if _OUR_KEYS in rest:  # the image has a key of this name
            rest[_OUR_KEYS] = {"value": rest[_OUR_KEYS], "keys": note or 0}
        elif note is not None:
            rest[_OUR_KEYS] = note
        return {
            "file": storable(entry.get("file_name")),
            "source_id": storable(entry.get("id")),
            "image_attributes": json_text(rest, len(rest)),
            "image_index": image,
        }

    def of_objects(
        self, objects: NDArray[np.int64], boxes_xywh: NDArray[np.float32]
    ) -> Mapping[str, Sequence[Any] | NDArray[Any]]:
        """Return the fields of some annotations of one image."""
        keys = [self._layouts[number] for number in self._layout_of[objects].tolist()]
        kept = KeptAnnotations(self._data["annotations"], objects.tolist(), keys)
        found: dict[str, Any] = {
            "annotation_id": self._notes.ids[objects],
            "area": self._notes.areas[objects],
            "annotation_index": objects,
        }
        if "attributes" in self._fields:
            found["attributes"] = kept.attributes()
        if "as_written" in self._fields:
            found["as_written"] = json_text(self._as_written(kept, decimals(boxes_xywh)), len(objects))
        return found | {name: kept.texts(name) for name in _AS_TEXT if name in self._fields}

    def _as_written(self, kept: KeptAnnotations, boxes_xywh: NDArray[np.float64]) -> list[Any]:
        found: list[Any] = []
        for number, (place, keys, box) in enumerate(zip(kept.places, kept.keys, boxes_xywh.tolist(), strict=True)):
            fields: dict[str, Any] = dict(self._notes.odd.get(place, ()))
            if self._odd_boxes[place] or "bbox" in fields:
                fields["bbox"] = [kept.parsed(number).get("bbox"), box]
            if (note := self._object_notes.get(keys)) is not None:
                fields["keys"] = note
            found.append(fields or None)
        return found


def _numbers(dtype: str, blank: Any) -> Field:
    return Field(htype="generic", options={"dtype": dtype, "aligned_with": "boxes"}, blank=blank)


def _json(blank: Any = None) -> Field:
    return Field(htype="json", options={"aligned_with": "boxes"}, blank=blank)
