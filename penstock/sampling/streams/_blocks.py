"""Blocks of a deck: runs of positions whose strata are known in number and in random order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCK_LIMIT", "Blocks"]

BLOCK_LIMIT: Final = 1 << 16

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Blocks:
    """How the positions of a deck are cut: each epoch into as few equal blocks as hold at most 65,536 positions.

    Block ``b`` is part ``j = b mod m`` of epoch ``e = b div m``: positions ``[e size + j size div m,
    e size + (j + 1) size div m)``, `m` the blocks of an epoch.

    Parameters
    ----------
    size : int
        Draws per epoch of the deck, at least 1.

    Examples
    --------
    >>> blocks = Blocks(100_000)
    >>> blocks.per_epoch, blocks.begin(np.arange(4)).tolist(), blocks.at(np.array([49_999, 50_000])).tolist()
    (2, [0, 50000, 100000, 150000], [0, 1])
    """

    size: int

    @property
    def per_epoch(self) -> int:
        """Blocks of an epoch."""
        return -(-self.size // BLOCK_LIMIT)

    def at(self, positions: Ints) -> Ints:
        """Return the block of each position, int64 of the shape of `positions`."""
        epochs, rest = np.divmod(positions, self.size)
        return np.asarray(epochs * self.per_epoch + ((rest + 1) * self.per_epoch - 1) // self.size)

    def begin(self, blocks: Ints) -> Ints:
        """Return the first position of each block, int64 of the shape of `blocks`."""
        epochs, parts = np.divmod(blocks, self.per_epoch)
        return np.asarray(epochs * self.size + parts * self.size // self.per_epoch)
