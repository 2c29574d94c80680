"""The weights of a state or of a schedule, armed again over a pool."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import LoaderStateError, SamplingError
from penstock.loader.sources._planned import Armed, PlannedStream, alike, array_sha256
from penstock.loader.sources._pool import Pool
from penstock.sampling import SamplingPlan, SamplingSchedule, SamplingSpec, ScheduleEntry
from penstock.tql import make_plan

__all__ = ["KeptWeights", "Plans", "restored"]

KeptWeights = Callable[[str], NDArray[np.float64] | None]
"""Returns an array of weights by its SHA-256, where it was kept."""


class Plans:
    """Plans over a pool, made of what is known already where that is possible.

    Parameters
    ----------
    pool : Pool
        The rows.
    known : iterable of SamplingPlan
        Plans over them.
    kept : callable, optional
        Returns arrays of weights by their SHA-256.
    """

    def __init__(self, pool: Pool, known: Iterable[SamplingPlan], kept: KeptWeights | None = None) -> None:
        self._pool = pool
        self._known = list(known)
        self._kept = kept
        self._arrays: dict[str, SamplingPlan] = {}

    def of(self, entry: ScheduleEntry) -> SamplingPlan | None:
        """Return the plan of an entry; None where its array of weights is not at hand."""
        if entry.weights_sha256 is not None:
            return self._of_array(entry.weights_sha256, entry.spec)
        spec = entry.spec
        if not spec.clauses and spec.expression is None:
            return self._uniform(spec)
        return self._of_known(spec) or self._made(spec, spec)

    def _of_known(self, spec: SamplingSpec) -> SamplingPlan | None:
        asked = tuple(clause.expression for clause in spec.clauses)
        for plan in self._known:
            if spec.expression is None and asked and plan.strata.expressions == asked:
                return plan.strata.with_spec(spec)
            if spec.expression is not None and (plan.spec.expression, plan.spec.tables) == (
                spec.expression,
                spec.tables,
            ):
                return plan.strata.with_spec(spec)
        return None

    def _uniform(self, spec: SamplingSpec) -> SamplingPlan:
        for plan in self._known:
            if alike(plan, spec).spec == spec and plan.strata.row_weights is None:
                return plan
        return self._made(spec, spec)

    def _of_array(self, sha256: str, spec: SamplingSpec) -> SamplingPlan | None:
        for plan in self._known:
            if plan.strata.row_weights is not None and alike(plan, spec).spec == spec and array_sha256(plan) == sha256:
                return alike(plan, spec)
        if sha256 not in self._arrays:
            array = None if self._kept is None else self._kept(sha256)
            if array is None:
                return None
            self._arrays[sha256] = self._made(array, spec)
        return self._arrays[sha256].strata.with_spec(spec)

    def _made(self, weights: Any, spec: SamplingSpec) -> SamplingPlan:
        labels = self._known[0].strata.labels if self._known else None
        plan = make_plan(
            self._pool.table, self._pool.rows, weights, spec, labels=None if labels is None else labels.tensor
        )
        self._known.append(plan)
        return plan

    def armed(self, entry: ScheduleEntry, fingerprint: str) -> Armed | None:
        """Return the weights of an entry if they draw what a fingerprint is of; None if they cannot be had."""
        plan = self.of(entry)
        found = None if plan is None else Armed.of(entry.start, plan, entry.weights_sha256)
        if found is None or found.stream.fingerprint == fingerprint:
            return found
        if entry.weights_sha256 is None:  # grouped in another way than what is known
            found = Armed.of(entry.start, self._made(entry.spec, entry.spec))
        return found if found.stream.fingerprint == fingerprint else None


@dataclass(frozen=True)
class _Past:
    """A stream that is over: its weights are not at hand, and what goes on needs them no more."""

    size: int
    fingerprint: str
    continuing: bool
    seed: int

    def slice(self, start: int, stop: int) -> NDArray[np.int64]:
        raise LoaderStateError(
            f"draws {start} to {stop} were of weights that this loader was not given",
            hint="give the run that kept them: run=..., or build the loader with the schedule and its arrays",
        )

    def epoch(self, number: int) -> NDArray[np.int64]:
        return self.slice(number * self.size, (number + 1) * self.size)

    def state(self, position: int = 0) -> dict[str, Any]:
        return {"fingerprint": self.fingerprint, "seed": self.seed, "position": position}

    def position(self, state: Mapping[str, Any]) -> int:
        return int(state["position"])


def restored(
    state: Mapping[str, Any], pool: Pool, own: PlannedStream, kept: KeptWeights | None = None
) -> PlannedStream | None:
    """Return what a state goes on with: its schedule, armed again; None where it has none or it cannot be had.

    The weights that the loader has must be among those of the state, so that a state of other weights is refused. What
    was over before the state was taken need not be at hand.

    Parameters
    ----------
    state : mapping
        What `Loader.state_dict` returned.
    pool : Pool
        The rows.
    own : PlannedStream
        What the loader draws by.
    kept : callable, optional
        Returns arrays of weights by their SHA-256.

    Raises
    ------
    LoaderStateError
        If the state's schedule is not one.
    """
    read = _read(state)
    if read is None or not own.armed:
        return None
    schedule, fingerprints = read
    saved = state["fingerprint"].get("sampling") if isinstance(state.get("fingerprint"), Mapping) else None
    if saved == own.stream.fingerprint and len(own.armed) == len(fingerprints):
        return own
    plans = Plans(pool, [each.plan for each in own.armed if each.plan is not None], kept)
    if not any(_is_of(each, entry, schedule.spec) for each in own.armed for entry in schedule.entries):
        return None
    place = state["start"] if schedule.spec.mode != "once" else state["epoch"] * own.stream.size
    first = bisect.bisect_right(schedule.starts, place) - 1
    armed: list[Armed] = []
    for number, (entry, fingerprint) in enumerate(zip(schedule.entries, fingerprints, strict=True)):
        found = plans.armed(entry, fingerprint) if number >= first else None
        if found is None and number >= first:
            return None
        armed.append(found or _past(entry, fingerprint, own))
    return PlannedStream.joined(tuple(armed))


def _past(entry: ScheduleEntry, fingerprint: str, own: PlannedStream) -> Armed:
    stream = _Past(own.stream.size, fingerprint, entry.spec.mode != "once", entry.spec.seed)
    return Armed(entry.start, entry.spec, stream, None, entry.weights_sha256)


def _is_of(armed: Armed, entry: ScheduleEntry, shared: SamplingSpec) -> bool:
    """Tell whether weights are those of an entry, wherever they start."""
    if armed.plan is None:
        return False
    spec = alike(armed.plan, shared).spec
    return spec == entry.spec and armed.entry.weights_sha256 == entry.weights_sha256


def _read(state: Mapping[str, Any]) -> tuple[SamplingSchedule, list[str]] | None:
    text = state.get("schedule") if isinstance(state, Mapping) else None
    if text is None:
        return None
    fingerprints = state.get("streams")
    try:
        schedule = SamplingSchedule.from_json(text)
    except SamplingError as error:
        raise LoaderStateError(f"the schedule of the state cannot be read: {error}") from error
    if (
        not isinstance(fingerprints, list)
        or len(fingerprints) != len(schedule.entries)
        or not all(isinstance(each, str) for each in fingerprints)
    ):
        raise LoaderStateError(
            f"the streams of the state are {str(fingerprints)[:80]}. Expected a fingerprint for each of the "
            f"{len(schedule.entries)} entries of its schedule"
        )
    return schedule, fingerprints
