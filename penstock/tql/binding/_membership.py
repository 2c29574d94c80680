"""Binding IN, BETWEEN, LIKE and queries inside expressions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.tql.binding._binder import BOOL, Binder, dtype_of, rule
from penstock.tql.binding._comparing import Side, comparable, compared, connected, mixed_types
from penstock.tql.syntax import _ast as ast
from penstock.tql.values import _operations as ops
from penstock.tql.values._kinds import Type, described
from penstock.tql.values._relations import Bound, Field, Frame, Stage
from penstock.tql.values._values import TEXT, Value

__all__ = ["bind_in", "one_column"]


@rule(ast.InList)
def bind_in(binder: Binder, node: ast.InList) -> Bound:
    """Bind a membership; a list of constants is one look-up."""
    operand = binder.scalar(node.operand)
    items = [(item, binder.bind(item)) for item in node.items]
    if all(bound.constant is not None for _, bound in items):
        keys = [_member(binder, (node.operand, operand), item) for item in items]
        flat = [key for group in keys for key in group]
        return _lookup(binder, node, operand, flat)
    asked = [item for item, bound in items if bound.type.kind != "null"]
    tests = [compared(binder, node, "!=" if node.negated else "=", node.operand, item) for item in asked]
    return tests[0] if len(tests) == 1 else connected(binder, node, "and" if node.negated else "or", tests)


def _member(binder: Binder, operand: Side, item: Side) -> list[Any]:
    node, bound = item
    if bound.constant is None or bound.type.kind == "null":
        return []
    _, y = comparable(binder, "=", operand, (node, bound)) if bound.type.rank == 0 else (None, bound)
    if bound.type.rank and bound.type.kind == "text" and operand[1].type.class_names is not None:
        where, names = binder.source(operand[0]), operand[1].type.class_names
        return [binder.class_index(str(name), names, node, where) for name in bound.constant.data]
    if bound.type.rank and (bound.type.kind == "text") != (operand[1].type.kind == "text"):
        raise mixed_types(binder, operand, item)
    return [] if y.constant is None or y.constant.valid is not None else y.constant.data.tolist()


def _lookup(binder: Binder, node: ast.InList, operand: Bound, items: list[Any]) -> Bound:
    if operand.type.kind == "json":
        return _json_lookup(binder, node, operand, items)
    array = _items_array(items, operand.type.kind)
    type_ = Type(kind="bool", rank=operand.type.rank) if operand.type.rank else BOOL
    key = f"{'not ' if node.negated else ''}in {array.tolist()!r}"
    return binder.make(node, type_, ops.is_in(array, negated=node.negated), key, operand)


def _json_lookup(binder: Binder, node: ast.InList, operand: Bound, items: list[Any]) -> Bound:
    """Look up text among text and numbers among numbers; other values are NULL."""
    texts = [item for item in items if isinstance(item, str)]
    numbers = [item for item in items if not isinstance(item, str)]
    found = []
    for kind, convert, some in (("text", ops.json_text, texts), ("float", ops.json_number, numbers)):
        as_kind = binder.make(node, Type(kind=kind), convert, f"json {kind}", operand)
        held = ops.is_in(_items_array(some, kind), negated=node.negated)
        found.append(binder.make(node, BOOL, held, f"{'not ' if node.negated else ''}in {some!r}", as_kind))
    return binder.make(node, Type(kind="bool"), ops.logical(np.logical_or), "or", *found)


def _items_array(items: list[Any], kind: str) -> NDArray[Any]:
    if kind == "text":
        return np.array(items, TEXT) if items else np.empty(0, TEXT)
    if kind == "time":
        return np.array(items, "datetime64[us]")
    return np.array(items) if items else np.empty(0, np.int64)


def one_column(stage: Stage, binder: Binder, node: ast.Query) -> Field:
    """Return the only column of a query inside an expression."""
    if len(stage.fields) != 1:
        names = ", ".join(each.name for each in stage.fields)
        raise binder.error(f"a query inside an expression must have one column, but this one has {names}", node)
    return stage.fields[0]


@rule(ast.InQuery)
def _in_query(binder: Binder, node: ast.InQuery) -> Bound:
    operand = binder.scalar(node.operand)
    assert binder.assemble is not None
    stage = binder.assemble(node.query)
    column = one_column(stage, binder, node.query)
    if operand.type.class_names is not None and (
        column.type.kind == "text" or column.type.class_names not in {None, operand.type.class_names}
    ):
        operand = binder.as_text(operand, node.operand)
    names_differ = operand.type.kind == "text" and column.type.class_names is not None
    type_ = BOOL if operand.type.rank == 0 else Type(kind="bool", rank=operand.type.rank)
    if not names_differ and (operand.type.kind == "text") != (column.type.kind == "text"):
        raise mixed_types(binder, (node.operand, operand), (node.query, column))  # type: ignore[arg-type]  # only the span is used

    def run(frame: Frame) -> Value:
        relation = stage.run(frame.context)
        value = stage.load(relation, frame.context, 0)
        if names_differ:
            value = ops.class_text(column.type.class_names or ())(value)
        present = value.data if value.valid is None else value.data[ops.spread(value.valid, value)]
        return ops.is_in(present, negated=node.negated)(operand.full(frame))

    return Bound(
        span=(node.start, node.end), type=type_, run=run, key="in query", fields=operand.fields, stable=False,
        pixels=operand.pixels,
    )  # fmt: skip


@rule(ast.Subquery)
def _subquery(binder: Binder, node: ast.Subquery) -> Bound:
    assert binder.assemble is not None
    stage = binder.assemble(node.query)
    column = one_column(stage, binder, node.query)

    def run(frame: Frame) -> Value:
        relation = stage.run(frame.context)
        if relation.num_rows > 1:
            message = f"a query inside an expression must return one row, but this one returns {relation.num_rows}"
            raise frame.context.error(message, (node.start, node.end), hint="add limit 1, or use in (...)")
        value = stage.load(relation, frame.context, 0)
        if relation.num_rows == 0:
            return Value(data=np.zeros(1, dtype_of(column.type)), valid=np.zeros(1, bool), constant=True)
        return Value(data=value.data, offsets=value.offsets, shapes=value.shapes, valid=value.valid, constant=True)

    return Bound(span=(node.start, node.end), type=column.type, run=run, key="query", stable=False)


@rule(ast.Between)
def _between(binder: Binder, node: ast.Between) -> Bound:
    below, above = ("<", ">") if node.negated else (">=", "<=")
    operand = (node.operand, binder.scalar(node.operand))
    left, low = comparable(binder, below, operand, (node.low, binder.scalar(node.low)))
    right, high = comparable(binder, above, operand, (node.high, binder.scalar(node.high)))
    join = ops.logical(np.logical_or if node.negated else np.logical_and)
    key = f"{'not ' if node.negated else ''}between"
    if left is not right or "null" in {left.type.kind, low.type.kind, high.type.kind}:
        sides = (
            compared(binder, node, below, node.operand, node.low),
            compared(binder, node, above, node.operand, node.high),
        )
        rank = max(side.type.rank for side in sides)
        return binder.make(node, Type(kind="bool", rank=rank) if rank else BOOL, join, key, *sides)

    def compute(value: Value, least: Value, most: Value) -> Value:
        return join(is_low(value, least), is_high(value, most))

    is_low, is_high = ops.compare(ops.COMPARISONS[below]), ops.compare(ops.COMPARISONS[above])
    rank = max(left.type.rank, low.type.rank, high.type.rank)
    return binder.make(node, Type(kind="bool", rank=rank) if rank else BOOL, compute, key, left, low, high)


@rule(ast.Like)
def _like(binder: Binder, node: ast.Like) -> Bound:
    operand = binder.scalar(node.operand)
    pattern = binder.literal_text(node.pattern, "the pattern of LIKE")
    type_ = BOOL if operand.type.rank == 0 else Type(kind="bool", rank=operand.type.rank)
    key = f"{'not ' if node.negated else ''}{'i' if node.ignore_case else ''}like {pattern!r}"
    if operand.type.class_names is not None:
        ids = ops.like_ids(operand.type.class_names, pattern, ignore_case=node.ignore_case)
        return binder.make(node, type_, ops.is_in(ids, negated=node.negated), key, operand)
    if operand.type.kind == "json":
        operand = binder.make(
            node.operand, Type(kind="text", rank=operand.type.rank), ops.json_text, "json text", operand
        )
    if operand.type.kind != "text":
        raise binder.error(
            f"LIKE needs text, but {binder.source(node.operand)} is {described(operand.type)}", node.operand
        )
    compute = partial(_matching, ops.like_matcher(pattern, ignore_case=node.ignore_case), node.negated)
    return binder.make(node, type_, compute, key, operand)


def _matching(matcher: Callable[[NDArray[Any]], NDArray[np.bool_]], negated: bool, value: Value) -> Value:
    flags = matcher(value.data) ^ negated
    if value.valid is not None:
        flags = flags & ops.spread(value.valid, value)
    return Value(data=flags, offsets=value.offsets, shapes=value.shapes, constant=value.constant)
