"""Mini-batches of any structure, and the indices they are read by."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from penstock.errors import DataSourceError, DataSourceTypeError

__all__ = ["ChoiceBatch", "SampleIndices", "length_of_batch", "members_of", "trim_batch"]


class ChoiceBatch(NamedTuple):
    """Indices of a batch, and which of several sources they are of.

    Parameters
    ----------
    sample_indices : ndarray of int
        Indices of samples in that source.
    ds_index : int
        The number of the source.
    """

    sample_indices: Any
    ds_index: int


class SampleIndices(np.ndarray[Any, np.dtype[np.int64]]):
    """Indices of samples in the data set, as the iterators of a source give them.

    A source that draws from a subset maps plain integers, which count within the subset; these it takes as they are,
    so that no index is ever mapped twice. Parts of them, ``indices[:5]``, are indices of samples too; whatever is
    computed from them is a plain array.
    """

    is_mapped = False

    @classmethod
    def of(cls, indices: NDArray[np.integer[Any]]) -> SampleIndices:
        """Return indices of samples that know what they are."""
        marked = indices.view(cls)
        marked.is_mapped = True
        return marked

    def __getitem__(self, key: Any) -> Any:
        part = super().__getitem__(key)
        if isinstance(part, SampleIndices):
            part.is_mapped = self.is_mapped
        return part

    def __array_wrap__(
        self,
        array: NDArray[Any],
        context: Any = None,
        return_scalar: bool = False,
    ) -> Any:
        return array[()] if return_scalar else array.view(np.ndarray)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.view(np.ndarray).__reduce_ex__(protocol)


def length_of_batch(batch: Any) -> int:
    """Return the number of samples of a batch: that of its first part for a tuple or mapping, or its length."""
    if isinstance(batch, tuple | Mapping):
        if not batch:
            raise DataSourceError("a batch has no parts. Expected at least one array")
        return length_of_batch(next(iter(batch.values())) if isinstance(batch, Mapping) else batch[0])
    if isinstance(batch, slice):
        return len(range(*batch.indices(sys.maxsize)))
    try:
        return len(batch)
    except TypeError as error:
        shape = getattr(batch, "shape", ())  # a sparse matrix has a shape and no length
        if not shape:
            raise DataSourceTypeError(
                f"a batch has a part of type {type(batch).__name__}. Expected an array with an entry for each sample"
            ) from error
        return int(shape[0])


def trim_batch(batch: Any, length: int) -> Any:
    """Return the first samples of a batch, in the same structure."""
    if isinstance(batch, ChoiceBatch):
        return batch._replace(sample_indices=trim_batch(batch.sample_indices, length))
    if isinstance(batch, tuple):
        return tuple(trim_batch(part, length) for part in batch)
    if isinstance(batch, Mapping):
        return {name: trim_batch(part, length) for name, part in batch.items()}
    if isinstance(batch, slice):
        kept = range(*batch.indices(sys.maxsize))[:length]
        return slice(kept.start, kept.stop if kept.stop >= 0 else None, kept.step)
    try:
        return batch[:length]
    except TypeError as error:
        raise DataSourceTypeError(
            f"a batch has a part of type {type(batch).__name__}. Expected an array, whose first samples can be taken"
        ) from error


def members_of(batch: Any) -> tuple[Any, ...]:
    """Return the parts of a batch: those of a tuple or list, or the batch itself."""
    if isinstance(batch, tuple):
        return batch
    return tuple(batch) if isinstance(batch, list) else (batch,)
