"""What is drawn at every position of a stream, and by which weights."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from penstock.errors import SamplingError
from penstock.loader.place._epoch import Stream
from penstock.sampling import (
    IndexStream,
    SamplingPlan,
    SamplingSchedule,
    SamplingSpec,
    ScheduledStream,
    ScheduleEntry,
    SchedulePlan,
    weights_sha256,
)
from penstock.sampling.schedules._plan import stream_of_entry

__all__ = ["Armed", "PlannedStream", "alike", "array_sha256", "plans_of"]


@dataclass(frozen=True, eq=False)
class Armed:
    """Weights from a position of the stream on.

    Parameters
    ----------
    start : int
        The position.
    spec : SamplingSpec
        The weights.
    stream : IndexStream
        What they draw.
    plan : SamplingPlan, optional
        The weights over the pool; None where they can no longer be drawn by.
    array_sha256 : str, optional
        SHA-256 of an array of weights; by default that of the plan, where it is of an array.
    """

    start: int
    spec: SamplingSpec
    stream: IndexStream
    plan: SamplingPlan | None = None
    array_sha256: str | None = None

    @classmethod
    def of(cls, start: int, plan: SamplingPlan, array_sha256: str | None = None) -> Armed:
        """Return the weights of a plan, from a position on."""
        return cls(start, plan.spec, stream_of_entry(plan, start), plan, array_sha256)

    @cached_property
    def entry(self) -> ScheduleEntry:
        """The entry of a schedule."""
        sha256 = self.array_sha256
        if sha256 is None and self.plan is not None:
            sha256 = array_sha256(self.plan)
        return ScheduleEntry(self.start, self.spec, sha256)


@dataclass(frozen=True, eq=False)
class PlannedStream:
    """A stream, and the weights behind each of its positions.

    Parameters
    ----------
    stream : Stream
        Which row of the pool each position draws.
    armed : tuple of Armed
        By ascending start; none where rows are not drawn by weight.
    is_whole : bool
        Whether they say what was drawn from the first position on. Weights that bring a mode or a size of their own
        do not go into one schedule with those before.
    """

    stream: Stream
    armed: tuple[Armed, ...] = ()
    is_whole: bool = True

    @classmethod
    def of(cls, plans: Sequence[tuple[int, SamplingPlan]], *, is_whole: bool = True) -> PlannedStream:
        """Return the stream of plans from some positions on, the first from 0."""
        return cls.joined(tuple(Armed.of(start, plan) for start, plan in plans), is_whole=is_whole)

    @classmethod
    def joined(cls, armed: tuple[Armed, ...], *, is_whole: bool = True) -> PlannedStream:
        """Return the stream of some weights."""
        if len(armed) == 1:
            return cls(armed[0].stream, armed, is_whole)
        starts, streams = [each.start for each in armed], [each.stream for each in armed]
        return cls(ScheduledStream(starts, streams, relative=armed[0].spec.mode == "deck"), armed, is_whole)

    @property
    def continuing(self) -> bool:
        """Whether the stream goes on beyond an epoch; else each epoch is one of its own."""
        return bool(self.armed) and self.armed[0].spec.mode != "once"

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """Position from which on each of the weights hold."""
        return tuple(each.start for each in self.armed)

    def at(self, position: int) -> Armed | None:
        """Return the weights that hold at a position; None without weights."""
        if len(self.armed) < 2:
            return self.armed[0] if self.armed else None
        return self.armed[bisect.bisect_right(self.starts, position) - 1]

    def plan_at(self, position: int) -> SamplingPlan | None:
        """Return the plan that draws a position; None without weights."""
        armed = self.at(position)
        return None if armed is None else armed.plan

    def rearmed(self, start: int, plan: SamplingPlan) -> PlannedStream:
        """Return the stream that other weights draw from a position on; what was to come from there on is dropped.

        Raises
        ------
        SamplingError
            If the weights bring a mode, a size or a way to combine that is not that of those before.
        """
        kept = self.armed[: bisect.bisect_left(self.starts, start)]
        if not kept:
            return self.of(((0, plan),))
        added = Armed.of(start, alike(plan, kept[-1].spec))
        _check_alike(kept[-1].spec, added.spec, start)
        if isinstance(self.stream, ScheduledStream) and len(kept) == len(self.armed):
            return PlannedStream(self.stream.with_entry(start, added.stream), (*kept, added), self.is_whole)
        return self.joined((*kept, added), is_whole=self.is_whole)

    def replaced(self, start: int, plan: SamplingPlan) -> PlannedStream:
        """Return `rearmed`, or where the weights do not go with those before, the stream that they alone draw."""
        try:
            return self.rearmed(start, plan)
        except SamplingError:
            return self.of(((0, plan),), is_whole=start == 0)

    @cached_property
    def schedule(self) -> SamplingSchedule | None:
        """The weights as a schedule; None without weights, or where they do not say all that was drawn."""
        return SamplingSchedule(tuple(each.entry for each in self.armed)) if self.armed and self.is_whole else None

    @cached_property
    def as_state(self) -> dict[str, object]:
        """What a state says of the weights, so that they can be armed again: goes into JSON."""
        if self.schedule is None:
            return {"schedule": None}
        return {"schedule": self.schedule.to_json(), "streams": [each.stream.fingerprint for each in self.armed]}


def alike(plan: SamplingPlan, before: SamplingSpec) -> SamplingPlan:
    """Return the plan of an array, which combines nothing, as if it combined as the weights before do."""
    spec = plan.spec
    if spec.clauses or spec.expression is not None or spec.combine == before.combine:
        return plan
    return replace(plan, spec=spec.with_options(combine=before.combine, cap=None))


def _check_alike(before: SamplingSpec, after: SamplingSpec, start: int) -> None:
    ScheduleEntry(start, after)
    SamplingSchedule((ScheduleEntry(0, before),)).appended(start, after)


def array_sha256(plan: SamplingPlan) -> str | None:
    """Return the SHA-256 of the array of weights that a plan is of; None where clauses express it."""
    if plan.strata.row_weights is None or plan.spec.expression is not None:
        return None
    return weights_sha256(plan.strata.row_weights[plan.strata.ids])


def plans_of(plan: SamplingPlan | SchedulePlan) -> tuple[tuple[int, SamplingPlan], ...]:
    """Return the plans that draw from some positions on."""
    if isinstance(plan, SchedulePlan):
        return tuple(zip(plan.schedule.starts, plan.plans, strict=True))
    return ((0, plan),)
