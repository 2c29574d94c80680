"""Samples of some indices out of whatever is indexable: arrays, files, frames, datasets."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.batchup._batches import SampleIndices
from penstock.dataset import View
from penstock.dataset._tensor import Tensor
from penstock.dataset._view import Samples
from penstock.errors import DataSourceTypeError

__all__ = ["gathered_from", "is_array_like", "num_samples_of", "reader_of"]

Reader = Callable[[Any], Any]


def is_array_like(data: Any) -> bool:  # noqa: ANN401  whatever a user hands in
    """Tell whether samples can be counted and read by index."""
    return hasattr(data, "__getitem__") and (hasattr(data, "__len__") or hasattr(data, "shape"))


def num_samples_of(data: Any) -> int:  # noqa: ANN401  array-likes have no common type
    """Return the number of samples: the length, or the first side of a shape."""
    try:
        return len(data)
    except TypeError as error:  # a sparse matrix has a shape and no length
        shape = getattr(data, "shape", ())
        if not shape:
            raise DataSourceTypeError(f"data of type {type(data).__name__} has no length") from error
        return int(shape[0])


def gathered_from(array: Any) -> Callable[[NDArray[np.int64]], NDArray[Any]] | None:  # noqa: ANN401  array-likes have no common type
    """Return how rows that are known to exist are read fastest; None where it is not a plain array in memory."""
    if type(array) is not np.ndarray or not array.ndim or not array.flags.c_contiguous or not array.flags.aligned:
        return None
    take = array.take
    return lambda rows: take(rows, 0, None, "clip")  # the only mode that neither checks nor buffers


def reader_of(data: Any) -> Reader:  # noqa: ANN401  array-likes have no common type
    """Return a function that reads the samples of an index, a slice or an array of indices.

    Raises
    ------
    DataSourceTypeError
        If `data` takes no array of indices.
    """
    module = type(data).__module__.partition(".")[0]
    if isinstance(data, Samples | Tensor):
        return partial(_from_dataset, data)
    if module == "h5py":
        return partial(_increasing, data)
    if hasattr(data, "iloc"):  # of pandas, whose brackets take labels
        return partial(operator.getitem, data.iloc)
    if hasattr(data, "oindex"):  # of zarr, whose brackets take other kinds of index too
        return partial(operator.getitem, data.oindex)
    if isinstance(data, list | tuple | str | bytes | range):
        raise DataSourceTypeError(
            f"data is a {type(data).__name__}; expected an array, which takes an array of indices",
            hint="np.asarray(data), or SampleDataSource(data), which reads sample by sample",
        )
    return partial(operator.getitem, data)


def _increasing(data: Any, indices: Any) -> Any:  # noqa: ANN401  a dataset of h5py
    """Read distinct rows in increasing order, the only one that HDF5 knows."""
    if not isinstance(indices, np.ndarray):
        return data[indices]
    if indices.dtype == np.bool_:
        indices = np.flatnonzero(indices)
    rows = np.where(indices < 0, indices + len(data), indices)
    distinct, places = np.unique(rows, return_inverse=True)
    return data[distinct][places.reshape(-1)] if distinct.size else data[:0]


def _from_dataset(data: Samples | Tensor, indices: Any) -> Any:  # noqa: ANN401  an index, a slice or an array of them
    plain = np.asarray(indices) if isinstance(indices, SampleIndices) else indices
    chosen = data[plain]
    if isinstance(chosen, Tensor):
        return _samples_of(chosen)
    return {name: _samples_of(chosen[name]) for name in (data.tensor_names() if isinstance(data, Samples) else ())}


def _samples_of(tensor: Tensor) -> Any:  # noqa: ANN401  an array, or a list where shapes differ
    return tensor.numpy(aslist=not tensor._single and None in tensor.shape[1:])  # noqa: SLF001
