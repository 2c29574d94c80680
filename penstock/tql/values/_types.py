"""The type of a tensor as expressions see it."""

from __future__ import annotations

import numpy as np

from penstock.table import Table
from penstock.tensors import TensorSpec
from penstock.tql.values._kinds import Type
from penstock.tql.values._memo import memo_of
from penstock.tql.values._values import Value

__all__ = ["PIXEL_HTYPES", "tensor_type"]

PIXEL_HTYPES = frozenset(("image", "binary_mask", "segment_mask"))


def tensor_type(table: Table, spec: TensorSpec) -> Type:
    """Return the type of a tensor; a generic one is looked at once."""
    if spec.htype == "class_label":
        return Type(kind="int", rank=1, class_names=tuple(spec.class_names), single=_one_label(table, spec))
    if spec.htype in {"text", "json"}:
        return Type(kind=spec.htype)
    if spec.htype in PIXEL_HTYPES:
        return Type(kind="int", rank=3 if spec.htype == "image" else _rank_of_mask(table, spec))
    if spec.htype == "bbox":
        return Type(kind="float", rank=2)
    if spec.htype == "embedding":
        return Type(kind="float", rank=1)
    return _generic_type(table, spec.name)


def _one_label(table: Table, spec: TensorSpec) -> bool:
    if spec.length_min is not None:
        return spec.single_valued
    return _always_one(table, spec.name)


def _rank_of_mask(table: Table, spec: TensorSpec) -> int:
    shapes = table.shapes(spec.name)
    return shapes.shape[1] if shapes.ndim > 1 else 2


def _always_one(table: Table, name: str) -> bool:
    key = f"one a row {name}@{table.revision(name)}"

    def look() -> Value:
        column = table.column(name)
        lengths = column.lengths
        one = len(column.values) == len(column) and bool((lengths == 1).all())
        if not one and column.valid is not None and len(lengths):
            one = bool(((lengths == 1) | (~column.valid & (lengths == 0))).all())
        return Value(data=np.array([one]))

    return bool(memo_of(table).keep(key, look).data[0])


def _generic_type(table: Table, name: str) -> Type:
    column = table.column(name)
    letter = column.values.dtype.kind
    kind = {"b": "bool", "f": "float", "T": "text", "U": "text", "M": "time"}.get(letter, "int")
    rank = column.ndim
    return Type(kind=kind, rank=rank, single=rank > 0 and _always_one(table, name))
