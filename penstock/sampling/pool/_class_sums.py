"""Rows in groups, and what each group has of each class."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.pool._class_values import ClassValues, class_values
from penstock.sampling.pool._grouping import dense_codes, distinct_rows, rows_by_stratum
from penstock.sampling.pool._labels import ClassCounts

__all__ = ["ClassSums", "GroupedRows", "Level"]

Level = Literal["clauses", "label_sets", "bins"]

_DENSE = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassSums:
    """Sums over the rows of a stratum, one entry per (stratum, class) that occurs, ordered by both.

    Parameters
    ----------
    offsets : ndarray of int32, shape (num_strata + 1,)
        Where each stratum's entries begin.
    classes : ndarray of int32, shape (num_entries,)
        Class of each entry, ascending in a stratum.
    strata : ndarray of int32, shape (num_entries,)
        Stratum of each entry.
    rows_with_class, instances, instances_squared : ndarray of float64, shape (num_entries,)
        Rows that have the class, sum of their instances k, sum of k squared.
    """

    offsets: NDArray[np.int32]
    classes: NDArray[np.int32]
    strata: NDArray[np.int32]
    rows_with_class: NDArray[np.float64]
    instances: NDArray[np.float64]
    instances_squared: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupedRows:
    """A pool of rows, grouped; weights come with a spec.

    A row's number is its position in the pool.

    Parameters
    ----------
    ids : ndarray of unsigned int, shape (num_rows,)
        Stratum of each row.
    sizes : ndarray of int64, shape (num_strata,)
        Rows of each stratum, at least 1.
    matches : ndarray of bool, shape (num_clauses, num_strata)
        Which clauses match a stratum.
    expressions : tuple of str, optional
        Source of each clause, where known.
    labels : ClassCounts, optional
        Labels of the rows, for everything that is told per class.
    level : {"clauses", "label_sets", "bins"}
        What a stratum is: a pattern of clauses, a set of classes, rows of one weight.
    row_weights : ndarray of float64, shape (num_strata,), optional
        Weight of a row of each stratum, for ``level="bins"``.
    row_numbers : ndarray of int64, shape (num_rows,), optional
        Row of the dataset at each position, where it was told; rows may repeat.
    """

    ids: NDArray[np.unsignedinteger]
    sizes: NDArray[np.int64]
    matches: NDArray[np.bool_]
    expressions: tuple[str, ...] | None = None
    labels: ClassCounts | None = None
    level: Level = "clauses"
    row_weights: NDArray[np.float64] | None = None
    row_numbers: NDArray[np.int64] | None = None

    @cached_property
    def identity(self) -> NDArray[np.int64] | None:
        """Number of the distinct row at each position, int64 of shape (num_rows,); None where no row repeats."""
        return distinct_rows(self.row_numbers)

    @cached_property
    def rows(self) -> NDArray[np.signedinteger]:
        """Row numbers sorted by stratum, ascending in each; int32 below 2**31 rows."""
        return rows_by_stratum(self.ids, self.sizes)

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """Where each stratum begins in `rows`, int64 of shape (num_strata + 1,)."""
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(self.sizes)])

    @property
    def num_rows(self) -> int:
        """Number of rows of the pool."""
        return len(self.ids)

    @property
    def num_strata(self) -> int:
        """Number of strata."""
        return len(self.sizes)

    @property
    def num_clauses(self) -> int:
        """Number of clauses."""
        return len(self.matches)

    @cached_property
    def class_sums(self) -> ClassSums:
        """Sums per stratum and class; empty without labels."""
        return _class_sums(self)

    @cached_property
    def class_values(self) -> ClassValues:
        """Rows per stratum, class and number of instances, of classes that come more than once in some row."""
        return class_values(self.labels, self.ids, self.num_strata)

    def dense(self, entries: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Return one of the arrays of `class_sums` as a table of strata and classes; None where that is large."""
        num_classes = self.labels.num_classes if self.labels else 0
        if self.num_strata * num_classes > _DENSE:
            return None
        table = self._tables.get(id(entries))
        if table is None:
            table = np.zeros((self.num_strata, num_classes))
            table[self.class_sums.strata, self.class_sums.classes] = entries
            self._tables[id(entries)] = table
        return table

    @cached_property
    def _tables(self) -> dict[int, NDArray[np.float64]]:
        return {}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the grouping: equal for equal rows under equal clauses."""
        digest = hashlib.sha256(self.level.encode())
        digest.update(self.sizes.astype("<i8").tobytes())
        digest.update(np.packbits(self.matches).tobytes())
        digest.update(np.ascontiguousarray(self.ids).data.cast("B"))
        if self.row_weights is not None:
            digest.update(self.row_weights.astype("<f8").tobytes())
        return digest.hexdigest()


def _class_sums(strata: GroupedRows) -> ClassSums:
    if strata.labels is None:
        none = np.zeros(0, np.float64)
        empty = np.zeros(0, np.int32)
        return ClassSums(
            offsets=np.zeros(strata.num_strata + 1, np.int32),
            classes=empty, strata=empty, rows_with_class=none, instances=none, instances_squared=none,
        )  # fmt: skip
    num_classes = strata.labels.num_classes
    rows, classes, counts = strata.labels.entries
    joint = strata.ids[rows].astype(np.int64) * num_classes + classes
    dense, distinct = dense_codes(joint, strata.num_strata * num_classes)
    codes = dense.astype(np.int64, copy=False)
    present = np.bincount(codes, minlength=len(distinct)).astype(np.float64)
    instances: NDArray[np.float64] = present if counts is None else _sums(codes, counts, len(distinct))
    squares: NDArray[np.float64] = present if counts is None else _sums(codes, counts * counts, len(distinct))
    owners, members = np.divmod(distinct, max(num_classes, 1))
    return ClassSums(
        offsets=np.searchsorted(owners, np.arange(strata.num_strata + 1)).astype(np.int32),
        classes=members.astype(np.int32),
        strata=owners.astype(np.int32),
        rows_with_class=present,
        instances=instances,
        instances_squared=squares,
    )


def _sums(codes: NDArray[np.int64], values: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    return np.bincount(codes, values, count).astype(np.float64, copy=False)
