"""The samples of a source, as a loader reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Rows", "loaded"]

Read = Callable[[Any], Any]


class Rows:
    """Samples by their index in the data set; a loader decides which.

    Parameters
    ----------
    length : int
        Samples of the data set.
    read : callable
        Returns a batch of some indices.
    arrays : tuple of ndarray, optional
        All samples, where they are arrays in memory.
    """

    def __init__(self, length: int, read: Read, arrays: tuple[NDArray[Any], ...] | None = None) -> None:
        self._length = length
        self._read = read
        self._arrays = arrays

    def num_samples(self) -> int:
        """Return the number of samples."""
        return self._length

    def samples_by_indices(self, indices: NDArray[np.int64]) -> Any:
        """Return the samples of some indices."""
        return loaded(self._read(indices))

    def arrays(self) -> Any:
        """Return all samples, where they are arrays in memory."""
        return self._arrays or ()


def loaded(batch: Any) -> Any:
    """Return a batch as a loader takes it: the parts of a view by their own names."""
    parts = batch if isinstance(batch, tuple | list) else (batch,)
    if len(parts) == 1 and isinstance(parts[0], Mapping):
        return parts[0]
    return parts
