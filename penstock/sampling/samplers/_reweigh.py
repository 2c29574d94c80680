"""Other weights for rows that are being drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from penstock.errors import SamplingError
from penstock.sampling.plan._plan import SamplingPlan
from penstock.sampling.plan._strata import Strata
from penstock.sampling.spec._spec import SamplingSpec

__all__ = ["reweighed"]


def reweighed(plan: SamplingPlan, weights: Any) -> SamplingPlan:
    """Return the plan of other weights for the same rows; the seed stays.

    Parameters
    ----------
    plan : SamplingPlan
        What is drawn by now.
    weights : SamplingPlan, SamplingSpec or array_like of float, shape (num_rows,)
        A plan of the same rows, or a spec of the same clauses, with their own mode and size; or one weight for each
        position of the pool, drawn in the current mode and size.

    Returns
    -------
    SamplingPlan

    Raises
    ------
    SamplingError
        If the weights are of other rows or clauses, say nothing, or leave nothing to draw.
    """
    other = _plan_of(plan, weights)
    other = replace(other, spec=other.spec.with_options(seed=plan.spec.seed))
    _ = other.probabilities  # raises where nothing can be drawn
    return other


def _plan_of(plan: SamplingPlan, weights: Any) -> SamplingPlan:
    if isinstance(weights, SamplingPlan):
        return _of_same_rows(plan, weights)
    if isinstance(weights, SamplingSpec):
        return _by_spec(plan, weights)
    if isinstance(weights, str):
        raise SamplingError(
            f"weights are the text {weights!r}. Expected a plan, a spec or one weight for each sample",
            hint="ds.plan(text) is the plan of a text",
        )
    spec = plan.spec.with_options(clauses=(), combine="max", cap=None, expression=None, tables=())
    strata = Strata.from_weights(weights, labels=plan.strata.labels, rows=plan.strata.row_numbers)
    _check_count(plan, strata.num_rows)
    return strata.with_spec(spec)


def _by_spec(plan: SamplingPlan, spec: SamplingSpec) -> SamplingPlan:
    if not spec.clauses and spec.expression is None:
        raise SamplingError(
            "a spec without clauses says nothing about weights",
            hint="pass the plan it is of, or the array of weights",
        )
    mine = plan.spec
    if spec.expression is not None and (spec.expression, spec.tables) != (mine.expression, mine.tables):
        raise SamplingError(
            f"the spec weighs by {spec.expression!r}; what is drawn now is weighed by "
            f"{mine.to_tql() or 'one weight for each sample'!r}",
            hint="pass the plan of the new weights, ds.plan(spec)",
        )
    return plan.strata.with_spec(spec)


def _of_same_rows(plan: SamplingPlan, other: SamplingPlan) -> SamplingPlan:
    _check_count(plan, other.strata.num_rows)
    mine, theirs = plan.strata.row_numbers, other.strata.row_numbers
    if mine is not None and theirs is not None and not np.array_equal(mine, theirs):
        raise SamplingError(
            "the plan is of other rows than those drawn from", hint="make it of the same view: view.plan(...)"
        )
    if other.strata.labels is None and plan.strata.labels is not None:
        return replace(other, strata=replace(other.strata, labels=plan.strata.labels))  # what an audit counts
    return other


def _check_count(plan: SamplingPlan, count: int) -> None:
    if count != plan.strata.num_rows:
        raise SamplingError(
            f"weights of {count} samples; {plan.strata.num_rows} samples are drawn from, expected one weight for each"
        )
