"""A query that ran: what it chose, its weights and its strata, as one snapshot nobody changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from penstock import tql
from penstock.errors import QueryCancelledError
from penstock.sampling import Clause, SamplingPlan, SamplingSpec
from penstock.sampling.plan._plan import PlannedStrata
from penstock.table import OverlayTable, class_names_of, is_every_row
from penstock.tql.syntax import _ast as ast
from penstock.widgets.queries._class_tables import NO_TABLES, ClassTables, pair_numbers
from penstock.widgets.queries._signals import ShownSignals

__all__ = ["Followed", "Mode", "QueryRun", "as_written", "execute", "reweighted", "same_but_weights"]

Mode = Literal["iid", "deck", "once"]
_EVERY_ROW = SamplingSpec(clauses=(Clause("True", 1.0),), mode="once")


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """How classes changed under a query: the browser's own lists and its unrun text go along.

    Parameters
    ----------
    number : int
        Of this change in the session.
    renames : tuple of (str, str)
        Names before and after, of classes that have another one.
    classes : tuple of int, optional
        The new index of each class of the tensor on show, -1 where it is gone; None where none moved.
    """

    number: int
    renames: tuple[tuple[str, str], ...]
    classes: tuple[int, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QueryRun:
    """The state of the last query that ran, with the weights as they are now.

    Parameters
    ----------
    text : str
        The query, with the weights of now.
    table : OverlayTable
        What was read.
    result : QueryResult
        What the query gave when it ran.
    pool : ndarray of int64, shape (pool_size,)
        Rows of `table` after WHERE, ORDER and LIMIT; empty for a table result.
    every_row : bool
        Whether the pool is every row of `table` in order.
    num_rows : int
        Samples the query ran on: of the dataset, or of the view.
    strata : Strata, optional
        The pool by weight clause; None for a table result.
    spec : SamplingSpec
        Clauses with the weights of now; without SAMPLE BY, every row once an epoch.
    labels : str, optional
        The class label tensor that charts count.
    seconds : float
        How long the query took.
    warnings : tuple of str
        What is to be said about the result.
    followed : Followed, optional
        How the classes changed since the run before.
    tables : ClassTables
        Tables of class weights that queries name, with the weights of now.
    signals : ShownSignals, optional
        What training reported of the rows of the table.
    """

    text: str
    table: OverlayTable
    result: tql.QueryResult
    pool: NDArray[np.int64]
    every_row: bool
    num_rows: int
    strata: PlannedStrata | None
    spec: SamplingSpec
    labels: str | None
    seconds: float
    warnings: tuple[str, ...] = ()
    followed: Followed | None = None
    tables: ClassTables = NO_TABLES
    signals: ShownSignals | None = None

    @property
    def clauses(self) -> tuple[tql.WeightClause, ...]:
        """The weight clauses of the text, those of tables included."""
        return tql.clauses(self.text, self.table, tables=self.tables.fitting(self.table))

    @property
    def table_names(self) -> tuple[str, ...]:
        """Names of the tables of class weights that the text names."""
        return tuple(dict.fromkeys(clause.table for clause in self.clauses if clause.table is not None))

    @property
    def has_sampling(self) -> bool:
        """Whether the text has SAMPLE BY."""
        return self.result.plan is not None

    @property
    def plan(self) -> SamplingPlan | None:
        """How often which row of the pool is drawn, without SAMPLE BY once an epoch; None for a table result."""
        if self.strata is None:
            return None
        if self.has_sampling:
            return self.strata.with_spec(self.spec)
        return SamplingPlan(strata=self.strata, spec=self.spec)  # a pass: rows that repeat come as often as they do

    @property
    def asked_draws(self) -> int:
        """Draws of an epoch as the query asks for them, whatever the mode can give; 0 for a table result."""
        if self.strata is None:
            return 0
        return len(self.pool) if self.spec.size is None else self.spec.size

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes that charts count."""
        return class_names_of(self.table, self.labels) if self.labels else ()

    def with_spec(self, spec: SamplingSpec, text: str) -> QueryRun:
        """Return the same rows under other weights, mode, seed or size."""
        return replace(self, spec=spec, text=text)

    @property
    def weights(self) -> NDArray[np.float64]:
        """Weight of the sample at each position of the pool, float64 of shape (pool_size,)."""
        plan = self.plan
        weights = np.empty(0) if plan is None else plan.weights[plan.strata.ids]
        return np.asarray(weights, np.float64)

    @property
    def times_drawn(self) -> NDArray[np.float64]:
        """How often an epoch is expected to draw the sample at each position of the pool, (pool_size,)."""
        plan = self.plan
        if plan is None or not plan.total_weight > 0:
            return np.zeros(len(self.pool))
        strata = plan.strata
        times = plan.inclusion if plan.spec.mode == "once" else plan.num_draws * plan.probabilities
        each = np.asarray(times[strata.ids], np.float64)
        if strata.identity is None:
            return each
        return np.asarray(np.bincount(strata.identity, each)[strata.identity], np.float64)


def execute(
    text: str,
    table: OverlayTable,
    *,
    seed: int,
    mode: Mode,
    size: int | None,
    labels: str | None,
    rows: NDArray[np.int64] | None = None,
    cancelled: Callable[[], bool] | None = None,
    tables: ClassTables = NO_TABLES,
) -> QueryRun:
    """Run a query and group its pool by weight clause.

    Raises
    ------
    TQLError
        If the text is wrong; nothing has changed then.
    """
    started = time.perf_counter()
    result = tql.run(
        text, table, seed=seed, mode=mode, rows=rows, labels=labels, cancel=cancelled, params=tables.fitting(table)
    )
    pool = result.pool if result.is_rows else np.empty(0, np.int64)
    every_row = is_every_row(pool, table.num_rows)
    if result.is_rows and result.plan is not None:
        strata: PlannedStrata | None = result.plan.strata
        spec = result.plan.spec if size is None else result.plan.spec.with_options(size=size)
    else:
        spec = _EVERY_ROW.with_options(seed=seed)
        chosen = None if every_row else pool
        strata = tql.bind_sampling(spec, table, chosen, labels=labels) if result.is_rows else None
    if cancelled is not None and cancelled():
        raise QueryCancelledError("the query was cancelled")
    return QueryRun(
        text=text,
        table=table,
        result=result,
        pool=pool,
        every_row=every_row,
        num_rows=table.num_rows if rows is None else len(rows),
        strata=strata,
        spec=spec,
        labels=labels,
        seconds=time.perf_counter() - started,
        warnings=tuple(str(warning) for warning in result.warnings),
        tables=tables,
    )


def reweighted(text: str, spec: SamplingSpec, clauses: Sequence[tql.WeightClause] | None = None) -> str:
    """Return the query with the spec's weights as its literals, the rest kept to the letter."""
    if spec.expression is not None:
        return text
    clauses = tql.clauses(text) if clauses is None else clauses
    for pair, clause, weight in zip(pair_numbers(clauses), clauses, spec.weights, strict=True):
        if clause.start is not None and clause.weight != weight:
            text = tql.rewrite_weight(text, pair, weight)
    return text


def as_written(spec: SamplingSpec, clauses: Sequence[tql.WeightClause]) -> SamplingSpec:
    """Return the spec with the weights the text's literals say, to their last digit."""
    said: dict[str | int, float] = {
        number: clause.weight for number, clause in enumerate(clauses) if clause.start is not None
    }
    return spec.replace_weights(said)


def same_but_weights(text: str, other: str) -> bool:
    """Tell whether two queries differ at most in the numbers of their weight clauses."""
    return text == other or _without_weights(tql.parse(text)) == _without_weights(tql.parse(other))


def _without_weights(query: ast.Query) -> ast.Query:
    if query.sample is None or not isinstance(query.sample.weight, ast.Weights):
        return query
    pairs = tuple(replace(pair, weight=None) for pair in query.sample.weight.pairs)
    return replace(query, sample=replace(query.sample, weight=replace(query.sample.weight, pairs=pairs)))
