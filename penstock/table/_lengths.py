"""The least and the greatest number of elements of a sample, found without looking at every sample where possible."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from penstock.table._ragged import Ragged

__all__ = ["Bounds", "all_bounds", "exact_bounds", "widened", "without_rows"]

Bounds = tuple[int, int]
_BLOCK = 1 << 16
_LEAST, _MOST = -1, 2**62  # no length reaches them


def widened(bounds: Bounds, pieces: Iterable[Ragged]) -> Bounds:
    """Return bounds that also hold for some more samples."""
    least, greatest = bounds
    for piece in pieces:
        if len(piece):
            lengths = piece.lengths
            least, greatest = min(least, int(lengths.min())), max(greatest, int(lengths.max()))
    return least, greatest


def exact_bounds(offsets: Iterable[NDArray[np.int64]], outer: Bounds) -> Bounds:
    """Return the least and the greatest difference of consecutive offsets, looking no further once both are found.

    Parameters
    ----------
    offsets : iterable of ndarray of int64
        Where the samples of each piece of a column begin, and where its last one ends.
    outer : (int, int)
        Bounds that hold for all samples, although none may reach them.

    Returns
    -------
    (int, int)
        The exact bounds; `outer` where there are no samples.
    """
    least, greatest = outer[1], outer[0]
    for piece in offsets:
        for start in range(0, len(piece) - 1, _BLOCK):
            lengths = np.diff(piece[start : start + _BLOCK + 1])
            least, greatest = min(least, int(lengths.min())), max(greatest, int(lengths.max()))
            if (least, greatest) == outer:
                return outer
    return (least, greatest) if least <= greatest else outer


def all_bounds(offsets: Iterable[NDArray[np.int64]]) -> Bounds:
    """Return the least and the greatest difference of consecutive offsets; there must be some."""
    return exact_bounds(offsets, (_LEAST, _MOST))


def without_rows(offsets: Iterable[NDArray[np.int64]], rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield offsets of consecutive pieces cut into such that leave out some rows, which are increasing."""
    first = 0
    for piece in offsets:
        last = first + len(piece) - 1
        gone = rows[np.searchsorted(rows, first) : np.searchsorted(rows, last)] - first
        for begin, end in pairwise([-1, *gone.tolist(), last - first]):
            yield piece[begin + 1 : end + 1]
        first = last
