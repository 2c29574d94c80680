"""Weights that give each class a wanted share, of samples or of instances, under several labels."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import InfeasibleTargetsError, SamplingError, UnknownClassError
from penstock.sampling.laws._histogram import Unit, class_sums_of, labels_of
from penstock.sampling.plan._maxent import Problem, Solution, solve
from penstock.sampling.pool._build import first_positions
from penstock.sampling.pool._groups import Groups
from penstock.sampling.pool._labels import ClassCounts
from penstock.sampling.spec._spec import Clause, SamplingSpec

__all__ = ["Moved", "Targets", "solve_targets"]

_BACKGROUND = "samples without a label"
_NOTICEABLE = 0.1
_MISS = 1e-6
_LISTED = 6
_CLEAR = 0.2
_NOISE = 0.01

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A class whose share changed though nobody asked.

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
        Weight of each class, 1 where it has no say.
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Task:
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
        return tuple(_names(self.labels)[number] for number in self.asked)

    def problem(self) -> Problem:
        """Return gaps and directions; of instances, a target takes from each instance of any class."""
        if self.unit == "samples":
            gaps = self.present[:, self.asked] - self.shares
            return Problem(sizes=self.sizes, gaps=gaps, directions=gaps, limit=self.limit)
        gaps = self.counts[:, self.asked] - self.shares * self.counts.sum(axis=1, keepdims=True)
        if np.array_equal(self.counts[:, :-1], self.present[:, :-1]):
            return Problem(sizes=self.sizes, gaps=gaps, directions=gaps, limit=self.limit)
        labelled = self.present[:, :-1].sum(axis=1, keepdims=True)
        directions = self.present[:, self.asked] - self.shares * labelled
        return Problem(sizes=self.sizes, gaps=gaps, directions=directions, limit=self.limit)


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
    task = _task(strata, targets, unit, max_repeats, num_draws)
    solution = solve(task.problem())
    if not solution.converged:
        raise _infeasible(task, solution)
    return _answer(task, solution, spec)


def _task(
    strata: Groups, targets: Mapping[str | None, float], unit: Unit, max_repeats: float | None, num_draws: int
) -> _Task:
    labels = labels_of(strata)
    class_sums_of(strata, unit)
    asked, shares = _checked_targets(labels, targets, unit)
    if max_repeats is not None and not max_repeats > 0:
        raise SamplingError(f"max_repeats is {max_repeats!r}; expected draws of one sample per epoch, above 0")
    if max_repeats is not None and strata.identity is not None:
        raise SamplingError(
            "max_repeats, but some samples are in the pool several times; weights of positions cannot hold it",
            hint="solve for the dataset itself, or without max_repeats, and see what Targets.max_repeats says",
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
            classes=tuple(_names(labels)[number] for number in zero),
        )
    squares, most = _of_distinct(strata)
    return _Task(
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
    np.maximum.at(most, owner, times)
    return np.bincount(owner, times**2, strata.num_strata).astype(np.float64), most


def _names(labels: ClassCounts) -> tuple[str, ...]:
    return (*labels.class_names, _BACKGROUND)


def _checked_targets(
    labels: ClassCounts, targets: Mapping[str | None, float], unit: Unit
) -> tuple[NDArray[np.int64], Floats]:
    if not isinstance(targets, Mapping):
        raise SamplingError(f"targets are {targets!r}; expected a share for each class named", hint="{'bus': 0.2}")
    if not targets:
        raise SamplingError(
            "no targets; expected at least one class with its share", hint="solve_targets({'bus': 0.2})"
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
            f"the shares of instances add up to {_percent(total)}; together they are "
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
            "a share of instances for samples without a label, which have none", hint="unit='samples' takes {None: 0.2}"
        )
    if name is not None and name not in labels.class_names:
        raise UnknownClassError(name, labels.class_names, tensor=labels.tensor)
    shown = _BACKGROUND if name is None else repr(name)
    if isinstance(share, bool) or not isinstance(share, (int, float, np.number)) or not 0 <= float(share) < 1:
        raise SamplingError(
            f"share of {shown} is {share!r}; expected a number in [0, 1)",
            hint="0.05 means 5 % of the draws; for all of them, query the samples that have the class",
        )
    if share > 0 and name is None and labels.num_unlabelled == 0:
        raise InfeasibleTargetsError(
            f"no sample of the pool is without a label; their share is 0 %, asked {_percent(share)}",
            classes=(_BACKGROUND,),
        )
    if share > 0 and name is not None and labels.samples[labels.class_names.index(name)] == 0:
        raise InfeasibleTargetsError(
            f"no sample of the pool has {name!r}; its share is 0 %, asked {_percent(share)}", classes=(name,)
        )


def _answer(task: _Task, solution: Solution, spec: SamplingSpec) -> Targets:
    labels = task.labels
    samples = np.append(labels.samples, labels.num_unlabelled)
    logs = np.zeros(labels.num_classes + 1)
    logs[task.asked] += solution.multipliers
    if task.unit == "instances":
        logs[:-1] -= float(solution.multipliers @ task.shares)
    weights = np.exp(logs)
    gone = samples > 0
    gone[np.flatnonzero(task.present.any(axis=0))] = False
    weights[gone] = 0.0
    weights[samples == 0] = 1.0
    shares = _shares(task, solution.masses)[:-1]
    before = _shares(task, task.sizes / task.sizes.sum()) if not gone.any() else _raw_shares(labels, task.unit)
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


def _shares(task: _Task, masses: Floats) -> Floats:
    if task.unit == "samples":
        return masses @ task.present
    instances = masses @ task.counts
    return np.asarray(instances / max(float(instances.sum()), 1e-300))


def _raw_shares(labels: ClassCounts, unit: Unit) -> Floats:
    counts = labels.samples / labels.num_rows if unit == "samples" else labels.instances / labels.instances.sum()
    return np.asarray(counts, np.float64)


def _moved(
    labels: ClassCounts, before: Floats, after: Floats, asked: NDArray[np.int64], gone: NDArray[np.bool_]
) -> tuple[Moved, ...]:
    told = set(asked.tolist()) | set(np.flatnonzero(gone).tolist())
    moved = [
        Moved(class_name=name, class_index=number, before=float(before[number]), after=float(after[number]))
        for number, name in enumerate(labels.class_names)
        if number not in told and abs(after[number] - before[number]) > _NOTICEABLE * before[number]
    ]
    return tuple(sorted(moved, key=lambda one: -abs(one.after - one.before)))


def _infeasible(task: _Task, solution: Solution) -> InfeasibleTargetsError:
    """Return the error that names the classes in conflict: from the multipliers, or from a linear program."""
    conflict, reachable = _certificate(task, solution)
    members = np.flatnonzero(conflict) if conflict.any() else np.arange(len(task.names))
    near = []
    if reachable is not None:
        off = np.abs(reachable - task.shares) > _MISS
        near = [f"{task.names[number]} {_percent(reachable[number])}" for number in np.flatnonzero(off)]
    return InfeasibleTargetsError(
        f"no weights give {_listed(task, members)} of the {task.unit}" + _bound(task, conflict),
        classes=tuple(task.names[number] for number in members),
        hint=f"the nearest shares differ in {', '.join(near)}" if near else None,
    )


def _listed(task: _Task, members: NDArray[np.int64]) -> str:
    """Return classes with their shares, as many as a line holds."""
    told = [f"{task.names[number]} {_percent(task.shares[number])}" for number in members[:_LISTED]]
    return ", ".join(told) + (f", … ({len(members)} classes)" if len(members) > _LISTED else "")


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _bound(task: _Task, conflict: Floats) -> str:
    """Return the sentence that proves the conflict, where the multipliers do."""
    if not conflict.any():
        return "; the shares are met only in the limit of weights 0 and infinity"
    members = np.flatnonzero(conflict)
    if task.unit == "instances" or not (conflict[members] > 0).all():
        return ""
    even = np.allclose(conflict[members], conflict[members].max())
    values = task.present[:, task.asked[members]].sum(axis=1)
    if not even:
        return ""
    asked = _percent(float(task.shares[members].sum()))
    most = _most(values, task)
    capped = f" with at most {task.max_repeats:g} draws of a sample per epoch" if task.max_repeats else ""
    if len(members) == 1:
        return f": at most {_percent(most)}{capped}"
    together = "; no sample has both" if len(members) == 2 and values.max() == 1 else ""  # noqa: PLR2004  a pair
    return f"{together}{', so' if together else ':'} together at most {_percent(most)}{capped}, asked {asked}"


def _most(values: Floats, task: _Task) -> float:
    """Return the largest mean of some values over weights within the limit: the best rows first."""
    if not math.isfinite(task.limit):
        return float(values.max())
    order = np.argsort(-values)
    filled = np.minimum(np.cumsum(task.sizes[order] * task.limit), 1.0)
    return float(np.diff(filled, prepend=0.0) @ values[order])


def _certificate(task: _Task, solution: Solution) -> tuple[Floats, Floats | None]:
    """Return multipliers in [-1, 1] that prove the conflict (0: not involved), and the nearest shares if known."""
    if importlib.util.find_spec("scipy") is not None:
        return _linear_program(task)
    scaled = solution.multipliers / max(float(np.abs(solution.multipliers).max(initial=0)), 1e-300)
    for conflict in (np.sign(scaled) * (np.abs(scaled) > _CLEAR), np.where(np.abs(scaled) > _NOISE, scaled, 0.0)):
        if conflict.any() and _most(task.problem().gaps @ conflict, task) < 0:
            return conflict, None
    return np.zeros(len(scaled)), None


def _linear_program(task: _Task) -> tuple[Floats, Floats | None]:
    """Return the duals of the program that minimises the sum of misses, and the shares it reaches."""
    from scipy.optimize import linprog

    gaps = task.problem().gaps
    count = gaps.shape[1]
    cost = np.concatenate([np.zeros(len(gaps)), np.ones(2 * count)])
    met = np.hstack([gaps.T, np.eye(count), -np.eye(count)])
    whole = np.concatenate([np.ones(len(gaps)), np.zeros(2 * count)])
    upper = task.sizes * task.limit if math.isfinite(task.limit) else np.full(len(gaps), np.inf)
    bounds = np.column_stack([np.zeros(len(cost)), np.concatenate([upper, np.full(2 * count, np.inf)])])
    equal = np.vstack([met, whole])
    found = linprog(cost, A_eq=equal, b_eq=np.append(np.zeros(count), 1.0), bounds=bounds, method="highs")
    if found.status != 0 or found.fun < 1e-9:  # noqa: PLR2004  rounding of the program
        return np.zeros(count), None
    duals = np.asarray(found.eqlin.marginals[:count])
    reached = _shares(task, found.x[: len(gaps)])[task.asked]
    return np.where(np.abs(duals) > 1e-9, duals, 0.0), reached  # noqa: PLR2004  rounding of the program
