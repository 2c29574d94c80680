"""One polygon for each object, as a line of a YOLO label file has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.formats._rle import mask_of_runs

__all__ = ["joined", "mask_outlines", "polygons_of", "rectangle"]

_FEWEST = 6  # numbers: three corners

Points = NDArray[np.float64]


def polygons_of(segmentation: Any) -> list[Points]:
    """Return the polygons of an object, each of shape (num_points, 2); what is not a polygon is left out.

    Examples
    --------
    >>> [polygon.tolist() for polygon in polygons_of([[1, 2, 5, 2, 5, 6], [0, 0]])]
    [[[1.0, 2.0], [5.0, 2.0], [5.0, 6.0]]]
    """
    if not isinstance(segmentation, list):
        return []
    parts = segmentation if segmentation and isinstance(segmentation[0], list) else [segmentation]
    return [np.array(part, np.float64).reshape(-1, 2) for part in parts if _is_polygon(part)]


def _is_polygon(part: object) -> bool:
    return (
        isinstance(part, list)
        and len(part) >= _FEWEST
        and len(part) % 2 == 0
        and all(isinstance(value, int | float) and not isinstance(value, bool) for value in part)
    )


def mask_outlines(runs: Mapping[str, Any]) -> list[Points] | None:
    """Return the outer outlines of a run-length encoding, along the edges of its pixels; None where it is broken.

    Examples
    --------
    >>> [outline.tolist() for outline in mask_outlines({"size": [2, 3], "counts": [2, 4]})]
    [[[1.0, 0.0], [1.0, 2.0], [3.0, 2.0], [3.0, 0.0]]]
    """
    import cv2

    mask = mask_of_runs(runs)
    if mask is None:
        return None
    left, top, width, height = cv2.boundingRect(mask)
    twice = mask[top : top + height, left : left + width].repeat(2, axis=0).repeat(2, axis=1)
    contours, _ = cv2.findContours(twice, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    corner = np.array([left, top], np.float64)
    return [_without_repeats(np.asarray((one[:, 0] + 1) // 2, np.float64)) + corner for one in contours]


def _without_repeats(points: Points) -> Points:
    """Return the points of a ring but those that equal the one before."""
    differs: NDArray[np.bool_] = (points != np.roll(points, 1, axis=0)).any(axis=1)
    return points[differs]


def joined(polygons: Sequence[Points]) -> Points:
    """Return several polygons as one: each is connected to the next at their closest points, there and back.

    All go around in the direction of the first, so that their areas add up.

    Examples
    --------
    >>> left, right = np.array([[0.0, 0], [2, 0], [2, 2]]), np.array([[3.0, 0], [5, 0], [5, 2]])
    >>> joined([left, right]).tolist()  # doctest: +NORMALIZE_WHITESPACE
    [[2.0, 0.0], [3.0, 0.0], [5.0, 0.0], [5.0, 2.0], [3.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 0.0]]
    """
    aligned = [polygon if _turns(polygon) == _turns(polygons[0]) else polygon[::-1] for polygon in polygons]
    found = aligned[-1]
    for polygon in reversed(aligned[:-1]):
        distances = ((polygon[:, None] - found[None]) ** 2).sum(axis=2)
        own, other = np.unravel_index(int(distances.argmin()), distances.shape)
        there = np.roll(found, -int(other), axis=0)
        from_own = np.roll(polygon, -int(own), axis=0)
        found = np.concatenate([from_own[:1], there, there[:1], from_own[:1], from_own[1:]])
    return found


def _turns(polygon: Points) -> bool:
    """Return the direction of a polygon: whether it goes around clockwise, as an image shows it."""
    x, y = (polygon - polygon[0]).T
    return bool(np.dot(x, np.roll(y, -1)) >= np.dot(y, np.roll(x, -1)))


def rectangle(box_xywh: Sequence[float]) -> Points:
    """Return the corners of a box, clockwise from the upper left.

    Examples
    --------
    >>> rectangle([1, 2, 10, 20]).tolist()
    [[1.0, 2.0], [11.0, 2.0], [11.0, 22.0], [1.0, 22.0]]
    """
    left, top, width, height = box_xywh
    right, bottom = left + width, top + height
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)
