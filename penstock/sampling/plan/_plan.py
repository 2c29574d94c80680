"""Strata under a spec: everything a user asks before a single draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SamplingError
from penstock.sampling.laws._coverage import Coverage
from penstock.sampling.laws._histogram import Histogram, Unit, labels_of
from penstock.sampling.laws._repeats import folded_statistics
from penstock.sampling.plan._drawing import quotas_of, stream_of
from penstock.sampling.plan._forecast import Forecast
from penstock.sampling.plan._simulate import Progress, Simulation, simulate
from penstock.sampling.plan._targets import Targets, solve_targets
from penstock.sampling.plan._weighing import Weighing
from penstock.sampling.pool._groups import Groups
from penstock.sampling.pool._statistics import bin_error, statistics
from penstock.sampling.spec._spec import SamplingSpec
from penstock.sampling.streams._stream import IndexStream

__all__ = ["PlannedStrata", "SamplingPlan"]


class PlannedStrata(Groups, Protocol):
    """`Strata` as their plan holds them: groups that other plans can be made of."""

    @property
    def label_sets(self) -> PlannedStrata:
        """The same pool grouped by label sets."""
        ...

    def with_spec(self, spec: SamplingSpec) -> SamplingPlan:
        """Return the plan of these strata under another spec."""
        ...

    def every_row(self, seed: int = 0) -> SamplingPlan:
        """Return the plan that visits every position of the pool once an epoch."""
        ...


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

    strata: PlannedStrata
    spec: SamplingSpec

    def __repr__(self) -> str:
        rows, strata = self.strata.num_rows, self.strata.num_strata
        return (
            f"SamplingPlan({rows:,} samples in {strata:,} {'stratum' if strata == 1 else 'strata'}, "
            f"{self.num_draws:,} draws an epoch, mode={self.spec.mode!r}, seed={self.spec.seed})"
        )

    @cached_property
    def _weighing(self) -> Weighing:
        return Weighing(self.strata, self.spec)

    @property
    def _forecast(self) -> Forecast:
        return Forecast(self._weighing)

    # ---- weights ---------------------------------------------------------------------------

    @property
    def weights(self) -> NDArray[np.float64]:
        """Weight of a row of each stratum, float64 of shape (num_strata,)."""
        return self._weighing.weights

    @property
    def total_weight(self) -> float:
        """Sum of the weights of all rows."""
        return self._weighing.total

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Probability that a draw is one certain row of each stratum, float64 of shape (num_strata,)."""
        return self._weighing.probabilities

    @property
    def inclusion(self) -> NDArray[np.float64]:
        """Probability that a row of each stratum is in an epoch without replacement, shape (num_strata,)."""
        return self._weighing.inclusion

    @property
    def num_drawable(self) -> int:
        """Distinct rows with a weight above 0."""
        return self._weighing.num_drawable

    @property
    def num_draws(self) -> int:
        """Draws per epoch: the size of the spec, else of the pool; without replacement at most the drawable rows."""
        return self._weighing.num_draws

    @property
    def effective_sample_size(self) -> float:
        """Kish's effective sample size, (sum w)^2 / sum w^2 over the distinct rows."""
        return self._weighing.effective_sample_size

    @property
    def ineffective_clauses(self) -> tuple[int, ...]:
        """Numbers of the clauses without which every weight would be the same."""
        return self._weighing.ineffective_clauses

    # ---- forecasts -------------------------------------------------------------------------

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

        A band of few rows with several instances each ends at counts that are possible: the quantiles of the law of
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
        return self._forecast.histogram(num_draws, unit, level, epoch=epoch, start=start)

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
            If the strata have no labels, or `num_draws` is below 1.

        Examples
        --------
        >>> import numpy as np
        >>> from penstock.sampling import ClassCounts, SamplingPlan, SamplingSpec, Strata
        >>> labels = ClassCounts.from_labels([0, 0, 1], class_names=["cat", "dog"])
        >>> strata = Strata.from_weights(np.ones(3), labels=labels)
        >>> SamplingPlan(spec=SamplingSpec(), strata=strata).moments(3)[0].tolist()
        [2.0, 1.0]
        """
        return self._forecast.moments(num_draws, unit, start=start)

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
        return self._forecast.covariance(num_draws, unit)

    def coverage(self, num_epochs: int = 20, num_draws: int | None = None, level: float = 0.95) -> Coverage:
        """Return the distinct samples seen after 1 .. `num_epochs` epochs, with a band.

        Parameters
        ----------
        num_epochs : int
            Epochs of the curve; quantiles look further by themselves.
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
        return self._forecast.coverage(num_epochs, num_draws, level)

    # ---- draws -----------------------------------------------------------------------------

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
        return quotas_of(self._weighing, num_epochs)

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
            If more draws without replacement are requested than there are rows with a weight above 0.
        """
        return stream_of(self._weighing)

    def simulate(
        self, num_epochs: int, num_runs: int, seed: int = 0, progress: Progress | bool | None = None
    ) -> Simulation:
        """Draw epochs from the real stream, run after run, and count what the closed forms forecast.

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
        return simulate(
            self.strata,
            lambda own: replace(self, spec=self.spec.with_options(seed=own)).stream(),
            num_epochs=num_epochs,
            num_runs=num_runs,
            seed=seed,
            num_drawable=self.num_drawable,
            progress=progress,
        )

    # ---- targets and the browser -----------------------------------------------------------

    def solve_targets(
        self, targets: Mapping[str | None, float], unit: Unit = "instances", max_repeats: float | None = None
    ) -> Targets:
        """Return the class weights, nearest to equal weights, that give classes the requested shares.

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
        >>> from penstock.sampling import ClassCounts, Clause, Strata
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
            num_draws=self._weighing.num_draws_asked,
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
            Where some rows have no label, ``unlabeled``: how many of each stratum. Where rows repeat, also the
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
