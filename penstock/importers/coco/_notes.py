"""Fields of all annotations of a COCO file, collected while they are read once."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["AnnotationNotes", "Layouts", "is_whole", "values_of"]

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
        self._numbers: dict[Layout, int] = {}
        self._of = array("I")

    def add(self, entry: Iterable[str]) -> None:
        """Take the keys of the next entry."""
        keys = tuple(entry)
        number = self._numbers.get(keys)
        if number is None:
            number = self._numbers[keys] = len(self._numbers)
        self._of.append(number)

    @property
    def all(self) -> list[Layout]:
        """The orders, by number."""
        return list(self._numbers)

    @property
    def of_entries(self) -> NDArray[np.uintc]:
        """The number of each entry's order."""
        return values_of(self._of)

    @property
    def names(self) -> set[str]:
        """All keys."""
        return {name for keys in self._numbers for name in keys}

    @property
    def kept(self) -> list[Layout]:
        """The usual orders, most frequent first."""
        counts = np.bincount(self.of_entries, minlength=len(self._numbers))
        counted = [(keys, count) for keys, count in zip(self._numbers, counts.tolist(), strict=True) if keys]
        return [keys for keys, _ in sorted(counted, key=lambda one: one[1], reverse=True)[:_MOST_LAYOUTS]]

    def notes(self) -> Mapping[Layout, int | list[str]]:
        """Return what is written down of each order other than the most frequent one: its place, or its keys."""
        kept = self.kept
        places = {keys: at for at, keys in enumerate(kept)}
        return {keys: places.get(keys, list(keys)) for keys in self._numbers if keys and keys != kept[0]}


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
        self._ids = array("q")
        self._has_ids = array("b")
        self._areas = array("d")

    def add(self, place: int, annotation: Any, image_key: Any = None, category_id: Any = None, crowd: int = 0) -> None:
        """Take the next annotation; its image and class are those that were found for it, None for a refused one."""
        if not isinstance(annotation, dict):
            annotation = {}
        self.layouts.add(annotation)
        number, area = annotation.get("id"), annotation.get("area")
        if _is_usual(annotation, number, area, image_key, category_id):
            self._ids.append(number)
            self._has_ids.append(1)
            self._areas.append(area)
            return
        has_id = is_whole(number)
        self._ids.append(number if has_id else _NO_ID)
        self._has_ids.append(has_id)
        self._areas.append(_area(area))
        written = {
            "id": _NO_ID if not has_id else number,
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
        if annotation and not annotation.get("bbox"):
            odd["bbox"] = [annotation.get("bbox"), None]  # the box is that of the segmentation
        if odd:
            self.odd[place] = odd

    def note_repeated(self) -> None:
        """Note ids that come again: twice in the source, and so twice in an export. When all are taken."""
        ids, places = self.ids, np.flatnonzero(values_of(self._has_ids).astype(bool))
        firsts = np.unique(ids[places], return_index=True)[1]
        for place in np.delete(places, firsts).tolist():
            number = int(ids[place])
            self.odd.setdefault(place, {})["id"] = [number, number]

    @property
    def has_zero(self) -> bool:
        """Whether 0 is an id."""
        return bool(((self.ids == 0) & values_of(self._has_ids).astype(bool)).any())

    @property
    def ids(self) -> NDArray[np.int64]:
        """Id of each annotation, by its place; 0 where it is no whole number."""
        return values_of(self._ids)

    @property
    def areas(self) -> NDArray[np.float64]:
        """Area of each annotation, by its place; NaN where it is no number."""
        return values_of(self._areas)


def values_of(values: array[Any]) -> NDArray[Any]:
    """Return an array that is complete as one of numpy, not copied."""
    return np.frombuffer(values, values.typecode) if values else np.empty(0, values.typecode)


def _is_usual(annotation: dict[str, Any], number: Any, area: Any, image_key: Any, category_id: Any) -> bool:
    """Return whether an annotation has nothing odd: the usual case, of which there may be a million."""
    image, category, crowd = annotation.get("image_id"), annotation.get("category_id"), annotation.get("iscrowd")
    return (
        type(number) is type(crowd) is type(image) is type(category) is int
        and type(area) in _SINGLE
        and image == image_key
        and category == category_id
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
