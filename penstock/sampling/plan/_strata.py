"""Making strata: out of masks, labels, weights or parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.sampling.pool._build import Masks, by_label_sets, by_masks, by_weights, concatenated
from penstock.sampling.pool._class_sums import GroupedRows
from penstock.sampling.pool._label_input import Labels, class_counts
from penstock.sampling.pool._labels import ClassCounts

__all__ = ["MadeStrata"]


@dataclass(frozen=True, kw_only=True, eq=False)
class MadeStrata(GroupedRows):
    """The ways to make `Strata`."""

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
        return cls._of(by_masks(masks, labels=_counts(labels), num_rows=num_rows, expressions=expressions, rows=rows))

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
        return cls._of(by_label_sets(class_counts(labels), rows))

    @classmethod
    def from_weights(
        cls, weights: ArrayLike, *, labels: Labels | None = None, rows: NDArray[np.int64] | None = None
    ) -> Self:
        """Group rows by their own weight, such as scikit-learn's ``sample_weight``.

        Parameters
        ----------
        weights : array_like of float, shape (num_rows,)
            Unnormalised weight of each row, finite and at least 0. All may be different.
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
            If a weight is no weight, or there are not as many as labels.

        Examples
        --------
        >>> from penstock.sampling import SamplingSpec, Strata
        >>> plan = Strata.from_weights([1, 1, 2]).with_spec(SamplingSpec())
        >>> plan.probabilities.tolist()
        [0.25, 0.5]
        """
        return cls._of(by_weights(weights, labels=_counts(labels), rows=rows))

    @classmethod
    def concatenate(cls, parts: Sequence[GroupedRows]) -> Self:
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
        return cls._of(concatenated(parts))

    @classmethod
    def _of(cls, grouped: GroupedRows) -> Self:
        return cls(**{part.name: getattr(grouped, part.name) for part in fields(grouped)})


def _counts(labels: Labels | None) -> ClassCounts | None:
    return None if labels is None else class_counts(labels)
