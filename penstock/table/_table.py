"""The interface of a dataset for queries and loaders: named columns and rows by number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.table._ragged import Ragged
from penstock.tensors import TensorSpec

__all__ = ["Table"]


class Table(Protocol):
    """Rows of one version of a dataset, draft edits included; read-only and thread-safe."""

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        ...

    @property
    def version(self) -> str:
        """The identity of the content: the commit, and the draft's hash if there is one."""
        ...

    @property
    def tensors(self) -> Mapping[str, TensorSpec]:
        """Spec of each tensor, in order of creation."""
        ...

    def revision(self, tensor: str) -> str:
        """Return a key that changes whenever a value of this tensor does."""
        ...

    def column(self, tensor: str) -> Ragged:
        """Return all samples of a tensor that is not an image, in memory and cached."""
        ...

    def shapes(self, tensor: str) -> NDArray[np.int64]:
        """Return the shape of every sample, also of images, without decoding; -1 where unknown."""
        ...

    def take(self, rows: NDArray[np.int64], tensors: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        """Return raw samples of some rows, in their order, repeats kept.

        Images come as encoded bytes (links fetched), text as str, JSON as
        Python values, everything else as ndarray; NULL as None.
        """
        ...

    def uids(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the lasting identity of some rows, int64."""
        ...
