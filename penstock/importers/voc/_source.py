"""The content of a VOC folder other than boxes and classes, kept so that it can be written again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from penstock.formats._voc import corner_texts
from penstock.importers.boxes._source import Field
from penstock.importers.building._text import printable
from penstock.importers.voc._file import VocFile
from penstock.importers.voc._masks import VocMasks
from penstock.importers.voc._names import VocNames
from penstock.importers.voc._sets import ImageSets
from penstock.tensors import decimals

__all__ = ["VocSource"]

_Value = TypeVar("_Value", bound=Hashable)
_JSON = {"aligned_with": "boxes"}


class VocSource:
    """Annotation files and their objects, by their places.

    Parameters
    ----------
    contents : sequence of VocFile
        The files.
    names : VocNames
        What lists of images call each annotation.
    images : sequence of str
        Path of each image in the folder.
    sets : ImageSets
        The lists of images.
    masks : VocMasks
        The masks.
    one_based : bool
        Whether the first pixel is 1 and both corners belong to a box.
    """

    def __init__(
        self,
        contents: Sequence[VocFile],
        *,
        names: VocNames,
        images: Sequence[str],
        sets: ImageSets,
        masks: VocMasks,
        one_based: bool,
    ) -> None:
        self._contents = contents
        self._names = names
        self._images = images
        self._sets = sets
        self._masks = masks
        self._one_based = one_based
        self._objects = [(at, place) for at, one in enumerate(contents) for place in range(len(one.objects))]
        self._object_layouts = _by_count(one.layout for content in contents for one in content.objects)
        self._image_layouts = _by_count(content.layout for content in contents)
        self._styles = _by_count(content.style for content in contents if content.style is not None)

    @property
    def image_fields(self) -> Mapping[str, Field]:
        """Path, name, lists, masks and other fields of images."""
        return {
            "file": Field(htype="text", blank=""),
            "source_id": Field(htype="text", blank=""),
            "image_attributes": Field(htype="json"),
            **self._sets.fields,
            **self._masks.fields,
        }

    def object_fields(self, objects: NDArray[np.int64], boxes_xywh: NDArray[np.float32]) -> Mapping[str, Field]:
        """Return the other fields of objects, and what is written in another way than the tensors would be."""
        found = {"attributes": Field(htype="json", options=_JSON)}
        corners = decimals(boxes_xywh).tolist()
        if any(self._as_written(place, box) for place, box in zip(objects.tolist(), corners, strict=True)):
            found["as_written"] = Field(htype="json", options=_JSON)
        return found

    @property
    def info(self) -> Mapping[str, Any]:
        """What the files have in common."""
        return {
            "format": "voc",
            "one_based": self._one_based,
            "has_fractions": any(map(_has_fractions, self._contents)),
            "object_keys": [list(keys) for keys in self._object_layouts],
            "image_keys": [list(keys) for keys in self._image_layouts],
            "styles": [style.to_json() for style in self._styles],
            "homes": list(self._names.homes),
            "lists": self._sets.info,
            "masks": self._masks.info,
        }

    def of_image(self, image: int) -> Mapping[str, Any]:
        """Return the fields of an image."""
        content = self._contents[image]
        notes: dict[str, Any] = {}
        if content.text is not None:
            notes["_xml"] = content.text
        elif self._image_layouts[content.layout]:
            notes["_keys"] = self._image_layouts[content.layout]
        style = 0 if content.style is None else self._styles[content.style]
        return {
            "file": printable(self._images[image]),
            "source_id": printable(self._names.ids[image]),
            "image_attributes": {**content.values, **notes, **({"_style": style} if style else {})},
            **self._sets.of_image(image),
            **self._masks.of_image(image),
        }

    def of_objects(
        self, objects: NDArray[np.int64], boxes_xywh: NDArray[np.float32]
    ) -> Mapping[str, Sequence[Any] | NDArray[Any]]:
        """Return the fields of some objects of one image."""
        places, corners = objects.tolist(), decimals(boxes_xywh).tolist()
        return {
            "attributes": [self._object(place).attributes for place in places],
            "as_written": [self._as_written(place, box) for place, box in zip(places, corners, strict=True)],
        }

    def _object(self, place: int) -> Any:
        image, at = self._objects[place]
        return self._contents[image].objects[at]

    def _as_written(self, place: int, box: list[float]) -> dict[str, Any] | None:
        """Return what an object's tensors do not hold exactly, beside the value that stands for it."""
        image, at = self._objects[place]
        content, one = self._contents[image], self._object(place)
        found: dict[str, Any] = {}
        if one.corners != corner_texts(box, one_based=self._one_based, whole=False):
            found["bndbox"] = [one.corners, box]
        if self._object_layouts[one.layout]:
            found["keys"] = self._object_layouts[one.layout]
        if content.text is not None:
            found["place"] = content.places[at]
        return found or None


def _by_count(values: Iterable[_Value]) -> dict[_Value, int]:
    """Return the place of each value when they are sorted by how often they come."""
    counts = Counter(values)
    return {value: at for at, value in enumerate(sorted(counts, key=counts.__getitem__, reverse=True))}


def _has_fractions(content: VocFile) -> bool:
    return not all(_is_whole(text) for one in content.objects for text in one.corners or ())


def _is_whole(text: str) -> bool:
    try:
        return float(text).is_integer()
    except (ValueError, OverflowError):
        return True
