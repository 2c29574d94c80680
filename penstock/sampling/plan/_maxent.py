"""Newton's method for the weights nearest to equal that give wanted means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Problem", "Solution", "solve"]

_MAX_STEPS = 200
_TOLERANCE = 1e-12
_DIVERGED = 60.0
_MET = 1e-9
_LONGEST = 10.0
_SMALLEST = 1e-300
_MIN_DAMPING = 1e-9
_MAX_DAMPING = 1e6

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """Find ``q = n min(exp(directions . x - nu), limit)`` with ``sum q = 1`` and ``sum q gaps = 0``.

    Parameters
    ----------
    sizes : ndarray of float64, shape (num_strata,)
        Rows of each stratum, ``n``.
    gaps : ndarray of float64, shape (num_strata, num_targets)
        How far a row of the stratum is above each target.
    directions : ndarray of float64, shape (num_strata, num_targets)
        What each multiplier adds to the log-weight of the stratum; `gaps` where the problem is one of maximum entropy.
    limit : float
        Largest probability of one row, may be infinite.
    """

    sizes: Floats
    gaps: Floats
    directions: Floats
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solution:
    """Where Newton's method came to rest.

    Parameters
    ----------
    multipliers : ndarray of float64, shape (num_targets,)
        One per target.
    log_total : float
        ``nu``.
    masses : ndarray of float64, shape (num_strata,)
        Probability of each stratum, ``q``.
    converged : bool
        Whether the means are met.
    """

    multipliers: Floats
    log_total: float
    masses: Floats
    converged: bool


def solve(problem: Problem) -> Solution:
    """Return the multipliers by Newton's steps, damped where they do not help.

    With ``directions == gaps`` this minimizes the convex dual ``sum n phi(gaps . x - nu) + nu``, `phi` the exponential
    and a straight line above the limit. Where the directions differ, steps must lower the sum of squared gaps.

    References
    ----------
    W. E. Deming, F. F. Stephan, On a least squares adjustment of a sampled frequency table, 1940 (raking);
    J.-C. Deville, C.-E. Sarndal, Calibration estimators in survey sampling, 1992 (the dual, and bounded weights).
    """
    unknowns = np.zeros(problem.gaps.shape[1] + 1)
    unknowns[-1] = np.log(problem.sizes.sum())
    state = _evaluate(problem, unknowns)
    damping = 0.0
    for _ in range(_MAX_STEPS):
        if state.worst <= _TOLERANCE or np.abs(unknowns[:-1]).max(initial=0) > _DIVERGED or damping > _MAX_DAMPING:
            break
        tried = unknowns + _step(problem, state, damping)
        after = _evaluate(problem, tried)
        if after.merit < state.merit or after.worst < 0.5 * state.worst:
            unknowns, state, damping = tried, after, damping / 10 if damping > _MIN_DAMPING else 0.0
        else:
            damping = max(10 * damping, _MIN_DAMPING)
    return Solution(
        multipliers=unknowns[:-1],
        log_total=float(unknowns[-1]),
        masses=state.masses,
        converged=state.worst <= _MET,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _State:
    merit: float
    residual: Floats
    jacobian: Floats
    masses: Floats

    @property
    def worst(self) -> float:
        return float(np.abs(self.residual).max())


def _step(problem: Problem, state: _State, damping: float) -> Floats:
    """Return Newton's step, or a shorter one towards steepest descent."""
    if damping == 0:
        step = np.linalg.lstsq(state.jacobian, -state.residual, rcond=1e-13)[0]
    else:
        if problem.directions is problem.gaps:
            slope, curvature = state.residual.copy(), state.jacobian.copy()
            slope[-1] *= -1
            curvature[-1] *= -1
        else:
            slope, curvature = state.jacobian.T @ state.residual, state.jacobian.T @ state.jacobian
        scale = max(float(np.abs(curvature).max()), _SMALLEST)
        step = np.linalg.solve(curvature + damping * scale * np.eye(len(slope)), -slope)
    return np.asarray(step * min(1.0, _LONGEST / max(float(np.abs(step).max()), _SMALLEST)))


def _evaluate(problem: Problem, unknowns: Floats) -> _State:
    """Return merit, residual (gaps, then sum - 1), its Jacobian, and the masses."""
    exponent = np.minimum(problem.directions @ unknowns[:-1] - unknowns[-1], 700.0)
    free = np.exp(exponent)
    held = free > problem.limit
    masses = problem.sizes * np.where(held, problem.limit, free)
    residual = np.append(masses @ problem.gaps, masses.sum() - 1)
    moving = np.where(held, 0.0, masses)
    outer = np.column_stack([problem.gaps, np.ones(len(masses))])
    inner = np.column_stack([problem.directions, -np.ones(len(masses))])
    merit = float(residual @ residual)
    if problem.directions is problem.gaps:
        straight = problem.limit * (1 + exponent - np.log(problem.limit)) if np.isfinite(problem.limit) else free
        merit = float(problem.sizes @ np.where(held, straight, free)) + float(unknowns[-1])
    return _State(merit=merit, residual=residual, jacobian=(outer * moving[:, None]).T @ inner, masses=masses)
