"""Convert stored samples of one tensor to another whose type differs."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from penstock.errors import SampleError
from penstock.tensors._cell import Cell
from penstock.tensors._encode import encode_sample, unpack_mask
from penstock.tensors._spec import TensorSpec
from penstock.tensors._types import same_type

__all__ = ["recast"]


def recast(cell: Cell, spec: TensorSpec, into: TensorSpec) -> Cell:
    """Return a cell of one tensor as one of another.

    Parameters
    ----------
    cell : Cell
        The sample.
    spec : TensorSpec
        The tensor it was made for.
    into : TensorSpec
        The tensor it is to be stored in.

    Returns
    -------
    Cell
        The same sample; `cell` itself where the types are equal.

    Raises
    ------
    SampleError
        If the other tensor cannot represent it exactly.
    """
    if cell.value is None or same_type(spec, into):
        return cell
    if (spec.htype, spec.link) != (into.htype, into.link) or spec.htype == "image":
        raise SampleError(f"a sample of {spec.name!r} has htype {spec.shown_htype}. Expected {into.shown_htype}")
    return encode_sample(into, _sample(spec, cell))


def _sample(spec: TensorSpec, cell: Cell) -> Any:
    if spec.htype in {"binary_mask", "segment_mask"}:
        return unpack_mask(spec, cast("bytes", cell.value), cell.shape or ())
    flat = np.asarray(cell.value)
    return flat if cell.shape is None else flat.reshape(cell.shape)
