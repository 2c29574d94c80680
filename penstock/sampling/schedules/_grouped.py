"""The plans of a schedule's entries: each over the groups of its own clauses, or of its own array of weights."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.errors import SamplingError
from penstock.sampling.plan._plan import SamplingPlan
from penstock.sampling.plan._strata import Strata
from penstock.sampling.pool._build import checked_weights, joined, regrouped
from penstock.sampling.spec._schedule import SamplingSchedule, ScheduleEntry
from penstock.sampling.spec._spec import SamplingSpec

__all__ = ["array_of_entry", "plans_of", "weights_sha256"]


def weights_sha256(weights: ArrayLike) -> str:
    """Return the SHA-256 by which a schedule names an array of weights.

    Parameters
    ----------
    weights : array_like of float, shape (num_rows,)
        One weight for each sample.

    Returns
    -------
    str
        Of the weights as little-endian doubles, in hexadecimal.

    Examples
    --------
    >>> weights_sha256([1, 2])[:8]
    'dc91ce9a'
    """
    return hashlib.sha256(np.ascontiguousarray(checked_weights(weights), "<f8").data).hexdigest()


def plans_of(strata: Strata, schedule: SamplingSchedule, arrays: Mapping[str, Any]) -> tuple[SamplingPlan, ...]:
    """Return the plan of each entry over a pool; entries of equal clauses share their strata.

    Parameters
    ----------
    strata : Strata
        The pool, grouped by at least all clauses of the schedule, or by label sets.
    schedule : SamplingSchedule
        The entries.
    arrays : mapping of str to array_like
        Arrays of weights by their SHA-256.
    """
    known: dict[object, Strata] = {}
    found = []
    for entry in schedule.entries:
        key = entry.weights_sha256 or tuple(clause.expression for clause in entry.spec.clauses)
        if key not in known:
            known[key] = _by_array(strata, entry, arrays) if entry.weights_sha256 else _by_clauses(strata, entry.spec)
        found.append(known[key].with_spec(entry.spec))
    return tuple(found)


def array_of_entry(entry: ScheduleEntry, arrays: Mapping[str, Any], num_rows: int) -> NDArray[np.float64]:
    """Return the array of weights that an entry names, or say that it is missing or another one."""
    sha256 = str(entry.weights_sha256)
    if sha256 not in arrays:
        raise SamplingError(
            f"the entry at position {entry.start} is weighed by the array {sha256[:12]}…, which was not passed",
            hint="SchedulePlan.of(..., weights={sha256: array}) or ds.plan(schedule, arrays={sha256: array})",
        )
    weights = checked_weights(arrays[sha256])
    if weights_sha256(weights) != sha256:
        raise SamplingError(f"the array passed as {sha256[:12]}… has another SHA-256. Expected the array that was used")
    if len(weights) != num_rows:
        raise SamplingError(f"{len(weights)} weights for {num_rows} samples. Expected one for each sample")
    return weights


def _by_array(strata: Strata, entry: ScheduleEntry, arrays: Mapping[str, Any]) -> Strata:
    weights = array_of_entry(entry, arrays, strata.num_rows)
    return Strata.from_weights(weights, labels=strata.labels, rows=strata.row_numbers)


def _by_clauses(strata: Strata, spec: SamplingSpec) -> Strata:
    asked = tuple(clause.expression for clause in spec.clauses)
    if asked == strata.expressions:
        return strata
    fewer = regrouped(strata, asked)
    if fewer is not None:
        return fewer
    if spec.expression is not None:
        raise SamplingError(
            f"the weights {spec.expression!r} differ from sample to sample; these strata do not have them",
            hint="ds.plan(schedule) evaluates them",
        )
    masks = dict(zip(strata.expressions or (), strata.matches, strict=False))
    missing = [expression for expression in asked if expression not in masks]
    if missing or strata.level != "clauses":
        raise SamplingError(
            f"the schedule has the clauses {', '.join(map(repr, missing or asked))}, by which these strata are not "
            "grouped",
            hint="group the pool by schedule.clauses",
        )
    return joined(strata, [masks[expression] for expression in asked], asked)
