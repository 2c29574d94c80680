"""One row of a dataset or view."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock._wording import escaped
from penstock.dataset.samples._content import Content
from penstock.dataset.samples._reserved import is_attribute
from penstock.dataset.samples._tensor import Tensor
from penstock.errors import TensorNotFoundError

__all__ = ["Sample"]


class Sample:
    """One sample: its tensors by name or attribute.

    Parameters
    ----------
    content : Content
        The samples it is one of.
    position : int
        Its place among them.
    """

    def __init__(self, content: Content, position: int) -> None:
        self._content = content
        self._position = np.array([position], np.int64)

    @property
    def index(self) -> int:
        """Row number in the version."""
        return int(self._content.rows[self._position][0])

    @property
    def uid(self) -> int:
        """Lasting identity of the sample, across edits, versions and branches."""
        table, rows = self._content.state()
        return int(table.uids(rows[self._position])[0])

    def keys(self) -> list[str]:
        """Return the names of the tensors."""
        return self._content.names()

    def __iter__(self) -> Iterator[str]:
        """Go through the names of the tensors."""
        return iter(self.keys())

    def __getitem__(self, name: str) -> Tensor:
        self._content.spec(name)
        return Tensor(self._content, name, self._position, single=True)

    def __getattr__(self, name: str) -> Tensor:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._content.edits.assign(name, self._position, [value])

    def numpy(self) -> dict[str, NDArray[Any]]:
        """Read every tensor of the sample."""
        return {name: np.asarray(self[name].numpy()) for name in self.keys()}

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *filter(is_attribute, self.keys())]

    def __repr__(self) -> str:
        try:
            return escaped(f"Sample({self.index}: {', '.join(self.keys())})")
        except TensorNotFoundError:
            return "Sample()"
