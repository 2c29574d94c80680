"""Binding ``x[i, a:b]``: numpy's rules in every row; missing elements are NULL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.tql.binding._binder import JSON, Binder, rule
from penstock.tql.syntax import _ast as ast
from penstock.tql.values._kinds import Type, described
from penstock.tql.values._operations import parsed
from penstock.tql.values._relations import Bound
from penstock.tql.values._values import Value, constant, expand_rows, offsets_of, positions, scalar

__all__ = ["bind_index"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Axis:
    """One index: the children that contain its numbers (None: omitted)."""

    single: int | None = None
    first: int | None = None
    stop: int | None = None
    step: int | None = None


@rule(ast.Index)
def bind_index(binder: Binder, node: ast.Index) -> Bound:
    """Bind an index of an array, or a path into JSON."""
    operand = binder.bind(node.operand)
    if operand.type.kind == "json":
        return _path(binder, node, operand)
    if operand.type.rank == 0:
        hint = "text has no elements" if operand.type.kind == "text" else "it has one value per row"
        raise binder.error(
            f"{binder.source(node.operand)} is {described(operand.type)}, and only arrays can be indexed",
            node,
            hint=hint,
        )
    if len(node.items) > operand.type.rank:
        raise binder.error(
            f"there are {len(node.items)} indices for {binder.source(node.operand)}, "
            f"which has {operand.type.rank} dimensions",
            node,
        )
    children: list[Bound] = []
    axes = tuple(_axis(binder, item, children) for item in node.items)
    rank = operand.type.rank - sum(axis.single is not None for axis in axes)
    type_ = Type(kind=operand.type.kind, rank=rank, class_names=operand.type.class_names)
    return binder.make(node, type_, partial(_indexed, axes), f"index {axes!r}", operand, *children)


def _axis(binder: Binder, item: ast.Expression | ast.Slice, children: list[Bound]) -> _Axis:
    if not isinstance(item, ast.Slice):
        return _Axis(single=_child(binder, item, children))
    first, stop, step = (
        None if part is None else _child(binder, part, children) for part in (item.first, item.stop, item.step)
    )
    if item.step is not None and step is not None:
        held = children[step].constant
        if held is not None and held.data[0] == 0:
            raise binder.error("the step of a slice cannot be 0", item.step)
    return _Axis(first=first, stop=stop, step=step)


def _child(binder: Binder, node: ast.Expression, children: list[Bound]) -> int:
    bound = binder.one_value(node, "an index")
    if bound.type.kind != "int":
        raise binder.error(f"an index must be an integer, but {binder.source(node)} is {described(bound.type)}", node)
    children.append(bound)
    return len(children) - 1


def _indexed(axes: tuple[_Axis, ...], value: Value, *numbers: Value) -> Value:
    only = axes[0].single
    if len(axes) == 1 and only is not None and value.shapes is None and numbers[only].constant:
        return _element(value, int(numbers[only].data[0]))
    if not value.constant and value.shapes is not None and all(number.constant for number in numbers):
        fast = _trailing_column(axes, value, numbers)
        if fast is not None:
            return fast
        fast = _uniform(axes, value, numbers)
        if fast is not None:
            return fast
    return _general(axes, value, numbers)


def _uniform(axes: tuple[_Axis, ...], value: Value, numbers: Sequence[Value]) -> Value | None:
    """Return the index of arrays that all have one shape, by numpy itself; None where they have not."""
    shapes = value.shapes
    if shapes is None or not len(shapes) or value.valid is not None or (shapes != shapes[0]).any():
        return None
    shape = tuple(shapes[0].tolist())
    if len(value.data) != len(shapes) * int(np.prod(shape, dtype=np.int64)) or any(
        n.valid is not None for n in numbers
    ):
        return None
    index: list[int | slice] = []
    for axis, length in zip(axes, shape, strict=False):
        if axis.single is not None:
            at = int(numbers[axis.single].data[0])
            if not -length <= at < length:
                return None
            index.append(at)
        else:
            parts = (
                None if part is None else int(numbers[part].data[0]) for part in (axis.first, axis.stop, axis.step)
            )
            index.append(slice(*parts))
    picked = value.data.reshape(len(shapes), *shape)[(slice(None), *index)]
    if picked.ndim == 1:
        return Value(data=picked)
    size = int(np.prod(picked.shape[1:], dtype=np.int64))
    new_shapes = None if picked.ndim == 2 else np.tile(np.array(picked.shape[1:]), (len(shapes), 1))
    return Value(data=picked.reshape(-1), offsets=np.arange(len(shapes) + 1) * size, shapes=new_shapes)


def _element(value: Value, index: int) -> Value:
    assert value.offsets is not None
    lengths = np.diff(value.offsets)
    there = lengths > index if index >= 0 else lengths >= -index
    at = (value.offsets[:-1] if index >= 0 else value.offsets[1:]) + index
    valid = there if value.valid is None else there & value.valid
    if valid.all():
        return Value(data=value.data[at], constant=value.constant)
    data = np.zeros(len(at), value.data.dtype)
    data[valid] = value.data[at[valid]]
    return Value(data=data, valid=valid, constant=value.constant)


def _trailing_column(axes: tuple[_Axis, ...], value: Value, numbers: Sequence[Value]) -> Value | None:
    """Return ``x[:, k]`` of arrays that all have the same number of columns, or None."""
    shapes = value.shapes
    if shapes is None or shapes.shape[1] != 2 or len(axes) != 2 or axes[0] != _Axis() or axes[1].single is None:
        return None
    width = int(shapes[:, 1].max(initial=0))
    index = int(numbers[axes[1].single].data[0])
    if not width or not -width <= index < width or len(value.data) != int(shapes[:, 0].sum()) * width:
        return None
    offsets = offsets_of(shapes[:, 0])
    if not np.array_equal(offsets * width, value.offsets if value.offsets is not None else offsets):
        return None
    return Value(data=value.data.reshape(-1, width)[:, index], offsets=offsets, valid=value.valid)


def _general(axes: tuple[_Axis, ...], value: Value, numbers: Sequence[Value]) -> Value:
    count = max([value.num_rows if not value.constant else 1, *(n.num_rows for n in numbers if not n.constant)])
    still = value.constant and all(number.constant for number in numbers)
    value = expand_rows(value, count)
    assert value.offsets is not None
    shapes = value.all_shapes
    strides = np.ones_like(shapes)
    for axis in range(shapes.shape[1] - 2, -1, -1):
        strides[:, axis] = strides[:, axis + 1] * shapes[:, axis + 1]
    present = np.ones(count, bool) if value.valid is None else value.valid.copy()
    selected: list[tuple[Ints, Ints, Ints]] = []
    kept: list[Ints] = []
    for axis in range(shapes.shape[1]):
        given = axes[axis] if axis < len(axes) else _Axis()
        counts, first, step = _along(given, shapes[:, axis], numbers, present)
        selected.append((counts, first * strides[:, axis], step * strides[:, axis]))
        if given.single is None:
            kept.append(counts)
    counts = np.prod([chosen[0] for chosen in selected], axis=0, dtype=np.int64) * present
    selected[0] = (selected[0][0] * present, *selected[0][1:])
    data = value.data[positions(value.offsets[:-1], selected)]
    valid = None if present.all() else present
    if not kept:
        return scalar(Value(data=data, offsets=offsets_of(counts), valid=valid, constant=still))
    new_shapes = None if len(kept) == 1 else np.stack([chosen * present for chosen in kept], axis=1)
    return Value(data=data, offsets=offsets_of(counts), shapes=new_shapes, valid=valid, constant=still)


def _along(given: _Axis, sizes: Ints, numbers: Sequence[Value], present: NDArray[np.bool_]) -> tuple[Ints, Ints, Ints]:
    """Return how many, from where and how far apart along one axis; clears `present` where an index misses."""
    if given.single is not None:
        index = _numbers(numbers[given.single], len(sizes), 0, present)
        index = np.where(index < 0, index + sizes, index)
        present &= (index >= 0) & (index < sizes)
        return np.ones_like(sizes), np.where(present, index, 0), np.zeros_like(sizes)
    step = np.ones_like(sizes) if given.step is None else _numbers(numbers[given.step], len(sizes), 1, present)
    step = np.where(step == 0, 1, step)
    forward = step > 0
    low, high = np.where(forward, 0, -1), np.where(forward, sizes, sizes - 1)
    first = _bound(given.first, numbers, sizes, low, high, np.where(forward, low, high), present)
    stop = _bound(given.stop, numbers, sizes, low, high, np.where(forward, high, low), present)
    span = np.where(forward, stop - first + step - 1, stop - first + step + 1)  # rounds the division up, either way
    return np.maximum(span // step, 0), first, step


def _numbers(value: Value, count: int, default: int, present: NDArray[np.bool_]) -> Ints:
    value = expand_rows(value, count)
    data = value.data.astype(np.int64)
    if value.valid is None:
        return data
    present &= value.valid
    return np.where(value.valid, data, default)


def _bound(
    child: int | None, numbers: Sequence[Value], sizes: Ints, low: Ints, high: Ints, default: Ints,
    present: NDArray[np.bool_],
) -> Ints:  # fmt: skip
    if child is None:
        return default
    given = _numbers(numbers[child], len(sizes), 0, present)
    given = np.where(given < 0, given + sizes, given)
    return np.clip(given, low, high)


def _path(binder: Binder, node: ast.Index, operand: Bound) -> Bound:
    keys: list[str | int] = []
    for item in node.items:
        if isinstance(item, ast.Slice):
            raise binder.error("JSON can be indexed by a key or a number, not by a slice", item)
        bound = binder.bind(item)
        if bound.constant is None or bound.type.kind not in {"text", "int"} or bound.type.rank:
            raise binder.error("a JSON key must be text in single quotes or an integer", item)
        keys.append(bound.constant.data[0] if bound.type.kind == "text" else int(bound.constant.data[0]))
    return binder.make(node, JSON, partial(_followed, tuple(keys)), f"path {keys!r}", operand)


def _followed(keys: tuple[str | int, ...], value: Value) -> Value:
    value = parsed(value)
    data = np.empty(len(value.data), object)
    for number, item in enumerate(value.data):
        data[number] = _follow(item, keys)
    valid = np.array([item is not None for item in data], bool)
    if value.constant and not len(data):
        return constant(None)
    return Value(data=data, valid=None if valid.all() else valid, constant=value.constant)


def _follow(item: Any, keys: tuple[str | int, ...]) -> Any:
    for key in keys:
        if isinstance(item, dict) and isinstance(key, str):
            item = item.get(str(key))
        elif isinstance(item, list) and isinstance(key, str):  # such as attributes: one entry for each object
            item = [one[key] for one in item if isinstance(one, dict) and key in one] or None
        elif isinstance(item, list) and isinstance(key, int) and -len(item) <= key < len(item):
            item = item[key]
        else:
            return None
    return item


def first_element(value: Value) -> Value:
    """Return ``x[0]``."""
    return _element(value, 0)
