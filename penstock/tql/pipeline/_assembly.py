"""From the tree of a query to its pipeline of stages: each name settled in the scope its clause sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from penstock._wording import nearest
from penstock.errors import PenstockError, TQLError
from penstock.table import Table
from penstock.tql.binding._binder import INT, Binder, Parameters
from penstock.tql.binding._scope import Scope
from penstock.tql.pipeline._grouping import GroupBinder
from penstock.tql.pipeline._joining import JoinStage, join_condition
from penstock.tql.pipeline._outputs import OutputList, star_of
from penstock.tql.pipeline._sets import KeptStage, SetStage
from penstock.tql.pipeline._stages import (
    OrderBy,
    Output,
    Resolve,
    Scan,
    SelectStage,
    Step,
    Tail,
    TailStage,
    bound_error,
)
from penstock.tql.pipeline._steps import Expansion, Requalified, ungrouped
from penstock.tql.pipeline._tree import all_aggregates
from penstock.tql.pipeline.weights._weighing import WeightStep
from penstock.tql.pipeline.weights._weights import bind_weight
from penstock.tql.syntax import _ast as ast
from penstock.tql.values._relations import Bound, Field, Stage

__all__ = ["Assembler"]


@dataclass(slots=True, eq=False)
class Assembler:
    """Assembles the pipelines of queries over one table and whatever `resolve` knows by name.

    `problems`, where it is a list, takes the errors of single clauses instead of the first being raised.
    """

    text: str
    table: Table
    rows: NDArray[np.int64] | None = None
    params: Parameters = None
    resolve: Resolve | None = None
    common: Mapping[str, KeptStage] = field(default_factory=dict)
    needs: list[KeptStage] = field(default_factory=list)
    problems: list[TQLError] | None = None
    sampling: WeightStep | None = None
    draws_above: int = 0

    # -- queries -----------------------------------------------------------------------

    def query(self, node: ast.Query, *, top: bool = False) -> Stage:
        """Return the stage of a query."""
        assembler = self
        for table in node.tables:
            needs: list[KeptStage] = []
            stage = KeptStage(replace(assembler, needs=needs).query(table.query), needs)
            assembler = replace(assembler, common={**assembler.common, table.name: stage})
        if isinstance(node.body, ast.Select):
            stage_of = assembler.select(node.body, node, top=top)
        else:
            stage_of = assembler.tailed(assembler.below(node).body(node.body), node, top=top)
        if assembler is not self:
            self.sampling = assembler.sampling
        return stage_of

    def below(self, node: ast.Query) -> Assembler:
        """Return the assembler of what a query draws from: draws of draws must not share their chance."""
        return self if node.sample is None else replace(self, draws_above=self.draws_above + 1)

    def body(self, node: ast.Select | ast.SetOperation | ast.Query) -> Stage:
        """Return the stage of an operand of a set operation."""
        if isinstance(node, ast.Query):
            return replace(self, sampling=None).query(node)
        if isinstance(node, ast.Select):
            return self.select(node, ast.Query(body=node, start=node.start, end=node.end))
        return SetStage.of(node, self.body, self.text)

    def tailed(self, body: Stage, node: ast.Query, *, top: bool) -> Stage:
        """Return a body with ORDER, LIMIT, SAMPLE of the whole."""
        scope = Scope(body.fields)
        binder = self.binder(scope)
        return TailStage(inner=body, tail=self.tail(node, binder, top=top), top=top)

    def binder(self, scope: Scope) -> Binder:
        """Return a binder in a scope."""
        return Binder(scope, self.text, self.params, lambda query: replace(self, sampling=None).query(query))

    def trying(self, make: Callable[[], object]) -> None:
        """Bind a clause; with `problems`, keep its error and go on."""
        if self.problems is None:
            make()
            return
        try:
            make()
        except TQLError as error:
            self.problems.append(error)

    # -- one select --------------------------------------------------------------------

    def select(self, node: ast.Select, query: ast.Query, *, top: bool = False) -> Stage:
        """Return the stage of a SELECT with the tail of its query."""
        source = self.below(query).source(node.source)
        sources = tuple(_source_names(node.source))
        scope = Scope(source.fields, sources=sources)
        rows = self.binder(replace(scope, hidden_aliases=frozenset(_aliases(node))))
        parts: dict[str, Bound] = {}
        if node.where is not None:
            where_node = node.where
            self.trying(lambda: parts.__setitem__("where", rows.condition(where_node)))
        grouped = bool(node.group) or all_aggregates(node, source.fields)
        if node.group and node.ungroup:
            raise bound_error(self.text, "GROUP BY and UNGROUP BY cannot be used in the same SELECT", node.ungroup)
        node = replace(node, group=tuple(_aliased(key, node, scope) for key in node.group)) if node.group else node
        keys = [self._key(rows, key) for key in node.group]
        distance, frame = self._distance_field(node, source), self._ungrouped_field(node)
        if distance is not None:
            scope = replace(scope, fields=(*scope.fields, distance))
            rows = self.binder(scope)
        inner = self._inner(scope, rows, node, keys, grouped=grouped)
        star = any(isinstance(star_of(item.expression), ast.Star) for item in node.items)
        outputs = OutputList(self.text, inner, source, self.trying).of(node, (distance if star else None, frame))
        tail_binder = self._tail_binder(inner, outputs, node)
        having = None if node.having is None else tail_binder.condition(node.having)
        tail = self.tail(query, tail_binder, top=top)
        self._check_distinct(node, outputs)
        whole = len(node.items) == 1 and isinstance(node.items[0].expression, ast.Star)
        return SelectStage(
            source=source,
            outputs=outputs,
            plain=whole and source.plain and not grouped and distance is None and frame is None,
            where=parts.get("where"),
            where_text="" if node.where is None else " ".join(self.text[node.where.start : node.where.end].split()),
            expand=self._expand(node.expand, source, distance),
            grouped=grouped,
            keys=tuple(keys),
            having=having,
            ungroup=None if node.ungroup is None else self._ungroup(node.ungroup, source, frame),
            distinct=node.distinct,
            tail=tail,
            top=top,
        )

    def _key(self, rows: Binder, node: ast.Expression) -> Bound:
        return rows.one_value(node, "GROUP BY")

    def _inner(self, scope: Scope, rows: Binder, node: ast.Select, keys: list[Bound], *, grouped: bool) -> Binder:
        if not grouped:
            return self.binder(scope)
        return GroupBinder(rows, tuple(zip(node.group, keys, strict=True)))

    def _tail_binder(self, inner: Binder, outputs: tuple[Output, ...], node: ast.Select) -> Binder:
        named = {item.alias for item in node.items if item.alias}
        aliases = {output.field.name: output.bound for output in outputs if output.field.name in named}
        scope = replace(inner.scope, aliases=aliases)
        if isinstance(inner, GroupBinder):
            return inner.with_scope(scope)
        binder = self.binder(scope)
        binder.num_random = inner.num_random
        return binder

    def _check_distinct(self, node: ast.Select, outputs: tuple[Output, ...]) -> None:
        if node.distinct and any(output.bound.pixels for output in outputs):
            raise bound_error(self.text, "DISTINCT cannot compare images", node, "list the columns to compare")

    # -- sources -----------------------------------------------------------------------

    def source(self, node: ast.Source | None) -> Stage:
        """Return the stage of FROM."""
        if node is None:
            return Scan.of(self.table, None, self.rows)
        if isinstance(node, ast.TableSource):
            return self._named(node)
        if isinstance(node, ast.QuerySource):
            inner = replace(self, sampling=None, problems=None).query(node.query)
            return inner if node.alias is None else Requalified.of(inner, node.alias)
        assert isinstance(node, ast.Join)
        left, right = self.source(node.left), self.source(node.right)
        return JoinStage.of(node, left, right, lambda each: join_condition(each, left, right, self.binder), self.text)

    def _named(self, node: ast.TableSource) -> Stage:
        alias = node.alias or node.name
        if node.name in self.common:
            if node.at is not None:
                raise bound_error(self.text, f"{node.name!r} is a query, which has no versions", node)
            self.needs.append(self.common[node.name])
            return Requalified.of(self.common[node.name], alias)
        table = self._resolved(node)
        return Scan.of(table, alias, self.rows if table is self.table else None)

    def _resolved(self, node: ast.TableSource) -> Table:
        if self.resolve is None:
            like = nearest(node.name, self.common)
            said = f"did you mean {like}?" if like else "omit FROM to query this dataset"
            raise bound_error(self.text, f"unknown dataset {node.name!r}", node, said)
        try:
            return self.resolve(node.name, node.at)
        except TQLError:
            raise
        except (PenstockError, LookupError) as error:
            said = error.message if isinstance(error, PenstockError) else f"unknown dataset {node.name!r}"
            hint = error.hint if isinstance(error, PenstockError) else "omit FROM to query this dataset"
            raise bound_error(self.text, said, node, hint) from error

    # -- expand and ungroup ------------------------------------------------------------

    def _expand(self, node: ast.Expand | None, source: Stage, distance: Field | None) -> Step | None:
        if node is None:
            return None
        computed = next((each for each in source.fields if each.tensor is None), None)
        if computed is not None:
            message = f"EXPAND BY adds rows of the dataset, which do not have {computed.name!r}"
            raise bound_error(self.text, message, node, "expand in a subquery and compute outside it")
        return Expansion(node.before, node.after, node.overlap, distance, (node.start, node.end))

    def _distance_field(self, node: ast.Select, source: Stage) -> Field | None:
        """Return the column of ``EXPAND BY ... AS name``."""
        if node.expand is None or node.expand.alias is None:
            return None
        name = node.expand.alias
        if node.group or name in {field.name for field in source.fields}:
            reason = "groups do not consist of single rows" if node.group else f"a tensor {name!r} already exists"
            raise bound_error(self.text, f"EXPAND BY ... AS {name}: {reason}", node.expand, "use another name")
        return Field(name=name, known_type=INT)

    def _ungrouped_field(self, node: ast.Select) -> Field | None:
        return None if node.ungroup is None else Field(name="frame_number", known_type=INT)

    def _ungroup(self, node: ast.Ungroup, source: Stage, extra: Field | None) -> Step:
        if node.expression is not None:
            raise bound_error(self.text, "rows can only be ungrouped BY SPLIT", node.expression)
        if not source.has_groups or extra is None:
            message = "UNGROUP BY needs groups, but this source is not grouped"
            raise bound_error(self.text, message, node, "select * from (select * group by x) ungroup by split")
        return partial(ungrouped, source.fields, extra)

    # -- tail --------------------------------------------------------------------------

    def tail(self, node: ast.Query, binder: Binder, *, top: bool) -> Tail:
        """Return the bound tail of a query."""
        order: list[OrderBy] = []
        arrange: list[Bound] = []
        for key in node.order:
            self.trying(lambda key=key: order.append(self._order(binder, key)))  # type: ignore[misc]  # the default binds the loop variable
        for expression in node.arrange:
            self.trying(lambda expression=expression: arrange.append(binder.one_value(expression, "ARRANGE BY")))  # type: ignore[misc]  # the same
        limit = None if node.limit is None else self.number(binder, node.limit, "LIMIT")
        offset = 0 if node.offset is None else self.number(binder, node.offset, "OFFSET")
        sample: Step | None = None
        if node.sample is not None:
            if binder.grouped:
                raise bound_error(
                    self.text,
                    "grouped results cannot be sampled",
                    node.sample,
                    "sample in a subquery, or in a query around this one",
                )
            step = bind_weight(node.sample, binder, self.text, percent_of=self.number)
            step = replace(step, depth=self.draws_above)
            self.sampling = step if top else self.sampling
            sample = partial(step.draw, top=top)
        return Tail(order=tuple(order), arrange=tuple(arrange), limit=limit, offset=offset, sample=sample)

    def _order(self, binder: Binder, key: ast.OrderKey) -> OrderBy:
        return OrderBy(binder.one_value(key.expression, "ORDER BY"), key.descending, key.nulls_first)

    def number(self, binder: Binder, node: ast.Expression, what: str, *, whole: bool = True) -> int:
        bound = binder.bind(node)
        held = bound.constant
        if (
            held is None
            or held.offsets is not None
            or bound.type.kind not in {"int", "float"}
            or held.valid is not None
        ):
            raise binder.error(f"{what} must be a constant number", node)
        value = float(held.data[0])
        if not np.isfinite(value) or (whole and value != int(value)):
            raise binder.error(f"{what} must be an integer, not {held.data[0]}", node)
        if value < 0:
            raise binder.error(f"{what} must be >= 0, not {held.data[0]}", node)
        return int(held.data[0]) if whole else value  # type: ignore[return-value]  # PERCENT takes fractions


def _aliases(node: ast.Select) -> Iterator[str]:
    return (item.alias for item in node.items if item.alias)


def _aliased(key: ast.Expression, node: ast.Select, scope: Scope) -> ast.Expression:
    """Return the expression that a key of GROUP BY is an alias of, or the key itself."""
    if isinstance(key, ast.Column) and len(key.parts) == 1 and all(each.name != key.parts[0] for each in scope.fields):
        return next((item.expression for item in node.items if item.alias == key.parts[0]), key)
    return key


def _source_names(node: ast.Source | None) -> Iterator[str]:
    if isinstance(node, ast.TableSource):
        yield node.alias or node.name
    elif isinstance(node, ast.QuerySource) and node.alias:
        yield node.alias
    elif isinstance(node, ast.Join):
        yield from _source_names(node.left)
        yield from _source_names(node.right)
