"""The content of a view: rows of one version, independent of later changes of the dataset."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.samples._content import HasContent, Resolve, content_of
from penstock.dataset.shown._history import SampleHistory
from penstock.errors import ReadOnlyError, TensorNotFoundError
from penstock.sampling import SamplingPlan
from penstock.storage import Credentials, Store
from penstock.table import Table
from penstock.tensors import TensorSpec

__all__ = ["FixedContent", "Home", "frozen"]


class Home(Protocol):
    """The content of the dataset that a view was chosen from."""

    @property
    def lock(self) -> AbstractContextManager[None]:
        """The lock under which the dataset is read and written."""
        ...

    @property
    def store(self) -> Store:
        """The stored dataset."""
        ...

    @property
    def credentials(self) -> Credentials:
        """The credentials of this session."""
        ...

    @property
    def max_image_bytes(self) -> int | None:
        """Most bytes of a decoded image; None allows any size."""
        ...

    @property
    def resolve(self) -> Resolve:
        """The resolver of names in a query."""
        ...

    def history_of(self, table: Table, rows: NDArray[np.int64], index: Any) -> SampleHistory:
        """Return the edits of a sample by its position among some rows of a table."""
        ...

    def check_may_name(self) -> None:
        """Refuse names for versions and rows where the dataset was opened with read_only=True."""
        ...


def frozen(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return an array of one owner, made read-only."""
    rows.flags.writeable = False
    return rows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FixedContent:
    """Samples of one version that stay.

    Parameters
    ----------
    table : Table
        The version's table.
    rows : ndarray of int64, shape (num_samples,)
        Rows of the table; order counts, repeats are allowed.
    dataset : Dataset, optional
        Where the rows were chosen from; None for the result table of a query.
    query_string : str, optional
        The query that chose the rows.
    seed : int
        The seed it was run with.
    shown : list of str, optional
        The tensors shown; by default all.
    plan : SamplingPlan, optional
        The plan the rows were drawn by.
    pool : ndarray of int64, optional
        Rows of the table that sampling drew from.
    by_array : bool
        Whether the rows were drawn by an array of weights.
    """

    table: Table
    rows: NDArray[np.int64]
    dataset: HasContent[Home] | None = None
    query_string: str | None = None
    seed: int = 0
    shown: list[str] | None = None
    plan: SamplingPlan | None = None
    pool: NDArray[np.int64] | None = None
    by_array: bool = False
    is_whole: ClassVar[bool] = False

    def __len__(self) -> int:
        return len(self.rows)

    def state(self) -> tuple[Table, NDArray[np.int64]]:
        """Return the table, and the row in it of each sample."""
        return self.table, self.rows

    def names(self) -> list[str]:
        """Return the names of the tensors shown."""
        return list(self.table.tensors) if self.shown is None else self.shown

    def spec(self, name: str) -> TensorSpec:
        """Return kind and options of a tensor."""
        names = self.names()
        if name not in names:
            raise TensorNotFoundError(name, names)
        return self.table.tensors[name]

    @property
    def home(self) -> Home | None:
        """The content of the dataset the rows were chosen from."""
        return None if self.dataset is None else content_of(self.dataset)

    @property
    def resolve(self) -> Resolve | None:
        """The resolver of names in a query."""
        return None if self.home is None else self.home.resolve

    @property
    def edits(self) -> RefusedEdits:
        """The editor of a view, which raises an error for every edit."""
        return RefusedEdits()


class RefusedEdits:
    """The edits of a view, which is a snapshot: each is refused with what to write instead."""

    def assign(self, name: str, positions: NDArray[np.int64], values: Sequence[Any]) -> NoReturn:
        """Refuse to replace samples."""
        raise ReadOnlyError(
            f"cannot assign {len(values)} of {len(positions)} samples of {name!r} in a view, which is a snapshot",
            hint=f"assign to the dataset: ds.{name}[view.indices[i]] = …",
        )

    def change_classes(self, name: str, action: str, *names: str) -> NoReturn:
        """Refuse to add or rename a class."""
        raise ReadOnlyError(
            f"cannot {action} class {names[0]!r} of {name!r} in a view, which is a snapshot", hint="use the dataset"
        )

    def merge_classes(self, name: str, names: Sequence[str], into: str) -> NoReturn:
        """Refuse to make several classes one."""
        raise ReadOnlyError(
            f"cannot merge {', '.join(names)} of {name!r} into {into!r} in a view, which is a snapshot",
            hint="use the dataset",
        )

    def remove_classes(self, name: str, names: Sequence[str]) -> NoReturn:
        """Refuse to remove classes."""
        raise ReadOnlyError(
            f"cannot remove {', '.join(names)} of {name!r} in a view, which is a snapshot", hint="use the dataset"
        )

    def set_class_color(self, name: str, class_name: str, color: str | None) -> NoReturn:  # noqa: ARG002  of `Edits`
        """Refuse to color a class."""
        raise ReadOnlyError(
            f"cannot color class {class_name!r} of {name!r} in a view, which is a snapshot", hint="use the dataset"
        )
