"""Samples of one version, to read: the content of every dataset, view, tensor and sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from penstock.table import Table
from penstock.tensors import TensorSpec

__all__ = ["Content", "Edits", "HasContent", "Resolve", "content_of", "first_label_tensor"]

Resolve = Callable[[str, str | None], Table]
_C_co = TypeVar("_C_co", covariant=True)


class Edits(Protocol):
    """The editor of a dataset's samples and classes; that of a view raises errors."""

    def assign(self, name: str, positions: NDArray[np.int64], values: Sequence[Any]) -> None:
        """Replace samples of a tensor."""
        ...

    def change_classes(self, name: str, action: str, *names: str) -> int:
        """Add or rename a class and return its index."""
        ...

    def merge_classes(self, name: str, names: Sequence[str], into: str) -> None:
        """Merge several classes into one."""
        ...

    def remove_classes(self, name: str, names: Sequence[str]) -> None:
        """Remove classes that no label has."""
        ...

    def set_class_color(self, name: str, class_name: str, color: str | None) -> None:
        """Give a class a color of its own, or take it away."""
        ...


class Content(Protocol):
    """Samples of one version, to read."""

    @property
    def table(self) -> Table:
        """The whole table of the version."""
        ...

    @property
    def rows(self) -> NDArray[np.int64]:
        """Row of each sample in the table, int64 of shape (num_samples,)."""
        ...

    @property
    def is_whole(self) -> bool:
        """Whether the samples are all rows of the table, in its order."""
        ...

    def state(self) -> tuple[Table, NDArray[np.int64]]:
        """Return table and rows of one moment, whoever writes meanwhile."""
        ...

    def __len__(self) -> int: ...

    def names(self) -> list[str]:
        """Return the names of the tensors, in order of creation."""
        ...

    def spec(self, name: str) -> TensorSpec:
        """Return kind and options of a tensor.

        Raises
        ------
        TensorNotFoundError
            If no tensor has this name.
        """
        ...

    @property
    def shown(self) -> list[str] | None:
        """The visible tensors if they are not all of the table, otherwise None."""
        ...

    @property
    def seed(self) -> int:
        """The default seed of draws."""
        ...

    @property
    def query_string(self) -> str | None:
        """The query that selected the samples; None if there was none."""
        ...

    @property
    def resolve(self) -> Resolve | None:
        """The resolver of names in a query; None if only this table can be queried."""
        ...

    @property
    def edits(self) -> Edits:
        """The editor of the samples."""
        ...


class HasContent(Protocol[_C_co]):
    """A dataset or a view."""

    @property
    def _content(self) -> _C_co: ...


def content_of(samples: HasContent[_C_co]) -> _C_co:
    """Return the content of a dataset or a view, for use by other parts of penstock."""
    return samples._content  # noqa: SLF001  the one way to it


def first_label_tensor(content: Content) -> str | None:
    """Return the name of the first class label tensor; None if there is none."""
    return next((name for name in content.names() if content.spec(name).htype == "class_label"), None)
