"""Masks and run-length encodings turned into outlines: rings of points that a browser draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ring", "polygon_ring", "rings_of_mask", "rings_of_polygons", "rle_mask", "shrunk"]

Ring = NDArray[np.float32]  # shape (num_points, 2), pixels

_MOST_PIXELS = 2**26
_FARTHEST = 1e9  # pixels
_MORE, _SIGN, _BITS = 0x20, 0x10, 0x1F  # of a character of a compressed run: six bits, five of them the number


def rle_mask(value: Mapping[str, Any]) -> NDArray[np.uint8]:
    """Return the mask of a run-length encoding of COCO, compressed or not, uint8 of shape (height, width).

    Raises
    ------
    ValueError
        If it is not one.

    Examples
    --------
    >>> rle_mask({"size": [2, 3], "counts": [1, 2, 3]}).tolist()
    [[0, 1, 0], [1, 0, 0]]
    """
    size, counts = value.get("size"), value.get("counts")
    if not isinstance(size, list) or len(size) != 2 or not all(type(side) is int and side > 0 for side in size):
        raise ValueError("the size of a run-length encoding is not [height, width]")
    height, width = size
    if height * width > _MOST_PIXELS:
        raise ValueError(f"a run-length encoding is larger than {_MOST_PIXELS:,} pixels")
    if not isinstance(counts, (list, str)):
        raise TypeError("the counts of a run-length encoding are neither a list nor text")
    runs = _decompressed(counts) if isinstance(counts, str) else np.array(counts, np.int64)
    if runs.ndim != 1 or (runs < 0).any() or (runs > height * width).any() or runs.sum() != height * width:
        raise ValueError(f"the run lengths of a mask do not sum to its {height} × {width} pixels")
    return np.repeat(np.arange(len(runs), dtype=np.uint8) & 1, runs).reshape(width, height).T


def _decompressed(text: str) -> NDArray[np.int64]:
    """Return the run lengths of COCO's compressed text.

    Five bits a character; each number but the first three is counted from the one two before.
    """
    codes = np.frombuffer(text.encode(), np.uint8).astype(np.int64) - 48
    ends = np.flatnonzero((codes & _MORE) == 0)
    if not len(codes) or (codes < 0).any() or (codes >= 64).any() or ends[-1:].tolist() != [len(codes) - 1]:
        raise ValueError("the counts of a run-length encoding are not COCO's compressed text")
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if (lengths > 10).any():
        raise ValueError("a run length has more than 10 characters")
    place = np.arange(len(codes)) - np.repeat(starts, lengths)
    runs = np.add.reduceat((codes & _BITS) << (5 * place), starts)
    runs -= np.where(codes[ends] & _SIGN, np.int64(1) << (5 * lengths), 0)
    runs[1::2] = np.cumsum(runs[1::2])
    runs[2::2] = np.cumsum(runs[2::2])
    return runs


def polygon_ring(value: Any) -> Ring:
    """Return the vertices of a polygon ``[x, y, x, y, ...]``.

    Raises
    ------
    ValueError
        If it is not one.
    """
    try:
        numbers = np.array(value, np.float64)
    except (TypeError, ValueError, OverflowError):
        numbers = np.empty(0)
    if numbers.ndim != 1 or numbers.size < 4 or numbers.size % 2 or not (np.abs(numbers) < _FARTHEST).all():
        raise ValueError("a polygon is not a list of x, y of its vertices")
    return numbers.astype(np.float32).reshape(-1, 2)


def rings_of_polygons(polygons: Sequence[Any], scale: float) -> list[Ring]:
    """Return polygons in steps of 1 / `scale` pixels, without vertices that make no difference there.

    All run the same way round, so that where two of them overlap both are filled.
    """
    import cv2

    found = []
    for polygon in polygons:
        ring = cv2.approxPolyDP(polygon_ring(polygon)[:, None] * np.float32(scale), 1.0, True)
        ring = ring[::-1] if cv2.contourArea(ring, oriented=True) > 0 else ring
        found.append(ring.reshape(-1, 2))
    return found


def rings_of_mask(mask: NDArray[Any], side: int, scale: float) -> list[Ring]:
    """Return the outlines of a mask, of its holes too, in steps of 1 / `scale` pixels.

    Parameters
    ----------
    mask : ndarray, shape (height, width)
        Not 0 where the object is.
    side : int
        Longest side at which it is traced, pixels.
    scale : float
        Steps in a pixel.
    """
    import cv2

    small = shrunk(mask.astype(bool).view(np.uint8), side)
    rings, _ = cv2.findContours(small, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    across, down = mask.shape[1] / small.shape[1] * scale, mask.shape[0] / small.shape[0] * scale
    steps = np.array([across, down], np.float32)
    simple = (cv2.approxPolyDP(ring, 0.7, True) for ring in rings)
    return [(ring[:, 0].astype(np.float32) + 0.5) * steps for ring in simple]


def shrunk(mask: NDArray[Any], side: int) -> NDArray[Any]:
    """Return every nth pixel of a mask that is larger than `side`, its values as they are."""
    height, width = mask.shape
    if max(height, width) <= side:
        return np.ascontiguousarray(mask)
    scale = side / max(height, width)
    rows = _picked(height, max(1, round(height * scale)))
    columns = _picked(width, max(1, round(width * scale)))
    return np.ascontiguousarray(mask[np.ix_(rows, columns)])


def _picked(length: int, count: int) -> NDArray[np.int64]:
    return ((np.arange(count) + 0.5) * length / count).astype(np.int64)
