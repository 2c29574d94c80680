"""Columns of samples of unequal size: one array of values, and where each row's begin."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Bounds", "Ragged", "all_bounds", "exact_bounds", "widened", "without_rows"]

Bounds = tuple[int, int]
_BLOCK = 1 << 16
_LEAST, _MOST = -1, 2**62  # no length reaches them


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ragged:
    """A column in memory: flat values and offsets, no Python object per sample.

    Row ``i`` holds ``values[offsets[i]:offsets[i + 1]]``, shaped ``shapes[i]``.

    Parameters
    ----------
    values : ndarray, shape (num_values,)
        All elements, row after row. Text and JSON are `StringDType`, one per row.
    offsets : ndarray of int64, shape (num_rows + 1,)
        Where each row's elements begin; ``offsets[0]`` is 0.
    shapes : ndarray of int64, shape (num_rows, ndim), optional
        Shape of each row's sample; None means one-dimensional. ``(num_rows, 0)``
        says that every sample is a scalar; boxes have shapes ``(num_boxes, 4)``.
    valid : ndarray of bool, shape (num_rows,), optional
        False where the sample is NULL; None means that no sample is.
    class_names : tuple of str, optional
        The names behind integer values of a class label.
    """

    values: NDArray[Any]
    offsets: NDArray[np.int64]
    shapes: NDArray[np.int64] | None = None
    valid: NDArray[np.bool_] | None = None
    class_names: tuple[str, ...] | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of elements in each row, int64 of shape (num_rows,)."""
        return np.diff(self.offsets)

    @property
    def ndim(self) -> int:
        """Number of dimensions of a sample."""
        return 1 if self.shapes is None else self.shapes.shape[1]

    @property
    def valid_rows(self) -> NDArray[np.bool_]:
        """Whether each row has a sample, bool of shape (num_rows,)."""
        return np.ones(len(self), bool) if self.valid is None else self.valid

    @property
    def sample_shapes(self) -> NDArray[np.int64]:
        """Shape of each row's sample, int64 of shape (num_rows, ndim)."""
        return self.lengths[:, None] if self.shapes is None else self.shapes

    def stacked(self, shape: tuple[int, ...]) -> NDArray[Any] | None:
        """Return all samples as one array, a view of the values; None where one is NULL or of another shape.

        Parameters
        ----------
        shape : tuple of int
            Of one sample.

        Returns
        -------
        ndarray of shape (num_rows, *shape), or None
        """
        if self.valid is not None or self.ndim != len(shape) or (self.lengths != math.prod(shape)).any():
            return None
        if self.shapes is not None and (self.shapes != shape).any():
            return None
        return self.values.reshape(len(self), *shape)

    def row(self, index: int) -> NDArray[Any]:
        """Return one row's sample, a view where the shape allows."""
        flat = self.values[self.offsets[index] : self.offsets[index + 1]]
        return flat if self.shapes is None else flat.reshape(self.shapes[index])

    def take(self, rows: NDArray[np.int64]) -> Ragged:
        """Return the column of some rows, in order, including repeats."""
        starts = self.offsets[rows]
        lengths = self.offsets[rows + 1] - starts
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        # the running number of each element taken, moved by how far its row began from where it goes
        gather = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
        return Ragged(
            values=self.values[gather],
            offsets=offsets,
            shapes=None if self.shapes is None else self.shapes[rows],
            valid=None if self.valid is None else self.valid[rows],
            class_names=self.class_names,
        )


# ---- the least and the greatest number of elements of a sample ---------------------------------------


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
