"""Targets checked against the labels of a pool, and what a row of each label set has of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock.errors import InfeasibleTargetsError, SamplingError, UnknownClassError
from penstock.sampling.laws._histogram import Unit, class_sums_of, labels_of
from penstock.sampling.plan._maxent import Problem
from penstock.sampling.pool._build import first_positions
from penstock.sampling.pool._groups import Groups
from penstock.sampling.pool._labels import ClassCounts

__all__ = ["TargetTask", "percent", "shares_of", "task_of"]

_BACKGROUND = "samples without a label"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TargetTask:
    """Targets over label sets: who is asked, what a row of each set has of it.

    Behind the classes comes one more, of rows without a label; it has no instances.
    """

    labels: ClassCounts
    asked: NDArray[np.int64]
    shares: Floats
    unit: Unit
    sizes: Floats
    present: Floats
    counts: Floats
    squares: Floats
    most: Floats
    max_repeats: float | None
    num_draws: int

    @property
    def limit(self) -> float:
        return math.inf if self.max_repeats is None else self.max_repeats / self.num_draws

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(names_of(self.labels)[number] for number in self.asked)

    def problem(self) -> Problem:
        """Return gaps and directions; of instances, a target takes from each instance of any class."""
        if self.unit == "samples":
            gaps = self.present[:, self.asked] - self.shares
            return Problem(sizes=self.sizes, gaps=gaps, directions=gaps, limit=self.limit)
        gaps = self.counts[:, self.asked] - self.shares * self.counts.sum(axis=1, keepdims=True)
        if np.array_equal(self.counts[:, :-1], self.present[:, :-1]):
            return Problem(sizes=self.sizes, gaps=gaps, directions=gaps, limit=self.limit)
        labeled = self.present[:, :-1].sum(axis=1, keepdims=True)
        directions = self.present[:, self.asked] - self.shares * labeled
        return Problem(sizes=self.sizes, gaps=gaps, directions=directions, limit=self.limit)


def task_of(
    strata: Groups, targets: Mapping[str | None, float], unit: Unit, max_repeats: float | None, num_draws: int
) -> TargetTask:
    labels = labels_of(strata)
    class_sums_of(strata, unit)
    asked, shares = _checked_targets(labels, targets, unit)
    if max_repeats is not None and not max_repeats > 0:
        raise SamplingError(f"max_repeats is {max_repeats!r}. Expected draws of one sample per epoch, above 0")
    if max_repeats is not None and strata.identity is not None:
        raise SamplingError(
            "max_repeats is set, but some samples are in the pool several times, and weights of positions cannot limit "
            "how often a sample is drawn",
            hint="solve for the dataset itself, or leave max_repeats out and look at Targets.max_repeats",
        )
    sums = strata.class_sums
    present = np.zeros((strata.num_strata, labels.num_classes + 1))
    counts = np.zeros_like(present)
    present[sums.strata, sums.classes] = 1
    present[:, -1] = ~present.any(axis=1)
    counts[sums.strata, sums.classes] = sums.instances / strata.sizes[sums.strata]
    zero = asked[shares == 0]
    kept = present[:, zero].sum(axis=1) == 0
    if not kept.any():
        raise InfeasibleTargetsError(
            "no sample is left without the classes whose share is to be 0",
            classes=tuple(names_of(labels)[number] for number in zero),
        )
    squares, most = _of_distinct(strata)
    return TargetTask(
        labels=labels, asked=asked[shares > 0], shares=shares[shares > 0], unit=unit,
        sizes=strata.sizes[kept].astype(np.float64), present=present[kept], counts=counts[kept],
        squares=squares[kept], most=most[kept],
        max_repeats=max_repeats, num_draws=num_draws,
    )  # fmt: skip


def _of_distinct(strata: Groups) -> tuple[Floats, Floats]:
    """Return, for each stratum, the sum of squares and the largest of the positions that distinct rows have."""
    if strata.identity is None:
        return strata.sizes.astype(np.float64), np.ones(strata.num_strata)
    times = np.bincount(strata.identity).astype(np.float64)
    owner = strata.ids[first_positions(strata.identity)]  # all positions of a sample are in one label set
    most = np.zeros(strata.num_strata)
    # unbuffered: an owner that comes several times gets the largest of all, not the last
    np.maximum.at(most, owner, times)
    return np.bincount(owner, times**2, strata.num_strata).astype(np.float64), most


def names_of(labels: ClassCounts) -> tuple[str, ...]:
    return (*labels.class_names, _BACKGROUND)


def _checked_targets(
    labels: ClassCounts, targets: Mapping[str | None, float], unit: Unit
) -> tuple[NDArray[np.int64], Floats]:
    if not isinstance(targets, Mapping):
        raise SamplingError(f"targets are {targets!r}. Expected a share for each class named", hint="{'bus': 0.2}")
    if not targets:
        raise SamplingError(
            "there are no targets. Expected at least one class with its share", hint="solve_targets({'bus': 0.2})"
        )
    for name, share in targets.items():
        _check_target(labels, name, share, unit)
    asked = np.array([labels.num_classes if name is None else labels.class_names.index(name) for name in targets])
    shares = np.array([float(share) for share in targets.values()])
    if unit == "samples":
        return asked, shares
    total, others = shares.sum(), np.setdiff1d(np.flatnonzero(labels.samples), asked)
    if total > 1 + 1e-9 or (total < 1 - 1e-9 and len(others) == 0):
        raise InfeasibleTargetsError(
            f"the shares of instances add up to {percent(total)}; together they are "
            + ("100 %" if len(others) == 0 else "at most 100 %"),
            classes=tuple(map(str, targets)),
            hint="unit='samples' takes shares of samples, which may overlap",
        )
    if total > 1 - 1e-9 and len(others):
        return np.concatenate([asked, others]), np.concatenate([shares, np.zeros(len(others))])
    return asked, shares


def _check_target(labels: ClassCounts, name: str | None, share: float, unit: Unit) -> None:
    if name is None and unit == "instances":
        raise SamplingError(
            "a share of instances for samples without a label, which have none",
            hint="unit='samples' takes {None: 0.2}",
        )
    if name is not None and name not in labels.class_names:
        raise UnknownClassError(name, labels.class_names, tensor=labels.tensor)
    shown = _BACKGROUND if name is None else repr(name)
    if isinstance(share, bool) or not isinstance(share, (int, float, np.number)) or not 0 <= float(share) < 1:
        raise SamplingError(
            f"share of {shown} is {share!r}. Expected a number in [0, 1)",
            hint="0.05 means 5 % of the draws; for all of them, query the samples that have the class",
        )
    if share > 0 and name is None and labels.num_unlabeled == 0:
        raise InfeasibleTargetsError(
            f"no sample of the pool is without a label, so their share is 0 %; {percent(share)} was asked for",
            classes=(_BACKGROUND,),
        )
    if share > 0 and name is not None and labels.samples[labels.class_names.index(name)] == 0:
        raise InfeasibleTargetsError(
            f"no sample of the pool has {name!r}, so its share is 0 %; {percent(share)} was asked for", classes=(name,)
        )


def shares_of(task: TargetTask, masses: Floats) -> Floats:
    if task.unit == "samples":
        return masses @ task.present
    instances = masses @ task.counts
    return np.asarray(instances / max(float(instances.sum()), 1e-300))


def percent(share: float) -> str:
    return f"{100 * share:.3g} %"
