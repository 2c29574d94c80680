"""The interface of a dataset or view for its tensors and samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.table import Table
from penstock.tensors import TensorSpec

__all__ = ["Owner"]


class Owner(Protocol):
    """A dataset or a view."""

    @property
    def table(self) -> Table:
        """The whole table of the version."""
        ...

    @property
    def indices(self) -> NDArray[np.int64]:
        """Row of each sample in the table."""
        ...

    @property
    def version(self) -> str:
        """Identity of what is read."""
        ...

    def state(self) -> tuple[Table, NDArray[np.int64]]:
        """Return the table, and the row in it of each sample, of one moment."""
        ...

    def __len__(self) -> int: ...

    def tensor_names(self) -> list[str]:
        """Return the tensors shown."""
        ...

    def tensor_spec(self, name: str) -> TensorSpec:
        """Return kind and options of a tensor."""
        ...

    def table_rows(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the table's row of each position."""
        ...

    def assign(self, name: str, positions: NDArray[np.int64], values: Sequence[Any]) -> None:
        """Replace samples of a tensor."""
        ...

    def change_classes(self, name: str, action: str, *names: str) -> int:
        """Add or rename a class."""
        ...

    def merge_classes(self, name: str, names: Sequence[str], into: str) -> None:
        """Merge several classes into one."""
        ...
