"""Memory of batches, used again once a caller has let go of it."""

from __future__ import annotations

import weakref

import numpy as np
from numpy.typing import NDArray

__all__ = ["BatchMemory"]

_LARGEST_KEPT = 31 << 20  # the threshold is never raised beyond 32 MiB


class BatchMemory:
    """Returns arrays whose memory is used again when the last view of them is gone.

    Fresh memory is zeroed by the system page by page as it is written to: a
    tenth of the time of decoding.

    Parameters
    ----------
    most : int
        Pieces kept for later at most.
    """

    def __init__(self, most: int) -> None:
        _reuse_large_blocks()
        self._most = most
        self._free: list[NDArray[np.uint8]] = []

    def array(self, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """Return an array of any content.

        Parameters
        ----------
        shape : tuple of int
            Its shape.

        Returns
        -------
        ndarray of uint8
        """
        size = int(np.prod(shape))
        memory = self._taken(size)
        # Views of an array point to the array that owns the memory, if that is one: behind a memoryview it is not
        whole = np.frombuffer(memory.data, np.uint8)
        weakref.finalize(whole, _give_back, self._free, memory, self._most).atexit = False
        return whole[:size].reshape(shape)

    def _taken(self, size: int) -> NDArray[np.uint8]:
        try:
            memory = self._free.pop()
        except IndexError:
            return np.empty(size, np.uint8)
        return memory if len(memory) >= size else np.empty(size, np.uint8)

    def clear(self) -> None:
        """Give back what waits to be used again."""
        self._free.clear()


def _reuse_large_blocks() -> None:
    """Let malloc keep the memory of what is read for a batch instead of returning it to the system each time.

    GNU's malloc maps blocks beyond a threshold one by one and raises the threshold to the largest that was ever freed.
    The block is never written to, so that it costs nothing; others' malloc does as it did.
    """
    np.empty(_LARGEST_KEPT, np.uint8)


def _give_back(free: list[NDArray[np.uint8]], memory: NDArray[np.uint8], most: int) -> None:
    if len(free) < most:
        free.append(memory)
