"""Strata under a spec: everything a user asks before a single draw."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SamplingError
from penstock.sampling.laws._coverage import Coverage, coverage
from penstock.sampling.laws._deck_law import DeckLaw
from penstock.sampling.laws._epochs import DeckEpoch, Epoch, IidEpoch, OnceEpoch
from penstock.sampling.laws._histogram import Histogram, Unit, class_sums_of, histogram, labels_of
from penstock.sampling.laws._moments import drawn_covariance
from penstock.sampling.laws._repeats import PassLaw, folded_rows, folded_statistics
from penstock.sampling.laws._unseen import IidLaw, Law, OnceLaw
from penstock.sampling.plan._simulate import Progress, Simulation, simulate
from penstock.sampling.plan._strata import MadeStrata
from penstock.sampling.plan._targets import Targets, solve_targets
from penstock.sampling.pool._build import regrouped
from penstock.sampling.pool._statistics import bin_error, binned, statistics
from penstock.sampling.spec._combine import combined_weights, ineffective
from penstock.sampling.spec._spec import SamplingSpec
from penstock.sampling.streams._blocks import Blocks
from penstock.sampling.streams._deck import DeckStream
from penstock.sampling.streams._draws import DrawStream
from penstock.sampling.streams._once import OnceStream, inclusion
from penstock.sampling.streams._prefix import prefixes
from penstock.sampling.streams._quotas import integer_masses, quotas
from penstock.sampling.streams._stream import IndexStream

__all__ = ["SamplingPlan", "Strata"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Strata(MadeStrata):
    """A pool of rows, grouped; weights come with a spec.

    Made by `from_masks`, `from_labels` or `from_weights`. A row's number is its position in the pool.
    """

    @cached_property
    def label_sets(self) -> Strata:
        """The same pool grouped by label sets; needs labels."""
        return self if self.level == "label_sets" else Strata.from_labels(labels_of(self), rows=self.row_numbers)

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
            return Strata._of(fewer).with_spec(spec)
        if len(asked) != self.num_clauses or (self.expressions is not None and asked != self.expressions):
            names = ", ".join(map(repr, self.expressions)) if self.expressions else f"{self.num_clauses} clauses"
            given = ", ".join(map(repr, asked)) or "none"
            raise SamplingError(
                f"the spec has the clauses {given}; these strata are grouped by {names}",
                hint="a change of weights keeps the strata, a change of clauses needs new ones",
            )
        if spec.mode != "iid" and self.identity is not None:
            raise SamplingError(
                f"mode {spec.mode!r} counts samples, but the pool has some of them twice",
                hint="sample the dataset itself, or use mode='iid'",
            )
        return SamplingPlan(strata=self, spec=spec)

    def every_row(self, seed: int = 0) -> SamplingPlan:
        """Return the plan that brings every position of the pool once an epoch, a row as often as the pool holds it.

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

    def __repr__(self) -> str:
        rows, strata = self.strata.num_rows, self.strata.num_strata
        return (
            f"SamplingPlan({rows:,} samples in {strata:,} {'stratum' if strata == 1 else 'strata'}, "
            f"{self.num_draws:,} draws an epoch, mode={self.spec.mode!r}, seed={self.spec.seed})"
        )

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """Weight of a row of each stratum, float64 of shape (num_strata,)."""
        if self.strata.row_weights is not None:
            return self.strata.row_weights
        if not self.spec.clauses:
            return np.ones(self.strata.num_strata)
        return combined_weights(self.strata.matches, self.spec)

    @cached_property
    def total_weight(self) -> float:
        """Sum of the weights of all rows."""
        with np.errstate(over="ignore"):
            masses = np.cumsum(self.weights * self.strata.sizes)
        return float(masses[-1]) if len(masses) else 0.0

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """Probability that a draw is one certain row of each stratum, float64 of shape (num_strata,)."""
        total = self.total_weight
        if self.strata.num_rows == 0:
            raise SamplingError("the pool is empty; nothing can be drawn", hint="loosen the query")
        if not math.isfinite(total):
            raise SamplingError(
                f"the weights add up to more than a float64 holds; the largest is {float(self.weights.max())!r}",
                hint="only ratios matter: divide all weights by the largest",
            )
        if not total > 0:
            raise SamplingError(
                f"all {self.strata.num_rows} samples have weight 0; nothing can be drawn",
                hint="give at least one clause that matches a weight above 0, or add 'True: 1'",
            )
        return self.weights / total

    @cached_property
    def num_drawable(self) -> int:
        """Distinct rows with a weight above 0."""
        folded = self._folded
        return int(folded.strata.sizes[folded.weights > 0].sum())

    @cached_property
    def num_draws(self) -> int:
        """Draws per epoch: the size of the spec, else of the pool; without replacement at most the drawable rows."""
        asked = self.spec.size if self.spec.size is not None else self.strata.num_rows
        return min(asked, int(self.strata.sizes[self.weights > 0].sum())) if self.spec.mode == "once" else asked

    @property
    def effective_sample_size(self) -> float:
        """Kish's effective sample size, (sum w)^2 / sum w^2 over the distinct rows."""
        folded = self._folded
        squares = float((folded.strata.sizes * folded.weights**2).sum())
        return self.total_weight**2 / squares if squares else 0.0

    @cached_property
    def ineffective_clauses(self) -> tuple[int, ...]:
        """Numbers of the clauses without which every weight would be the same."""
        return () if self.strata.row_weights is not None else ineffective(self.strata.matches, self.spec)

    def histogram(
        self,
        num_draws: int | None = None,
        unit: Unit = "instances",
        level: float = 0.95,
        *,
        epoch: int = 0,
        start: int | None = None,
        background: bool = False,
    ) -> Histogram:
        """Return raw and expected counts of each class in one epoch, with a band.

        Exact for "iid", and for whole epochs of "deck"; for "once" Hajek's approximation. Where an epoch is delivered
        shorter or longer than a deck's size, or shorter than that of a "once", the mean is exact and the band counts
        the part of a shuffled block as a random part of it; of a smooth block the variance is exact too.

        A band of few rows with several instances each ends at counts that can come: it has the quantiles of the law of
        their sum. Of 95 % bands the least exact probability found, over ten thousand random mixes of rows, weights and
        1 to 200 draws, is 0.937 for "iid", 0.951 for "deck", 0.920 for "once" (with weights 100 to 1).

        Parameters
        ----------
        num_draws : int, optional
            Draws delivered in the epoch; default `num_draws` of the plan.
        unit : {"instances", "samples"}
            Count every label or box, or the samples that have the class.
        level : float
            Pointwise probability of the band.
        epoch : int
            Which epoch, each of `num_draws`; matters for "deck" only, whose first epoch begins with full deals.
        start : int, optional
            Position of the first draw in the stream, for "deck"; default where the epoch begins.
        background : bool
            Whether one more bar, "no label", counts the samples without a label; in the unit "samples".

        Returns
        -------
        Histogram

        Raises
        ------
        SamplingError
            If there are no labels to count, or nothing can be drawn.
        """
        if background:
            return self._with_background(unit).histogram(num_draws, unit, level, epoch=epoch, start=start)
        strata = self._dealt.strata
        labels, sums = labels_of(strata), class_sums_of(strata, unit)
        draws = self._checked_draws(num_draws)
        drawn = self._dealt._epoch(draws, epoch * draws if start is None else start)  # noqa: SLF001  the same class
        values = None if sums[0] is sums[1] else strata.class_values
        return histogram(labels, drawn, draws, sums=sums, values=values, unit=unit, level=level)

    def _with_background(self, unit: Unit) -> SamplingPlan:
        if unit != "samples":
            raise SamplingError(
                f"background=True with unit={unit!r}; samples without a label have no instances", hint="unit='samples'"
            )
        return replace(self, strata=replace(self.strata, labels=labels_of(self.strata).with_background()))

    def moments(
        self, num_draws: int | None = None, unit: Unit = "instances", *, start: int | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and variance of the count of each class, without the bands of `histogram`.

        Parameters
        ----------
        num_draws : int, optional
            Draws delivered in the epoch; default `num_draws` of the plan.
        unit : {"instances", "samples"}
            Count every label or box, or the samples that have the class.
        start : int, optional
            The draw of a deck that the epoch begins with; default 0.

        Returns
        -------
        mean, variance : ndarray of float64, shape (num_classes,)

        Raises
        ------
        SamplingError
            If the strata have no labels, or a number of draws is none.

        Examples
        --------
        >>> import numpy as np
        >>> from penstock.sampling import ClassCounts, SamplingPlan, SamplingSpec, Strata
        >>> labels = ClassCounts.from_labels([0, 0, 1], class_names=["cat", "dog"])
        >>> strata = Strata.from_weights(np.ones(3), labels=labels)
        >>> SamplingPlan(spec=SamplingSpec(), strata=strata).moments(3)[0].tolist()
        [2.0, 1.0]
        """
        strata = self._dealt.strata
        labels_of(strata)
        drawn = self._dealt._epoch(self._checked_draws(num_draws), start or 0)  # noqa: SLF001  the same class
        return drawn.moments(class_sums_of(strata, unit))

    def covariance(self, num_draws: int | None = None, unit: Unit = "instances") -> NDArray[np.float64]:
        """Return the covariance of the counts of classes in an epoch of independent draws.

        ``D (E[k k'] - E[k] E[k'])``, ``k`` and ``k'`` what one draw has of two classes.

        Parameters
        ----------
        num_draws : int, optional
            Draws delivered in the epoch; default `num_draws` of the plan.
        unit : {"instances", "samples"}
            Count every label or box, or the samples that have the class.

        Returns
        -------
        ndarray of float64, shape (num_classes, num_classes)

        Raises
        ------
        SamplingError
            If the mode is not "iid", or there are no labels.
        """
        labels, draws = labels_of(self.strata), self._checked_draws(num_draws)
        class_sums_of(self.strata, unit)
        if self.spec.mode != "iid":
            raise SamplingError(f"mode is {self.spec.mode!r}; expected 'iid', whose covariance is known")
        return drawn_covariance(labels, self.probabilities[self.strata.ids], draws, unit == "instances")

    def _epoch(self, draws: int, begin: int) -> Epoch:
        strata, size = self.strata, self.num_draws
        if self.spec.mode == "iid":
            return IidEpoch(strata, self.probabilities, draws)
        if self.spec.mode == "once":
            return OnceEpoch(strata, self.inclusion * min(draws / size, 1.0), draws)
        ends = np.array([begin, begin + draws])
        return DeckEpoch(strata, *prefixes(self._masses, Blocks(size), ends, self.spec.interleave))

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
        folded = self._folded._dealt  # noqa: SLF001  the same class
        law = folded._law(draws)  # noqa: SLF001  the same class
        if self._is_pass and self.strata.identity is not None:
            law = PassLaw(folded.strata.sizes, folded.weights, self.strata.num_rows, draws)
        return coverage(folded.strata, law, num_epochs, draws, level)

    @property
    def _is_pass(self) -> bool:
        """Whether every position comes once an epoch, where the pool repeats rows."""
        return self.spec.mode == "once"

    def _law(self, draws: int) -> Law:
        sizes, size = self.strata.sizes, self.num_draws
        if self.spec.mode == "deck":
            return DeckLaw(sizes, self.weights, size, draws, self.spec.interleave)
        if self.spec.mode == "once":
            return OnceLaw(sizes, self.inclusion * min(draws / size, 1.0))
        return IidLaw(sizes, self.probabilities, draws)

    @cached_property
    def _dealt(self) -> SamplingPlan:
        """The plan a deck deals by: rows of nearly equal weights together where there are more than 4,096 weights."""
        strata = binned(self.strata) if self.spec.mode == "deck" else self.strata
        return self if strata is self.strata else SamplingPlan(strata=strata, spec=self.spec)

    @property
    def _folded(self) -> SamplingPlan:
        """The plan of distinct rows, each with the summed weight of its positions; of a pass, how many they are."""
        return self if self.strata.identity is None else self._of_distinct_rows

    @cached_property
    def _of_distinct_rows(self) -> SamplingPlan:
        strata = Strata._of(folded_rows(self.strata, self.weights))  # noqa: SLF001  the same class
        return SamplingPlan(strata=strata, spec=self.spec.with_options(clauses=(), cap=None, mode="iid"))

    def _checked_draws(self, num_draws: int | None) -> int:
        if num_draws is not None and not num_draws >= 1:
            raise SamplingError(f"num_draws is {num_draws!r}; expected draws per epoch, at least 1")
        if num_draws is not None and self.spec.mode == "once" and num_draws > self.num_draws:
            raise SamplingError(
                f"num_draws is {num_draws!r}; without replacement an epoch has {self.num_draws} draws",
                hint="draws that only fill the last batch of several processes are marked in 'valid', and not counted",
            )
        if not self.total_weight > 0:
            _ = self.probabilities
        return self.num_draws if num_draws is None else int(num_draws)

    @cached_property
    def inclusion(self) -> NDArray[np.float64]:
        """Probability that a row of each stratum is in an epoch without replacement, shape (num_strata,)."""
        return inclusion(self.strata.sizes, self.weights, self.num_draws)

    @cached_property
    def _masses(self) -> NDArray[np.int64]:
        return integer_masses(self._dealt.strata.sizes, self._dealt.weights)

    def quotas(self, num_epochs: int) -> NDArray[np.int64]:
        """Return the draws a deck gives each stratum in each epoch.

        Parameters
        ----------
        num_epochs : int
            Epochs from the first.

        Returns
        -------
        ndarray of int64, shape (num_epochs, num_strata)
            Each row sums to `num_draws`. More than 4,096 row weights are dealt in bins, as in `statistics`.
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
            dealt = self._dealt
            return DeckStream(dealt.strata, dealt.weights, interleave=spec.interleave, **common)
        if spec.mode == "once":
            return OnceStream(self.strata, self.weights, **common)
        return DrawStream(self.strata, probabilities, **common)

    def simulate(
        self, num_epochs: int, num_runs: int, seed: int = 0, progress: Progress | bool | None = None
    ) -> Simulation:
        """Draw epochs from the real stream, run after run, and count what the closed forms promise.

        Parameters
        ----------
        num_epochs : int
            Epochs of each run.
        num_runs : int
            Runs, each with a seed of its own.
        seed : int
            Decides the seeds of the runs; the plan's own seed does not matter.
        progress : callable or bool, optional
            Called as ``progress(done, total)`` after each epoch; True shows a progress bar. What it raises ends the
            simulation.

        Returns
        -------
        Simulation

        Raises
        ------
        SamplingError
            If nothing can be drawn, or there is not one run of one epoch.
        """

        def stream_of(own: int) -> IndexStream:
            return replace(self, spec=self.spec.with_options(seed=own)).stream()

        return simulate(
            self.strata,
            stream_of,
            num_epochs=num_epochs,
            num_runs=num_runs,
            seed=seed,
            num_drawable=self.num_drawable,
            progress=progress,
        )

    def solve_targets(
        self, targets: Mapping[str | None, float], unit: Unit = "instances", max_repeats: float | None = None
    ) -> Targets:
        """Return the class weights, nearest to equal weights, that give classes the wanted shares.

        Of all weights that meet the targets these have the largest entropy relative to the raw pool: a weight per
        class, multiplied over the classes of a sample. The weights of this plan do not matter; its mode, size and
        seed go into the new spec. Where this plan draws every sample once an epoch, which no weights can change,
        the new one draws independently.

        Parameters
        ----------
        targets : mapping of str or None to float
            Share in [0, 1) by class name; of samples without a label by None, in the unit "samples". Classes not
            named go where they go; see `Targets.moved`.
        unit : {"instances", "samples"}
            Share of all labels or boxes drawn (they sum to 1), or of the draws that have the class (they overlap).
        max_repeats : float, optional
            Upper limit of the expected draws of one sample per epoch.

        Returns
        -------
        Targets

        Raises
        ------
        InfeasibleTargetsError
            If no weights meet the targets; it names the classes in conflict and the nearest shares.
        UnknownClassError
            If there is no such class.
        SamplingError
            If a share is out of range, or there are no labels.

        References
        ----------
        J.-C. Deville, C.-E. Sarndal, Calibration estimators in survey sampling, 1992.

        Examples
        --------
        >>> from penstock.sampling import ClassCounts, Clause
        >>> labels = ClassCounts.from_lists([[0], [0], [0, 1], [1]], class_names=("cat", "dog"))
        >>> strata = Strata.from_labels(labels)
        >>> plan = strata.with_spec(SamplingSpec(clauses=(Clause("True", 1),)))
        >>> targets = plan.solve_targets({"dog": 0.8}, unit="samples")
        >>> strata.with_spec(targets.spec).histogram(unit="samples").share.round(6).tolist()
        [0.6, 0.8]
        """
        spec = self.spec
        if spec.mode == "once" and self.num_draws >= int(self.strata.sizes.sum()):
            spec = spec.with_options(mode="iid")
        return solve_targets(
            self.strata.label_sets,
            targets,
            unit=unit,
            max_repeats=max_repeats,
            spec=spec,
            num_draws=self.spec.size if self.spec.size is not None else self.strata.num_rows,
        )

    def statistics(self) -> dict[str, NDArray[Any]]:
        """Return what a browser needs to redraw every chart under other weights.

        Returns
        -------
        dict of str to ndarray
            The arrays of the widget protocol in its order: ``sizes``, clauses and classes of each stratum as offsets
            and ids, ``rows_with_class``, ``instances``, ``instances_squared``, and ``weights`` for level "bins".
            Where a row has a class more than once, ``value_offsets``, ``value_counts``, ``value_rows``: how many rows
            of each entry of ``class_ids`` have it how often, unless all of them have it equally often.
            Where some rows have no label, ``unlabelled``: how many of each stratum. Where rows repeat, also the
            distinct rows: ``fold_sizes``, ``fold_offsets``, ``fold_strata``, ``fold_times``, ``fold_class_offsets``,
            ``fold_class_ids``, ``fold_rows_with_class``.
        """
        return {**statistics(self.strata), **folded_statistics(self.strata)}

    @cached_property
    def bin_error(self) -> float:
        """Largest relative error of a row's weight in `statistics`; 0 unless there are over 4,096 weights.

        A deck deals by these bins too, so that its charts are exact; other modes draw by each row's own weight.
        """
        return bin_error(self.strata)
