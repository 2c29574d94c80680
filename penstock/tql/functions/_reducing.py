"""Functions over the elements of a row, or over the rows of a group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.pool._sorting import digits_of_numbers, stable_order
from penstock.tql.binding._binder import BOOL, INT, Binder
from penstock.tql.functions._registry import builtin
from penstock.tql.syntax import _ast as ast
from penstock.tql.values import _operations as ops
from penstock.tql.values._kinds import Type, described
from penstock.tql.values._relations import Bound, Frame
from penstock.tql.values._values import TEXT, Value, offsets_of, positions, reduce_rows, rows_with, scalar, truth
from penstock.tql.values.keys._digits import order_digits

__all__ = ["REDUCERS", "aggregate", "any_true", "grouped_value"]


def _counted(value: Value) -> Value:
    """Return an array whose NULL rows are empty."""
    if value.valid is None or value.offsets is None:
        return value
    keep = np.repeat(value.valid, value.lengths)
    lengths = np.where(value.valid, value.lengths, 0)
    return Value(data=value.data[keep], offsets=offsets_of(lengths), constant=value.constant)


def any_true(value: Value) -> Value:
    value = truth(value)
    if value.offsets is None:
        return value
    return Value(data=rows_with(value.data, value.offsets), constant=value.constant)


def _all(value: Value) -> Value:
    value = truth(value)
    if value.offsets is None:
        return value
    return Value(data=~rows_with(~value.data, value.offsets), constant=value.constant)


def _all_strict(value: Value) -> Value:
    found = _all(value)
    if value.offsets is None:
        return found
    return replace(found, data=found.data & (value.lengths > 0))


def _bind_test(compute: Callable[[Value], Value], name: str) -> Callable[[Binder, ast.Call], Bound]:
    def bind(binder: Binder, node: ast.Call) -> Bound:
        flags = binder.truth(node.arguments[0])
        axis = _axis(binder, node, flags.type.rank)
        if axis is None or flags.type.rank <= 1:
            return binder.make(node, BOOL, compute, name, flags)
        type_ = Type(kind="bool", rank=flags.type.rank - 1)
        return binder.make(node, type_, partial(_along_axis, compute, axis), f"{name} axis {axis}", flags)

    return bind


builtin("any(x [, axis])", "true if at least one element is true; false for an empty row")(_bind_test(any_true, "any"))
builtin("all(x [, axis])", "true if every element is true; true for an empty row")(_bind_test(_all, "all"))
builtin("all_strict(x [, axis])", "true if every element is true; false for an empty row")(
    _bind_test(_all_strict, "all_strict")
)


def _axis(binder: Binder, node: ast.Call, rank: int) -> int | None:
    given = dict(node.named).get("axis") or (node.arguments[1] if len(node.arguments) > 1 else None)
    if given is None:
        return None
    axis = _literal_axis(binder, given)
    if not -max(rank, 1) <= axis < max(rank, 1):
        raise binder.error(f"axis {axis} is out of range for a value with {rank} dimensions", given)
    return axis % max(rank, 1)


def _literal_axis(binder: Binder, node: ast.Expression) -> int:
    bound = binder.bind(node)
    if bound.constant is None or bound.type.kind != "int":
        raise binder.error("the axis must be an integer", node)
    return int(bound.constant.data[0])


def _along_axis(compute: Callable[[Value], Value], axis: int, value: Value) -> Value:
    """Reduce one axis: move it last, treat every line along it as a row, and reduce those."""
    shapes = value.all_shapes
    assert value.offsets is not None
    strides = np.ones_like(shapes)
    for dimension in range(shapes.shape[1] - 2, -1, -1):
        strides[:, dimension] = strides[:, dimension + 1] * shapes[:, dimension + 1]
    order = [*(number for number in range(shapes.shape[1]) if number != axis), axis]
    zero = np.zeros(len(shapes), np.int64)
    at = positions(value.offsets[:-1], [(shapes[:, number], zero, strides[:, number]) for number in order])
    rest = np.delete(shapes, axis, axis=1)
    lines = np.prod(rest, axis=1, dtype=np.int64)
    line_offsets = offsets_of(np.repeat(shapes[:, axis], lines))
    reduced = scalar(compute(Value(data=value.data[at], offsets=line_offsets)))
    new_shapes = None if rest.shape[1] == 1 else rest
    return Value(data=reduced.data, offsets=offsets_of(lines), shapes=new_shapes, valid=value.valid)


def _numbers(value: Value) -> Value:
    kind = np.float64 if value.data.dtype.kind == "f" else np.int64
    return replace(value, data=value.data.astype(kind, copy=False))


def _folded(ufunc: np.ufunc, empty: int, value: Value) -> Value:
    """Return `ufunc` over the numbers of each row; `empty` for a row without any."""
    value = _numbers(value)
    if value.offsets is None:
        return value
    value = _counted(value)
    return Value(data=reduce_rows(ufunc, value, empty), constant=value.constant)


_sum = partial(_folded, np.add, 0)
_prod = partial(_folded, np.multiply, 1)


def _null_if_empty(data: NDArray[Any], value: Value) -> Value:
    present = value.lengths > 0
    return Value(data=data, valid=None if present.all() else present, constant=value.constant)


def _avg(value: Value) -> Value:
    if value.offsets is None:
        return replace(value, data=value.data.astype(np.float64))
    value = _counted(value)
    with np.errstate(all="ignore"):
        means = _sum(value).data / np.maximum(value.lengths, 1)
    return _null_if_empty(means, value)


def _var(value: Value) -> Value:
    if value.offsets is None:
        return replace(value, data=np.zeros(len(value.data)))
    value = _counted(value)
    apart = value.data.astype(np.float64) - np.repeat(_avg(value).data, value.lengths)
    return _avg(replace(value, data=apart**2))


def _std(value: Value) -> Value:
    variance = _var(value)
    return replace(variance, data=np.sqrt(variance.data))


def _extreme(ufunc: np.ufunc, value: Value) -> Value:
    if value.offsets is None:
        return value
    value = _counted(value)
    if value.data.dtype.kind == "T":
        names, codes = np.unique(value.data, return_inverse=True)
        picked = reduce_rows(ufunc, replace(value, data=codes), 0)
        return _null_if_empty(names[picked] if len(names) else np.full(len(picked), "", TEXT), value)
    present = value.lengths > 0
    out = np.zeros(len(present), value.data.dtype)
    assert value.offsets is not None
    starts = value.offsets[:-1][present]
    if len(starts):
        out[present] = ufunc.reduceat(value.data, starts)
    return _null_if_empty(out, value)


def _count(value: Value) -> Value:
    if value.offsets is None:
        present = np.ones(len(value.data), np.int64) if value.valid is None else value.valid.astype(np.int64)
        return Value(data=present, constant=value.constant)
    return Value(data=_counted(value).lengths, constant=value.constant)


def _unique(value: Value) -> Value:
    if value.offsets is None:
        length = np.ones(len(value.data), np.int64) if value.valid is None else value.valid.astype(np.int64)
        data = value.data if value.valid is None else value.data[value.valid]
        return Value(data=data, offsets=offsets_of(length), constant=value.constant)
    value = _counted(value)
    rows = np.repeat(np.arange(value.num_rows), value.lengths)
    elements = order_digits(Value(data=value.data), len(rows), descending=False, nulls_first=False)
    keys = [digits_of_numbers(rows), *elements]
    order = stable_order(keys, len(rows))  # by row and then by value, equal ones side by side
    first = np.ones(len(order), bool)
    first[1:] = False
    for key in keys:
        words = key.words[order]
        first[1:] |= words[1:] != words[:-1]
    kept = order[first]
    lengths = np.bincount(rows[kept], minlength=value.num_rows)
    return Value(data=value.data[kept], offsets=offsets_of(lengths), constant=value.constant)


def _count_distinct(value: Value) -> Value:
    return _count(_unique(value))


REDUCERS: dict[str, Callable[[Value], Value]] = {
    "sum": _sum, "prod": _prod, "avg": _avg, "mean": _avg, "std": _std, "var": _var, "count": _count,
    "min": partial(_extreme, np.minimum), "amin": partial(_extreme, np.minimum),
    "max": partial(_extreme, np.maximum), "amax": partial(_extreme, np.maximum), "unique": _unique,
    "count distinct": _count_distinct,
}  # fmt: skip
_OF_NUMBERS = frozenset(("sum", "prod", "avg", "mean", "std", "var"))
_FLOATS = frozenset(("avg", "mean", "std", "var"))


def _reduced_type(name: str, argument: Type) -> Type:
    if name == "unique":
        return Type(kind=argument.kind, rank=1, class_names=argument.class_names)
    if name.startswith("count"):
        return INT
    if name in _FLOATS:
        return Type(kind="float")
    if name in {"sum", "prod"}:
        return Type(kind="float" if argument.kind == "float" else "int")
    return Type(kind=argument.kind, class_names=argument.class_names)


def _argument(binder: Binder, node: ast.Call, name: str) -> Bound:
    """Return the argument of a reduction in the binder's own rows."""
    bound = binder.bind(node.arguments[0])
    if bound.type.single:
        bound = binder.as_scalar(bound)
    if name in _OF_NUMBERS:
        if bound.type.class_names is not None and name != "sum":
            hint = "class indices have no mean. Use count(x) or shape(x)[0] to count them"
            raise binder.error(
                f"{name} needs numbers, but {binder.source(node.arguments[0])} is {described(bound.type)}",
                node,
                hint=hint,
            )
        return binder.as_number(bound, node.arguments[0])
    if bound.type.kind == "json":
        return binder.make(node, Type(kind="float", rank=bound.type.rank), ops.json_number, "number", bound)
    return bound


def _bind_reduction(binder: Binder, node: ast.Call) -> Bound:
    name = "count distinct" if node.distinct and node.name == "count" else node.name
    if isinstance(node.arguments[0], ast.Star):
        hint = "add GROUP BY, or select nothing but aggregates"
        raise binder.error(f"{node.name}(*) counts the rows of groups", node, hint=hint)
    argument = _argument(binder, node, name)
    axis = _axis(binder, node, argument.type.rank)
    if axis is not None and argument.type.rank > 1:
        type_ = replace(_reduced_type(name, argument.type), rank=argument.type.rank - 1)
        return binder.make(node, type_, partial(_along_axis, REDUCERS[name], axis), f"{name} axis {axis}", argument)
    return binder.make(node, _reduced_type(name, argument.type), REDUCERS[name], name, argument)


for _signature, _summary in (
    ("sum(x [, axis])", "sum of the elements; over the rows of a group after GROUP BY"),
    ("prod(x [, axis])", "product of the elements"),
    ("avg(x [, axis])", "mean of the elements; NULL for an empty row"),
    ("mean(x [, axis])", "the same as avg; of an image, the mean of its pixels"),
    ("std(x [, axis])", "population standard deviation of the elements"),
    ("var(x [, axis])", "population variance of the elements"),
    ("min(x [, axis])", "smallest element; NULL for an empty row"),
    ("max(x [, axis])", "greatest element; NULL for an empty row"),
    ("amin(x [, axis])", "the same as min"),
    ("amax(x [, axis])", "the same as max"),
    ("count(x)", "number of elements; count(*) counts the rows of a group"),
    ("unique(x)", "the distinct elements, sorted"),
):
    builtin(_signature, _summary)(_bind_reduction)


def grouped_value(value: Value, offsets: NDArray[np.int64]) -> Value:
    """Return the elements of every group of rows, concatenated; NULL rows have no elements."""
    if value.offsets is None:
        if value.valid is None:
            return Value(data=value.data, offsets=offsets)
        kept = offsets_of(value.valid.astype(np.int64))[offsets]
        return Value(data=value.data[value.valid], offsets=kept)
    value = _counted(value)
    assert value.offsets is not None
    return Value(data=value.data, offsets=value.offsets[offsets])


def aggregate(binder: Binder, rows: Binder, node: ast.Call) -> Bound:
    """Return a reduction over the rows of each group."""
    from penstock.tql.values._frames import GroupFrame

    name = "count distinct" if node.distinct and node.name == "count" else node.name
    span = (node.start, node.end)
    if name == "count" and len(node.arguments) == 1 and isinstance(node.arguments[0], ast.Star):

        def count_rows(frame: Frame) -> Value:
            assert isinstance(frame, GroupFrame)
            return Value(data=np.diff(frame.offsets))

        return Bound(span=span, type=INT, run=count_rows, key="count(*)", stable=False)
    if len(node.arguments) != 1 or node.named:
        raise binder.error(f"{node.name} takes 1 argument over groups, but {len(node.arguments)} were given", node)
    argument = _argument(rows, node, name)
    if argument.pixels:
        source = binder.source(node)
        raise binder.error(
            f"{source} over groups would have to keep every image", node, hint=f"reduce each image first: avg({source})"
        )

    def run(frame: Frame) -> Value:
        assert isinstance(frame, GroupFrame)
        return REDUCERS[name](grouped_value(argument.full(frame.base), frame.offsets))

    return Bound(span=span, type=_reduced_type(name, argument.type), run=run, key="aggregate", stable=False)
