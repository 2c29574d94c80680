"""Binding literals, columns, operators and comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np

from penstock._wording import nearest
from penstock.errors import QueryBindError
from penstock.tql.binding._binder import BOOL, FLOAT, INT, NULL, TEXT_TYPE, TIME, Binder, rule
from penstock.tql.syntax import _ast as ast
from penstock.tql.values import _operations as ops
from penstock.tql.values._kinds import Type, described
from penstock.tql.values._relations import Bound, Field
from penstock.tql.values._values import TEXT, Value, array_constant, truth

__all__ = ["Side", "bind_column", "comparable", "compared", "connected", "mixed_types", "of_field"]

_LITERALS = {"int": INT, "float": FLOAT, "text": TEXT_TYPE, "bool": BOOL, "null": NULL}
_ORDERED = frozenset(("<", "<=", ">", ">="))
_LEVELS = (frozenset(("+", "-", "||")), frozenset(("*", "/", "//", "%")))


@rule(ast.Literal)
def _literal(binder: Binder, node: ast.Literal) -> Bound:
    if node.kind in {"timestamp", "date"}:
        when = ops.parse_time(str(node.value))
        if when is None:
            raise binder.error(
                f"{node.value!r} is not a {node.kind}. Expected '2024-01-31' or '2024-01-31 12:00:00'", node
            )
        return binder.constant(node, when, TIME)
    return binder.constant(node, node.value, _LITERALS[node.kind])


@rule(ast.Parameter)
def _parameter(binder: Binder, node: ast.Parameter) -> Bound:
    value = _given(binder, node)
    if value is None or isinstance(value, str | bool | int | float | np.generic):
        plain = value.item() if isinstance(value, np.generic) else value
        if isinstance(plain, float) and not np.isfinite(plain):
            return binder.constant(node, plain, FLOAT)
        kinds = {type(None): NULL, str: TEXT_TYPE, bool: BOOL, int: INT, float: FLOAT}
        if type(plain) in kinds and not (isinstance(plain, int) and abs(plain) >= 2**63):
            return binder.constant(node, plain, kinds[type(plain)])
    elif isinstance(value, list | tuple | np.ndarray):
        return _array_of(binder, node, value)
    raise binder.error(
        f"parameter {node.name!r} is a {type(value).__name__}. Expected a number, text, boolean or list", node
    )


def _given(binder: Binder, node: ast.Parameter) -> Any:
    params = binder.params
    if isinstance(params, dict):
        if node.name in params:
            return params[node.name]
        known = ", ".join(f"${name}" for name in params) or "none"
        like = nearest(node.name, [str(name) for name in params])
        hint = f"did you mean ${like}?" if like else "pass params={...} with the query"
        raise binder.error(f"parameter {node.name!r} has no value. Values were given for: {known}", node, hint=hint)
    if params is not None and node.name.isdigit() and int(node.name) < len(params):
        return params[int(node.name)]  # type: ignore[index]  # a sequence here
    count = 0 if params is None else len(params)
    raise binder.error(
        f"parameter {node.name!r} has no value. {count} {'value was' if count == 1 else 'values were'} given",
        node,
        hint="pass params= with the query",
    )


def _array_of(binder: Binder, node: ast.Node, value: Any) -> Bound:
    try:
        data = np.array(value)
    except ValueError:
        raise binder.error("the rows of an array must have equal lengths", node) from None
    if data.dtype.kind == "U":
        data = data.astype(TEXT)
    if data.dtype.kind not in "biufT":
        raise binder.error("an array can contain numbers, booleans or text", node)
    kind = {"b": "bool", "f": "float", "T": "text"}.get(data.dtype.kind, "int")
    held = array_constant(data)
    type_ = Type(kind=kind, rank=data.ndim)
    return Bound(span=(node.start, node.end), type=type_, run=lambda _: held, key=repr(data.tolist()), constant=held)


@rule(ast.Array)
def _array(binder: Binder, node: ast.Array) -> Bound:
    if not node.items:
        return _array_of(binder, node, np.empty(0))
    values = []
    for item in node.items:
        bound = binder.bind(item)
        if bound.constant is None or bound.constant.valid is not None:
            raise binder.error("an array can contain only constants", item)
        values.append(bound.constant.data.reshape(_row_shape(bound.constant)).tolist())
    if len({isinstance(value, str) for value in values}) > 1:
        raise binder.error("an array cannot contain both numbers and text", node)
    return _array_of(binder, node, values)


def _row_shape(value: Value) -> tuple[int, ...]:
    if value.offsets is None:
        return ()
    return (len(value.data),) if value.shapes is None else tuple(value.shapes[0])


@rule(ast.Column)
def bind_column(binder: Binder, node: ast.Column) -> Bound:
    """Bind a name: an alias where aliases are visible, or else a field."""
    if len(node.parts) == 1 and node.parts[0] in binder.scope.aliases:
        return binder.scope.aliases[node.parts[0]]
    return of_field(binder.scope.field_of(node, binder.text), (node.start, node.end))


def of_field(field: Field, span: tuple[int, int], *, unseen: bool = False) -> Bound:
    """Return a column as an expression; `unseen` leaves its type open, so that the tensor is not looked at."""
    return Bound(
        span=span, type=NULL if unseen else field.type, run=lambda frame: frame.load(field), key=field.key,
        fields=(field,), stable=field.tensor is not None, pixels=field.pixels,
    )  # fmt: skip


@rule(ast.Star)
def _star(binder: Binder, node: ast.Star) -> Bound:
    raise binder.error("* can be used only in a select list or in count(*)", node)


@rule(ast.Unary)
def _unary(binder: Binder, node: ast.Unary) -> Bound:
    if node.operator == "not":
        operand = binder.truth(node.operand)
        return binder.make(node, Type(kind="bool", rank=operand.type.rank), _not, "not", operand)
    number = binder.as_number(binder.scalar(node.operand), node.operand)
    kind = "int" if number.type.kind == "bool" else number.type.kind
    return binder.make(
        node, Type(kind=kind, rank=number.type.rank), _negative if node.operator == "-" else _positive, node.operator,
        number,
    )  # fmt: skip


def _not(value: Value) -> Value:
    value = truth(value)
    return Value(data=~value.data, offsets=value.offsets, shapes=value.shapes, constant=value.constant)


def _negative(value: Value) -> Value:
    return ops.elementwise(ops.ARITHMETIC["-"])(Value(data=np.zeros(1, np.int64), constant=True), value)


def _positive(value: Value) -> Value:
    return ops.elementwise(ops.ARITHMETIC["+"])(Value(data=np.zeros(1, np.int64), constant=True), value)


@rule(ast.Binary)
def _binary(binder: Binder, node: ast.Binary) -> Bound:
    if node.operator in {"and", "or"}:
        return _logical(binder, node)
    if node.operator in ops.COMPARISONS:
        return compared(binder, node, node.operator, node.left, node.right)
    level = next(level for level in _LEVELS if node.operator in level)
    first, steps = binder.operands(node, lambda step: step.operator in level)
    side: Side = (first, binder.scalar(first))
    for joins, run in groupby(steps, key=lambda step: step.operator == "||"):
        side = (_joined if joins else _calculated)(binder, side, list(run))
    return side[1]


def _joined(binder: Binder, left: Side, steps: list[ast.Binary]) -> Side:
    """Return text joined by ||."""
    sides = [left, *((step.right, binder.scalar(step.right)) for step in steps)]
    rank = max(bound.type.rank for _, bound in sides)
    texts = [binder.as_text(bound, node) for node, bound in sides]
    computes = [ops.elementwise(np.strings.add)] * len(steps)
    spans = [(step.start, step.end) for step in steps]
    return steps[-1], binder.steps(steps[-1], Type(kind="text", rank=rank), computes, "||", texts, spans)


def _calculated(binder: Binder, left: Side, steps: list[ast.Binary]) -> Side:
    """Return arithmetic of equal precedence."""
    sides: list[Side] = [left]
    numbers: list[Bound] = []
    for step in steps:
        sides.append((step.right, binder.scalar(step.right)))
        for side, bound in sides[-2:] if step is steps[0] else sides[-1:]:
            if step.operator == "+" and bound.type.kind == "text":
                raise binder.error(
                    f"{binder.source(side)} is text, but + adds numbers", side, hint="concatenate text with ||"
                )
        numbers += [binder.as_number(bound, side) for side, bound in sides[len(numbers) :]]
    whole = all(bound.type.kind != "float" for bound in numbers) and all(step.operator != "/" for step in steps)
    type_ = Type(kind="int" if whole else "float", rank=max(bound.type.rank for bound in numbers))
    computes = [ops.elementwise(ops.ARITHMETIC[step.operator]) for step in steps]
    key = " ".join(step.operator for step in steps)
    spans = [(step.start, step.end) for step in steps]
    return steps[-1], binder.steps(steps[-1], type_, computes, key, numbers, spans)


def _logical(binder: Binder, node: ast.Binary) -> Bound:
    first, steps = binder.operands(node, lambda step: step.operator == node.operator)
    sides = [binder.truth(first), *(binder.truth(step.right) for step in steps)]
    return connected(binder, node, node.operator, sides, [(step.start, step.end) for step in steps])


def connected(
    binder: Binder, node: ast.Node, operator: str, sides: Sequence[Bound], spans: Sequence[tuple[int, int]] = ()
) -> Bound:
    """Return truths joined by AND or OR."""
    type_ = Type(kind="bool", rank=max(bound.type.rank for bound in sides))
    compute = ops.logical(np.logical_and if operator == "and" else np.logical_or)
    joins = len(sides) - 1
    return binder.steps(node, type_, [compute] * joins, operator, sides, spans or [(node.start, node.end)] * joins)


def compared(binder: Binder, node: ast.Node, operator: str, left: ast.Expression, right: ast.Expression) -> Bound:
    """Return a comparison; class names stand for their indices."""
    x, y = comparable(binder, operator, (left, binder.scalar(left)), (right, binder.scalar(right)))
    rank = max(x.type.rank, y.type.rank)
    if "null" in {x.type.kind, y.type.kind}:
        return binder.constant(node, False, BOOL)
    type_ = Type(kind="bool", rank=rank) if rank else BOOL
    return binder.make(node, type_, ops.compare(ops.COMPARISONS[operator]), operator, x, y)


Side = tuple[ast.Expression, Bound]


def comparable(binder: Binder, operator: str, left: Side, right: Side) -> tuple[Bound, Bound]:
    """Return both sides in types that compare."""
    (_, x), (_, y) = left, right
    if x.type.class_names is not None or y.type.class_names is not None:
        return _with_classes(binder, operator, left, right)
    kinds = {x.type.kind, y.type.kind}
    if "null" in kinds or len(kinds) == 1 or (x.type.numeric and y.type.numeric):
        return _json_sides(binder, left, right) if kinds == {"json"} else (x, y)
    if "json" in kinds:
        return _json_sides(binder, left, right)
    if kinds == {"time", "text"}:
        return _as_time(binder, left), _as_time(binder, right)
    raise mixed_types(binder, left, right)


def mixed_types(binder: Binder, left: Side, right: Side) -> QueryBindError:
    """Return the error of two sides that do not compare, both marked."""
    (first, x), (second, y) = left, right
    whole = ast.Node(start=first.start, end=second.end)
    related = (
        (first.start, first.end, described(x.type)),
        (second.start, second.end, described(y.type)),
    )
    return binder.error(
        f"cannot compare {x.type.described} with {y.type.described}: "
        f"{binder.source(first)} is {described(x.type)}, {binder.source(second)} is {described(y.type)}",
        whole,
        related=related,
    )


def _json_sides(binder: Binder, left: Side, right: Side) -> tuple[Bound, Bound]:
    (first, x), (second, y) = left, right
    kinds = {x.type.kind, y.type.kind}
    if "text" in kinds or kinds == {"json"}:
        return tuple(  # type: ignore[return-value]  # two in, two out
            binder.make(
                node,
                Type(kind="text", rank=bound.type.rank),
                ops.json_text if kinds != {"json"} else ops.as_text,
                "json text",
                bound,
            )
            if bound.type.kind == "json"
            else bound
            for node, bound in (left, right)
        )
    if "time" in kinds:
        raise mixed_types(binder, left, right)
    return binder.as_number(x, first), binder.as_number(y, second)


def _as_time(binder: Binder, side: Side) -> Bound:
    node, bound = side
    if bound.type.kind == "time":
        return bound
    converted = binder.make(node, Type(kind="time", rank=bound.type.rank), ops.to_time, "time", bound)
    if converted.constant is not None and converted.constant.valid is not None:
        raise binder.error(f"{binder.source(node)} is not a time. Expected a value such as '2024-01-31 12:00:00'", node)
    return converted


def _with_classes(binder: Binder, operator: str, left: Side, right: Side) -> tuple[Bound, Bound]:
    (first, x), (second, y) = left, right
    if "text" in {x.type.kind, y.type.kind} and operator in _ORDERED:
        whole = ast.Node(start=first.start, end=second.end)
        raise binder.error(
            "class names have no order. Compare them with = or !=", whole, hint="use in (...) for several classes"
        )
    if x.type.class_names is not None and y.type.class_names is not None:
        if x.type.class_names == y.type.class_names:
            return x, y
        return binder.as_text(x, first), binder.as_text(y, second)
    labels, (node, other) = (left, right) if x.type.class_names is not None else (right, left)
    if other.type.kind == "text":
        other = _named(binder, labels, (node, other))
        if other.type.kind == "text":
            named = binder.as_text(labels[1], labels[0])
            return (named, other) if labels is left else (other, named)
    elif not other.type.numeric and other.type.kind != "null":
        raise mixed_types(binder, left, right)
    return (labels[1], other) if labels is left else (other, labels[1])


def _named(binder: Binder, labels: Side, other: Side) -> Bound:
    """Return a constant class name as its index; any other text stays."""
    node, bound = other
    if bound.constant is None or bound.type.rank:
        return bound
    name = str(bound.constant.data[0])
    index = binder.class_index(name, labels[1].type.class_names or (), node, binder.source(labels[0]))
    return binder.constant(node, index, INT)


@rule(ast.IsNull)
def _is_null(binder: Binder, node: ast.IsNull) -> Bound:
    operand = binder.bind(node.operand)
    if operand.pixels:
        raise binder.error("images cannot be compared with NULL by their pixels. Use shape(x)", node)
    null = binder.make(node, BOOL, ops.is_null, "is null", operand)
    return binder.make(node, BOOL, _not, "not", null) if node.negated else null
