"""Tables that are described once, when they are made."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from penstock.table._checks import checked_rows, checked_tensor
from penstock.table._table import Table
from penstock.tensors import TensorSpec

__all__ = ["FixedTable"]


class FixedTable(Table):
    """What a table has that is known from the beginning; its rows are numbered, and have no other identity.

    Parameters
    ----------
    specs : mapping of str to TensorSpec
        Spec of each tensor.
    num_rows : int
        Number of rows.
    version : str
        Identity of the content.
    """

    def __init__(self, specs: Mapping[str, TensorSpec], num_rows: int, version: str) -> None:
        self._specs = specs
        self._num_rows = num_rows
        self._version = version

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return self._num_rows

    @property
    def version(self) -> str:
        """Identity of what is read."""
        return self._version

    @property
    def tensors(self) -> Mapping[str, TensorSpec]:
        """Spec of each tensor, in the order given."""
        return self._specs

    def revision(self, tensor: str) -> str:
        """Return a key of the tensor, whose values never change."""
        checked_tensor(self._specs, tensor)
        return f"{self._version}/{tensor}"

    def uids(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows themselves."""
        return checked_rows(rows, self._num_rows)
