"""Fields of all annotations of a COCO file, collected while they are read once."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["AnnotationNotes", "Layouts", "is_whole"]

_MOST_LAYOUTS = 256
_NO_ID = 0
_FLAGS = (0, 1)
_LARGEST = 2**53  # whole numbers up to here are the same as floats
_VISIBILITY = slice(2, None, 3)  # of keypoints: x, y, visibility
_SINGLE = frozenset({int, float})

Layout = tuple[str, ...]


class Layouts:
    """The orders in which the entries of a list have their keys."""

    def __init__(self) -> None:
        self._counts: dict[Layout, int] = {}

    def add(self, entry: Mapping[str, Any]) -> None:
        """Count the keys of the next entry."""
        keys = tuple(entry)
        self._counts[keys] = self._counts.get(keys, 0) + 1

    @property
    def names(self) -> set[str]:
        """All keys."""
        return {name for keys in self._counts for name in keys}

    @property
    def kept(self) -> list[Layout]:
        """The usual orders, most frequent first."""
        return sorted(self._counts, key=self._counts.__getitem__, reverse=True)[:_MOST_LAYOUTS]

    def notes(self) -> Mapping[Layout, int | list[str]]:
        """Return what is written down of each order other than the most frequent one: its place, or its keys."""
        kept = self.kept
        return {keys: kept.index(keys) if keys in kept else list(keys) for keys in self._counts if keys != kept[0]}


class AnnotationNotes:
    """The parts of annotations that the tensors of boxes and classes do not contain.

    Attributes
    ----------
    odd : dict of int to dict
        By the place of an annotation: fields that would be written in another way than they are, each as
        what is there and what would be written.
    """

    def __init__(self) -> None:
        self.layouts = Layouts()
        self.odd: dict[int, dict[str, list[Any]]] = {}
        self.has_zero = False
        self._seen: set[int] = set()
        self._ids = array("q")
        self._areas = array("d")

    def add(self, place: int, annotation: Any, image_key: Any = None, category_id: Any = None, crowd: int = 0) -> None:
        """Take the next annotation; its image and class are those that were found for it, None for a refused one."""
        if not isinstance(annotation, dict):
            annotation = {}
        else:
            self.layouts.add(annotation)
        number, area = annotation.get("id"), annotation.get("area")
        self._ids.append(number if is_whole(number) else _NO_ID)
        self._areas.append(_area(area))
        self.has_zero |= number == 0 and is_whole(number)
        if number not in self._seen and _is_usual(annotation, image_key, category_id):
            self._seen.add(number)
            return
        written = {
            "id": _NO_ID if not is_whole(number) else number,
            "image_id": image_key,
            "category_id": category_id,
            "iscrowd": crowd,
            "area": None if np.isnan(self._areas[-1]) else self._areas[-1],
            "num_keypoints": _num_visible(annotation.get("keypoints")),
        }
        odd = {
            name: [annotation[name], value]
            for name, value in written.items()
            if name in annotation and not _equal(annotation[name], value)
        }
        if is_whole(number):
            if number in self._seen:
                odd["id"] = [number, number]  # twice in the source, and so twice in an export
            self._seen.add(number)
        if annotation and not annotation.get("bbox"):
            odd["bbox"] = [annotation.get("bbox"), None]  # the box is that of the segmentation
        if odd:
            self.odd[place] = odd

    @property
    def ids(self) -> NDArray[np.int64]:
        """Id of each annotation, by its place; 0 where it is no whole number."""
        return np.frombuffer(self._ids, np.int64) if self._ids else np.empty(0, np.int64)

    @property
    def areas(self) -> NDArray[np.float64]:
        """Area of each annotation, by its place; NaN where it is no number."""
        return np.frombuffer(self._areas, np.float64) if self._areas else np.empty(0)


def _is_usual(annotation: dict[str, Any], image_key: Any, category_id: Any) -> bool:
    """Return whether an annotation has nothing odd: the usual case, of which there may be a million."""
    number: Any = annotation.get("id")
    area: Any = annotation.get("area")
    crowd, image, category = (annotation.get(name) for name in ("iscrowd", "image_id", "category_id"))
    return (
        type(number) is type(crowd) is type(image) is type(category) is int
        and type(area) in _SINGLE
        and (image, category) == (image_key, category_id)
        and crowd in _FLAGS
        and "keypoints" not in annotation
        and "num_keypoints" not in annotation
        and bool(annotation.get("bbox"))
        and -_LARGEST < number < _LARGEST
        and -_LARGEST < area < _LARGEST  # not NaN either
    )


def is_whole(value: object) -> bool:
    """Return whether a value is an integer that fits in 64 bits."""
    return type(value) is int and -(2**63) <= value < 2**63


def _area(value: object) -> float:
    if type(value) not in _SINGLE:
        return float("nan")
    try:
        return float(value)  # type: ignore[arg-type]  # int or float
    except OverflowError:
        return float("nan")


def _num_visible(keypoints: object) -> int | None:
    if not isinstance(keypoints, list):
        return None
    return sum(isinstance(one, int | float) and one > 0 for one in keypoints[_VISIBILITY])


def _equal(one: object, other: object) -> bool:
    """Return whether two values are the same in JSON, where true is not 1."""
    return (type(one) is bool) == (type(other) is bool) and one == other
