"""JOIN: rows of two sources with equal keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from penstock.errors import QueryBindError
from penstock.sampling.pool._sorting import digits_of_numbers, stable_order
from penstock.tql.binding._binder import Binder
from penstock.tql.binding._scope import Scope
from penstock.tql.syntax import _ast as ast
from penstock.tql.values import _operations as ops
from penstock.tql.values._frames import RelationFrame
from penstock.tql.values._relations import Bound, ColumnSource, Context, Field, JoinedColumn, Relation, Stage
from penstock.tql.values._values import Value
from penstock.tql.values.keys._matching import Key, equal_pairs, matching_keys

__all__ = ["MAX_ROWS", "JoinStage", "join_condition"]

MAX_ROWS = 50_000_000
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Equality:
    """``left = right`` of a join condition."""

    left: Bound
    right: Bound


def join_condition(
    node: ast.Expression, left: Stage, right: Stage, binder_of: Callable[[Scope], Binder]
) -> list[Equality]:
    """Return the equalities an ON consists of."""
    both = binder_of(Scope((*left.fields, *right.fields)))
    if isinstance(node, ast.Binary) and node.operator == "and":
        first, steps = ast.chain(node, lambda step: step.operator == "and")
        parts = (first, *(step.right for step in steps))
        return [equality for part in parts for equality in join_condition(part, left, right, binder_of)]
    hint = "on a.id = b.id and a.part = b.part"
    if not isinstance(node, ast.Binary) or node.operator != "=":
        raise both.error("ON must consist of equalities joined by AND", node, hint=hint)
    first, second = both.one_value(node.left, "ON"), both.one_value(node.right, "ON")
    if _side(first, left) and _side(second, right):
        return [_checked(both, node, first, second)]
    if _side(second, left) and _side(first, right):
        return [_checked(both, node, second, first)]
    raise both.error("each side of an equality in ON must use one source", node, hint=hint)


def _side(bound: Bound, stage: Stage) -> bool:
    return bool(bound.fields) and all(field in stage.fields for field in bound.fields)


def _checked(binder: Binder, node: ast.Node, left: Bound, right: Bound) -> Equality:
    x, y = left.type, right.type
    texts = [each.kind == "text" or each.class_names is not None for each in (x, y)]
    if texts[0] != texts[1] and "text" in {x.kind, y.kind}:
        raise binder.error(f"cannot join {x.described} with {y.described}", node)
    return Equality(left, right)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class JoinStage:
    """Two sources side by side."""

    kind: str
    left: Stage
    right: Stage
    equalities: tuple[Equality, ...]
    fields: tuple[Field, ...]
    using: str | None
    span: tuple[int, int]
    plain: bool = False
    has_groups: ClassVar[bool] = False

    @classmethod
    def of(
        cls,
        node: ast.Join,
        left: Stage,
        right: Stage,
        bind: Callable[[ast.Expression], list[Equality]],
        text: str,
    ) -> JoinStage:
        """Return the join of two stages."""
        shared = {field.qualifier for field in left.fields} & {field.qualifier for field in right.fields}
        if shared:
            name = next(iter(shared)) or "this dataset"
            raise QueryBindError(
                f"both sources are called {name!r}", text=text, start=node.start, end=node.end,
                hint="name them: data as a join data as b",
            )  # fmt: skip
        equalities = [] if node.on is None else bind(node.on)
        if node.using is not None:
            for stage in (left, right):
                if any(field.qualifier is None for field in stage.fields[:1]):
                    raise QueryBindError(
                        "USING needs named sources, and one of these has no name",
                        text=text, start=node.start, end=node.end,
                        hint="name it: (select …) as a",
                    )  # fmt: skip
            sides = [ast.Column(parts=(field.qualifier or "", node.using), start=node.start, end=node.end)
                     for stage in (left, right) for field in stage.fields[:1]]  # fmt: skip
            equalities = bind(ast.Binary(operator="=", left=sides[0], right=sides[1], start=node.start, end=node.end))
        hidden = {field for field in right.fields if field.name == node.using}
        fields = (*left.fields, *(replace(field, hidden=True) if field in hidden else field for field in right.fields))
        return cls(
            kind=node.kind, left=left, right=right, equalities=tuple(equalities), fields=fields, using=node.using,
            span=(node.start, node.end),
        )  # fmt: skip

    def run(self, context: Context) -> Relation:
        """Return left order; right rows without a partner last."""
        left, right = self.left.run(context), self.right.run(context)
        if self.kind == "cross":
            self._guard(left.num_rows * right.num_rows, context)
            rows = np.arange(left.num_rows * right.num_rows)
            pairs = rows // max(right.num_rows, 1), rows % max(right.num_rows, 1)
        else:
            pairs = self._matched(left, right, context)
        columns: dict[Field, ColumnSource] = {}
        sides = ((self.left, left, pairs[0]), (self.right, right, pairs[1]))
        number = 0
        for stage, relation, rows in sides:
            for field in stage.fields:
                columns[self.fields[number]] = JoinedColumn(relation.columns[field], rows)
                number += 1
        return Relation(num_rows=len(pairs[0]), columns=columns)

    def load(self, relation: Relation, context: Context, number: int) -> Value:
        """Return one column of the result."""
        context.check()
        return relation.columns[self.fields[number]].load()

    def _guard(self, rows: int, context: Context) -> None:
        if rows > MAX_ROWS:
            message = f"the join would have {rows:,} rows. Expected at most {MAX_ROWS:,}"
            raise context.error(message, self.span, hint="join on more columns, or filter a side first")

    def _matched(self, left: Relation, right: Relation, context: Context) -> tuple[Ints, Ints]:
        keys, missing = self._keys(left, right, context)
        found = equal_pairs(keys, missing, (left.num_rows, right.num_rows), MAX_ROWS)
        self._guard(found if isinstance(found, int) else len(found[0]), context)
        assert not isinstance(found, int)
        first, second = found
        alone = _without_partner(second, right.num_rows) if self.kind in {"right", "full"} else np.zeros(0, np.int64)
        if self.kind in {"left", "full"}:
            first, second = self._with_lonely(first, second, left.num_rows, context)
        if len(alone):
            first, second = np.concatenate([first, np.full(len(alone), -1)]), np.concatenate([second, alone])
        return first, second

    def _with_lonely(self, first: Ints, second: Ints, num_left: int, context: Context) -> tuple[Ints, Ints]:
        """Return the pairs with left rows that have no partner where they belong, with -1."""
        alone = _without_partner(first, num_left)
        if not len(alone):
            return first, second
        self._guard(len(first) + len(alone), context)
        first, second = np.concatenate([first, alone]), np.concatenate([second, np.full(len(alone), -1)])
        order = stable_order([digits_of_numbers(first)], len(first))
        return first[order], second[order]

    def _keys(
        self, left: Relation, right: Relation, context: Context
    ) -> tuple[list[Key], tuple[Flags | None, Flags | None]]:
        """Return the keys of both sides, and the rows of each of which one is NULL."""
        frames = RelationFrame(left, context), RelationFrame(right, context)
        keys: list[Key] = []
        missing: tuple[Flags | None, Flags | None] = None, None
        for equality in self.equalities:
            mine, theirs = equality.left.full(frames[0]), equality.right.full(frames[1])
            if equality.left.type.class_names != equality.right.type.class_names:
                mine, theirs = _named(mine, equality.left), _named(theirs, equality.right)
            more, gone = matching_keys(mine, theirs)
            keys += more
            missing = _either(missing[0], gone[0]), _either(missing[1], gone[1])
        return keys, missing


def _without_partner(rows: Ints, num_rows: int) -> Ints:
    """Return the rows of a side that are in no pair."""
    has_partner = np.zeros(num_rows, bool)
    has_partner[rows] = True
    return np.flatnonzero(~has_partner)


def _either(one: Flags | None, other: Flags | None) -> Flags | None:
    return other if one is None else one if other is None else one | other


def _named(value: Value, bound: Bound) -> Value:
    return value if bound.type.class_names is None else ops.class_text(bound.type.class_names)(value)
