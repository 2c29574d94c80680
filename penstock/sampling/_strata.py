"""Rows grouped by which clauses match: all that a change of weights needs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.errors import SamplingError
from penstock.sampling._grouping import dense_codes, mask_codes, rows_by_stratum
from penstock.sampling._labels import ClassCounts
from penstock.sampling._spec import SamplingSpec

if TYPE_CHECKING:
    from penstock.sampling._plan import SamplingPlan

__all__ = ["ClassSums", "Strata"]

Level = Literal["clauses", "label_sets", "bins"]


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
class Strata:
    """A pool of rows, grouped; weights come with a spec.

    Made by `from_masks`, `from_labels` or `from_weights`. A row's number is its position in the pool.

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
    """

    ids: NDArray[np.unsignedinteger]
    sizes: NDArray[np.int64]
    matches: NDArray[np.bool_]
    expressions: tuple[str, ...] | None = None
    labels: ClassCounts | None = None
    level: Level = "clauses"
    row_weights: NDArray[np.float64] | None = None

    @classmethod
    def from_masks(
        cls,
        masks: Mapping[str, ArrayLike] | Sequence[ArrayLike] | NDArray[np.bool_],
        *,
        labels: ClassCounts | None = None,
        num_rows: int | None = None,
    ) -> Strata:
        """Group rows by the clauses that match them.

        Parameters
        ----------
        masks : mapping of str to array_like of bool, or sequence of array_like of bool
            For each clause, in the order of the spec, whether it matches each row; each of shape (num_rows,).
        labels : ClassCounts, optional
            Labels of the same rows.
        num_rows : int, optional
            Rows of the pool; needed only where there are neither masks nor labels.

        Returns
        -------
        Strata
            Ordered by the clause bit string read from the first clause on: ``000``, ``001``, ``010``, ...

        Raises
        ------
        SamplingError
            If a mask is not boolean, or lengths differ.

        Examples
        --------
        >>> strata = Strata.from_masks({"a": [True, False, True], "True": [True, True, True]})
        >>> strata.sizes.tolist(), strata.matches.tolist()
        ([1, 2], [[False, True], [True, True]])
        """
        names = tuple(masks) if isinstance(masks, Mapping) else None
        arrays = [np.asarray(mask) for mask in (masks.values() if isinstance(masks, Mapping) else masks)]
        pool = _pool_size(arrays, labels, num_rows)
        _check_masks(arrays, names, pool)
        codes, count, first = mask_codes(arrays, pool)
        matches = np.array([mask[first] for mask in arrays], bool).reshape(len(arrays), count)
        sizes = np.bincount(codes, minlength=count)
        return cls(ids=codes, sizes=sizes, matches=matches, expressions=names, labels=labels)

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
    def fingerprint(self) -> str:
        """SHA-256 of the grouping: equal for equal rows under equal clauses."""
        digest = hashlib.sha256(self.level.encode())
        digest.update(self.sizes.astype("<i8").tobytes())
        digest.update(np.packbits(self.matches).tobytes())
        digest.update(np.ascontiguousarray(self.ids).data.cast("B"))
        if self.row_weights is not None:
            digest.update(self.row_weights.astype("<f8").tobytes())
        return digest.hexdigest()

    def with_spec(self, spec: SamplingSpec) -> SamplingPlan:
        """Return the plan of these strata under a spec; costs O(strata), shares the arrays.

        Parameters
        ----------
        spec : SamplingSpec
            Its clauses are those of the strata, in the same order, with any weights.

        Returns
        -------
        SamplingPlan

        Raises
        ------
        SamplingError
            If the clauses are others.
        """
        from penstock.sampling._plan import SamplingPlan

        asked = tuple(clause.expression for clause in spec.clauses)
        if len(asked) != self.num_clauses or (self.expressions is not None and asked != self.expressions):
            names = ", ".join(map(repr, self.expressions)) if self.expressions else f"{self.num_clauses} clauses"
            given = ", ".join(map(repr, asked)) or "none"
            raise SamplingError(
                f"the spec has the clauses {given}; these strata are grouped by {names}",
                hint="a change of weights keeps the strata, a change of clauses needs new ones",
            )
        return SamplingPlan(strata=self, spec=spec)


def _pool_size(arrays: list[NDArray[np.bool_]], labels: ClassCounts | None, num_rows: int | None) -> int:
    if num_rows is not None:
        return num_rows
    if arrays:
        return len(arrays[0]) if arrays[0].ndim else 0
    if labels is not None:
        return labels.num_rows
    raise SamplingError("no masks, no labels and no num_rows; expected at least one of them", hint="pass num_rows=")


def _check_masks(arrays: list[NDArray[np.bool_]], names: tuple[str, ...] | None, pool: int) -> None:
    for number, mask in enumerate(arrays):
        name = repr(names[number]) if names else f"mask {number}"
        if mask.dtype != np.bool_ or mask.shape != (pool,):
            raise SamplingError(f"{name} is {mask.dtype} of shape {mask.shape}; expected bool of shape ({pool},)")


def _class_sums(strata: Strata) -> ClassSums:
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
    codes, distinct = dense_codes(joint, strata.num_strata * num_classes)
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
