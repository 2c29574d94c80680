"""Outlines, masks and keypoints as the browser draws them: small arrays for the grid, exact ones for one sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock.dataset import Dataset
from penstock.table import Table
from penstock.widgets._byte_cache import ByteCache
from penstock.widgets.shapes._source import ShapeSource, Sides, mask_names

__all__ = ["SHAPES", "Drawn", "PackedShapes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What is drawn of a sample besides its boxes.

    Parameters
    ----------
    data : bytes
        int16 for the grid, float64 for one sample: the longest side of the image in its steps, then for each shape its
        kind (0 polygon, 1 keypoints, 2 outline of a mask, 3 mask of the image), its object or -1, its class or -1, the
        number of points, and for each point x and y, of keypoints the visibility too.
    note : str, optional
        Why something is not drawn.
    """

    data: bytes = b""
    note: str | None = None


class PackedShapes:
    """Packs shapes and keeps the last ones.

    Parameters
    ----------
    max_bytes : int
        How many bytes are kept; the least recently used go first.
    """

    def __init__(self, *, max_bytes: int = 64 * 2**20) -> None:
        self._kept: ByteCache[Drawn] = ByteCache(max_bytes=max_bytes, size=lambda made: len(made.data))

    @property
    def num_bytes(self) -> int:
        """Bytes kept now."""
        return self._kept.num_bytes

    def clear(self) -> None:
        """Keep nothing."""
        self._kept.clear()

    def page(
        self,
        table: Table,
        rows: NDArray[np.int64],
        labels: str | None,
        sides: Sequence[Sides],
        size: int | None,
        dataset: Dataset,
    ) -> list[Drawn]:
        """Return what is drawn of some rows.

        Parameters
        ----------
        table : Table
            What is read.
        rows : ndarray of int64, shape (num_rows,)
            Row numbers of `table`.
        labels : str, optional
            The class label tensor on show.
        sides : sequence of (int, int)
            Width and height of each image; 0 where it cannot be shown.
        size : int, optional
            Longest side of a thumbnail, pixels; None for the shapes as they are.
        dataset : Dataset
            Whose table it is.
        """
        source = ShapeSource(table, labels, mask_names(dataset))
        if not source.names:
            return [Drawn()] * len(rows)
        state = (dataset.path, *source.revision(), size)
        keys = [(uid, pair, *state) for uid, pair in zip(table.uids(rows).tolist(), sides, strict=True)]
        found = [self._kept.get(key) for key in keys]
        missing = [i for i, kept in enumerate(found) if kept is None]
        made = source.drawn(rows[missing], [sides[i] for i in missing], size) if missing else ()
        for i, (data, note) in zip(missing, made, strict=True):
            one = found[i] = Drawn(data=data, note=note)
            self._kept.put(keys[i], one)
        return [one for one in found if one is not None]


SHAPES = PackedShapes()
"""What all widgets of the process share."""
