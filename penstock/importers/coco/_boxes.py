"""The box of a COCO annotation: as written, or around its segmentation."""

from __future__ import annotations

import math
from typing import Any

from penstock.importers.building._text import shown

__all__ = ["box_of", "crowd_of", "flag"]

_NUM_COORDINATES = 4
_PLAIN = frozenset({int, float})
_FEWEST_OF_POLYGON = 6  # numbers: three corners
_MOST_PIXELS = 2**31
_RLE_BYTES = range(48, 112)
_MORE_FOLLOWS = 0x20


def box_of(annotation: dict[str, Any]) -> list[float]:
    """Return left, top, width, height: the bbox, or else the box of the segmentation.

    Raises
    ------
    ValueError
        If there is neither, or it is malformed; the message says so.
    """
    bbox = annotation.get("bbox")
    if type(bbox) is list and len(bbox) == _NUM_COORDINATES and _PLAIN.issuperset(map(type, bbox)):
        return _floats(bbox, "bbox")
    if bbox is None or bbox == []:
        segmentation = annotation.get("segmentation")
        if not segmentation:
            raise ValueError(f"bbox is {shown(bbox)} and there is no segmentation. Expected [left, top, width, height]")
        return _box_of_segmentation(segmentation)
    if not isinstance(bbox, list) or len(bbox) != _NUM_COORDINATES:
        raise ValueError(f"bbox is {shown(bbox)}. Expected [left, top, width, height]")
    return _numbers(bbox, "bbox")


def crowd_of(annotation: dict[str, Any]) -> bool:
    """Return whether an annotation is a crowd; numbers may be text.

    Raises
    ------
    ValueError
        If `iscrowd` is neither 0 nor 1.
    """
    return flag(annotation.get("iscrowd"), "iscrowd")


def flag(value: object, name: str) -> bool:
    if value is None or (isinstance(value, int) and value in {0, 1}):
        return bool(value)
    text = str(value).strip().lower() if isinstance(value, (str, int, float)) else ""
    if text in {"0", "0.0", "false", ""} and not isinstance(value, (list, dict)):
        return False
    if text in {"1", "1.0", "true"}:
        return True
    raise ValueError(f"{name} is {shown(value)}. Expected 0 or 1")


def _numbers(values: list[Any], name: str) -> list[float]:
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        raise ValueError(f"{name} is {shown(values)}. Expected numbers")
    return _floats(values, name)


def _floats(values: list[Any], name: str) -> list[float]:
    try:
        return list(map(float, values))
    except OverflowError:
        raise ValueError(f"{name} is {shown(values)}. Expected finite numbers") from None


def _box_of_segmentation(segmentation: object) -> list[float]:
    if isinstance(segmentation, dict):
        return _box_of_runs(segmentation)
    if not isinstance(segmentation, list):
        raise ValueError(  # noqa: TRY004  one kind of error for all that an annotation can have
            f"segmentation is {shown(segmentation)}. Expected polygons or a run-length encoding"
        )
    polygons = segmentation if isinstance(segmentation[0], list) else [segmentation]
    corners = [corner for polygon in polygons for corner in _corners(polygon)]
    if not corners:
        raise ValueError(f"segmentation is {shown(segmentation)}. Expected polygons or a run-length encoding")
    xs, ys = zip(*corners, strict=True)
    if not all(map(math.isfinite, (*xs, *ys))):
        raise ValueError("segmentation has a coordinate that is not a finite number")
    return [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]


def _corners(polygon: object) -> list[tuple[float, float]]:
    if not isinstance(polygon, list) or len(polygon) < _FEWEST_OF_POLYGON or len(polygon) % 2:
        raise ValueError(f"a polygon of the segmentation is {shown(polygon)}. Expected [x1, y1, x2, y2, x3, y3, ...]")
    numbers = _numbers(polygon, "a polygon of the segmentation")
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _box_of_runs(runs: dict[str, Any]) -> list[float]:
    """Return the box of a run-length mask, compressed or not."""
    from pycocotools import mask

    size, counts = runs.get("size"), runs.get("counts")
    if not isinstance(size, list) or not _is_size(size):
        raise ValueError(
            f"the size of the segmentation's run-length encoding is {shown(size)}. Expected [height, width]"
        )
    height, width = size
    if isinstance(counts, list):
        if not all(isinstance(count, int) and not isinstance(count, bool) and count >= 0 for count in counts):
            raise ValueError(f"the run lengths of the segmentation are {shown(counts)}. Expected integers")
        if sum(counts) != height * width:
            raise ValueError(f"the run lengths of the segmentation sum to {sum(counts)}. Expected {height * width:,}")
        encoded = mask.frPyObjects({"size": size, "counts": counts}, height, width)
    elif isinstance(counts, str) and _is_compressed(counts):
        encoded = {"size": size, "counts": counts}
    else:
        raise ValueError(
            f"the run lengths of the segmentation are {shown(counts)}. Expected a list or COCO's compressed text"
        )
    left, top, box_width, box_height = (float(value) for value in mask.toBbox(encoded))
    if box_width <= 0 or box_height <= 0:
        raise ValueError("the mask of the segmentation is empty")
    if left + box_width > width or top + box_height > height:
        raise ValueError(f"the run lengths of the segmentation are {shown(counts)}. Expected {height} × {width} pixels")
    return [left, top, box_width, box_height]


def _is_size(size: list[Any]) -> bool:
    return (
        len(size) == 2  # height and width
        and all(isinstance(side, int) and not isinstance(side, bool) and 0 < side < _MOST_PIXELS for side in size)
        and size[0] * size[1] < _MOST_PIXELS
    )


def _is_compressed(counts: str) -> bool:
    """Return whether text is what the reference implementation, which checks nothing, can read."""
    codes = [ord(character) for character in counts]
    return bool(codes) and all(code in _RLE_BYTES for code in codes) and not (codes[-1] - 48) & _MORE_FOLLOWS
