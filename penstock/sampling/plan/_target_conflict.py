"""Why targets cannot be met: which of them are in conflict, by the multipliers or by a linear program."""

from __future__ import annotations

import importlib.util
import math

import numpy as np
from numpy.typing import NDArray

from penstock.errors import InfeasibleTargetsError
from penstock.sampling.plan._maxent import Solution
from penstock.sampling.plan._target_task import TargetTask, percent, shares_of

__all__ = ["infeasible"]

_MISS = 1e-6
_LISTED = 6
_CLEAR = 0.2
_NOISE = 0.01

Floats = NDArray[np.float64]


def infeasible(task: TargetTask, solution: Solution) -> InfeasibleTargetsError:
    """Return the error that names the classes in conflict: from the multipliers, or from a linear program."""
    conflict, reachable = _certificate(task, solution)
    members = np.flatnonzero(conflict) if conflict.any() else np.arange(len(task.names))
    near = []
    if reachable is not None:
        off = np.abs(reachable - task.shares) > _MISS
        near = [f"{task.names[number]} {percent(reachable[number])}" for number in np.flatnonzero(off)]
    return InfeasibleTargetsError(
        f"no weights give {_listed(task, members)} of the {task.unit}" + _bound(task, conflict),
        classes=tuple(task.names[number] for number in members),
        hint=f"the nearest shares differ in {', '.join(near)}" if near else None,
    )


def _listed(task: TargetTask, members: NDArray[np.int64]) -> str:
    """Return classes with their shares, as many as a line holds."""
    shown = [f"{task.names[number]} {percent(task.shares[number])}" for number in members[:_LISTED]]
    return ", ".join(shown) + (f", … ({len(members)} classes)" if len(members) > _LISTED else "")


def _bound(task: TargetTask, conflict: Floats) -> str:
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
    asked = percent(float(task.shares[members].sum()))
    most = _most(values, task)
    capped = f" with at most {task.max_repeats:g} draws of a sample per epoch" if task.max_repeats else ""
    if len(members) == 1:
        return f": at most {percent(most)}{capped}"
    together = "; no sample has both" if len(members) == 2 and values.max() == 1 else ""
    return f"{together}{', so' if together else ':'} together at most {percent(most)}{capped}, asked {asked}"


def _most(values: Floats, task: TargetTask) -> float:
    """Return the largest mean of some values over weights within the limit: the best rows first."""
    if not math.isfinite(task.limit):
        return float(values.max())
    order = np.argsort(-values)
    filled = np.minimum(np.cumsum(task.sizes[order] * task.limit), 1.0)
    return float(np.diff(filled, prepend=0.0) @ values[order])


def _certificate(task: TargetTask, solution: Solution) -> tuple[Floats, Floats | None]:
    """Return multipliers in [-1, 1] that prove the conflict (0: not involved), and the nearest shares if known."""
    if importlib.util.find_spec("scipy") is not None:
        return _linear_program(task)
    scaled = solution.multipliers / max(float(np.abs(solution.multipliers).max(initial=0)), 1e-300)
    for conflict in (np.sign(scaled) * (np.abs(scaled) > _CLEAR), np.where(np.abs(scaled) > _NOISE, scaled, 0.0)):
        if conflict.any() and _most(task.problem().gaps @ conflict, task) < 0:
            return conflict, None
    return np.zeros(len(scaled)), None


def _linear_program(task: TargetTask) -> tuple[Floats, Floats | None]:
    """Return the duals of the program that minimizes the sum of misses, and the shares it reaches."""
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
    if found.status != 0 or found.fun < 1e-9:
        return np.zeros(count), None
    duals = np.asarray(found.eqlin.marginals[:count])
    reached = shares_of(task, found.x[: len(gaps)])[task.asked]
    return np.where(np.abs(duals) > 1e-9, duals, 0.0), reached
