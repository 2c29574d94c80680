"""The weights of a state, armed again over a pool."""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import LoaderStateError, SamplingError
from penstock.loader.sources._planned import Armed, PlannedStream, alike
from penstock.loader.sources._plans import KeptWeights, Plans
from penstock.loader.sources._pool import Pool
from penstock.sampling import SamplingSchedule, SamplingSpec, ScheduleEntry

__all__ = ["restored"]


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
    plans = Plans(pool.table, pool.rows, [each.plan for each in own.armed if each.plan is not None], kept)
    is_of_these = any(_is_of(each, entry, schedule.spec) for each in own.armed for entry in schedule.entries)
    if not is_of_these and not pool.is_of_signals:
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
