"""Functions of one value: rows, random numbers, mathematics, text, JSON, time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.tql.binding._binder import BOOL, FLOAT, INT, NULL, TEXT_TYPE, Binder, dtype_of
from penstock.tql.functions._choosing import common_type
from penstock.tql.functions._registry import builtin
from penstock.tql.syntax import _ast as ast
from penstock.tql.values import _operations as ops
from penstock.tql.values._kinds import Type, described
from penstock.tql.values._relations import Bound, Frame, tensor_value
from penstock.tql.values._values import TEXT, Value, offsets_of, take

__all__: list[str] = []


def _of_rows(
    binder: Binder, node: ast.Call, compute: Callable[[Frame], NDArray[Any]], type_: Type, key: str, *, stable: bool
) -> Bound:
    del binder
    return Bound(
        span=(node.start, node.end), type=type_, run=lambda frame: Value(data=compute(frame)), key=key, stable=stable
    )


@builtin("row_number()", "number of the row in the dataset, from 0")
def _row_number(binder: Binder, node: ast.Call) -> Bound:
    return _of_rows(binder, node, lambda frame: frame.source_rows(), INT, "row_number", stable=True)


@builtin("uid()", "identity of the sample, the same in every version")
def _uid(binder: Binder, node: ast.Call) -> Bound:
    stored = [field for field in binder.scope.fields if field.table is not None and field.tensor is not None]
    if not stored:
        raise binder.error("uid() takes samples of a dataset, and these rows are not samples", node)
    if len({id(field.table) for field in stored}) > 1:
        raise binder.error("uid() takes samples of one dataset, and FROM joins several", node)
    of = next((field for field in stored if not field.pixels), stored[0])
    table = of.table
    assert table is not None

    def compute(frame: Frame) -> Value:
        rows = frame.rows_of(of)
        inside = rows >= 0
        uids = np.zeros(len(rows), np.int64)
        uids[inside] = table.uids(rows[inside])
        return Value(data=uids, valid=None if inside.all() else inside)

    return Bound(span=(node.start, node.end), type=INT, run=compute, key=f"uid {of.key}", fields=(of,), stable=True)


@builtin("result_row()", "number of the row in the result, from 0")
def _result_row(binder: Binder, node: ast.Call) -> Bound:
    return _of_rows(binder, node, lambda frame: np.arange(frame.num_rows), INT, "result_row", stable=False)


def _mixed(rows: NDArray[np.int64], seed: int, call: int) -> NDArray[np.uint64]:
    """Return 64 well mixed bits per row: splitmix64 of row, seed and call."""
    start = ((seed + 1) * 0x9E3779B97F4A7C15 + call * 0xD1342543DE82EF95) % 2**64  # 0 would stay 0
    state = rows.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(start)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(factor)
    return state ^ (state >> np.uint64(31))


def _random(binder: Binder, node: ast.Call, finish: Callable[[NDArray[np.uint64]], NDArray[Any]], type_: Type) -> Bound:
    call = binder.num_random
    binder.num_random += 1

    def compute(frame: Frame) -> NDArray[Any]:
        return finish(_mixed(frame.source_rows(), frame.context.seed, call))

    return _of_rows(binder, node, compute, type_, f"random {call}", stable=False)


@builtin("random()", "a number in [0, 1) for each row of the dataset, the same for the same seed")
def _random_float(binder: Binder, node: ast.Call) -> Bound:
    return _random(binder, node, lambda bits: (bits >> np.uint64(11)) * 2.0**-53, FLOAT)


@builtin("random_int()", "an integer in [0, 2**31) for each row of the dataset, the same for the same seed")
def _random_int(binder: Binder, node: ast.Call) -> Bound:
    return _random(binder, node, lambda bits: (bits >> np.uint64(33)).astype(np.int64), INT)


@builtin("data(x, i)", "the sample of tensor x in row i of the dataset")
def _data(binder: Binder, node: ast.Call) -> Bound:
    column = binder.bind(node.arguments[0])
    if (
        len(column.fields) != 1
        or not column.key.startswith("field ")
        or column.fields[0].tensor is None
        or column.pixels
    ):
        raise binder.error(
            "data takes a tensor of the dataset, not an expression or an image tensor", node.arguments[0]
        )
    table, tensor = column.fields[0].table, column.fields[0].tensor
    index = binder.one_value(node.arguments[1], "a row number")
    if index.type.kind != "int" or table is None:
        raise binder.error(f"a row number must be an integer, not {described(index.type)}", node.arguments[1])

    def compute(rows: Value) -> Value:
        numbers = rows.data.astype(np.int64)
        inside = (numbers >= 0) & (numbers < table.num_rows)
        if rows.valid is not None:
            inside &= rows.valid
        found = take(tensor_value(table, tensor), np.where(inside, numbers, -1))
        return replace(found, constant=rows.constant)

    type_ = Type(
        kind=column.type.kind, rank=column.type.rank, class_names=column.type.class_names, single=column.type.single
    )
    return binder.make(node, type_, compute, f"data {column.key}", index)


# -- mathematics --------------------------------------------------------------------------


def _math(name: str, summary: str, function: Callable[[NDArray[Any]], NDArray[Any]], *, whole: bool = False) -> None:
    @builtin(f"{name}(x)", summary)
    def _(binder: Binder, node: ast.Call) -> Bound:
        number = binder.as_number(binder.scalar(node.arguments[0]), node.arguments[0])
        kind = "int" if whole and number.type.kind != "float" else "float"

        def compute(value: Value) -> Value:
            data = value.data.astype(np.int64 if kind == "int" else np.float64, copy=False)
            with np.errstate(all="ignore"):
                return replace(value, data=function(data))

        return binder.make(node, Type(kind=kind, rank=number.type.rank), compute, name, number)


_math("abs", "absolute value", np.abs, whole=True)
_math("sign", "-1, 0 or 1", np.sign, whole=True)
_math("sqrt", "square root", np.sqrt)
_math("exp", "e to the power of x", np.exp)
_math("ln", "natural logarithm", np.log)
_math("log", "natural logarithm", np.log)
_math("log10", "logarithm to base 10", np.log10)
_math("floor", "x rounded down to an integer", np.floor, whole=True)
_math("ceil", "x rounded up to an integer", np.ceil, whole=True)


@builtin("round(x [, digits])", "x rounded to a number of decimal digits; halves are rounded to even")
def _round(binder: Binder, node: ast.Call) -> Bound:
    number = binder.as_number(binder.scalar(node.arguments[0]), node.arguments[0])
    digits = binder.literal_int(node.arguments[1], "the digits of round") if len(node.arguments) > 1 else 0
    if abs(digits) > 300:
        raise binder.error("round takes at most 300 digits", node)
    type_ = Type(kind="float", rank=number.type.rank)

    def compute(value: Value) -> Value:
        with np.errstate(all="ignore"):
            return replace(value, data=np.round(value.data.astype(np.float64), digits))

    return binder.make(node, type_, compute, f"round {digits}", number)


@builtin("power(x, y)", "x to the power of y")
def _power(binder: Binder, node: ast.Call) -> Bound:
    left, right = (binder.as_number(binder.scalar(each), each) for each in node.arguments)
    compute = ops.elementwise(lambda x, y: np.power(x.astype(np.float64), y.astype(np.float64)))
    return binder.make(
        node, Type(kind="float", rank=max(left.type.rank, right.type.rank)), compute, "power", left, right
    )


@builtin("clip(x, low, high)", "x limited to the range from low to high")
def _clip(binder: Binder, node: ast.Call) -> Bound:
    bounds = [binder.as_number(binder.scalar(each), each) for each in node.arguments]
    for each, bound in zip(node.arguments[1:], bounds[1:], strict=True):
        if bound.type.rank:
            raise binder.error("the bounds of clip must be single values", each)
    kind = "float" if any(bound.type.kind == "float" for bound in bounds) else "int"

    def compute(value: Value, low: Value, high: Value) -> Value:
        return ops.elementwise(np.minimum)(ops.elementwise(np.maximum)(_plain_ints(value), low), high)

    return binder.make(node, Type(kind=kind, rank=bounds[0].type.rank), compute, "clip", *bounds)


def _plain_ints(value: Value) -> Value:
    return replace(value, data=value.data.astype(np.int64)) if value.data.dtype.kind in "bu" else value


def _pick(name: str, ufunc: np.ufunc) -> None:
    @builtin(f"{name}(a, b)", f"the {'greater' if name == 'greatest' else 'smaller'} of two values")
    def _(binder: Binder, node: ast.Call) -> Bound:
        left, right = (binder.as_number(binder.scalar(each), each) for each in node.arguments)
        kind = "float" if "float" in {left.type.kind, right.type.kind} else "int"
        rank = max(left.type.rank, right.type.rank)

        def compute(x: Value, y: Value) -> Value:
            return ops.elementwise(ufunc)(_plain_ints(x), _plain_ints(y))

        return binder.make(node, Type(kind=kind, rank=rank), compute, name, left, right)


_pick("greatest", np.maximum)
_pick("least", np.minimum)


@builtin("is_nan(x)", "true if x is NaN")
def _is_nan(binder: Binder, node: ast.Call) -> Bound:
    number = binder.as_number(binder.scalar(node.arguments[0]), node.arguments[0])
    type_ = BOOL if number.type.rank == 0 else Type(kind="bool", rank=number.type.rank)

    def compute(value: Value) -> Value:
        flags = np.isnan(value.data) if value.data.dtype.kind == "f" else np.zeros(len(value.data), bool)
        if value.valid is not None:
            flags = flags & ops.spread(value.valid, value)
        return replace(value, data=flags, valid=None)

    return binder.make(node, type_, compute, "is_nan", number)


@builtin("is_null(x)", "true if x is NULL")
def _is_null(binder: Binder, node: ast.Call) -> Bound:
    return binder.bind(ast.IsNull(operand=node.arguments[0], start=node.start, end=node.end))


@builtin("coalesce(x, y, ...)", "the first value that is not NULL")
def _coalesce(binder: Binder, node: ast.Call) -> Bound:
    results = [(each, binder.one_value(each, "coalesce")) for each in node.arguments]
    type_ = common_type(binder, results)
    if type_.kind == "text":
        results = [(each, binder.as_text(bound, each)) for each, bound in results]
    parts = []
    for each, bound in results[:-1]:
        present = binder.make(each, BOOL, _present, "present", bound)
        parts += [present, bound]
    return binder.make(node, type_, ops.choose(dtype_of(type_)), "coalesce", *parts, results[-1][1])


def _present(value: Value) -> Value:
    null = ops.is_null(value)
    return replace(null, data=~null.data)


# -- text ---------------------------------------------------------------------------------


def _texts(name: str, summary: str, function: Callable[[str], str]) -> None:
    @builtin(f"{name}(x)", summary)
    def _(binder: Binder, node: ast.Call) -> Bound:
        text = _as_text(binder, node.arguments[0])

        def compute(value: Value) -> Value:
            data = [function(item) for item in value.data.tolist()]
            return replace(value, data=np.array(data, TEXT) if data else np.empty(0, TEXT))

        return binder.make(node, text.type, compute, name, text)


def _as_text(binder: Binder, node: ast.Expression) -> Bound:
    bound = binder.scalar(node)
    if bound.type.kind == "json":
        return binder.make(node, Type(kind="text", rank=bound.type.rank), ops.json_text, "json text", bound)
    if bound.type.kind != "text" and bound.type.class_names is None:
        if bound.type is NULL:
            return binder.constant(node, None, TEXT_TYPE)
        raise binder.error(f"{binder.source(node)} is {described(bound.type)}. Expected text", node)
    return binder.as_text(bound, node)


_texts("lower", "text in lower case", str.lower)
_texts("upper", "text in upper case", str.upper)
_texts("trim", "text without white space at both ends", str.strip)


def _ends(name: str, function: Callable[..., Any]) -> None:
    @builtin(f"{name}(x, text)", f"true if x {name.replace('_', ' ')} the text")
    def _(binder: Binder, node: ast.Call) -> Bound:
        left, right = (_as_text(binder, each) for each in node.arguments)

        def compute(x: Value, y: Value) -> Value:
            found = ops.elementwise(lambda a, b: np.asarray(function(a, b)))(x, y)
            flags = found.data if found.valid is None else found.data & ops.spread(found.valid, found)
            return replace(found, data=flags, valid=None)

        rank = max(left.type.rank, right.type.rank)
        return binder.make(node, Type(kind="bool", rank=rank) if rank else BOOL, compute, name, left, right)


_ends("starts_with", np.strings.startswith)
_ends("ends_with", np.strings.endswith)


@builtin("to_str(x)", "any value as text; a class label becomes its name")
def _to_str(binder: Binder, node: ast.Call) -> Bound:
    return binder.as_text(binder.scalar(node.arguments[0]), node)


@builtin("keys(x)", "the keys of a JSON object, as an array of text")
def _keys(binder: Binder, node: ast.Call) -> Bound:
    operand = binder.bind(node.arguments[0])
    if operand.type.kind != "json":
        raise binder.error(
            f"{binder.source(node.arguments[0])} is {described(operand.type)}, but keys takes JSON", node
        )
    return binder.make(node, Type(kind="text", rank=1), _keys_of, "keys", operand)


def _keys_of(value: Value) -> Value:
    value = ops.parsed(value)
    lists = [list(item) if isinstance(item, dict) else [] for item in value.data]
    flat = [key for keys in lists for key in keys]
    lengths = np.array([len(keys) for keys in lists], np.int64)
    data = np.array(flat, TEXT) if flat else np.empty(0, TEXT)
    return Value(data=data, offsets=offsets_of(lengths), constant=value.constant)


# -- time ---------------------------------------------------------------------------------


def _time(binder: Binder, node: ast.Call) -> Bound:
    """Return the argument of a call as a time; text is read as one."""
    bound = binder.scalar(node.arguments[0])
    if bound.type.kind == "text":
        bound = binder.make(node, Type(kind="time", rank=bound.type.rank), ops.to_time, "time", bound)
    if bound.type.kind != "time":
        raise binder.error(f"{binder.source(node.arguments[0])} is {described(bound.type)}. Expected a time", node)
    return bound


def _part(name: str, unit: str, base: str, add: int) -> None:
    @builtin(f"{name}(x)", f"{name} of a point in time")
    def _(binder: Binder, node: ast.Call) -> Bound:
        bound = _time(binder, node)
        return binder.make(
            node, Type(kind="int", rank=bound.type.rank), partial(_part_of, unit, base, add), name, bound
        )


def _part_of(unit: str, base: str, add: int, value: Value) -> Value:
    fine = value.data.astype(f"datetime64[{unit}]")
    number = fine.astype(np.int64) - fine.astype(f"datetime64[{base}]").astype(f"datetime64[{unit}]").astype(np.int64)
    return replace(value, data=number + add)


for _arguments in (("month", "M", "Y", 1), ("day", "D", "M", 1), ("hour", "h", "D", 0), ("minute", "m", "h", 0)):
    _part(*_arguments)


@builtin("year(x)", "year of a point in time")
def _year(binder: Binder, node: ast.Call) -> Bound:
    bound = _time(binder, node)
    years = lambda value: replace(value, data=value.data.astype("datetime64[Y]").astype(np.int64) + 1970)  # noqa: E731  one line, used once
    return binder.make(node, Type(kind="int", rank=bound.type.rank), years, "year", bound)
