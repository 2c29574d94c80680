"""Containers with one value per sample: arrays, lists, columns of pandas and of other packages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ImporterError
from penstock.importers.columns._cells import class_name, is_missing

__all__ = ["Values", "as_arrays", "as_values", "categories_of"]

Values = NDArray[Any] | Sequence[Any]

_DOUBLE_BYTES = 8


def as_arrays(arrays: Any) -> dict[str, Any]:
    """Return the arrays by name; a DataFrame's columns are arrays too.

    Raises
    ------
    ImporterError
        If they have no names, or names that are not text.
    """
    if not isinstance(arrays, Mapping) and hasattr(arrays, "columns") and hasattr(arrays, "items"):
        arrays = dict(arrays.items())
    if not isinstance(arrays, Mapping):
        raise ImporterError(
            f"arrays is a {type(arrays).__name__}. Expected a mapping of names to arrays",
            hint="for example from_arrays({'images': images, 'labels': labels}, dest)",
        )
    wrong = next((name for name in arrays if not isinstance(name, str) or not name), None)
    if wrong is not None or None in arrays:
        raise ImporterError(f"{wrong!r} is not a valid name of an array. Expected the name of a tensor, as text")
    return dict(arrays)


def as_values(name: str, given: Any) -> Values:
    """Return an array or list with one value per sample.

    Raises
    ------
    ImporterError
        If it is something else, such as a generator, a number or text.
    """
    kind = type(given).__name__
    if isinstance(given, str | bytes | Mapping | set | frozenset) or given is None:
        raise ImporterError(f"{name!r} is a {kind}. Expected an array or a list with one value per sample")
    if isinstance(given, Iterator):
        raise ImporterError(f"{name!r} is a {kind}. Expected an array or a list", hint=f"list({name})")
    if isinstance(given, list | tuple):
        return given
    try:
        return _converted(given)
    except Exception as error:
        reason = " ".join(str(error).split())[:120]
        raise ImporterError(
            f"{name!r} is a {kind} that cannot be read as an array ({reason}). Expected an array or a list",
            hint="tensor.detach().cpu().numpy()" if "grad" in reason or "cuda" in reason.lower() else None,
        ) from error


def _converted(given: Any) -> Values:
    if isinstance(given, np.ma.MaskedArray):
        return _of_masked(given)
    if type(given).__module__.startswith("pandas") and not isinstance(getattr(given, "dtype", None), np.dtype | None):
        return _of_pandas(given)
    if hasattr(given, "toarray"):  # a sparse matrix
        return _native(np.asarray(given.toarray()))
    if hasattr(given, "__array__"):
        return _native(np.asarray(given))
    return list(given) if hasattr(given, "__len__") else _refuse("it has no length")


def _refuse(reason: str) -> Values:
    raise TypeError(reason)


def _of_masked(given: Any) -> Values:
    if given.ndim == 1:
        masked = np.ma.getmaskarray(given).tolist()
        return [None if gone else value for value, gone in zip(given.data.tolist(), masked, strict=True)]
    return _refuse("it has masked values") if np.ma.is_masked(given) else _native(given.data)


def _of_pandas(given: Any) -> Values:
    names = categories_of(given)
    cells = list(given.astype(object))
    return cells if names is None else [None if is_missing(cell) else class_name(cell) for cell in cells]


def categories_of(given: Any) -> list[str] | None:
    """Return the categories of a categorical column; None for anything else."""
    categories = getattr(getattr(given, "dtype", None), "categories", None)
    if categories is None or not type(given).__module__.startswith("pandas"):
        return None
    return list(dict.fromkeys(class_name(category) for category in categories))


def _native(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array of this machine's byte order, of a type that can be stored."""
    if array.ndim == 0 or array.dtype.names is not None:
        raise ValueError(f"its shape is {array.shape}" if array.ndim == 0 else "it has fields")
    if array.dtype.kind == "f" and array.dtype.itemsize > _DOUBLE_BYTES:
        return array.astype(np.float64)
    return array.astype(array.dtype.newbyteorder("=")) if not array.dtype.isnative else array
