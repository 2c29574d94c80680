"""The class counts that delivered draws should have, with a band for all classes at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from penstock.loader.sources._planned import Armed
from penstock.sampling import ClassCounts, SamplingPlan
from penstock.sampling.laws._bands import band

__all__ = ["LEVEL", "Delivered", "expected_counts"]

LEVEL = 0.999
Floats = NDArray[np.float64]
Moments = tuple[Floats, Floats]


class Delivered:
    """How many draws of some weights were delivered, and whether they follow one another in the stream.

    Parameters
    ----------
    armed : Armed, optional
        The weights; None where each epoch visits every row once.
    """

    def __init__(self, armed: Armed | None = None) -> None:
        self.plan = None if armed is None else armed.plan
        # the positions of a deck count from where its weights begin
        self._origin = armed.start if armed is not None and armed.spec.mode == "deck" else 0
        self.draws: dict[int, int] = {}
        self.first: int | None = None
        self._next: int | None = None

    @property
    def num_draws(self) -> int:
        """Draws of all epochs."""
        return sum(self.draws.values())

    def add(self, epoch: int, count: int, begin: int, end: int, *, in_a_row: bool) -> None:
        """Add draws of some stream positions; `in_a_row`: all of them, not those of one rank of several."""
        self.draws[epoch] = self.draws.get(epoch, 0) + count
        if self._next is None:
            self.first = begin - self._origin
        # a gap: these draws are not one run of the stream, so that a deck's epochs count one by one
        elif begin != self._next:
            self.first = None
        if not in_a_row:
            self.first = None
        self._next = end


def expected_counts(
    parts: Sequence[Delivered], labels: ClassCounts, *, shuffled: bool
) -> tuple[Floats, Floats, Floats]:
    """Return expected counts and a band that holds all classes at once with probability `LEVEL`.

    Parameters
    ----------
    parts : sequence of Delivered
        Draws delivered of each of the weights, which are independent of one another.
    labels : ClassCounts
        Of the pool.
    shuffled : bool
        Whether plain passes are in random order.

    Returns
    -------
    expected, low, high : ndarray of float64, shape (num_classes,)
    """
    each = 1 - (1 - LEVEL) / max(1, labels.num_classes)
    if len(parts) == 1 and parts[0].plan is None:
        return _of_passes(labels, parts[0].draws, each, shuffled=shuffled)
    mean, variance = np.zeros((2, labels.num_classes))
    for part in parts:
        if part.plan is not None:
            own_mean, own_variance = _of_plan(part.plan, part.draws, part.first)
            mean, variance = mean + own_mean, variance + own_variance
    low, high = band(mean, variance, each)
    return mean, low, high


def _of_plan(plan: SamplingPlan, draws: Mapping[int, int], first: int | None) -> Moments:
    """Add up independent parts: all draws of iid, the epochs of once; a deck deals on where it stopped."""
    total = sum(draws.values())
    if plan.spec.mode == "iid":
        return _moments(plan, total)
    if plan.spec.mode == "deck" and first is not None:
        return _moments(plan, total, start=first)
    parts = [(_moments(plan, count), times) for count, times in Counter(draws.values()).items()]
    return (
        np.sum([times * mean for (mean, _), times in parts], axis=0),
        np.sum([times * variance for (_, variance), times in parts], axis=0),
    )


def _moments(plan: SamplingPlan, num_draws: int, start: int | None = None) -> Moments:
    if num_draws == 0:
        none = np.zeros(plan.strata.labels.num_classes if plan.strata.labels else 0)
        return none, none
    return plan.moments(num_draws, start=start)


def _of_passes(
    labels: ClassCounts, draws: Mapping[int, int], each: float, *, shuffled: bool
) -> tuple[Floats, Floats, Floats]:
    """Whole passes have exact counts; a part of one is a sample without replacement, or anything if not shuffled."""
    raw, count = labels.instances.astype(np.float64), max(1, labels.num_rows)
    # whole passes are certain; only the begun part of a pass varies, without replacement
    whole = sum(n // count for n in draws.values())
    parts = np.array([n % count for n in draws.values()], np.float64)
    mean = whole * raw + raw * (parts.sum() / count)
    if not shuffled:
        under_way = float((parts > 0).sum())
        return mean, whole * raw, (whole + under_way) * raw
    spread = _variance_of_a_row(labels) * float((parts * (count - parts)).sum()) / max(1, count - 1)
    low, high = band(mean, spread, each)
    return mean, low, high


def _variance_of_a_row(labels: ClassCounts) -> Floats:
    """Variance of a row's number of instances, for each class."""
    _, classes, counts = labels.entries
    squares = np.bincount(
        classes, None if counts is None else counts.astype(np.float64) ** 2, minlength=labels.num_classes
    )
    variance: Floats = squares / labels.num_rows - (labels.instances / labels.num_rows) ** 2
    return np.maximum(variance, 0)
