"""The fields of images and objects of a source other than boxes and classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from penstock.importers.boxes._frames import Frame

__all__ = ["Field", "JoinedSources", "SeesFrames", "Source"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A tensor for one field of a source.

    Parameters
    ----------
    htype : str
        Kind of tensor.
    options : dict
        Further options of `Dataset.create_tensor`.
    blank : object
        The value of an image or object whose part of the source has no such field.
    """

    htype: str
    options: Mapping[str, Any] = field(default_factory=dict)
    blank: Any = None


class Source(Protocol):
    """Fields by the number that an image or object has in its source."""

    @property
    def image_fields(self) -> Mapping[str, Field]:
        """Fields of images, by the name of their tensor."""

    def object_fields(self, objects: NDArray[np.int64], boxes_xywh: NDArray[np.float32]) -> Mapping[str, Field]:
        """Return the fields of the objects that are kept, with the boxes that are stored, by name of the tensor."""

    @property
    def info(self) -> Mapping[str, Any]:
        """Fields of the whole source, as JSON."""

    def of_image(self, image: int) -> Mapping[str, Any]:
        """Return the value of each field of an image."""

    def of_objects(
        self, objects: NDArray[np.int64], boxes_xywh: NDArray[np.float32]
    ) -> Mapping[str, Sequence[Any] | NDArray[Any]]:
        """Return the values of each field of some objects of one image, with the boxes that are stored."""


@runtime_checkable
class SeesFrames(Protocol):
    """A source that needs the sizes of images, because its numbers are fractions of them."""

    def see(self, image: int, frame: Frame, *, is_stored: bool) -> None:
        """Take the size of an image, and whether its numbers refer to the stored pixels."""


def _of_all(parts: Iterable[Mapping[str, Field]]) -> dict[str, Field]:
    """Return the fields of all parts; one that parts hold in different kinds of tensor is JSON, which holds any."""
    found: dict[str, Field] = {}
    for fields in parts:
        for name, one in fields.items():
            same = name not in found or found[name].htype == one.htype
            found[name] = one if same or one.htype == "json" else found[name]
    return found


class JoinedSources:
    """Several sources, one after the other.

    Parameters
    ----------
    parts : sequence of Source or None
        The sources; None has no fields.
    num_images, num_objects : sequence of int
        How many there are in each.
    subsets : sequence of str
        The split that each is of; empty where it is of none.
    """

    def __init__(
        self,
        parts: Sequence[Source | None],
        num_images: Sequence[int],
        num_objects: Sequence[int],
        subsets: Sequence[str],
    ) -> None:
        self._parts = parts
        self._subsets = subsets
        self._images = np.cumsum([0, *num_images])
        self._objects = np.cumsum([0, *num_objects])
        self._image_fields = _of_all(part.image_fields for part in parts if part is not None)
        self._object_fields: dict[str, Field] = {}

    @property
    def image_fields(self) -> Mapping[str, Field]:
        """Fields that at least one part has."""
        return self._image_fields

    def object_fields(self, objects: NDArray[np.int64], boxes_xywh: NDArray[np.float32]) -> Mapping[str, Field]:
        """Return the fields that at least one part has."""
        found = []
        for at, part in enumerate(self._parts):
            if part is not None:
                of_part = (objects >= self._objects[at]) & (objects < self._objects[at + 1])
                found.append(part.object_fields(objects[of_part] - self._objects[at], boxes_xywh[of_part]))
        self._object_fields = _of_all(found)
        return self._object_fields

    @property
    def info(self) -> Mapping[str, Any]:
        """The notes of all parts, in order."""
        notes = [
            (part.info, subset) for part, subset in zip(self._parts, self._subsets, strict=True) if part is not None
        ]
        files = [{**file, "subset": subset} for note, subset in notes for file in note["files"]]
        return {**notes[0][0], "files": files}

    def see(self, image: int, frame: Frame, *, is_stored: bool) -> None:
        """Give the size of an image to its part."""
        at = int(np.searchsorted(self._images, image, side="right")) - 1
        part: object = self._parts[at]
        if isinstance(part, SeesFrames):
            part.see(image - int(self._images[at]), frame, is_stored=is_stored)

    def of_image(self, image: int) -> Mapping[str, Any]:
        """Return the fields of an image; blank if its part has none."""
        at = int(np.searchsorted(self._images, image, side="right")) - 1
        part = self._parts[at]
        found = {} if part is None else part.of_image(image - int(self._images[at]))
        return {name: found.get(name, one.blank) for name, one in self._image_fields.items()}

    def of_objects(
        self, objects: NDArray[np.int64], boxes_xywh: NDArray[np.float32]
    ) -> Mapping[str, Sequence[Any] | NDArray[Any]]:
        """Return the fields of some objects of one image; blank if its part has none."""
        at = int(np.searchsorted(self._objects, objects[0], side="right")) - 1 if len(objects) else 0
        part = self._parts[at]
        found = {} if part is None else part.of_objects(objects - int(self._objects[at]), boxes_xywh)
        return {name: found.get(name, [one.blank] * len(objects)) for name, one in self._object_fields.items()}
