"""A query that ran, with other weights; nothing runs again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock import tql
from penstock.errors import SamplingError
from penstock.widgets.queries._class_tables import ClassTables
from penstock.widgets.queries._query_run import QueryRun, as_written, reweighted

__all__ = ["reweighed"]


def reweighed(
    run: QueryRun,
    text: str,
    weights: Sequence[float] | NDArray[np.float64] | None,
    options: Mapping[str, Any],
    tables: ClassTables,
    named: Mapping[str, Mapping[str, float]],
) -> tuple[QueryRun, ClassTables]:
    """Return the run with other weights, mode, seed or size, and the tables of class weights that go with it.

    Parameters
    ----------
    run : QueryRun
        What ran.
    text : str
        Its query, with the weights as the sliders have them.
    weights : sequence of float, optional
        One for each clause; None takes those of `text`.
    options : mapping
        Of `SamplingSpec.with_options`.
    tables : ClassTables
        Kept by the session.
    named : mapping of str to mapping
        Those that fit the data on show, as queries name them.

    Raises
    ------
    SamplingError
        If the weights are not as many as the clauses, or these rows cannot be drawn by them.
    """
    sampled = run.has_sampling
    spec = run.spec.with_options(**options) if sampled else run.spec
    if weights is not None:
        _check_number(weights, len(run.spec.clauses) if sampled else 0)
        spec = spec.replace_weights({i: float(w) for i, w in enumerate(weights)})
    if sampled:
        text = reweighted(text, spec, tql.clauses(text, run.table, tables=named))
        spec = as_written(spec, tql.clauses(text, run.table, tables=named))
    if sampled and spec.expression is None:
        tables = tables.with_weights(tql.clauses(text, run.table, tables=named), spec.weights)
    again = replace(run.with_spec(spec, text), tables=tables)
    _ = again.plan  # refuses what these rows cannot be drawn by
    return again, tables


def _check_number(weights: Sequence[float] | NDArray[np.float64], expected: int) -> None:
    if len(weights) != expected:
        raise SamplingError(
            f"{len(weights)} weights given; the query has {expected} weight clauses",
            hint=None if expected else "add SAMPLE BY max_weight(...) to the query",
        )
