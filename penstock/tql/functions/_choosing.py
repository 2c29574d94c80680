"""Binding CASE and CAST."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from penstock._wording import nearest
from penstock.tql.binding._binder import CASTS, NULL, TEXT_TYPE, Binder, dtype_of, rule
from penstock.tql.binding._comparing import Side, compared, mixed_types
from penstock.tql.syntax import _ast as ast
from penstock.tql.values import _operations as ops
from penstock.tql.values._kinds import Type, described
from penstock.tql.values._relations import Bound
from penstock.tql.values._values import Value

__all__ = ["common_type"]


@rule(ast.Case)
def _case(binder: Binder, node: ast.Case) -> Bound:
    parts: list[Bound] = []
    results: list[Side] = []
    for when, then in node.branches:
        if node.operand is None:
            parts.append(binder.condition(when))
        else:
            parts.append(compared(binder, when, "=", node.operand, when))
        results.append((then, binder.one_value(then, "THEN")))
    if node.default is None:
        results.append((node, binder.constant(node, None, NULL)))
    else:
        results.append((node.default, binder.one_value(node.default, "ELSE")))
    type_ = common_type(binder, results)
    if type_.kind == "text":
        results = [(each, binder.as_text(bound, each)) for each, bound in results]
    children = [bound for pair in zip(parts, (bound for _, bound in results[:-1]), strict=True) for bound in pair]
    return binder.make(node, type_, ops.choose(dtype_of(type_)), "case", *children, results[-1][1])


def common_type(binder: Binder, results: list[Side]) -> Type:
    """Return the type that fits every result of CASE or coalesce."""
    kinds = {bound.type.kind for _, bound in results} - {"null"}
    names = {bound.type.class_names for _, bound in results if bound.type.kind != "null"}
    if kinds <= {"bool", "int", "float"} and len(names) <= 1:
        best = next((kind for kind in ("float", "int", "bool") if kind in kinds), "float")
        return Type(kind=best, class_names=names.pop() if names else None)
    if len(kinds) == 1 and names == {None}:
        return Type(kind=kinds.pop())
    if "text" in kinds and all(b.type.kind in {"text", "null"} or b.type.class_names is not None for _, b in results):
        return TEXT_TYPE
    first, *others = [side for side in results if side[1].type.kind != "null"]
    raise mixed_types(binder, first, next((side for side in others if side[1].type != first[1].type), first))


@rule(ast.Cast)
def _cast(binder: Binder, node: ast.Cast) -> Bound:
    target = CASTS.get(node.type)
    if target is None:
        like = nearest(node.type, CASTS)
        hint = f"did you mean {like}?" if like else "the types are int, float, text, bool, timestamp"
        raise binder.error(f"unknown type {node.type!r}", node, hint=hint)
    operand = binder.scalar(node.operand)
    type_ = Type(kind=target.kind, rank=operand.type.rank)
    if target.kind == "text":
        return binder.as_text(operand, node)
    if target.kind == "time":
        if operand.type.kind not in {"text", "time"}:
            raise binder.error(
                f"{binder.source(node.operand)} is {described(operand.type)}. Expected text to convert to a time", node
            )
        return binder.make(node, type_, ops.to_time, "cast time", operand)
    dtype = dtype_of(target)
    if operand.type.kind == "text" and target.kind != "bool":
        return binder.make(node, type_, partial(ops.to_number, dtype=dtype), f"cast {target.kind}", operand)
    number = binder.as_number(operand, node.operand)
    return binder.make(node, type_, partial(_converted, dtype), f"cast {target.kind}", number)


def _converted(dtype: Any, value: Value) -> Value:
    data, valid = value.data, value.valid
    if dtype is np.int64 and data.dtype.kind == "f":
        fits = np.isfinite(data) & (np.abs(data) < 2.0**63)
        data = np.where(fits, data, 0)
        if value.offsets is None and not fits.all():
            valid = fits if valid is None else fits & valid
    flags = data != 0 if dtype is np.bool_ else data.astype(dtype)
    return Value(data=flags, offsets=value.offsets, shapes=value.shapes, valid=valid, constant=value.constant)
