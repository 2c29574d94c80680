"""A batch on its way: which draws, which rows, and their samples by tensor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Batch", "Column", "Draw"]

Column = Any
"""An array whose first axis is the samples, or a list of samples of unequal shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """What a batch is to hold.

    Parameters
    ----------
    epoch : int
        The epoch.
    start : int
        Stream position where it begins.
    positions : ndarray of int64, shape (batch_size,)
        Places of the draws in the epoch, over all ranks.
    pool : ndarray of int64, shape (batch_size,)
        Positions drawn from the pool.
    rows : ndarray of int64, shape (batch_size,)
        Their rows in the dataset's version.
    valid : ndarray of bool, shape (batch_size,), optional
        False for draws repeated only to fill the last batch of a rank.
    """

    epoch: int
    start: int
    positions: NDArray[np.int64]
    pool: NDArray[np.int64]
    rows: NDArray[np.int64]
    valid: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        """Return the number of draws."""
        return len(self.positions)

    def keep(self, chosen: NDArray[np.bool_] | slice) -> Draw:
        """Return the draw of the chosen places only."""
        return Draw(
            epoch=self.epoch,
            start=self.start,
            positions=self.positions[chosen],
            pool=self.pool[chosen],
            rows=self.rows[chosen],
            valid=None if self.valid is None else self.valid[chosen],
        )


@dataclass(slots=True, kw_only=True)
class Batch:
    """Decoded samples of a draw.

    Parameters
    ----------
    draw : Draw
        Which draws, those that could not be read left out or replaced.
    columns : dict of str to array or list
        Samples by tensor.
    skipped, substituted : list of (int, str)
        Rows that could not be read, and why.
    seconds : dict of str to float
        Time spent, by stage.
    """

    draw: Draw
    columns: dict[str, Column]
    skipped: list[tuple[int, str]] = field(default_factory=list)
    substituted: list[tuple[int, str]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
