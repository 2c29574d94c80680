"""Strata under a spec: everything a user asks before a single draw."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.errors import SamplingError
from penstock.sampling._coverage import Coverage, coverage
from penstock.sampling._deck import DeckStream
from penstock.sampling._draws import DrawStream
from penstock.sampling._grouped import GroupedRows
from penstock.sampling._grouping import mask_codes
from penstock.sampling._histogram import Histogram, Unit, class_sums_of, histogram, labels_of
from penstock.sampling._labels import ClassCounts
from penstock.sampling._laws import DeckLaw, IidLaw, Law, OnceLaw
from penstock.sampling._moments import ClassMoments, dealt_moments, drawn_moments, included_moments, part_of
from penstock.sampling._once import OnceStream, inclusion
from penstock.sampling._quotas import integer_masses, quotas
from penstock.sampling._spec import Combine, SamplingSpec
from penstock.sampling._statistics import statistics
from penstock.sampling._stream import IndexStream

__all__ = ["SamplingPlan", "Strata"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Strata(GroupedRows):
    """A pool of rows, grouped; weights come with a spec.

    Made by `from_masks`, `from_labels` or `from_weights`. A row's number is its position in the pool.
    """

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
        asked = tuple(clause.expression for clause in spec.clauses)
        if len(asked) != self.num_clauses or (self.expressions is not None and asked != self.expressions):
            names = ", ".join(map(repr, self.expressions)) if self.expressions else f"{self.num_clauses} clauses"
            given = ", ".join(map(repr, asked)) or "none"
            raise SamplingError(
                f"the spec has the clauses {given}; these strata are grouped by {names}",
                hint="a change of weights keeps the strata, a change of clauses needs new ones",
            )
        return SamplingPlan(strata=self, spec=spec)


@dataclass(frozen=True, kw_only=True, eq=False)
class SamplingPlan:
    """Strata with weights: probabilities, charts and the stream, all of the same numbers.

    Made by `Strata.with_spec`.

    Parameters
    ----------
    strata : Strata
        The grouped pool.
    spec : SamplingSpec
        The weights and the mode.

    Examples
    --------
    >>> from penstock.sampling import ClassCounts, Clause, SamplingSpec, Strata
    >>> labels = ClassCounts.from_labels([0, 0, 0, 1])
    >>> rare = labels.values == 1
    >>> strata = Strata.from_masks({"rare": rare, "True": [True] * 4}, labels=labels)
    >>> plan = strata.with_spec(SamplingSpec(clauses=(Clause("rare", 3), Clause("True", 1))))
    >>> plan.probabilities.round(3).tolist(), plan.histogram().expected.tolist()
    ([0.167, 0.5], [2.0, 2.0])
    """

    strata: Strata
    spec: SamplingSpec

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """Weight of a row of each stratum, float64 of shape (num_strata,)."""
        if self.strata.row_weights is not None:
            return self.strata.row_weights
        weights = combine(self.strata.matches, np.array(self.spec.weights), self.spec.combine)
        return weights if self.spec.cap is None else np.minimum(weights, self.spec.cap)

    @cached_property
    def total_weight(self) -> float:
        """Sum of the weights of all rows."""
        masses = self.weights * self.strata.sizes
        return float(np.cumsum(masses)[-1]) if len(masses) else 0.0

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """Probability that a draw is one certain row of each stratum, float64 of shape (num_strata,)."""
        total = self.total_weight
        if not total > 0:
            raise SamplingError(
                f"all {self.strata.num_rows} samples have weight 0; nothing can be drawn",
                hint="give at least one clause that matches a weight above 0, or add 'True: 1'",
            )
        return self.weights / total

    @cached_property
    def num_drawable(self) -> int:
        """Rows with a weight above 0."""
        return int(self.strata.sizes[self.weights > 0].sum())

    @cached_property
    def num_draws(self) -> int:
        """Draws per epoch: the size of the spec, else of the pool; without replacement at most the drawable rows."""
        asked = self.spec.size if self.spec.size is not None else self.strata.num_rows
        return min(asked, self.num_drawable) if self.spec.mode == "once" else asked

    @property
    def effective_sample_size(self) -> float:
        """Kish's effective sample size, (sum w)^2 / sum w^2 over the rows."""
        squares = float((self.strata.sizes * self.weights**2).sum())
        return self.total_weight**2 / squares if squares else 0.0

    @cached_property
    def ineffective_clauses(self) -> tuple[int, ...]:
        """Numbers of the clauses without which every weight would be the same."""
        return _ineffective(self)

    def histogram(
        self, num_draws: int | None = None, unit: Unit = "instances", level: float = 0.95, *, epoch: int = 0
    ) -> Histogram:
        """Return raw and expected counts of each class in one epoch, with a band.

        Exact for "iid" and "deck"; for "once" Hajek's approximation. An epoch delivered short of the size of a deck
        or a "once" is taken as a random part of it.

        Parameters
        ----------
        num_draws : int, optional
            Draws delivered in the epoch; default `num_draws` of the plan.
        unit : {"instances", "samples"}
            Count every label or box, or the samples that have the class.
        level : float
            Pointwise probability of the band.
        epoch : int
            Which epoch; matters for "deck" only, whose first epoch begins with full deals.

        Returns
        -------
        Histogram

        Raises
        ------
        SamplingError
            If there are no labels to count, or nothing can be drawn.
        """
        labels, sums = labels_of(self.strata), class_sums_of(self.strata, unit)
        draws = self._checked_draws(num_draws)
        moments = self._moments(sums, draws, epoch)
        return histogram(labels, moments, draws, unit=unit, level=level, single=sums[0] is sums[1])

    def _moments(self, sums: ClassMoments, draws: int, epoch: int) -> ClassMoments:
        strata, size = self.strata, self.num_draws
        if self.spec.mode == "iid":
            return drawn_moments(strata, self.probabilities, draws, sums)
        if self.spec.mode == "once":
            return included_moments(strata, self.inclusion * min(draws / size, 1.0), sums)
        begin = epoch * draws // size * size if draws < size else epoch * draws
        before, after = quotas(self._masses, np.array([begin, begin + max(draws, size)]))
        moments = dealt_moments(strata, before, after, sums)
        return part_of(moments, sums, strata, draws, size) if draws < size else moments

    def coverage(self, num_epochs: int = 20, num_draws: int | None = None, level: float = 0.95) -> Coverage:
        """Return the distinct samples seen after 1 .. `num_epochs` epochs, with a band.

        Parameters
        ----------
        num_epochs : int
            Epochs told; quantiles look further by themselves.
        num_draws : int, optional
            Draws delivered per epoch; default `num_draws` of the plan.
        level : float
            Pointwise probability of the band.

        Returns
        -------
        Coverage

        Raises
        ------
        SamplingError
            If nothing can be drawn, or there is not one epoch.
        """
        draws = self._checked_draws(num_draws)
        return coverage(self.strata, self._law(draws), num_epochs, draws, level)

    def _law(self, draws: int) -> Law:
        sizes, size = self.strata.sizes, self.num_draws
        probabilities = self.probabilities
        if self.spec.mode == "deck":
            return DeckLaw(sizes, self.weights, size, draws)
        if self.spec.mode == "once":
            return OnceLaw(sizes, self.inclusion * min(draws / size, 1.0))
        return IidLaw(sizes, probabilities, draws)

    def _checked_draws(self, num_draws: int | None) -> int:
        if num_draws is not None and not num_draws >= 1:
            raise SamplingError(f"num_draws is {num_draws!r}; expected draws per epoch, at least 1")
        if not self.total_weight > 0:
            _ = self.probabilities
        return self.num_draws if num_draws is None else int(num_draws)

    @cached_property
    def inclusion(self) -> NDArray[np.float64]:
        """Probability that a row of each stratum is in an epoch without replacement, shape (num_strata,)."""
        return inclusion(self.strata.sizes, self.weights, self.num_draws)

    @cached_property
    def _masses(self) -> NDArray[np.int64]:
        return integer_masses(self.strata.sizes, self.weights)

    def quotas(self, num_epochs: int) -> NDArray[np.int64]:
        """Return the draws a deck gives each stratum in each epoch.

        Parameters
        ----------
        num_epochs : int
            Epochs from the first.

        Returns
        -------
        ndarray of int64, shape (num_epochs, num_strata)
            Each row sums to `num_draws`.
        """
        totals = quotas(self._masses, np.arange(num_epochs + 1) * self.num_draws)
        return np.diff(totals, axis=0)

    def stream(self) -> IndexStream:
        """Return the endless stream of rows, a pure function of spec, seed and position.

        Returns
        -------
        IndexStream

        Raises
        ------
        SamplingError
            If nothing can be drawn.

        Warns
        -----
        UserWarning
            If more draws without replacement are asked than there are rows with a weight above 0.
        """
        probabilities, spec = self.probabilities, self.spec
        asked = spec.size if spec.size is not None else self.strata.num_rows
        if spec.mode == "once" and self.num_draws < asked:
            warnings.warn(
                f"{asked} draws without replacement asked, {self.num_draws} samples have a weight above 0: "
                f"an epoch has {self.num_draws}",
                stacklevel=2,
            )
        common: dict[str, Any] = {"size": self.num_draws, "seed": spec.seed, "identity": spec.to_json()}
        if spec.mode == "deck":
            return DeckStream(self.strata, self.weights, interleave=spec.interleave, **common)
        if spec.mode == "once":
            return OnceStream(self.strata, self.weights, **common)
        return DrawStream(self.strata, probabilities, **common)

    def statistics(self) -> dict[str, NDArray[Any]]:
        """Return what a browser needs to redraw every chart under other weights.

        Returns
        -------
        dict of str to ndarray
            The arrays of the widget protocol in its order: ``sizes``, clauses and classes of each stratum as offsets
            and ids, ``rows_with_class``, ``instances``, ``instances_squared``, and ``weights`` for level "bins".
        """
        return statistics(self.strata)


def combine(matches: NDArray[np.bool_], weights: NDArray[np.float64], how: Combine) -> NDArray[np.float64]:
    """Return the combined weight of each stratum, adding or multiplying clause after clause in order."""
    if len(matches) == 0:
        return np.ones(matches.shape[1])
    column = weights[:, None]
    if how == "product":
        return np.asarray(np.multiply.reduce(np.where(matches, column, 1.0), axis=0))
    told = np.where(matches, column, 0.0)
    return np.asarray(told.max(axis=0) if how == "max" else np.add.reduce(told, axis=0))


def _ineffective(plan: SamplingPlan) -> tuple[int, ...]:
    if plan.strata.row_weights is not None:
        return ()
    told = np.array(plan.spec.weights)
    idle = []
    for number in range(len(told)):
        others = np.arange(len(told)) != number
        if others.any():
            without = combine(plan.strata.matches[others], told[others], plan.spec.combine)
        else:
            without = np.full(plan.strata.num_strata, 1.0 if plan.spec.combine == "product" else 0.0)
        if plan.spec.cap is not None:
            without = np.minimum(without, plan.spec.cap)
        if np.array_equal(without, plan.weights):
            idle.append(number)
    return tuple(idle)


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
