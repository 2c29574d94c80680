"""Binding SAMPLE BY."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from penstock._wording import nearest
from penstock.tql.binding._binder import Binder
from penstock.tql.pipeline.weights._weighing import BoundPair, Floats, WeightStep
from penstock.tql.syntax import _ast as ast
from penstock.tql.syntax._lexer import quote_text
from penstock.tql.values._relations import Bound

__all__ = ["bind_weight"]

_MOST_DRAWS = 10**12


def bind_weight(
    node: ast.Sample,
    binder: Binder,
    text: str,
    percent_of: Callable[..., float],
) -> WeightStep:
    """Bind a SAMPLE BY."""
    limit = percent = None
    if node.limit is not None and node.percent:
        percent = float(percent_of(binder, node.limit, "LIMIT", whole=False))
    elif node.limit is not None:
        limit = int(percent_of(binder, node.limit, "LIMIT"))
    if max(limit or 0, percent or 0) > _MOST_DRAWS:
        raise binder.error(f"LIMIT after SAMPLE BY can be at most {_MOST_DRAWS:,}", node.limit or node)
    weight = node.weight
    pairs: list[BoundPair] = []
    tables: list[tuple[str, tuple[float, ...]]] = []
    raw = None
    cap = None
    combine: Literal["max", "sum", "product"] = "max"
    if isinstance(weight, ast.Weights):
        combine = weight.combine
        cap = None if weight.cap is None else _cap(binder, weight.cap)
        for pair in weight.pairs:
            if pair.weight is None:
                name, weights, of_classes = _bind_table(binder, pair.condition)
                tables.append((name, tuple(weights.tolist())))
                pairs.extend(of_classes)
            else:
                pairs.append(_bind_pair(binder, pair, text))
    else:
        raw = binder.one_value(weight, "SAMPLE BY")
        if raw.type.kind in {"text", "time"}:
            raise binder.error(
                f"{binder.source(weight)} is {raw.type.described}. Expected a number as the weight", weight
            )
        raw = binder.as_number(raw, weight)
        if raw.constant is not None:
            pairs, raw = [_everything(binder, weight, raw)], None
    return WeightStep(
        combine=combine, pairs=tuple(pairs), tables=tuple(tables), raw=raw, text=text[weight.start : weight.end],
        span=(weight.start, weight.end), cap=cap, replace=node.replace, limit=limit, percent=percent,
    )  # fmt: skip


def _everything(binder: Binder, node: ast.Expression, weight: Bound) -> BoundPair:
    condition = binder.bind(ast.Literal(kind="bool", value=True, start=node.start, end=node.end))
    return BoundPair("True", condition, weight, (node.start, node.end))


def _cap(binder: Binder, node: ast.Expression) -> float:
    bound = binder.bind(node)
    held = bound.constant
    if held is None or not bound.type.numeric or bound.type.rank or held.valid is not None or not held.data[0] > 0:
        raise binder.error("cap must be a number greater than 0", node)
    return float(held.data[0])


def _bind_pair(binder: Binder, pair: ast.Pair, text: str) -> BoundPair:
    assert pair.weight is not None
    condition = binder.condition(pair.condition)
    weight = binder.as_number(binder.one_value(pair.weight, "a weight"), pair.weight)
    source = text[pair.condition.start : pair.condition.end]
    return BoundPair(source, condition, weight, (pair.start, pair.end))


def _bind_table(binder: Binder, node: ast.Expression) -> tuple[str, Floats, list[BoundPair]]:
    """Return the name of a table of class weights, its weights, and ``contains(tensor, 'class'): weight`` of each."""
    assert isinstance(node, ast.Call)
    if len(node.arguments) != 2 or not isinstance(node.arguments[1], ast.Parameter):
        raise binder.error("classes takes a class label tensor and a $name", node, hint="classes(categories, $weights)")
    tensor, parameter = node.arguments
    assert isinstance(parameter, ast.Parameter)
    names = binder.bind(tensor).type.class_names
    if names is None:
        raise binder.error(f"{binder.source(tensor)} is not a class label tensor", tensor)
    given: Any = binder.params[parameter.name] if _has(binder.params, parameter.name) else None  # type: ignore[index,call-overload]  # a mapping here
    weights = _table_of(given, names, binder, parameter)
    column = tensor.parts[-1] if isinstance(tensor, ast.Column) else None
    pairs = [
        replace(
            _of_class(binder, node, tensor, name, float(weight)), of_class=None if column is None else (column, number)
        )
        for number, (name, weight) in enumerate(zip(names, weights, strict=True))
    ]
    return parameter.name, weights, pairs


def _of_class(binder: Binder, node: ast.Call, tensor: ast.Expression, name: str, weight: float) -> BoundPair:
    start, end = node.start, node.end
    value = ast.Literal(kind="text", value=name, start=start, end=end)
    asked = ast.Call(name="contains", arguments=(tensor, value), start=start, end=end)
    number = binder.bind(ast.Literal(kind="float", value=weight, start=start, end=end))
    source = f"contains({binder.source(tensor)}, {quote_text(name)})"
    return BoundPair(source, binder.condition(asked), number, (start, end))


def _has(params: object, name: str) -> bool:
    return isinstance(params, dict) and name in params


def _table_of(given: Any, names: tuple[str, ...], binder: Binder, node: ast.Parameter) -> Floats:
    if isinstance(given, dict):
        unknown = [name for name in given if name not in names]
        if unknown:
            like = nearest(str(unknown[0]), names)
            hint = f"did you mean {like!r}?" if like else None
            raise binder.error(f"${node.name} has a weight for {unknown[0]!r}, which is not a class", node, hint=hint)
        given = [given.get(name, 1.0) for name in names]
    try:
        weights = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        weights = np.zeros(0)
    if weights.shape != (len(names),):
        message = f"${node.name} must have weights for {len(names)} classes: a list in class order, or name: weight"
        raise binder.error(message, node, hint="pass params={...} with the query")
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad):
        raise binder.error(
            f"${node.name} has weight {weights[bad[0]]:g} for {names[bad[0]]!r}. Expected a finite number >= 0", node
        )
    return weights
