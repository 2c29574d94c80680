"""Weights that give each class a wanted share, of samples or of instances, under several labels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.laws._histogram import Unit
from penstock.sampling.plan._maxent import Solution, solve
from penstock.sampling.plan._target_conflict import infeasible
from penstock.sampling.plan._target_task import TargetTask, shares_of, task_of
from penstock.sampling.pool._groups import Groups
from penstock.sampling.pool._labels import ClassCounts
from penstock.sampling.spec._spec import Clause, SamplingSpec

__all__ = ["Moved", "Targets", "solve_targets"]

_NOTICEABLE = 0.1
_MISS = 1e-6

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A class without a target whose share changed.

    Parameters
    ----------
    class_name : str
        The class.
    class_index : int
        Its number.
    before, after : float
        Its share of the pool and of the draws.
    """

    class_name: str
    class_index: int
    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Targets:
    """Weights that meet targets, and what they cost.

    Parameters
    ----------
    spec : SamplingSpec
        One clause per class whose weight is not 1, combined by product.
    weights : ndarray of float64, shape (num_classes,)
        Weight of each class, 1 where it makes no difference.
    shares : ndarray of float64, shape (num_classes,)
        Share of each class in the draws, in the unit of the targets.
    background_weight, background_share : float
        Weight of samples without a label, and their share of the draws.
    max_repeats : float
        Expected draws per epoch of the most repeated sample.
    effective_sample_size : float
        Kish's effective sample size, at most the number of samples.
    moved : tuple of Moved
        Classes without a target whose share changed by a tenth or more, largest change first.
    class_names : tuple of str
        The classes.
    """

    spec: SamplingSpec
    weights: Floats
    shares: Floats
    background_weight: float
    background_share: float
    max_repeats: float
    effective_sample_size: float
    moved: tuple[Moved, ...]
    class_names: tuple[str, ...]

    def to_pandas(self) -> Any:
        """Return a DataFrame of weight and share, one row per class."""
        import pandas as pd

        columns = {"weight": self.weights, "share": self.shares}
        return pd.DataFrame(columns, index=pd.Index(self.class_names, name="class"))


def solve_targets(
    strata: Groups,
    targets: Mapping[str | None, float],
    *,
    unit: Unit,
    max_repeats: float | None,
    spec: SamplingSpec,
    num_draws: int,
) -> Targets:
    """Return the weights of label sets; see `SamplingPlan.solve_targets`."""
    task = task_of(strata, targets, unit, max_repeats, num_draws)
    solution = solve(task.problem())
    if not solution.converged:
        raise infeasible(task, solution)
    return _answer(task, solution, spec)


def _answer(task: TargetTask, solution: Solution, spec: SamplingSpec) -> Targets:
    labels = task.labels
    samples = np.append(labels.samples, labels.num_unlabeled)
    logs = np.zeros(labels.num_classes + 1)
    logs[task.asked] += solution.multipliers
    if task.unit == "instances":
        logs[:-1] -= float(solution.multipliers @ task.shares)
    weights = np.exp(logs)
    gone = samples > 0
    gone[np.flatnonzero(task.present.any(axis=0))] = False
    weights[gone] = 0.0
    weights[samples == 0] = 1.0
    shares = shares_of(task, solution.masses)[:-1]
    before = shares_of(task, task.sizes / task.sizes.sum()) if not gone.any() else _raw_shares(labels, task.unit)
    per_row = solution.masses / task.sizes
    taken = float(solution.multipliers @ task.shares) if task.unit == "samples" else 0.0
    held = float(per_row.max()) >= task.limit * (1 - _MISS)
    cap = _readable(task.limit * math.exp(solution.log_total + taken)) if held else None
    used = [(int(c) if c < labels.num_classes else None, _readable(weights[c])) for c in np.flatnonzero(samples)]
    return Targets(
        spec=SamplingSpec(
            clauses=tuple(Clause(labels.condition(number), weight) for number, weight in used if weight != 1),
            combine="product", cap=cap, size=spec.size, seed=spec.seed, mode=spec.mode, interleave=spec.interleave,
        ),
        weights=weights[:-1],
        shares=shares,
        background_weight=float(weights[-1]),
        background_share=float(solution.masses @ task.present[:, -1]),
        max_repeats=float((per_row * task.most).max() * task.num_draws),
        effective_sample_size=float(1 / (task.squares @ per_row**2)),
        moved=_moved(labels, before, shares, task.asked, gone),
        class_names=labels.class_names,
    )  # fmt: skip


def _readable(weight: float) -> float:
    """Return the weight to twelve digits: shares move by less than 1e-11, and the text is fit to be read."""
    return float(f"{weight:.12g}")


def _raw_shares(labels: ClassCounts, unit: Unit) -> Floats:
    counts = labels.samples / labels.num_rows if unit == "samples" else labels.instances / labels.instances.sum()
    return np.asarray(counts, np.float64)


def _moved(
    labels: ClassCounts, before: Floats, after: Floats, asked: NDArray[np.int64], gone: NDArray[np.bool_]
) -> tuple[Moved, ...]:
    expected = set(asked.tolist()) | set(np.flatnonzero(gone).tolist())
    moved = [
        Moved(class_name=name, class_index=number, before=float(before[number]), after=float(after[number]))
        for number, name in enumerate(labels.class_names)
        if number not in expected and abs(after[number] - before[number]) > _NOTICEABLE * before[number]
    ]
    return tuple(sorted(moved, key=lambda one: -abs(one.after - one.before)))
