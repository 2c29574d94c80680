"""Raw samples of a table as the arrays a user reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SampleError
from penstock.tensors import MAX_IMAGE_BYTES, TensorSpec, decode_image

__all__ = ["as_array", "stacked"]

_TEXT = np.dtypes.StringDType()


def as_array(  # raw samples differ by kind
    spec: TensorSpec,
    raw: Any,
    max_bytes: int | None = MAX_IMAGE_BYTES,
) -> NDArray[Any]:
    """Return one sample as an array: images decoded, text and JSON as 0-d arrays, NULL as an empty one."""
    if spec.htype == "image":
        return np.empty((0, 0, 3), np.uint8) if raw is None else decode_image(raw, max_bytes=max_bytes)
    if spec.htype == "text":
        return np.array("" if raw is None else raw, _TEXT)
    if spec.htype == "json":
        holder = np.empty((), object)
        holder[()] = raw
        return holder
    return np.empty((0,) * max(spec.ndim or 1, 1), spec.dtype) if raw is None else np.asarray(raw)


def stacked(spec: TensorSpec, arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Stack samples of one shape, or say how to get them apart."""
    if not arrays:
        return np.empty((0,), object if spec.htype == "json" else _TEXT if spec.htype == "text" else spec.dtype)
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1:
        examples = ", ".join(map(str, sorted(shapes)[:3]))
        raise SampleError(
            f"{spec.name!r} has samples of {len(shapes)} shapes ({examples}{', …' if len(shapes) > 3 else ''}). "
            "Expected a single shape to return one array",
            hint="use .numpy(aslist=True) to get a list",
        )
    return np.stack(arrays)
