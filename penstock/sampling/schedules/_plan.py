"""Strata under weights that change: everything a user asks of a schedule before a single draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.errors import SamplingError
from penstock.sampling.laws._coverage import Coverage
from penstock.sampling.laws._histogram import Histogram, Unit
from penstock.sampling.plan._plan import SamplingPlan
from penstock.sampling.plan._simulate import Progress, Simulation, simulate
from penstock.sampling.plan._strata import Strata
from penstock.sampling.schedules._forecast import ScheduleForecast
from penstock.sampling.schedules._grouped import plans_of
from penstock.sampling.schedules._refined import Refined
from penstock.sampling.spec._schedule import SamplingSchedule, ScheduleEntry, reseeded, schedule_of
from penstock.sampling.spec._spec import SamplingSpec
from penstock.sampling.streams._scheduled import ScheduledStream, check_epochs
from penstock.sampling.streams._stream import IndexStream

__all__ = ["SchedulePlan", "stream_of_entry"]


def stream_of_entry(plan: SamplingPlan, start: int) -> IndexStream:
    """Return the stream of an entry at a position, for `ScheduledStream`: in O(strata), and nothing is drawn yet.

    Parameters
    ----------
    plan : SamplingPlan
        Of the entry, with the seed of the schedule.
    start : int
        Position from which on it holds.

    Returns
    -------
    IndexStream
    """
    return _reseeded(plan, start).stream()


def _reseeded(plan: SamplingPlan, start: int) -> SamplingPlan:
    spec = reseeded(plan.spec, start)
    return plan if spec is plan.spec else SamplingPlan(strata=plan.strata, spec=spec)


@dataclass(frozen=True, kw_only=True, eq=False)
class SchedulePlan:
    """A pool under a schedule: charts and the stream, all of the same numbers.

    Parameters
    ----------
    schedule : SamplingSchedule
        The entries.
    plans : sequence of SamplingPlan
        The plan of each entry, of the same samples.

    Raises
    ------
    SamplingError
        If the plans are not those of the entries, or are of different samples.

    Examples
    --------
    >>> from penstock.sampling import ClassCounts, Clause, SamplingSchedule, SamplingSpec, SchedulePlan, Strata
    >>> labels = ClassCounts.from_labels([0, 0, 0, 1])
    >>> strata = Strata.from_masks({"rare": labels.values == 1, "True": [True] * 4}, labels=labels)
    >>> plain, balanced = SamplingSpec(clauses=(Clause("True", 1),)), SamplingSpec(clauses=(Clause("rare", 1),))
    >>> plan = SchedulePlan.of(strata, SamplingSchedule([(0, plain), (2, balanced)]))
    >>> plan.stream().slice(2, 4).tolist()
    [3, 3]
    """

    schedule: SamplingSchedule
    plans: Sequence[SamplingPlan]

    def __post_init__(self) -> None:
        object.__setattr__(self, "plans", tuple(self.plans))
        specs = [plan.spec for plan in self.plans]
        if specs != [entry.spec for entry in self.schedule.entries]:
            raise SamplingError(
                f"{len(specs)} plans for {len(self.schedule.entries)} entries. Expected the plan of each entry"
            )
        counts = {plan.strata.num_rows for plan in self.plans}
        if len(counts) > 1:
            raise SamplingError(f"the plans are of {' and '.join(map(str, sorted(counts)))} samples. Expected the same")

    @classmethod
    def of(
        cls,
        strata: Strata,
        schedule: SamplingSchedule | SamplingSpec,
        *,
        weights: Mapping[str, ArrayLike] | None = None,
    ) -> SchedulePlan:
        """Return the plan of strata under a schedule.

        Parameters
        ----------
        strata : Strata
            The pool, grouped by all clauses of the schedule or by label sets.
        schedule : SamplingSchedule or SamplingSpec
            The entries; a spec is a schedule of one.
        weights : mapping of str to array_like of shape (num_rows,), optional
            The arrays that entries name, by their SHA-256.

        Returns
        -------
        SchedulePlan

        Raises
        ------
        SamplingError
            If the strata do not have a clause of the schedule, or an array is missing.
        """
        schedule = schedule_of(schedule)
        return cls(schedule=schedule, plans=plans_of(strata, schedule, weights or {}))

    @classmethod
    def starting_with(cls, plan: SamplingPlan, weights_sha256: str | None = None) -> SchedulePlan:
        """Return the schedule that draws by a plan throughout.

        Parameters
        ----------
        plan : SamplingPlan
            What is drawn.
        weights_sha256 : str, optional
            SHA-256 of its array of weights, if it has one.

        Returns
        -------
        SchedulePlan
        """
        return cls(schedule=SamplingSchedule((ScheduleEntry(0, plan.spec, weights_sha256),)), plans=(plan,))

    def appended(self, start: int, plan: SamplingPlan, weights_sha256: str | None = None) -> SchedulePlan:
        """Return the schedule with one more entry; what is drawn before it stays. Costs O(entries).

        Parameters
        ----------
        start : int
            Position from which on it holds. Where the last entry starts there too, it is replaced.
        plan : SamplingPlan
            Of the same samples, with the mode, seed, combine, interleave and size of the others.
        weights_sha256 : str, optional
            SHA-256 of its array of weights, if it has one.

        Returns
        -------
        SchedulePlan

        Raises
        ------
        SamplingError
            If an entry starts later, the plan is of other samples, or its spec differs in more than its weights.
        """
        if plan.strata.num_rows != self.plans[0].strata.num_rows:
            raise SamplingError(
                f"the plan is of {plan.strata.num_rows} samples. Expected the {self.plans[0].strata.num_rows} of the "
                "schedule"
            )
        schedule = self.schedule.appended(start, plan.spec, weights_sha256)
        made = object.__new__(type(self))
        object.__setattr__(made, "schedule", schedule)
        object.__setattr__(made, "plans", (*self.plans[: len(schedule.entries) - 1], plan))
        return made

    def __repr__(self) -> str:
        rows, entries = self.plans[0].strata.num_rows, len(self.plans)
        return (
            f"SchedulePlan({rows:,} samples, {entries:,} {'entry' if entries == 1 else 'entries'}, "
            f"{self.num_draws:,} draws an epoch, mode={self.spec.mode!r}, seed={self.spec.seed})"
        )

    @property
    def spec(self) -> SamplingSpec:
        """Spec of the first entry; mode, seed, combine, interleave and size are those of all."""
        return self.schedule.spec

    @property
    def num_draws(self) -> int:
        """Draws per epoch."""
        return self.plans[0].num_draws

    @cached_property
    def _plans_as_drawn(self) -> tuple[SamplingPlan, ...]:
        for start, plan in zip(self.schedule.starts, self.plans, strict=True):
            check_epochs(start, plan.num_draws, self.num_draws, continuing=self.spec.mode != "once")
        return tuple(_reseeded(plan, start) for start, plan in zip(self.schedule.starts, self.plans, strict=True))

    def at(self, position: int) -> SamplingPlan:
        """Return the plan that holds at a position of the stream, at least 0."""
        return self.plans[self.schedule.entries.index(self.schedule.at(position))]

    def stream(self) -> IndexStream:
        """Return the endless stream of rows, a pure function of schedule, seed and position.

        Returns
        -------
        IndexStream
            Of one entry, the bits and the fingerprint of the plan's own.

        Raises
        ------
        SamplingError
            If nothing can be drawn, or entries of draws without replacement do not start where an epoch does.
        """
        streams = [plan.stream() for plan in self._plans_as_drawn]
        return ScheduledStream(self.schedule.starts, streams, relative=self.spec.mode == "deck")

    # ---- forecasts -------------------------------------------------------------------------

    @cached_property
    def _forecast(self) -> ScheduleForecast:
        return ScheduleForecast(self.schedule, self._plans_as_drawn)

    @property
    def _alone(self) -> SamplingPlan | None:
        """The plan of the only entry, whose answers are those of the schedule."""
        return self.plans[0] if len(self.plans) == 1 else None

    @cached_property
    def strata(self) -> Strata:
        """The pool in groups that no entry tells apart further."""
        return Refined.of([_strata_of(plan) for plan in self.plans], self.schedule.clauses).strata

    @cached_property
    def num_drawable(self) -> int:
        """Distinct rows with a weight above 0 in some entry."""
        return self.coverage(1).num_drawable

    def histogram(
        self,
        num_draws: int | None = None,
        unit: Unit = "instances",
        level: float = 0.95,
        *,
        epoch: int = 0,
        start: int | None = None,
    ) -> Histogram:
        """Return raw and expected counts of each class in one epoch or in any run of draws, with a band.

        The sum over the entries that draw there, which are independent of each other: as exact as each of them is, see
        `SamplingPlan.histogram`.

        Parameters
        ----------
        num_draws : int, optional
            Draws delivered in the epoch; default `num_draws` of the plan. With `start`, the draws of the run, which may
            go on over epochs.
        unit : {"instances", "samples"}
            Count every label or box, or the samples that have the class.
        level : float
            Pointwise probability of the band.
        epoch : int
            Which epoch, each of `num_draws`.
        start : int, optional
            Position of the first draw in the stream; default where the epoch begins.

        Returns
        -------
        Histogram

        Raises
        ------
        SamplingError
            If there are no labels to count, or nothing can be drawn.

        Examples
        --------
        >>> from penstock.sampling import ClassCounts, Clause, SamplingSchedule, SamplingSpec, SchedulePlan, Strata
        >>> labels = ClassCounts.from_labels([0, 0, 0, 1])
        >>> strata = Strata.from_masks({"rare": labels.values == 1, "True": [True] * 4}, labels=labels)
        >>> plain, rare = SamplingSpec(clauses=(Clause("True", 1),)), SamplingSpec(clauses=(Clause("rare", 1),))
        >>> plan = SchedulePlan.of(strata, SamplingSchedule([(0, plain), (4, rare)]))
        >>> [plan.histogram(epoch=epoch).expected.tolist() for epoch in (0, 1)]
        [[3.0, 1.0], [0.0, 4.0]]
        """
        if self._alone is not None and self.spec.mode != "once":
            return self._alone.histogram(num_draws, unit, level, epoch=epoch, start=start)
        return self._forecast.histogram(num_draws, unit, level, epoch=epoch, start=start)

    def moments(
        self, num_draws: int | None = None, unit: Unit = "instances", *, start: int | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and variance of the count of each class in a run of draws, without the bands of `histogram`.

        Parameters
        ----------
        num_draws : int, optional
            Draws of the run, which may go on over epochs; default `num_draws` of the plan.
        unit : {"instances", "samples"}
            Count every label or box, or the samples that have the class.
        start : int, optional
            Position of the first draw in the stream; default 0.

        Returns
        -------
        mean, variance : ndarray of float64, shape (num_classes,)

        Raises
        ------
        SamplingError
            If the strata have no labels, or `num_draws` is below 1.
        """
        return self._forecast.moments(num_draws, unit, start or 0)

    def coverage(self, num_epochs: int = 20, num_draws: int | None = None, level: float = 0.95) -> Coverage:
        """Return the distinct samples seen after 1 .. `num_epochs` epochs, with a band.

        A sample is unseen with the product of the probabilities that each entry misses it. Of independent draws the
        variance is ``sum n q (1 - q) - sum_i D_i (sum n p_i q)**2`` beyond 64 groups, and exact below. The certificate
        of a deck is of the actual quotas of each entry.

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
        if self._alone is not None:
            return self._alone.coverage(num_epochs, num_draws, level)
        return self._forecast.coverage(num_epochs, num_draws, level)

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
            Decides the seeds of the runs; the schedule's own seed does not matter.
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
            self.plans[0].strata,
            lambda own: self._with_seed(own).stream(),
            num_epochs=num_epochs,
            num_runs=num_runs,
            seed=seed,
            num_drawable=self.num_drawable,
            progress=progress,
        )

    def _with_seed(self, seed: int) -> SchedulePlan:
        schedule = self.schedule.with_options(seed=seed)
        plans = [replace(plan, spec=entry.spec) for plan, entry in zip(self.plans, schedule.entries, strict=True)]
        return SchedulePlan(schedule=schedule, plans=plans)


def _strata_of(plan: SamplingPlan) -> Strata:
    assert isinstance(plan.strata, Strata)
    return plan.strata
