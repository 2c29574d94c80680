"""Lines of YOLO label files: a class and fractions of the image's sides."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.tensors import clip_boxes, decimals

__all__ = [
    "Style",
    "as_written",
    "boxes_in_pixels",
    "corner_boxes",
    "digest_of",
    "keypoint_values",
    "line_text",
    "point_fractions",
    "points_in_pixels",
    "rewritten",
    "shortest_boxes",
    "style_of",
]

_DIGITS = range(6, 16)  # decimals that are tried: the usual number, up to what a float64 holds
_WORD = re.compile(r"\S+")
_FIXED = re.compile(r"-?\d+\.(\d+)")
_KEYPOINT = 3
_BOX = 4
_LARGEST_WHOLE = 10**15

Values = Sequence[float]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    r"""How the lines of a folder of label files are written.

    Parameters
    ----------
    digits : int, optional
        Decimals of each number; None where a number has as many as it needs.
    newline : str
        What ends a line.
    ends_last : bool
        Whether it also ends the last line of a file.

    Examples
    --------
    >>> style_of([("0 0.500000 0.250000 0.1 0.1", "\r\n")])
    Style(digits=None, newline='\r\n', ends_last=True)
    """

    digits: int | None = None
    newline: str = "\n"
    ends_last: bool = True

    def as_json(self) -> Mapping[str, Any]:
        """Return it as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Any) -> Style:
        """Return a style that was noted; the usual one where a note is something else."""
        noted = value if isinstance(value, Mapping) else {}
        digits, newline = noted.get("digits"), noted.get("newline")
        return cls(
            digits=digits if type(digits) is int and 0 < digits < 18 else None,
            newline=newline if newline in ("\n", "\r\n", "\r") else "\n",
            ends_last=noted.get("ends_last") is not False,
        )


def style_of(lines: Sequence[tuple[str, str]], ends: Sequence[str] = ()) -> Style:
    """Return the style of lines.

    Parameters
    ----------
    lines : sequence of (str, str)
        Lines, and what ends each.
    ends : sequence of str
        What ends the last line of each file.
    """
    words = [word for text, _ in lines for word in text.split()[1:]]
    fixed = {len(found[1]) if (found := _FIXED.fullmatch(word)) else 0 for word in words}
    digits = next(iter(fixed)) if len(fixed) == 1 else 0
    breaks = [found[0] for _, end in lines if (found := re.match(r"\r\n|\r|\n", end))]
    newline = max(set(breaks), key=breaks.count) if breaks else "\n"
    return Style(
        digits=digits if 0 < digits < 18 else None,
        newline=newline,
        ends_last=2 * sum(not end for end in ends) <= len(ends),
    )


def corner_boxes(centered: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return boxes of center, width and height as left, top, width, height.

    Examples
    --------
    >>> corner_boxes(np.array([[0.5, 0.5, 0.25, 0.5]])).tolist()
    [[0.375, 0.25, 0.25, 0.5]]
    """
    return np.concatenate([centered[:, :2] - centered[:, 2:] / 2, centered[:, 2:]], axis=1)


def boxes_in_pixels(centered: NDArray[np.float64], size: Size) -> NDArray[np.float32]:
    """Return the boxes that an import makes of fractions: left, top, width, height in pixels, inside the image."""
    sides = np.array([*size, *size], np.float64)
    return clip_boxes(corner_boxes(centered) * sides, np.broadcast_to(sides[:2], (len(centered), 2))).astype(np.float32)


def shortest_boxes(boxes_xywh: NDArray[np.float32], size: Size) -> NDArray[np.float64]:
    """Return center, width and height in fractions, with as few decimals as an import needs to give the boxes back.

    Parameters
    ----------
    boxes_xywh : ndarray of float32, shape (num_boxes, 4)
        Left, top, width, height in pixels.
    size : tuple of int
        Width and height of the image in pixels.

    Examples
    --------
    >>> shortest_boxes(np.array([[213.3, 10, 100, 33.25]], np.float32), (640, 480)).tolist()
    [[0.41140625, 0.055468748, 0.15625, 0.06927083]]
    """
    boxes = np.asarray(boxes_xywh, np.float32).reshape(-1, 4)
    exact = decimals(boxes)
    centered = np.concatenate([exact[:, :2] + exact[:, 2:] / 2, exact[:, 2:]], axis=1) / np.array([*size, *size])
    clipped = boxes_in_pixels(centered, size)  # differs by a rounding, where a box ends at the edge of its image

    def is_same(tried: NDArray[np.float64], at: NDArray[np.int64]) -> NDArray[np.bool_]:
        found = boxes_in_pixels(tried, size)
        return np.asarray((found == boxes[at]).all(axis=1) | (found == clipped[at]).all(axis=1))

    found = _shortest(centered, is_same)
    longer = np.flatnonzero((np.round(found, _DIGITS[0]) != found).any(axis=1))
    if len(longer):
        each = _each_shortest(centered[longer], size)
        same = is_same(each, longer)
        found[longer[same]] = each[same]
    return found


def _each_shortest(centered: NDArray[np.float64], size: Size) -> NDArray[np.float64]:
    """Return boxes with as few decimals as each number needs, so that a side that is not edited keeps its decimals."""
    pixels = corner_boxes(centered) * np.array([*size, *size], np.float64)
    sides = np.tile(np.array(size, np.float64), len(centered))[:, None]
    starts, lengths = pixels[:, :2].reshape(-1, 1), pixels[:, 2:].reshape(-1, 1)
    whole = _shortest(lengths / sides, lambda tried, at: _is_same_single(tried * sides[at], lengths[at])[:, 0])
    middle = _shortest(
        starts / sides + whole / 2,
        lambda tried, at: _is_same_single((tried - whole[at] / 2) * sides[at], starts[at])[:, 0],
    )
    return np.concatenate([middle.reshape(-1, 2), whole.reshape(-1, 2)], axis=1)


def as_written(
    values: Values, written: Values, size: Size, *, has_box: bool, keypoint_size: int | None = None
) -> list[float]:
    """Return the numbers of a line after that of the class, as they are written where they mean the same pixels.

    Parameters
    ----------
    values : sequence of float
        What the line shall say.
    written : sequence of float
        What it says: as many numbers.
    size : tuple of int
        Width and height of the image in pixels.
    has_box : bool
        Whether the first four are a box.
    keypoint_size : int, optional
        Numbers of each keypoint; None for the corners of a polygon.

    Examples
    --------
    >>> as_written([0.5, 0.25, 0.7, 0.8], [0.5000000001, 0.25, 0.6, 0.8], (640, 480), has_box=False)
    [0.5000000001, 0.25, 0.7, 0.8]
    """
    start = _BOX if has_box else 0
    found = [*_box_as_written(values[:start], written, size), *values[start:]] if has_box else [*values]
    for place in range(start, len(found)):
        part = (place - start) % (keypoint_size or 2)
        if part < 2 and np.float32(found[place] * size[part]) == np.float32(written[place] * size[part]):
            found[place] = written[place]
    return found


def _box_as_written(values: Values, written: Values, size: Size) -> list[float]:
    found = np.array([values], np.float64)
    wanted = boxes_in_pixels(found, size)
    for axis in (0, 1):
        for kept in ([axis, axis + 2], [axis + 2], [axis]):
            tried = found.copy()
            tried[0, kept] = [written[place] for place in kept]
            if (boxes_in_pixels(tried, size) == wanted).all():
                found = tried
                break
    numbers: list[float] = found[0].tolist()
    return numbers


def point_fractions(points: NDArray[np.float64], size: Size) -> NDArray[np.float64]:
    """Return points in pixels as fractions, with as few decimals as an import needs to give back their float32.

    Parameters
    ----------
    points : ndarray of float64, shape (num_points, 2)
        x and y in pixels.
    size : tuple of int
        Width and height of the image in pixels.

    Examples
    --------
    >>> point_fractions(np.array([[64.0, 120.0], [1.0, 160.0]]), (640, 480)).tolist()
    [[0.1, 0.25], [0.0015625, 0.33333333]]
    """
    pixels = np.asarray(points, np.float64).reshape(-1, 1)
    sides = np.tile(np.array(size, np.float64), len(pixels) // 2)[:, None]
    found = _shortest(pixels / sides, lambda tried, at: _is_same_single(tried * sides[at], pixels[at])[:, 0])
    return found.reshape(-1, 2)


def points_in_pixels(points: NDArray[np.float64]) -> list[float]:
    """Return points as an import keeps them: x and y of each, the shortest decimals with their float32.

    Examples
    --------
    >>> points_in_pixels(np.array([[0.33333333 * 480, 473.07000000000005]]))
    [160, 473.07]
    """
    return [int(value) if value.is_integer() else value for value in decimals(points.ravel()).tolist()]


def _is_same_single(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(one.astype(np.float32) == other.astype(np.float32))


def _shortest(
    values: NDArray[np.float64], is_same: Callable[[NDArray[np.float64], NDArray[np.int64]], NDArray[np.bool_]]
) -> NDArray[np.float64]:
    """Return rows rounded to the fewest decimals with which they are the same."""
    found = values.copy()
    left = np.arange(len(values))
    for digits in _DIGITS:
        tried = np.round(values[left], digits)
        same = is_same(tried, left)
        found[left[same]] = tried[same]
        left = left[~same]
        if not len(left):
            break
    return found


def keypoint_values(keypoints: Sequence[float], size: Size, num_values: int) -> list[float]:
    """Return keypoints in pixels, x, y and visibility of each, as the numbers of a line.

    Parameters
    ----------
    keypoints : sequence of float
        x and y in pixels, and visibility.
    size : tuple of int
        Width and height of the image in pixels.
    num_values : {2, 3}
        Numbers of each keypoint: 2 leaves the visibility out.

    Examples
    --------
    >>> keypoint_values([320, 120, 2, 0, 0, 0], (640, 480), 3)
    [0.5, 0.25, 2.0, 0.0, 0.0, 0.0]
    """
    points = np.array(keypoints, np.float64).reshape(-1, _KEYPOINT)
    found: list[float] = (
        np.concatenate([point_fractions(points[:, :2], size), points[:, 2:]], axis=1)[:, :num_values].ravel().tolist()
    )
    return found


def line_text(number: int, values: Values, digits: int | None = None) -> str:
    """Return a line of a label file.

    Examples
    --------
    >>> line_text(3, [0.5, 1.0, 0.0, 1e-05])
    '3 0.5 1 0 0.00001'
    >>> line_text(3, [0.5, 0.1234567], digits=6)
    '3 0.500000 0.1234567'
    """
    return " ".join([str(number), *(_text(value, digits) for value in values)])


def _text(value: float, digits: int | None) -> str:
    if digits is not None:
        fixed = f"{value:.{digits}f}"
        if float(fixed) == value:
            return fixed
    if value == int(value) and abs(value) < _LARGEST_WHOLE:
        return str(int(value))
    shortest = repr(value)
    return shortest if "e" not in shortest else np.format_float_positional(value, trim="-")


def rewritten(text: str, number: int, same: Collection[int], values: Values, digits: int | None = None) -> str | None:
    """Return a line in which only the words that have another value are replaced.

    Parameters
    ----------
    text : str
        The line as written.
    number : int
        The number of the class.
    same : collection of int
        Numbers of the same class, which stay.
    values : sequence of float
        The numbers after that of the class.
    digits : int, optional
        Decimals of a number that is replaced.

    Returns
    -------
    str or None
        None where the line has another number of words.

    Examples
    --------
    >>> rewritten("0  0.50 5e-1 0.2 0.4 ", 7, (), [0.5, 0.5, 0.25, 0.4])
    '7  0.50 5e-1 0.25 0.4 '
    """
    words = text.split()
    if len(words) != len(values) + 1:
        return None
    new = [words[0] if float(words[0]) in same else str(number)]
    new += [
        word if float(word) == value else _text(value, digits) for word, value in zip(words[1:], values, strict=True)
    ]
    if new == words:
        return text
    following = iter(new)
    return _WORD.sub(lambda _: next(following), text)


def digest_of(
    box: Values, segmentation: Any = None, keypoints: Sequence[float] | None = None, score: float | None = None
) -> str:
    """Return a short digest of what the tensors hold of an object, which changes when any of it is edited."""
    content = json.dumps([_as_floats(one) for one in (box, segmentation, keypoints, score)], separators=(",", ":"))
    return hashlib.blake2b(content.encode(), digest_size=8).hexdigest()


def _as_floats(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_as_floats(one) for one in value]
    return float(value) if isinstance(value, int) else value
