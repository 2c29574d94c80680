"""Strata under weights that change: everything a user asks of a schedule before a single draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from numpy.typing import ArrayLike

from penstock.errors import SamplingError
from penstock.sampling.plan._plan import SamplingPlan
from penstock.sampling.plan._strata import Strata
from penstock.sampling.schedules._grouped import plans_of
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
