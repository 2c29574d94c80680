"""The interface of a dataset for queries and loaders: named columns and rows by number."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.storage import Location
from penstock.table._ragged import Ragged
from penstock.tensors import MAX_IMAGE_BYTES, TensorSpec

__all__ = ["Earlier", "Table"]


class Table(ABC):
    """Rows of one version of a dataset, draft edits included; read-only and thread-safe.

    Each kind of table implements the abstract members. The other members have a default that is right for every
    table; a table that can do better overrides it. Whoever reads a table asks for members, never for its kind.

    Every member that takes a name raises `TensorNotFoundError` if there is no such tensor, and every member that takes
    rows raises `SampleIndexError` if a row is not in ``[0, num_rows)``.
    """

    @property
    @abstractmethod
    def num_rows(self) -> int:
        """Number of rows."""

    @property
    @abstractmethod
    def version(self) -> str:
        """The identity of the content: the commit, and the draft's hash if there is one."""

    @property
    @abstractmethod
    def tensors(self) -> Mapping[str, TensorSpec]:
        """Spec of each tensor, in order of creation."""

    @abstractmethod
    def revision(self, tensor: str) -> str:
        """Return a key that changes whenever a value of this tensor does."""

    @abstractmethod
    def column(self, tensor: str) -> Ragged:
        """Return all samples of a tensor that is not an image or mask, in memory and cached.

        Raises
        ------
        DatasetError
            If the tensor is an image or mask.
        """

    @abstractmethod
    def shapes(self, tensor: str) -> NDArray[np.int64]:
        """Return the shape of every sample, also of images, without decoding; -1 where unknown.

        Returns
        -------
        ndarray of int64, shape (num_rows, ndim)
        """

    @abstractmethod
    def take(self, rows: NDArray[np.int64], tensors: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        """Return raw samples of some rows, in their order, repeats kept.

        Images come as encoded bytes (links fetched), text as str, JSON as Python values, everything else as ndarray
        that the caller may change; a missing sample is None. A dataset's labels and boxes are never missing: without
        any, the array is empty.
        """

    @abstractmethod
    def uids(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the lasting identity of some rows, int64 of shape (len(rows),)."""

    def some(self, tensor: str, rows: NDArray[np.int64]) -> Ragged:
        """Return the samples of some rows of a tensor that is not an image or mask, in their order, repeats kept."""
        return self.column(tensor).take(rows)

    def take_views(self, rows: NDArray[np.int64], tensors: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        """Do what `take` does, but images may be memory views of what was read, not bytes of their own."""
        return self.take(rows, tensors)

    def has_nulls(self, tensor: str) -> bool:
        """Tell whether a sample of a tensor that is not an image or mask is missing."""
        return self.column(tensor).valid is not None

    def stacked(self, tensor: str, shape: tuple[int, ...]) -> NDArray[Any] | None:
        """Return all samples of a tensor that is not an image or mask as one array; None where that cannot be.

        Parameters
        ----------
        tensor : str
            The tensor.
        shape : tuple of int
            Of one sample.

        Returns
        -------
        ndarray of shape (num_rows, *shape), or None
            A view of the memory that the samples are in; None where a sample is missing or has another shape, or
            where the samples have to be read first.
        """
        return self.column(tensor).stacked(shape)

    @property
    def max_image_bytes(self) -> int | None:
        """Most bytes an image or mask may have when it is decoded; None for any size. Whoever decodes asks."""
        return MAX_IMAGE_BYTES

    @property
    def earlier(self) -> Earlier | None:
        """An earlier state that is in memory, and how this one differs from it; None where there is none."""
        return None

    @property
    def location(self) -> Location | None:
        """Where the dataset is stored whose rows these are; None for rows of no stored dataset."""
        return None

    @property
    def origin(self) -> Table:
        """The table whose rows these are under other names or read from elsewhere; by default this one."""
        return self


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Earlier:
    """An earlier state of a table that is still in memory: most of what was computed of it holds still.

    Parameters
    ----------
    table : Table
        The earlier state.
    removed : ndarray of int64
        Rows of it that are gone, increasing; all others are in the later one, in the same order.
    changed : callable
        Tensor to the rows of the later state whose sample of it may differ, int64.
    """

    table: Table
    removed: NDArray[np.int64]
    changed: Callable[[str], NDArray[np.int64]]
