"""Outlines and keypoints of objects that were edited: what follows for their boxes and areas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SampleError
from penstock.tensors import TensorSpec

__all__ = ["EditedShape", "ShapeTensors", "enclosing", "moved_whole", "polygon_area", "shape_tensors", "words_of"]

_ROUNDING = 0.03  # pixels; the browser sends two decimals
_LEAST = 6  # numbers of a triangle
_VISIBILITIES = (0, 1, 2)
_NEW = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeTensors:
    """The tensors that hold what is drawn of objects besides their boxes.

    Parameters
    ----------
    segmentation : str, optional
        Polygons or run-length encodings, as COCO has them.
    keypoints : str, optional
        x, y and visibility of each point, flat.
    """

    segmentation: str | None
    keypoints: str | None


def shape_tensors(tensors: Mapping[str, TensorSpec], names: Iterable[str]) -> ShapeTensors:
    """Return the tensors of shapes among some."""

    def named(wanted: str) -> str | None:
        fits = (name for name in names if tensors[name].htype == "json" and name.rsplit("/", 1)[-1] == wanted)
        return next(fits, None)

    names = list(names)
    return ShapeTensors(segmentation=named("segmentation"), keypoints=named("keypoints"))


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedShape:
    """What the browser sends of an object whose outline or keypoints were edited.

    Parameters
    ----------
    place : int
        The object, counted after the edit.
    polygons : list of list of float, optional
        Its whole outline; None where that is as it was.
    keypoints : list of float, optional
        All of its keypoints; None where they are as they were.
    """

    place: int
    polygons: list[list[float]] | None
    keypoints: list[float] | None

    def outline(self, before: Any) -> list[list[Any]]:
        """Return the polygons to store; numbers that did not change stay as they are written.

        Raises
        ------
        SampleError
            If they are not polygons, or take the place of a mask.
        """
        if isinstance(before, Mapping):
            raise SampleError(
                f"object {self.place} has a run-length encoded mask. Expected polygons where vertices are edited"
            )
        rings = self.polygons or []
        wrong = next((ring for ring in rings if len(ring) < _LEAST or len(ring) % 2), None)
        if not rings or wrong is not None:
            found = "no polygon" if wrong is None else f"a polygon of {len(wrong)} numbers"
            raise SampleError(
                f"object {self.place} has {found}. Expected x, y of at least 3 vertices in each of its polygons"
            )
        known = _numbers(value for ring in before or () for value in ring)
        return [[_plain(value, known) for value in ring] for ring in rings]

    def points(self, before: Any) -> list[Any]:
        """Return the keypoints to store; numbers that did not change stay as they are written.

        Raises
        ------
        SampleError
            If they are not x, y and visibility of as many points as the object has.
        """
        sent = self.keypoints or []
        expected = len(before) if before is not None else len(sent)
        visible = sent[2::3]
        if not sent or len(sent) % 3 or len(sent) != expected or any(one not in _VISIBILITIES for one in visible):
            raise SampleError(
                f"object {self.place} has {len(sent)} numbers of keypoints. Expected {expected or 'some'}: "
                "x, y and a visibility of 0, 1 or 2 for each point"
            )
        known = _numbers(before or ())
        return [_plain(value, known) for value in sent]


def _numbers(values: Iterable[Any]) -> dict[float, Any]:
    return {float(value): value for value in values if isinstance(value, (int, float))}


def _plain(value: float, known: Mapping[float, Any]) -> Any:
    return known.get(value, int(value) if value.is_integer() else value)


def _points(polygons: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    return np.concatenate([np.array(ring, np.float64).reshape(-1, 2) for ring in polygons])


def enclosing(polygons: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """Return the box around some polygons: x, y, width, height in pixels.

    Examples
    --------
    >>> enclosing([[1, 2, 5, 2, 5, 9]]).tolist()
    [1.0, 2.0, 4.0, 7.0]
    """
    points = _points(polygons)
    low = points.min(0)
    return np.concatenate([low, points.max(0) - low])


def polygon_area(polygons: Sequence[Sequence[float]]) -> float:
    """Return the area of some polygons that do not overlap, square pixels.

    Examples
    --------
    >>> polygon_area([[0, 0, 4, 0, 4, 3], [10, 10, 12, 10, 12, 12, 10, 12]])
    10.0
    """
    area = 0.0
    for ring in polygons:
        x, y = np.array(ring, np.float64).reshape(-1, 2).T
        area += abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2
    return round(area, 4)


def moved_whole(before: Any, polygons: Sequence[Sequence[float]]) -> bool:
    """Tell whether an outline is the same one elsewhere: every vertex went the same way."""
    if not isinstance(before, list) or [len(ring) for ring in before] != [len(ring) for ring in polygons]:
        return False
    shift = _points(polygons) - _points(before)
    return bool((np.ptp(shift, axis=0) <= _ROUNDING).all())


def words_of(tensors: ShapeTensors, before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """Return what was done to the outline or keypoints of one object, in words; None if nothing that has a name.

    Parameters
    ----------
    tensors : ShapeTensors
        Which tensors hold them.
    before, after : mapping
        Values of the object by tensor.
    """
    name = tensors.segmentation
    if name is not None and name in after and before.get(name) != after[name] and isinstance(before.get(name), list):
        grown = sum(map(len, after[name])) - sum(map(len, before[name]))
        if grown:
            return "added a vertex to" if grown > 0 else "removed a vertex from"
        return None if moved_whole(before[name], after[name]) else "moved a vertex of"
    name = tensors.keypoints
    if name is not None and name in after and before.get(name) != after[name] and isinstance(before.get(name), list):
        seen = before[name][2::3] != after[name][2::3]
        return "changed the visibility of a keypoint of" if seen else "moved a keypoint of"
    return None
