"""Running a query over a table."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import PenstockError, QueryEvaluationError
from penstock.sampling import Clause, SamplingPlan, SamplingSpec, Strata
from penstock.table import Ragged, Selection, Table, is_every_row
from penstock.tql.binding import _indexing, _membership  # noqa: F401  they register rules
from penstock.tql.binding._binder import Binder, Parameters
from penstock.tql.binding._scope import Scope, table_fields
from penstock.tql.functions import _choosing, _containing, _scalars, _shaping, _signals, _vectors  # noqa: F401  they register functions
from penstock.tql.pipeline._assembly import Assembler
from penstock.tql.pipeline._over_parts import PartwiseMasks, partwise_strata
from penstock.tql.pipeline._stages import Resolve
from penstock.tql.pipeline.weights._weighing import BoundPair, WeightStep, counted_labels
from penstock.tql.pipeline.weights._weights import bind_weight
from penstock.tql.syntax import _ast as ast
from penstock.tql.syntax._parser import parse, parse_expression, parse_weight
from penstock.tql.values._relations import Bound, Context, Relation, Stage, scan
from penstock.tql.values._values import Value, to_ragged

__all__ = ["Cancel", "QueryResult", "bind_sampling", "parse_sampling", "run", "with_class_tables"]

Cancel = threading.Event | Callable[[], bool] | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QueryResult:
    """The result of a query.

    Parameters
    ----------
    selection : Selection
        The rows, after sampling (epoch 0); empty if the result is not rows of a dataset.
    pool : ndarray of int64
        The rows before sampling: the pool of live sampling.
    plan : SamplingPlan, optional
        Strata and weights of the outermost SAMPLE BY, over positions in `pool`.
    columns : dict of str to Ragged, optional
        The columns of a projection or of a table result; None for ``select *``.
        Images are not among them: they are read by row.
    names : tuple of str
        Names of all columns, images too.
    is_rows : bool
        False for grouped, joined and concatenated results, which are not rows of a dataset.
    num_rows : int
        Rows of the result.
    funnel : tuple of (str, int)
        Rows left after every step.
    warnings : tuple of str
        Warnings for the user.
    table : Table
        The table of the rows in `selection`.
    """

    selection: Selection
    pool: NDArray[np.int64]
    plan: SamplingPlan | None
    columns: dict[str, Ragged] | None
    names: tuple[str, ...]
    is_rows: bool
    num_rows: int
    funnel: tuple[tuple[str, int], ...]
    warnings: tuple[str, ...]
    table: Table


def run(
    text: str,
    table: Table,
    *,
    seed: int = 0,
    mode: str = "iid",
    rows: NDArray[np.int64] | None = None,
    resolve: Resolve | None = None,
    params: Parameters = None,
    cancel: Cancel = None,
    progress: Callable[[int, int], None] | None = None,
    labels: str | None = None,
    masks: Callable[[Bound, Table, Context], Value | None] | None = None,
    draw: bool = True,
) -> QueryResult:
    """Run a query.

    Parameters
    ----------
    text : str
        TQL.
    table : Table
        The dataset to use if FROM is omitted.
    seed : int
        Seed of SAMPLE BY and of ``random()``.
    mode : {"iid", "deck", "once"}
        How SAMPLE BY draws.
    rows : ndarray of int64, optional
        The rows of a view to query, in order, including repeats; all by default.
    resolve : callable, optional
        ``resolve(name, at)`` returns the table of a name after FROM.
    params : mapping or sequence, optional
        Values of ``$name``, or of ``?`` in order.
    cancel : threading.Event or callable, optional
        Asked between steps and between blocks.
    progress : callable, optional
        Called with the number of rows done and the total while images are decoded.
    labels : str, optional
        The class label tensor the plan counts.
    masks : callable, optional
        Evaluates conditions in every row of a table, such as `PartwiseMasks`.
    draw : bool
        Whether an outermost SAMPLE BY draws; otherwise the selection is its pool, and the plan is there to draw from.

    Returns
    -------
    QueryResult

    Raises
    ------
    TQLError, QueryCancelledError
        With line, column and span; or because `cancel` says so.

    Examples
    --------
    >>> from penstock.table import ArrayTable
    >>> table = ArrayTable({"label": [0, 1, 0]}, class_names={"label": ["car", "dog"]})
    >>> run("select * where label == 'car'", table).selection.rows.tolist()
    [0, 2]
    >>> result = run("select label, count(*) as n group by label", table)
    >>> result.columns["n"].values.tolist(), result.is_rows
    ([2, 1], False)
    """
    context = Context(text, seed, mode, labels, cancel, progress, masks=masks, draws=draw)
    rows = None if rows is not None and is_every_row(rows, table.num_rows) else rows
    with _no_internal_message(text):
        return _result(Assembler(text, table, rows, params, resolve).query(parse(text), top=True), context, table)


@contextmanager
def _no_internal_message(text: str) -> Iterator[None]:
    """Raise an internal error of penstock as such, with its cause attached."""
    try:
        yield
    except PenstockError:
        raise
    except MemoryError as error:
        raise QueryEvaluationError(
            "the query needs more memory than is available", text=text, start=0, end=1
        ) from error
    except RecursionError:
        raise QueryEvaluationError(
            "the query is nested too deeply to run in this environment", text=text, start=0, end=1
        ) from None
    except Exception as error:
        message = (
            "the query could not be evaluated because of an internal error. Please report it together with the query"
        )
        raise QueryEvaluationError(message, text=text, start=0, end=len(text)) from error


def _result(stage: Stage, context: Context, table: Table) -> QueryResult:
    """Run the last stage of a query's pipeline, which runs those before it, and return what came out."""
    relation = stage.run(context)
    if not context.funnel:
        context.funnel.append(("rows", relation.num_rows))
    is_rows = relation.table is not None
    source = relation.table or table
    found = _rows_of(relation, context) if is_rows else np.zeros(0, np.int64)
    pool = found if context.pool is None else context.pool
    return QueryResult(
        selection=Selection(rows=found, version=source.version, query_string=context.text, seed=context.seed),
        pool=pool,
        plan=context.plan if is_rows else None,
        columns=None if stage.plain else _columns(stage, relation, context),
        names=tuple(field.name for field in stage.fields),
        is_rows=is_rows,
        num_rows=relation.num_rows,
        funnel=tuple(context.funnel),
        warnings=tuple(context.warnings),
        table=source,
    )


def _rows_of(relation: Relation, context: Context) -> NDArray[np.int64]:
    """Return the row numbers of the result: the same array as those of the pool where nothing was drawn from it."""
    if relation.rows is None and context.pool is not None and len(context.pool) == relation.num_rows:
        return context.pool
    return relation.source_rows().astype(np.int64, copy=False)


def _columns(stage: Stage, relation: Relation, context: Context) -> dict[str, Ragged]:
    columns = {
        field.name: to_ragged(stage.load(relation, context, number), relation.num_rows, field.type.class_names)
        for number, field in enumerate(stage.fields)
        if not field.pixels
    }
    for name, column in columns.items():
        if len(column) != relation.num_rows:
            raise QueryEvaluationError(
                f"each sample of {name!r} is a list of texts, and a group cannot list several of these",
                text=context.text,
                start=0,
                end=len(context.text),
            )
    return columns


def parse_sampling(text: str, *, seed: int = 0, mode: str = "iid", size: int | None = None) -> SamplingSpec:
    """Return the sampling that a text describes, independent of the data.

    Parameters
    ----------
    text : str
        The text after SAMPLE BY, with or without these words, or a whole query that ends with it.
    seed : int
        Seed of the draws.
    mode : {"iid", "deck", "once"}
        How draws are made; ``replace false`` in the text means "once".
    size : int, optional
        Draws per epoch; a LIMIT in the text counts where this is None.

    Returns
    -------
    SamplingSpec

    Raises
    ------
    QuerySyntaxError
        If the text is not TQL.
    QueryBindError
        If a weight or limit is not a constant.

    Examples
    --------
    >>> parse_sampling("max_weight(contains(labels,'bus'): 20, True: 1)", seed=7).weights
    (20.0, 1.0)
    """
    from penstock.tql.syntax._specs import spec_of

    return spec_of(text, seed=seed, mode=mode, size=size)


def bind_sampling(
    spec: SamplingSpec,
    table: Table,
    rows: NDArray[np.int64] | None = None,
    *,
    labels: str | None = None,
    cancel: Cancel = None,
    masks: PartwiseMasks | None = None,
) -> Strata:
    """Return the strata of some rows under a spec's clauses.

    Parameters
    ----------
    spec : SamplingSpec
        Its clauses are TQL conditions; their weights are ignored here.
    table : Table
        Where the clauses are evaluated.
    rows : ndarray of int64, optional
        The pool; every row by default.
    labels : str, optional
        The class label tensor charts count.
    cancel : threading.Event or callable, optional
        Checked between clauses.
    masks : PartwiseMasks, optional
        Evaluates the clauses; for every row of a stored table, the strata of its parts are added up.

    Returns
    -------
    Strata
        Over positions in `rows`.

    Raises
    ------
    TQLError
        If a clause does not fit the table; the error's text is the clause.

    Examples
    --------
    >>> from penstock.table import ArrayTable
    >>> table = ArrayTable({"label": [0, 1, 0]}, class_names={"label": ["car", "dog"]})
    >>> strata = bind_sampling(parse_sampling("max_weight(label = 'dog': 5, True: 1)"), table)
    >>> strata.sizes.tolist()
    [2, 1]
    """
    rows = None if rows is not None and is_every_row(rows, table.num_rows) else rows
    relation = scan(table, table_fields(table), rows)
    with _no_internal_message(spec.expression or spec.to_tql()):
        if spec.expression is not None:
            return _by_expression(spec, relation, table, labels, cancel)
        return _by_clauses(spec, relation, labels, cancel, masks)


def _by_clauses(
    spec: SamplingSpec, relation: Relation, labels: str | None, cancel: Cancel, masks: PartwiseMasks | None
) -> Strata:
    pairs = []
    for clause in spec.clauses:
        binder = Binder(Scope(tuple(relation.columns)), clause.expression)
        node = parse_expression(clause.expression)
        weight = binder.bind(ast.Literal(kind="float", value=1.0))
        pairs.append(BoundPair(clause.expression, binder.condition(node), weight, (node.start, node.end)))
    step = WeightStep(
        combine=spec.combine, pairs=tuple(pairs), tables=(), raw=None, text="", span=(0, 0), cap=spec.cap,
        replace=spec.replace, limit=None, percent=None,
    )  # fmt: skip
    if masks is not None and relation.rows is None and relation.table is not None:
        counted = counted_labels(relation.table, labels, step.conditions())
        conditions = [(pair.source, pair.condition) for pair in pairs]
        found = partwise_strata(conditions, relation.table, counted, masks.engine, masks.num_workers)
        if found is not None:
            return found
    return step.strata(relation, Context("", spec.seed, spec.mode, labels, cancel, masks=masks))


def _by_expression(spec: SamplingSpec, relation: Relation, table: Table, labels: str | None, cancel: Cancel) -> Strata:
    text = spec.expression or ""
    params: dict[str, Any] = {name: list(weights) for name, weights in spec.tables}
    step = _weight_step(text, relation, table, params)
    return step.strata(relation, Context(text, spec.seed, spec.mode, labels, cancel), by_row=True)


def _weight_step(text: str, relation: Relation, table: Table, params: dict[str, Any]) -> WeightStep:
    assembler = Assembler(text, table, params=params)
    binder = assembler.binder(Scope(tuple(relation.columns)))
    return bind_weight(parse_weight(text), binder, text, percent_of=assembler.number)


def with_class_tables(spec: SamplingSpec, table: Table, params: Mapping[str, Any]) -> SamplingSpec:
    """Return the spec with ``classes(tensor, $name)`` as a clause for each class of the tensor.

    Parameters
    ----------
    spec : SamplingSpec
        From `parse_sampling`.
    table : Table
        Where the classes are.
    params : mapping
        Weights of each ``$name``: by class name, 1 where it has none, or one for each class in order.

    Returns
    -------
    SamplingSpec
        The same where it has no expression; an expression that differs from row to row keeps its tables beside it.

    Raises
    ------
    TQLError
        If a table does not fit the classes.

    Examples
    --------
    >>> from penstock.table import ArrayTable
    >>> table = ArrayTable({"label": [0, 1, 0]}, class_names={"label": ["car", "dog"]})
    >>> spec = parse_sampling("max_weight(classes(label, $rare), True: 1)")
    >>> with_class_tables(spec, table, {"rare": {"dog": 5}}).to_tql()
    "max_weight(contains(label, 'car'): 1, contains(label, 'dog'): 5, True: 1)"
    """
    if spec.expression is None:
        return spec
    text = spec.expression
    with _no_internal_message(text):
        step = _weight_step(text, scan(table, table_fields(table), None), table, dict(params))
    if not step.by_clauses:
        return spec.with_options(tables=step.tables)
    clauses = tuple(Clause(pair.source, pair.number or 0.0) for pair in step.pairs)
    return spec.with_options(clauses=clauses, combine=step.combine, cap=step.cap, expression=None, tables=())
