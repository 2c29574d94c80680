"""Distances and norms of vectors: embeddings against a constant or each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from penstock.tql.binding._binder import FLOAT, Binder
from penstock.tql.functions._registry import builtin
from penstock.tql.syntax import _ast as ast
from penstock.tql.values._aligning import aligned
from penstock.tql.values._kinds import described
from penstock.tql.values._relations import Bound
from penstock.tql.values._values import Value, reduce_rows

__all__: list[str] = []

Floats = NDArray[np.float64]


def _vector(binder: Binder, node: ast.Expression) -> Bound:
    bound = binder.bind(node)
    if bound.type.rank == 0 or not bound.type.numeric or bound.type.class_names is not None:
        raise binder.error(f"{binder.source(node)} is {described(bound.type)}. Expected an array of numbers", node)
    return bound


def _floats(value: Value) -> Value:
    return replace(value, data=value.data.astype(np.float64, copy=False))


def _sums(layout: Value, data: Floats) -> Value:
    """Return the sum over each row; NULL where either side is NULL."""
    held = Value(data=data, offsets=layout.offsets, constant=layout.constant)
    return Value(
        data=np.asarray(reduce_rows(np.add, held, 0.0), np.float64), valid=layout.valid, constant=layout.constant
    )


def _largest(layout: Value, data: Floats) -> Value:
    held = Value(data=data, offsets=layout.offsets, constant=layout.constant)
    out = np.asarray(reduce_rows(np.maximum, held, 0.0), np.float64)
    return Value(data=out, valid=layout.valid, constant=layout.constant)


Norm = Callable[[Value, Floats], Value]


def _l1(layout: Value, apart: Floats) -> Value:
    return _sums(layout, np.abs(apart))


def _l2(layout: Value, apart: Floats) -> Value:
    squares = _sums(layout, apart**2)
    return replace(squares, data=np.sqrt(squares.data))


def _linf(layout: Value, apart: Floats) -> Value:
    return _largest(layout, np.abs(apart))


def _norm(name: str, of: str, norm: Norm) -> None:
    @builtin(f"{name}(x [, y])", f"{of} of a vector, or of the difference of two vectors")
    def _(binder: Binder, node: ast.Call) -> Bound:
        vectors = [_vector(binder, each) for each in node.arguments]
        if len(vectors) == 1:
            return binder.make(node, FLOAT, lambda value: norm(value, _floats(value).data), name, *vectors)

        def apart(left: Value, right: Value) -> Value:
            x, y, layout = aligned(_floats(left), _floats(right))
            return norm(layout, x - y)

        return binder.make(node, FLOAT, apart, name, *vectors)


_norm("l1_norm", "sum of absolute values", _l1)
_norm("l2_norm", "Euclidean length", _l2)
_norm("linf_norm", "greatest absolute value", _linf)


def _two(binder: Binder, node: ast.Call, compute: Callable[[Value, Value], Value]) -> Bound:
    left, right = (_vector(binder, each) for each in node.arguments)
    return binder.make(node, FLOAT, compute, node.name, left, right)


@builtin("dot(x, y)", "inner product of two vectors")
def _dot(binder: Binder, node: ast.Call) -> Bound:
    return _two(binder, node, _dots)


def _dots(left: Value, right: Value) -> Value:
    x, y, layout = aligned(_floats(left), _floats(right))
    return _sums(layout, x * y)


@builtin("cosine_similarity(x, y)", "cosine of the angle between two vectors; NULL for a zero vector")
def _cosine(binder: Binder, node: ast.Call) -> Bound:
    return _two(binder, node, _cosines)


def _cosines(left: Value, right: Value) -> Value:
    x, y, layout = aligned(_floats(left), _floats(right))
    lengths = np.sqrt(_sums(layout, x * x).data) * np.sqrt(_sums(layout, y * y).data)
    good = lengths > 0
    with np.errstate(all="ignore"):
        data = np.where(good, _sums(layout, x * y).data / lengths, 0.0)
    valid = good if layout.valid is None else good & layout.valid
    return Value(data=data, valid=None if valid.all() else valid, constant=layout.constant)


@builtin("hamming_distance(x, y)", "number of elements that differ")
def _hamming(binder: Binder, node: ast.Call) -> Bound:
    return _two(binder, node, _differing)


def _differing(left: Value, right: Value) -> Value:
    x, y, layout = aligned(left, right)
    return _sums(layout, (x != y).astype(np.float64))
