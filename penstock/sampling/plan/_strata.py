"""A pool of rows in groups: made of masks, labels, weights or parts, and planned under a spec."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.errors import SamplingError
from penstock.sampling.laws._histogram import labels_of
from penstock.sampling.plan._plan import SamplingPlan
from penstock.sampling.pool._build import (
    Grouping,
    Masks,
    by_classes,
    by_label_sets,
    by_masks,
    by_weights,
    check_lengths,
    checked_weights,
    concatenated,
    named_masks,
    pool_size,
    regrouped,
    rows_of,
)
from penstock.sampling.pool._class_sums import ClassSums, class_sums
from penstock.sampling.pool._class_values import ClassValues, class_values
from penstock.sampling.pool._grouping import distinct_rows, rows_by_stratum
from penstock.sampling.pool._groups import Level
from penstock.sampling.pool._label_input import Labels, class_counts
from penstock.sampling.pool._labels import ClassCounts
from penstock.sampling.pool._tally import ClassTally, class_tally
from penstock.sampling.spec._spec import SamplingSpec

__all__ = ["Strata"]


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
        Labels of the rows, for everything that is counted per class.
    level : {"clauses", "label_sets", "bins"}
        What a stratum is: a pattern of clauses, a set of classes, rows of one weight.
    row_weights : ndarray of float64, shape (num_strata,), optional
        Weight of a row of each stratum, for ``level="bins"``.
    row_numbers : ndarray of int64, shape (num_rows,), optional
        Row of the dataset at each position, where known; rows may repeat.
    """

    ids: NDArray[np.unsignedinteger]
    sizes: NDArray[np.int64]
    matches: NDArray[np.bool_]
    expressions: tuple[str, ...] | None = None
    labels: ClassCounts | None = None
    level: Level = "clauses"
    row_weights: NDArray[np.float64] | None = None
    row_numbers: NDArray[np.int64] | None = None

    # ---- making strata ---------------------------------------------------------------------

    @classmethod
    def from_masks(
        cls,
        masks: Masks,
        *,
        labels: Labels | None = None,
        num_rows: int | None = None,
        expressions: Sequence[str] | None = None,
        rows: NDArray[np.int64] | None = None,
    ) -> Self:
        """Group rows by the clauses that match them.

        Parameters
        ----------
        masks : mapping of str to array_like of bool, or sequence of array_like of bool
            For each clause, in the order of the spec, whether it matches each row; each of shape (num_rows,).
        labels : ClassCounts, Tensor, View or array_like, optional
            Labels of the same rows.
        num_rows : int, optional
            Rows of the pool; needed only where there are neither masks nor labels.
        expressions : sequence of str, optional
            Source of each clause where `masks` is a sequence; may repeat.
        rows : ndarray of int64, shape (num_rows,), optional
            Which row of a dataset is at each position, where rows may repeat: coverage counts distinct rows.

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
        >>> from penstock.sampling import Strata
        >>> strata = Strata.from_masks({"a": [True, False, True], "True": [True, True, True]})
        >>> strata.sizes.tolist(), strata.matches.tolist()
        ([1, 2], [[False, True], [True, True]])
        """
        counts = _counts(labels)
        arrays, names = named_masks(masks, expressions)
        grouping = by_masks(arrays, names, pool_size(arrays, counts, num_rows))
        return cls._of(grouping, expressions=names, labels=counts, rows=rows)

    @classmethod
    def from_labels(cls, labels: Labels, *, rows: NDArray[np.int64] | None = None) -> Self:
        """Group rows by the set of their classes.

        The clauses are "has the class", one for each class that occurs. Specs of the presets and of `solve_targets`
        fit too: their clauses are some of these, and "True".

        Parameters
        ----------
        labels : ClassCounts, Tensor, View or array_like
            Labels of the pool.
        rows : ndarray of int64, shape (num_rows,), optional
            Which row of a dataset is at each position, where rows may repeat: coverage counts distinct rows.

        Returns
        -------
        Strata

        Examples
        --------
        >>> from penstock.sampling import ClassCounts, Strata
        >>> strata = Strata.from_labels(ClassCounts.from_lists([[0], [1, 0], [0, 1]]))
        >>> sorted(strata.sizes.tolist()), strata.expressions
        ([1, 2], ("contains(labels, '0')", "contains(labels, '1')"))
        """
        counts = class_counts(labels)
        grouping, classes = by_label_sets(counts)
        names = tuple(counts.condition(number) for number in classes.tolist())
        return cls._of(grouping, expressions=names, labels=counts, rows=rows, level="label_sets")

    @classmethod
    def from_classes(
        cls,
        labels: Labels,
        classes: Sequence[int | None],
        *,
        expressions: Sequence[str],
        rows: NDArray[np.int64] | None = None,
    ) -> Self:
        """Group rows by clauses that each ask for one class: the strata of `from_masks`, made faster.

        Parameters
        ----------
        labels : ClassCounts, Tensor, View or array_like
            Labels of the pool.
        classes : sequence of int or None
            The class that each clause asks for; None matches every row.
        expressions : sequence of str
            Source of each clause.
        rows : ndarray of int64, shape (num_rows,), optional
            Which row of a dataset is at each position, where rows may repeat: coverage counts distinct rows.

        Returns
        -------
        Strata

        Examples
        --------
        >>> from penstock.sampling import ClassCounts, Strata
        >>> labels = ClassCounts.from_lists([[0], [1, 0], []])
        >>> Strata.from_classes(labels, [1, None], expressions=("b", "True")).matches.tolist()
        [[False, True], [True, True]]
        """
        counts = class_counts(labels)
        return cls._of(by_classes(counts, classes), expressions=tuple(expressions), labels=counts, rows=rows)

    @classmethod
    def from_weights(
        cls, weights: ArrayLike, *, labels: Labels | None = None, rows: NDArray[np.int64] | None = None
    ) -> Self:
        """Group rows by their own weight, such as scikit-learn's ``sample_weight``.

        Parameters
        ----------
        weights : array_like of float, shape (num_rows,)
            Unnormalized weight of each row, finite and at least 0. All may be different.
        labels : ClassCounts, Tensor, View or array_like, optional
            Labels of the same rows.
        rows : ndarray of int64, shape (num_rows,), optional
            Which row of a dataset is at each position, where rows may repeat: coverage counts distinct rows.

        Returns
        -------
        Strata
            Ordered by weight; its specs have no clauses.

        Raises
        ------
        SamplingError
            If a weight is not a finite number of at least 0, or there are more or fewer weights than labels.

        Examples
        --------
        >>> from penstock.sampling import SamplingSpec, Strata
        >>> plan = Strata.from_weights([1, 1, 2]).with_spec(SamplingSpec())
        >>> plan.probabilities.tolist()
        [0.25, 0.5]
        """
        counts = _counts(labels)
        grouping, distinct = by_weights(checked_weights(weights, counts))
        return cls._of(grouping, expressions=(), labels=counts, rows=rows, level="bins", row_weights=distinct)

    @classmethod
    def concatenate(cls, parts: Sequence[Strata]) -> Strata:
        """Join the strata of consecutive pieces of a pool: the same as the strata of the whole.

        Parameters
        ----------
        parts : sequence of Strata
            Of the same clauses, made by `from_masks` or `from_weights`, each of the rows after the part before.

        Returns
        -------
        Strata

        Raises
        ------
        SamplingError
            If clauses or classes differ, or there is no part.

        Examples
        --------
        >>> from penstock.sampling import Strata
        >>> parts = [Strata.from_masks({"a": mask}) for mask in ([True, False], [True, True])]
        >>> Strata.concatenate(parts).sizes.tolist()
        [1, 3]
        """
        return concatenated(parts)

    @classmethod
    def _of(
        cls,
        grouping: Grouping,
        *,
        expressions: tuple[str, ...] | None,
        labels: ClassCounts | None,
        rows: NDArray[np.int64] | None,
        level: Level = "clauses",
        row_weights: NDArray[np.float64] | None = None,
    ) -> Self:
        numbers = rows_of(rows, labels)
        check_lengths(labels, numbers, len(grouping.ids))
        return cls(
            ids=grouping.ids,
            sizes=grouping.sizes,
            matches=grouping.matches,
            expressions=expressions,
            labels=labels,
            level=level,
            row_weights=row_weights,
            row_numbers=numbers,
        )

    # ---- what they hold --------------------------------------------------------------------

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

    @cached_property
    def class_sums(self) -> ClassSums:
        """Sums per stratum and class; empty without labels."""
        return class_sums(self._tally, self.num_strata, 0 if self.labels is None else self.labels.num_classes)

    @cached_property
    def class_values(self) -> ClassValues:
        """Rows per stratum, class and number of instances, of classes that some row has several times."""
        return class_values(self._tally, 0 if self.labels is None else self.labels.num_classes)

    @cached_property
    def _tally(self) -> ClassTally | None:
        """Rows by stratum, class and number of instances; None without labels."""
        labels = self.labels
        if labels is None:
            return None
        return class_tally(labels.values, labels.offsets, labels.num_classes, self.ids, self.num_strata)

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

    @cached_property
    def label_sets(self) -> Strata:
        """The same pool grouped by label sets; needs labels."""
        return self if self.level == "label_sets" else Strata.from_labels(labels_of(self), rows=self.row_numbers)

    # ---- planning --------------------------------------------------------------------------

    def with_spec(self, spec: SamplingSpec) -> SamplingPlan:
        """Return the plan of these strata under a spec; costs O(strata), shares the arrays.

        Parameters
        ----------
        spec : SamplingSpec
            Its clauses are those of the strata, in the same order, with any weights; of label sets any of them, and
            "True", in any order.

        Returns
        -------
        SamplingPlan

        Raises
        ------
        SamplingError
            If the clauses are others.
        """
        asked = tuple(clause.expression for clause in spec.clauses)
        fewer = regrouped(self, asked) if asked != self.expressions else None
        if fewer is not None:
            return fewer.with_spec(spec)
        if len(asked) != self.num_clauses or (self.expressions is not None and asked != self.expressions):
            names = ", ".join(map(repr, self.expressions)) if self.expressions else f"{self.num_clauses} clauses"
            others = ", ".join(map(repr, asked)) or "none"
            raise SamplingError(
                f"the spec has the clauses {others}; these strata are grouped by {names}",
                hint="a change of weights keeps the strata, a change of clauses needs new ones",
            )
        if spec.mode != "iid" and self.identity is not None:
            raise SamplingError(
                f"mode {spec.mode!r} counts samples, but the pool has some of them twice",
                hint="sample the dataset itself, or use mode='iid'",
            )
        return SamplingPlan(strata=self, spec=spec)

    def every_row(self, seed: int = 0) -> SamplingPlan:
        """Return the plan that visits every position of the pool once an epoch, a row as often as the pool holds it.

        Parameters
        ----------
        seed : int
            Of the order.

        Returns
        -------
        SamplingPlan
            Its counts are exact; it has no weights.

        Examples
        --------
        >>> strata = Strata.from_masks([], num_rows=4, rows=np.array([7, 7, 7, 8]))
        >>> plan = strata.every_row()
        >>> plan.num_draws, plan.coverage(1).unique.tolist()
        (4, [2.0])
        """
        pool = Strata.from_masks([], labels=self.labels, num_rows=self.num_rows, rows=self.row_numbers)
        return SamplingPlan(strata=pool, spec=SamplingSpec(mode="once", seed=seed, combine="product"))


def _counts(labels: Labels | None) -> ClassCounts | None:
    return None if labels is None else class_counts(labels)
