"""What was recorded since the last time it was collected, in the order of the calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Block", "Buffer", "Log", "Records", "records_of"]

_FIRST = 4096  # records that a buffer has space for at first


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """Numbers of one signal.

    Parameters
    ----------
    rows, positions : ndarray of int64, shape (n,)
        The samples, and where in the stream they were drawn.
    values : ndarray of float32, shape (n,)
        The numbers.
    """

    rows: NDArray[np.int64]
    positions: NDArray[np.int64]
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Numbers of some signals that were recorded together.

    Parameters
    ----------
    rows, positions : ndarray of int64, shape (n,)
        The samples, and where in the stream they were drawn.
    values : mapping of str to ndarray of float32, shape (n,)
        The numbers of each signal.
    """

    rows: NDArray[np.int64]
    positions: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float32]]


Log = Sequence[Block]


def records_of(log: Log) -> Iterator[tuple[str, Records]]:
    """Yield each signal of a log with its records, those of several blocks one after the other."""
    for name in dict.fromkeys(name for block in log for name in block.values):
        blocks = [block for block in log if name in block.values]
        if len(blocks) == 1:
            yield name, Records(blocks[0].rows, blocks[0].positions, blocks[0].values[name])
            continue
        yield (
            name,
            Records(
                np.concatenate([block.rows for block in blocks]),
                np.concatenate([block.positions for block in blocks]),
                np.concatenate([block.values[name] for block in blocks]),
            ),
        )


class Buffer:
    """Records of the same signals, in arrays that grow.

    Parameters
    ----------
    names : tuple of str
        The signals.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.count = 0
        self.rows = np.empty(_FIRST, np.int64)
        self.positions = np.empty(_FIRST, np.int64)
        self.values = {name: np.empty(_FIRST, np.float32) for name in names}

    def reserve(self, count: int) -> slice:
        """Return where the next records go."""
        begin, end = self.count, self.count + count
        if end > len(self.rows):
            size = max(end, 2 * len(self.rows))
            self.rows, self.positions = _grown(self.rows, begin, size), _grown(self.positions, begin, size)
            self.values = {name: _grown(values, begin, size) for name, values in self.values.items()}
        self.count = end
        return slice(begin, end)

    def block(self) -> Block:
        """Return the records, without those whose rows never arrived; the buffer must not be used after."""
        held = slice(0, self.count)
        rows = self.rows[held]
        kept = held if not len(rows) or int(rows.min()) >= 0 else np.flatnonzero(rows >= 0)
        return Block(
            self.rows[kept], self.positions[kept], {name: values[kept] for name, values in self.values.items()}
        )


def _grown(array: NDArray[Any], count: int, size: int) -> NDArray[Any]:
    larger: NDArray[Any] = np.empty(size, array.dtype)
    larger[:count] = array[:count]
    return larger
