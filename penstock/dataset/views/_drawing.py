"""Queries, weights, plans and loaders of some samples; what is chosen or drawn is the content of a view."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import EllipsisType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from penstock._wording import escaped
from penstock.dataset.samples._content import Content, HasContent
from penstock.dataset.views._fixed_content import FixedContent, Home, frozen
from penstock.engines import EngineOption, check_num_workers, engine_of
from penstock.loader import Loader
from penstock.sampling import SamplingPlan, SamplingSchedule, SamplingSpec, SchedulePlan, fresh_seed
from penstock.table import (
    ArrayTable,
    OverlayTable,
    ProjectedTable,
    Ragged,
    RowsTable,
    Selection,
    Table,
)
from penstock.tql import (
    Explanation,
    QueryResult,
    Weights,
    exact_plan,
    explain,
    make_plan,
    run,
    schedule_plan,
    spec_for,
)
from penstock.tql.pipeline._over_parts import PartwiseMasks
from penstock.tql.pipeline._plans import partwise_plan

__all__ = ["Mode", "Seed", "chosen", "drawn", "explanation", "loader_of", "plan_of", "queried", "scheduled_plan_of"]

Mode = Literal["iid", "deck", "once"]
Seed = int | None | EllipsisType
_Dataset = HasContent[Home] | None


def chosen(content: Content, dataset: _Dataset, positions: NDArray[np.int64]) -> FixedContent:
    """Return some of the samples, by position."""
    table, rows = content.state()
    return FixedContent(
        table=table, rows=frozen(rows[positions]), dataset=dataset, seed=content.seed, shown=content.shown
    )  # fmt: skip


# ---- queries -----------------------------------------------------------------------------------------


def queried(
    content: Content,
    dataset: _Dataset,
    query_string: str,
    *,
    seed: Seed,
    params: Mapping[str, Any] | None,
    engine: EngineOption = None,
    num_workers: int = 0,
) -> FixedContent:
    """Return the samples that a TQL query chooses, or the table it makes."""
    used = _seed(content, seed)
    with _masks(engine, num_workers) as masks:
        table, rows = (content.table, None) if masks is not None and content.is_whole else content.state()
        within = None if content.is_whole else rows
        result = run(
            query_string, table, seed=used, rows=within, resolve=content.resolve, params=params, masks=masks
        )  # fmt: skip
    for warning in result.warnings:
        warnings.warn(escaped(warning), UserWarning, stacklevel=3)
    source = _of_rows(result) if result.is_rows else _made_by(result)
    of_dataset = result.is_rows and _place(result.table) == _place(table)
    return FixedContent(
        table=source,
        rows=frozen(np.array(result.selection.rows if result.is_rows else np.arange(result.num_rows), np.int64)),
        dataset=dataset if of_dataset else None,
        query_string=query_string,
        seed=used,
        plan=result.plan if result.is_rows else None,
        pool=result.pool if result.is_rows else None,
    )


@contextmanager
def _masks(engine: EngineOption, num_workers: int) -> Iterator[PartwiseMasks | None]:
    """Yield what evaluates conditions on an engine; None where they are evaluated here."""
    check_num_workers(num_workers)
    if engine is None:
        yield None
        return
    with engine_of(engine) as opened:
        yield PartwiseMasks(opened, num_workers)


def _made_by(result: QueryResult) -> Table:
    """Return a grouped, joined or concatenated result as a table of its own."""
    columns = {name: _with_label_rank(column) for name, column in (result.columns or {}).items()}
    names = {name: column.class_names for name, column in columns.items() if column.class_names is not None}
    return ArrayTable(columns, class_names=names, version=result.table.version)


def _of_rows(result: QueryResult) -> Table:
    """Return the table whose rows were chosen, with the computed columns of a projection."""
    if result.columns is None:
        return result.table
    return ProjectedTable(result.table, result.selection.rows, result.names, result.columns)


def _with_label_rank(column: Ragged) -> Ragged:
    """Return class labels of a result as samples of shape (1,), never 0-d."""
    return replace(column, shapes=None) if column.class_names is not None and column.ndim == 0 else column


def _place(table: Table) -> str | None:
    """Return the location of a table; None if it consists of results."""
    origin = table.origin
    return origin.stored.snapshot.path if isinstance(origin, OverlayTable) else None


def explanation(content: Content, query_string: str) -> Explanation:
    """Return how a query is read and what each step leaves."""
    table, rows = content.state()
    whole = content.is_whole or (len(rows) == table.num_rows and bool((rows == np.arange(len(rows))).all()))
    return explain(query_string, table if whole else RowsTable(table, rows))


# ---- weights -----------------------------------------------------------------------------------------


def drawn(
    content: Content,
    dataset: _Dataset,
    weights: Weights,
    *,
    with_replacement: bool,
    size: int | None,
    seed: Seed,
    mode: Mode | None,
    params: Mapping[str, Any] | None = None,
) -> FixedContent:
    """Return samples drawn by weight: epoch 0 of the stream."""
    spec = _spec(content, weights, seed, mode, size, with_replacement=with_replacement)
    table, rows = content.state()
    plan = make_plan(table, rows, weights, spec, labels=None, params=params)
    written = weights if not params or not plan.spec.clauses else plan.spec.with_options(size=None, mode="iid").to_tql()
    text = f"select * sample by {written}" if isinstance(weights, str) else None
    return FixedContent(
        table=table,
        rows=frozen(rows[plan.stream().epoch(0)]),
        dataset=dataset,
        query_string=text,
        seed=spec.seed,
        shown=content.shown,
        plan=plan,
        pool=rows,
        by_array=text is None,
    )


def plan_of(
    content: Content,
    weights: Weights | None,
    *,
    labels: str | None,
    seed: Seed,
    mode: Mode | None,
    size: int | None,
    engine: EngineOption = None,
    num_workers: int = 0,
) -> SamplingPlan:
    """Return what drawing by some weights does; without weights every sample is drawn once an epoch."""
    with _masks(engine, num_workers) as masks:
        if weights is None and masks is not None and content.is_whole:
            found = partwise_plan(content.table, labels=labels, seed=_seed(content, seed), masks=masks)
            if found is not None:
                return found
        table, rows = content.state()
        if weights is None:
            return exact_plan(table, rows, labels=labels, seed=_seed(content, seed))
        return make_plan(table, rows, weights, _spec(content, weights, seed, mode, size), labels=labels, masks=masks)


def scheduled_plan_of(
    content: Content,
    schedule: SamplingSchedule,
    *,
    labels: str | None,
    seed: Seed,
    mode: Mode | None,
    size: int | None,
    arrays: Mapping[str, Any] | None,
    engine: EngineOption = None,
    num_workers: int = 0,
) -> SchedulePlan:
    """Return what drawing by a schedule does."""
    given = {
        "seed": None if isinstance(seed, EllipsisType) else _seed(content, seed),
        "mode": mode,
        "size": size,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    with _masks(engine, num_workers) as masks:
        table, rows = content.state()
        schedule = schedule.with_options(**changes) if changes else schedule
        return schedule_plan(table, rows, schedule, labels=labels, arrays=arrays, masks=masks)


def _spec(
    content: Content,
    weights: Weights,
    seed: Seed,
    mode: Mode | None,
    size: int | None,
    *,
    with_replacement: bool = True,
) -> SamplingSpec:
    given = None if isinstance(seed, EllipsisType) else _seed(content, seed)
    return spec_for(
        weights, own_seed=content.seed, seed=given, mode=mode, size=size, with_replacement=with_replacement
    )  # fmt: skip


def _seed(content: Content, seed: Seed) -> int:
    """Return the seed to use: the given one, a fresh one for None, or the content's own by default."""
    if isinstance(seed, EllipsisType):
        return content.seed
    return fresh_seed() if seed is None else seed


# ---- loaders -----------------------------------------------------------------------------------------


def loader_of(content: Content, *, seed: Seed) -> Loader:
    """Return a loader of the samples."""
    table, rows = content.state()
    selection = Selection(rows=rows, version=table.version, query_string=content.query_string, seed=content.seed)
    shown = content.shown
    tensors = None if shown is None or len(shown) == len(table.tensors) else shown
    return Loader(table, selection, seed=_seed(content, seed), resolve=content.resolve, tensors=tensors)
