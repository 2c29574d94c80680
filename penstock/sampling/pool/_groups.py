"""What laws and streams read of strata, without knowing how strata are made or planned."""

from __future__ import annotations

from dataclasses import Field
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.pool._class_sums import ClassSums
from penstock.sampling.pool._class_values import ClassValues
from penstock.sampling.pool._labels import ClassCounts

__all__ = ["Groups", "Level"]

Level = Literal["clauses", "label_sets", "bins"]


class Groups(Protocol):
    """A pool of rows in groups, and what each group has of each class: the read side of `Strata`.

    A frozen dataclass, so that `dataclasses.replace` makes other groups of it.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def ids(self) -> NDArray[np.unsignedinteger]:
        """Stratum of each row, shape (num_rows,)."""
        ...

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Rows of each stratum, shape (num_strata,)."""
        ...

    @property
    def matches(self) -> NDArray[np.bool_]:
        """Which clauses match a stratum, shape (num_clauses, num_strata)."""
        ...

    @property
    def expressions(self) -> tuple[str, ...] | None:
        """Source of each clause, where known."""
        ...

    @property
    def labels(self) -> ClassCounts | None:
        """Labels of the rows."""
        ...

    @property
    def level(self) -> Level:
        """What a stratum is."""
        ...

    @property
    def row_weights(self) -> NDArray[np.float64] | None:
        """Weight of a row of each stratum, for the level "bins"."""
        ...

    @property
    def row_numbers(self) -> NDArray[np.int64] | None:
        """Row of the dataset at each position, where known."""
        ...

    @property
    def num_rows(self) -> int:
        """Number of rows of the pool."""
        ...

    @property
    def num_strata(self) -> int:
        """Number of strata."""
        ...

    @property
    def num_clauses(self) -> int:
        """Number of clauses."""
        ...

    @property
    def identity(self) -> NDArray[np.int64] | None:
        """Number of the distinct row at each position; None where no row repeats."""
        ...

    @property
    def rows(self) -> NDArray[np.signedinteger]:
        """Row numbers sorted by stratum, ascending in each."""
        ...

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Where each stratum begins in `rows`, shape (num_strata + 1,)."""
        ...

    @property
    def class_sums(self) -> ClassSums:
        """Sums per stratum and class; empty without labels."""
        ...

    @property
    def class_values(self) -> ClassValues:
        """Rows per stratum, class and number of instances, of classes that some row has several times."""
        ...

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the grouping."""
        ...
