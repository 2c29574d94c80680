"""The type of a tensor, fixed by its first sample that has one: element type, dimensions, length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SampleError
from penstock.tensors._spec import TensorSpec

__all__ = ["as_numbers", "as_regular", "is_open", "same_type", "with_type", "with_type_of"]

_SMALL = 2.0**105  # squares of numbers that sum up to less: each is below 2**53, where every integer is a float
_WIDEST = 8  # bytes an element of a stored type has at most


def as_numbers(spec: TensorSpec, value: Any) -> NDArray[Any]:
    """Return a sample of numbers as an array of its natural type.

    Raises
    ------
    SampleError
        If it is no regular array, or of numbers that cannot be stored as they are.
    """
    array = as_regular(spec, value)
    kind = array.dtype.kind
    if array.dtype.itemsize > _WIDEST and kind in "biuf":
        raise SampleError(
            f"{array.dtype.name} is too wide for {spec.name!r} ({spec.shown_htype}). "
            "Expected at most 64 bits per number"
        )
    if kind == "f":
        if isinstance(value, (list, tuple)) and not np.vdot(array, array) < _SMALL:
            _check_exact(spec, array, value)
    elif kind in "iu" and spec.dtype.startswith("float") and spec.is_typed:
        _check_whole(spec, array)
    return array


def as_regular(spec: TensorSpec, value: Any, dtype: str | None = None) -> NDArray[Any]:
    """Return a sample as an array; raise if its lists differ in length."""
    try:
        return np.asarray(value) if dtype is None else np.array(value, dtype)
    except Exception as error:
        ragged = "inhomogeneous" in str(error)
        what = (
            "lists of unequal lengths are"
            if ragged
            else f"a {type(value).__name__} that numpy cannot read ({error}) is"
        )
        raise SampleError(
            f"{what} not a valid value of {spec.name!r} ({spec.shown_htype}). Expected numbers in one regular array",
            hint="make them of equal length, or create the tensor with htype='json'" if ragged else None,
        ) from error


def _check_exact(spec: TensorSpec, array: NDArray[Any], value: Any) -> None:
    """Raise if numpy rounded integers because other values are floats or negative."""
    given = np.asarray(value, object)
    for kept, entry in zip(array.reshape(-1).tolist(), given.reshape(-1).tolist(), strict=True):
        if isinstance(entry, (int, np.integer)) and kept != entry:
            raise SampleError(
                f"{entry} and the other numbers of {spec.name!r} do not fit one type. Expected values of one type"
            )


def _check_whole(spec: TensorSpec, array: NDArray[Any]) -> None:
    """Refuse integers that the tensor's floats would round."""
    dtype = np.dtype(spec.dtype)
    limit = 2 ** (np.finfo(dtype).nmant + 1)
    for entry in array[(array > limit) | (array < -limit)].tolist():
        with np.errstate(over="ignore"):
            kept = float(dtype.type(entry))
        if not np.isfinite(kept) or int(kept) != entry:
            raise SampleError(
                f"{entry} is not valid for {spec.name!r}. Expected values that {dtype.name} can represent exactly",
                hint="create the tensor with dtype='int64'",
            )


def with_type(spec: TensorSpec, values: Sequence[Any]) -> TensorSpec:
    """Return a spec whose type is fixed by the first of some samples.

    Parameters
    ----------
    spec : TensorSpec
        The tensor. A type that it has already stays.
    values : sequence
        Samples that are added together; None says nothing. Their first one fixes the
        number of dimensions, or the length of an embedding; the element type is the one
        that holds all of them.

    Returns
    -------
    TensorSpec
        `spec` itself where nothing is left open, or no sample has a type.

    Examples
    --------
    >>> with_type(TensorSpec(name="ages", inferred=True), [None, 3, 4]).dtype
    'int64'
    """
    if not is_open(spec):
        return spec
    try:
        arrays = _arrays(spec, values)
    except SampleError:
        return spec  # encoding the same sample says what is wrong with it
    if not arrays:
        return spec
    if spec.htype == "embedding":
        return replace(spec, length_min=len(arrays[0]), length_max=len(arrays[0])) if arrays[0].ndim == 1 else spec
    dtype = _common(arrays) if spec.inferred else spec.dtype
    return replace(spec, dtype=dtype, ndim=arrays[0].ndim)


def is_open(spec: TensorSpec) -> bool:
    """Return whether the first sample of a tensor will fix its type."""
    if spec.htype == "embedding":
        return spec.length_max is None
    return spec.ndim is None and spec.htype in {"generic", "binary_mask", "segment_mask"}


def _arrays(spec: TensorSpec, values: Sequence[Any]) -> list[NDArray[Any]]:
    present = (value for value in values if value is not None)
    arrays = []
    for value in present:
        arrays.append(as_numbers(spec, value))
        if arrays[-1].dtype.kind not in "biuf":
            return []
        if not spec.inferred:
            break
    return arrays


def _common(arrays: Sequence[NDArray[Any]]) -> str:
    """Return the type that fits all arrays; integers stay integers."""
    dtypes = {array.dtype for array in arrays if array.size} or {arrays[0].dtype}
    common = np.result_type(*dtypes)
    if common.kind == "f" and all(dtype.kind in "biu" for dtype in dtypes):
        most = max(int(array.max()) for array in arrays if array.size)
        return "uint64" if most > np.iinfo(np.int64).max else "int64"
    return common.name


def with_type_of(spec: TensorSpec, other: TensorSpec) -> TensorSpec:
    """Return `spec` with what its type leaves open taken from `other`."""
    return replace(
        spec,
        dtype=spec.dtype if spec.is_typed else other.dtype,
        inferred=spec.inferred and other.inferred,
        ndim=other.ndim if spec.ndim is None else spec.ndim,
        length_min=other.length_min if spec.htype == "embedding" and spec.length_min is None else spec.length_min,
        length_max=other.length_max if spec.htype == "embedding" and spec.length_max is None else spec.length_max,
    )


def same_type(one: TensorSpec, two: TensorSpec) -> bool:
    """Return whether a sample stored for one tensor fits the other unchanged."""
    return _type(one) == _type(two)


def _type(spec: TensorSpec) -> tuple[Any, ...]:
    return spec.htype, spec.link, spec.dtype, spec.ndim, spec.length_max if spec.htype == "embedding" else None
