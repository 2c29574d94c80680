"""Functions about the shape of samples, and logic by element."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from penstock.tql.binding._binder import INT, JSON, Binder
from penstock.tql.functions._registry import builtin
from penstock.tql.syntax import _ast as ast
from penstock.tql.values import _operations as ops
from penstock.tql.values._kinds import Type, described
from penstock.tql.values._relations import Bound, Frame
from penstock.tql.values._values import Value, offsets_of, truth

__all__ = []


@builtin("shape(x)", "size of each dimension; shape(x)[0] is the number of labels or boxes, or the height of an image")
def _shape(binder: Binder, node: ast.Call) -> Bound:
    operand = binder.bind(node.arguments[0])
    if operand.pixels:
        if len(operand.fields) != 1 or not operand.key.startswith("field"):
            raise binder.error("the shape of a computed image is not known until it is computed", node)
        image = operand.fields[0]
        return Bound(
            span=(node.start, node.end), type=Type(kind="int", rank=1), run=lambda frame: _image_shapes(frame, image),
            key=f"shape({operand.key})", fields=operand.fields, stable=True,
        )  # fmt: skip
    return binder.make(node, Type(kind="int", rank=1), _shape_of, "shape", operand)


def _image_shapes(frame: Frame, image: Any) -> Value:
    rows = frame.rows_of(image)
    whole = image.table.shapes(image.tensor)
    shapes = whole[np.maximum(rows, 0)] if len(whole) else np.zeros((len(rows), 3), np.int64)
    known = (rows >= 0) & (shapes >= 0).all(axis=1)
    width = shapes.shape[1]
    return Value(
        data=shapes.reshape(-1), offsets=np.arange(len(rows) + 1) * width, valid=None if known.all() else known
    )


def _shape_of(value: Value) -> Value:
    shapes = value.all_shapes
    rank = shapes.shape[1]
    offsets = np.arange(len(shapes) + 1) * rank
    return Value(data=shapes.reshape(-1), offsets=offsets, valid=value.valid, constant=value.constant)


@builtin("sample_info(x)", "what is known about a sample without decoding it: sample_info(images)['shape'][0]")
def _sample_info(binder: Binder, node: ast.Call) -> Bound:
    shape = _shape(binder, node)
    return binder.make(node, JSON, _info, "sample_info", shape)


def _info(shape: Value) -> Value:
    data = np.empty(shape.num_rows, object)
    assert shape.offsets is not None
    for number in range(shape.num_rows):
        data[number] = {"shape": shape.data[shape.offsets[number] : shape.offsets[number + 1]].tolist()}
    return Value(data=data, valid=shape.valid, constant=shape.constant)


@builtin("length(x)", "number of characters of text, elements of an array, or entries of JSON")
def _length(binder: Binder, node: ast.Call) -> Bound:
    operand = binder.bind(node.arguments[0])
    if operand.type.rank:
        shape = _shape(binder, node)
        from penstock.tql.binding._indexing import first_element

        return binder.make(node, INT, first_element, "first", shape)
    if operand.type.kind == "text":
        return binder.make(
            node, INT, lambda value: replace(value, data=np.strings.str_len(value.data)), "length", operand
        )
    if operand.type.kind == "json":
        return binder.make(node, INT, _json_length, "length", operand)
    raise binder.error(f"{binder.source(node.arguments[0])} is {described(operand.type)}, which has no length", node)


@builtin("len(x)", "the same as length(x): the number of labels, boxes, characters or entries")
def _len(binder: Binder, node: ast.Call) -> Bound:
    return _length(binder, node)


def _json_length(value: Value) -> Value:
    value = ops.parsed(value)
    sizes = [len(item) if isinstance(item, list | dict | str) else -1 for item in value.data]
    data = np.array(sizes, np.int64)
    return Value(data=np.maximum(data, 0), valid=None if (data >= 0).all() else data >= 0, constant=value.constant)


@builtin("nonzero(x)", "positions of the elements that are not zero")
def _nonzero(binder: Binder, node: ast.Call) -> Bound:
    operand = binder.truth(node.arguments[0])
    return binder.make(node, Type(kind="int", rank=1), _nonzero_of, "nonzero", operand)


def _nonzero_of(value: Value) -> Value:
    flags = truth(value)
    offsets = np.arange(flags.num_rows + 1) if flags.offsets is None else flags.offsets
    counts = offsets_of(flags.data.astype(np.int64))
    hits = np.flatnonzero(flags.data)
    rows = np.searchsorted(offsets, hits, "right") - 1
    return Value(data=hits - offsets[rows], offsets=counts[offsets], constant=value.constant)


def _bind_elementwise_logic(ufunc: np.ufunc, name: str) -> None:
    @builtin(
        f"{name}(a, b)",
        f"element-wise {name.removeprefix('logical_').upper()} of two values or two arrays of equal size",
    )
    def _(binder: Binder, node: ast.Call) -> Bound:
        left, right = (binder.truth(argument) for argument in node.arguments)
        rank = max(left.type.rank, right.type.rank)
        return binder.make(node, Type(kind="bool", rank=rank), ops.logical(ufunc), name, left, right)


_bind_elementwise_logic(np.logical_and, "logical_and")
_bind_elementwise_logic(np.logical_or, "logical_or")


@builtin("logical_not(a)", "element-wise NOT")
def _logical_not(binder: Binder, node: ast.Call) -> Bound:
    operand = binder.truth(node.arguments[0])
    return binder.make(
        node, Type(kind="bool", rank=operand.type.rank), lambda value: replace(truth(value), data=~truth(value).data),
        "not", operand,
    )  # fmt: skip
