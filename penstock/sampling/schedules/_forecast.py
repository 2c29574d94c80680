"""What to expect of draws by a schedule, in closed form: the entries' own laws, added up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.laws._coverage import Coverage, coverage
from penstock.sampling.laws._epochs import Counts, SummedCounts
from penstock.sampling.laws._histogram import Histogram, Unit, histogram, labels_of
from penstock.sampling.plan._forecast import Forecast, law_of
from penstock.sampling.plan._plan import SamplingPlan
from penstock.sampling.plan._strata import Strata
from penstock.sampling.plan._weighing import Weighing
from penstock.sampling.schedules._law import ScheduleLaw
from penstock.sampling.schedules._refined import Refined
from penstock.sampling.schedules._segments import segment_of
from penstock.sampling.spec._count import checked_count
from penstock.sampling.spec._schedule import SamplingSchedule

__all__ = ["ScheduleForecast"]

Floats = NDArray[np.float64]


class ScheduleForecast:
    """The laws of what a schedule draws; `SchedulePlan` documents every answer.

    Parameters
    ----------
    schedule : SamplingSchedule
        The entries.
    plans : sequence of SamplingPlan
        The plan of each.
    """

    def __init__(self, schedule: SamplingSchedule, plans: Sequence[SamplingPlan]) -> None:
        self._schedule = schedule
        self._mode, self._size = schedule.spec.mode, plans[0].num_draws
        self._weighings = [Weighing(plan.strata, plan.spec) for plan in plans]
        for weighing in self._weighings:
            weighing.check_drawable()

    # ---- counts of classes ---------------------------------------------------------------

    def histogram(self, num_draws: int | None, unit: Unit, level: float, *, epoch: int, start: int | None) -> Histogram:
        """Return the expected counts of each class; see `SchedulePlan.histogram`."""
        labels = labels_of(self._weighings[0].strata)
        draws = self._draws(num_draws)
        stride = self._size if self._mode == "once" else draws
        counts = self._counts(unit, epoch * stride if start is None else start, draws)
        return histogram(labels, counts, draws, unit=unit, level=level)

    def moments(self, num_draws: int | None, unit: Unit, start: int) -> tuple[Floats, Floats]:
        """Return mean and variance of the count of each class; see `SchedulePlan.moments`."""
        return self._counts(unit, start, self._draws(num_draws)).moments()

    def _draws(self, num_draws: int | None) -> int:
        return self._size if num_draws is None else checked_count("num_draws", num_draws)

    def _counts(self, unit: Unit, begin: int, draws: int) -> Counts:
        """Return the counts in a run of positions: entry by entry, and without replacement epoch by epoch."""
        runs = [
            (Forecast(self._weighings[number]).counts(unit, count, first), times)
            for number, first, count, times in self._runs(begin, begin + draws)
        ]
        return runs[0][0] if len(runs) == 1 and runs[0][1] == 1 else SummedCounts(runs)

    def _runs(self, begin: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """Give the entries that draw between two positions: entry, first draw of its own, draws, how many times."""
        ends = [*self._schedule.starts[1:], max(end, self._schedule.starts[-1] + 1)]
        for number, (start, stop) in enumerate(zip(self._schedule.starts, ends, strict=True)):
            low, high = max(begin, start), min(end, stop)
            if low >= high:
                continue
            if self._mode != "once":
                yield number, low - start, high - low, 1
                continue
            for first, count, times in _epochs_of(low, high, self._size):
                yield number, first, count, times

    # ---- rows seen -----------------------------------------------------------------------

    def coverage(self, num_epochs: int, num_draws: int | None, level: float) -> Coverage:
        """Return the distinct samples seen after each epoch; see `SchedulePlan.coverage`."""
        draws = self._draws(num_draws)
        if self._mode == "once":
            self._weighings[0].checked_draws(num_draws)
        once = self._mode == "once"
        starts = [start // self._size if once else start for start in self._schedule.starts]
        law = ScheduleLaw(
            self._seen.strata.sizes,
            self._seen.owners,
            [segment_of(weighing, draws) for weighing in self._folded],
            starts,
            each=1 if once else draws,
            first=law_of(self._folded[0], draws),
            independent=self._mode == "iid",
        )
        return coverage(self._seen.strata, law, num_epochs, draws, level)

    @cached_property
    def _folded(self) -> list[Weighing]:
        """The distinct rows under each entry; entries of equal clauses share their strata."""
        return [weighing.folded.dealt for weighing in self._weighings]

    @cached_property
    def _seen(self) -> Refined:
        return Refined.of([_as_strata(weighing) for weighing in self._folded], self._schedule.clauses)


def _as_strata(weighing: Weighing) -> Strata:
    strata = weighing.strata
    assert isinstance(strata, Strata)
    return strata


def _epochs_of(begin: int, end: int, size: int) -> Iterator[tuple[int, int, int]]:
    """Give the epochs between two positions, whole ones together: first position, draws, how many."""
    first, last = -(-begin // size) * size, end // size * size
    cuts = [begin, min(first, end), max(last, min(first, end)), end]
    for number, (low, high) in enumerate(pairwise(cuts)):
        if low < high:
            whole = number == 1
            yield low, size if whole else high - low, (high - low) // size if whole else 1
