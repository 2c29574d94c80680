"""``contains``: elements, class names, parts of text."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from penstock.tql.binding._binder import BOOL, INT, Binder
from penstock.tql.binding._comparing import comparable
from penstock.tql.functions._reducing import any_true
from penstock.tql.functions._registry import builtin
from penstock.tql.syntax import _ast as ast
from penstock.tql.values import _operations as ops
from penstock.tql.values._aligning import aligned
from penstock.tql.values._kinds import described
from penstock.tql.values._relations import Bound
from penstock.tql.values._values import Value

__all__ = []


@builtin(
    "contains(x, value)",
    "true if an element equals value, or if text contains it; class names can have the wildcards * and ?",
)
def _contains(binder: Binder, node: ast.Call) -> Bound:
    target, needle = node.arguments
    operand = binder.bind(target)
    if operand.type.class_names is not None:
        return _contains_class(binder, node, operand)
    wanted = binder.one_value(needle, "the second argument of contains")
    operand = binder.as_scalar(operand)
    if "null" in {operand.type.kind, wanted.type.kind}:
        return binder.constant(node, False, BOOL)
    if operand.type.kind in {"text", "json"} and operand.type.rank == 0:
        wanted = binder.as_text(wanted, needle) if wanted.type.class_names is not None else wanted
        if wanted.type.kind != "text":
            shown = f"{binder.source(needle)} is {described(wanted.type)}"
            raise binder.error(f"contains on {operand.type.described} takes text, but {shown}", needle)
        return binder.make(node, BOOL, _holds_text, "contains text", operand, wanted)
    left, right = comparable(binder, "=", (target, operand), (needle, wanted))
    return binder.make(node, BOOL, _holds, "contains", left, right, light=True)


def _contains_class(binder: Binder, node: ast.Call, operand: Bound) -> Bound:
    target, needle = node.arguments
    names = operand.type.class_names or ()
    if isinstance(needle, ast.Literal) and needle.value in names and needle.kind == "text":
        number = binder.constant(needle, names.index(str(needle.value)), INT)
        return binder.make(node, BOOL, _holds, "contains", binder.as_scalar(operand), number, light=True)
    wanted = binder.one_value(needle, "the second argument of contains")
    operand = binder.as_scalar(operand)
    if wanted.type.kind == "null":
        return binder.constant(node, False, BOOL)
    if wanted.type.kind != "text":
        if not wanted.type.numeric:
            raise binder.error(
                f"{binder.source(needle)} is {described(wanted.type)}. Expected a class name or index", needle
            )
        return binder.make(node, BOOL, _holds, "contains", operand, wanted, light=True)
    if wanted.constant is None:
        return binder.make(node, BOOL, _holds, "contains", binder.as_text(operand, target), wanted)
    name = str(wanted.constant.data[0])
    if name in names or not set("*?") & set(name):
        index = binder.class_index(name, names, needle, binder.source(target))
        number = binder.constant(needle, index, INT)
        return binder.make(node, BOOL, _holds, "contains", operand, number, light=True)
    pattern = name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    ids = ops.like_ids(names, pattern)
    if not len(ids):
        raise binder.error(f"no class matches {name!r}. Expected one of: {', '.join(names[:8])}", needle)
    return binder.make(node, BOOL, partial(_holds_some, ids), f"contains {ids.tolist()}", operand, light=True)


def _holds(value: Value, wanted: Value) -> Value:
    layers = value.layers() if wanted.number is not None and value.data.dtype.kind in "iuf" else None
    if layers is None:
        return any_true(ops.compare(np.equal)(value, wanted))
    return Value(data=layers.rows_with(lambda data: data == wanted.number))


def _holds_some(ids: NDArray[np.int64], value: Value) -> Value:
    is_in = ops.is_in(ids, negated=False)
    layers = value.layers()
    if layers is None:
        return any_true(is_in(value))
    return Value(data=layers.rows_with(lambda data: is_in(Value(data=data)).data))


def _holds_text(value: Value, needle: Value) -> Value:
    if value.data.dtype == object:
        value = ops.as_text(value)
    x, y, layout = aligned(value, needle)
    flags = np.asarray(np.strings.find(x, y) >= 0)
    if layout.valid is not None:
        flags = flags & layout.valid
    return replace(layout, data=flags, valid=None)
