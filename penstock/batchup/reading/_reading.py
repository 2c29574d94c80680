"""Samples of some indices out of whatever is indexable: arrays, files, frames, datasets."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.batchup.reading._batches import SampleIndices
from penstock.errors import DataSourceTypeError

if TYPE_CHECKING:
    from penstock.dataset import Dataset, Tensor, View

__all__ = ["Reader", "dataset_rows", "is_array_like", "is_plain", "num_samples_of", "reader_of"]

Reader = Callable[[Any], Any]


def is_array_like(data: Any) -> bool:
    """Return whether samples can be counted and read by index."""
    return hasattr(data, "__getitem__") and (hasattr(data, "__len__") or hasattr(data, "shape"))


def num_samples_of(data: Any) -> int:
    """Return the number of samples: the length, or the first side of a shape."""
    try:
        return len(data)
    except TypeError as error:  # a sparse matrix has a shape and no length
        shape = getattr(data, "shape", ())
        if not shape:
            raise DataSourceTypeError(
                f"data is a {type(data).__name__}, which has no length. Expected samples"
            ) from error
        return int(shape[0])


def is_plain(data: Any) -> bool:
    """Return whether this is an array in memory with contiguous rows, for which ``take`` is fastest."""
    return type(data) is np.ndarray and data.ndim > 0 and data.flags.c_contiguous and data.flags.aligned


def reader_of(data: Any) -> Reader:
    """Return a function that reads the samples of an index, a slice or an array of indices.

    Raises
    ------
    DataSourceTypeError
        If `data` takes no array of indices.
    """
    if any(base.__module__.startswith("penstock.dataset.") for base in type(data).__mro__):
        return _reader_of_ours(data)
    if type(data).__module__.partition(".")[0] == "h5py":
        return partial(_increasing, data)
    if hasattr(data, "iloc"):  # of pandas, whose brackets take labels
        return partial(operator.getitem, data.iloc)
    if hasattr(data, "oindex"):  # of zarr, whose brackets take other kinds of index too
        return partial(operator.getitem, data.oindex)
    if isinstance(data, list | tuple | str | bytes | range):
        raise DataSourceTypeError(
            f"data is a {type(data).__name__}. Expected an array that can be indexed by an array of integers",
            hint="use np.asarray(data), or SampleDataSource(data) to read sample by sample",
        )
    return partial(operator.getitem, data)


def dataset_rows(data: Any) -> tuple[Any, NDArray[np.int64]] | None:
    """Return the table of a dataset or view and the row of each sample; None for anything else."""
    if not any(base.__module__.startswith("penstock.dataset.") for base in type(data).__mro__):
        return None
    from penstock.dataset import Dataset, View

    return data.state() if isinstance(data, Dataset | View) else None


def _reader_of_ours(data: Dataset | View | Tensor) -> Reader:
    from penstock.dataset import Tensor

    if isinstance(data, Tensor):
        return partial(_of_tensor, data, _stacks(data))
    return partial(_of_dataset, data, {name: _stacks(tensor) for name, tensor in data.tensors.items()})


def _increasing(data: Any, indices: Any) -> Any:
    """Read distinct rows in increasing order, the only one that HDF5 takes."""
    if not isinstance(indices, np.ndarray):
        return data[indices]
    plain = np.flatnonzero(indices) if indices.dtype == np.bool_ else np.asarray(indices)
    if not plain.size:
        return data[:0]
    distinct, places = np.unique(np.where(plain < 0, plain + len(data), plain), return_inverse=True)
    return data[distinct][places]


def _stacks(tensor: Tensor) -> bool:
    """Return whether all samples of a tensor have one shape, so that every batch is one array."""
    return None not in tensor.shape[1:]


def _of_tensor(tensor: Tensor, stacks: bool, indices: Any) -> Any:
    plain = indices.view(np.ndarray) if isinstance(indices, SampleIndices) else indices
    return tensor[plain].numpy(aslist=not stacks and not isinstance(plain, int | np.integer))


def _of_dataset(data: Dataset | View, stacks: Mapping[str, bool], indices: Any) -> dict[str, Any]:
    return {name: _of_tensor(data[name], stacked, indices) for name, stacked in stacks.items()}
