"""Samples of some indices out of whatever is indexable: arrays, files, frames, datasets."""

from __future__ import annotations

import operator
import sys
from array import array
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.batchup.reading._batches import SampleIndices
from penstock.batchup.reading._decoding import Decoding
from penstock.errors import DataSourceError, DataSourceTypeError

if TYPE_CHECKING:
    from penstock.dataset import Dataset, Tensor, View

__all__ = ["Reader", "dataset_rows", "is_array_like", "is_plain", "is_sample_dataset", "num_samples_of", "reader_of"]

Reader = Callable[[Any], Any]

_SINGLE = (list, tuple, str, bytes, bytearray, memoryview, range, deque, array)


def is_array_like(data: Any) -> bool:
    """Return whether samples can be counted and read by index."""
    return hasattr(data, "__getitem__") and (hasattr(data, "__len__") or hasattr(data, "shape"))


def num_samples_of(data: Any) -> int:
    """Return the number of samples: the length, or the first side of a shape."""
    try:
        return len(data)
    except Exception as error:  # a sparse matrix has a shape and no length; a file may be closed
        shape = getattr(data, "shape", ()) if isinstance(error, TypeError) else ()
        if not shape:
            reason = " ".join(str(error).split())[:100]
            raise DataSourceTypeError(
                f"data is a {type(data).__name__}, which has no length ({reason}). Expected samples"
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
    _refuse_what_takes_no_indices(data)
    if type(data).__module__.partition(".")[0] == "h5py":
        return partial(_increasing, data)
    if hasattr(data, "iloc"):  # of pandas, whose brackets take labels
        return partial(operator.getitem, data.iloc)
    if hasattr(data, "oindex"):  # of zarr, whose brackets take other kinds of index too
        return partial(operator.getitem, data.oindex)
    return partial(operator.getitem, data)


def _refuse_what_takes_no_indices(data: Any) -> None:
    hint = None
    if isinstance(data, Mapping):
        hint = "the values of a mapping, as a list of arrays"
    elif isinstance(data, _SINGLE) or type(data).__module__.partition(".")[0] == "pyarrow":
        hint = "use np.asarray(data), or SampleDataSource(data) to read sample by sample"
    elif getattr(data, "layout", None) is not None and str(data.layout) != "torch.strided":
        hint = "data.to_dense()"
    elif type(data).__module__.startswith("scipy.sparse") and data.format not in {"csr", "csc", "lil", "dok"}:
        hint = "data.tocsr()"
    elif is_sample_dataset(data) and type(data).__name__ != "TensorDataset":
        hint = "SampleDataSource(data), which reads sample by sample"
    if hint:
        raise DataSourceTypeError(
            f"data is a {type(data).__name__}. Expected an array that can be indexed by an array of integers", hint=hint
        )


def is_sample_dataset(data: Any) -> bool:
    """Return whether this is a map-style torch dataset."""
    torch = sys.modules.get("torch.utils.data")
    return torch is not None and isinstance(data, torch.Dataset) and hasattr(type(data), "__len__")


def dataset_rows(data: Any) -> tuple[Any, NDArray[np.int64]] | None:
    """Return the table of a dataset or view and the row of each sample; None for anything else."""
    if not any(base.__module__.startswith("penstock.dataset.") for base in type(data).__mro__):
        return None
    from penstock.dataset import Dataset, View
    from penstock.dataset.samples import content_of

    if isinstance(data, Dataset):
        return content_of(data).state()
    return content_of(data).state() if isinstance(data, View) else None


def _reader_of_ours(data: Dataset | View | Tensor) -> Reader:
    from penstock.dataset import Tensor

    if isinstance(data, Tensor):
        return partial(_of_tensor, data, _stacks(data), _decoding_of([data]))
    tensors = data.tensors
    stacks = {name: _stacks(tensor) for name, tensor in tensors.items()}
    return partial(_of_dataset, data, stacks, _decoding_of(list(tensors.values())))


def _decoding_of(tensors: list[Tensor]) -> Decoding | None:
    """Return threads for images of a view, whose samples do not change meanwhile; None for anything else."""
    from penstock.dataset.samples import content_of
    from penstock.dataset.views import FixedContent

    of_view = [isinstance(content_of(tensor), FixedContent) for tensor in tensors]
    return Decoding() if all(of_view) and any(map(_is_image, tensors)) else None


def _is_image(tensor: Tensor) -> bool:
    return tensor.htype in {"image", "link[image]"}


def _increasing(data: Any, indices: Any) -> Any:
    """Read distinct rows in increasing order, the only one that HDF5 takes."""
    try:
        if not isinstance(indices, np.ndarray):
            return data[indices]
        plain = np.flatnonzero(indices) if indices.dtype == np.bool_ else np.asarray(indices)
        if not plain.size:
            return data[:0]
        distinct, places = np.unique(np.where(plain < 0, plain + len(data), plain), return_inverse=True)
        return data[distinct][places]
    except (RuntimeError, OSError, ValueError, IndexError, TypeError) as error:
        reason = " ".join(str(error).split())[:100]
        raise DataSourceError(f"an h5py dataset cannot be read ({reason}). Expected one from an open file") from error


def _stacks(tensor: Tensor) -> bool:
    """Return whether all samples of a tensor have one shape, so that every batch is one array."""
    return None not in tensor.shape[1:]


def _of_tensor(tensor: Tensor, stacks: bool, decoding: Decoding | None, indices: Any) -> Any:
    plain = indices.view(np.ndarray) if isinstance(indices, SampleIndices) else indices
    aslist = not stacks and not isinstance(plain, int | np.integer)
    if decoding is not None and _is_image(tensor):
        return decoding.read(tensor, plain, aslist=aslist)
    return tensor[plain].numpy(aslist=aslist)


def _of_dataset(
    data: Dataset | View, stacks: Mapping[str, bool], decoding: Decoding | None, indices: Any
) -> dict[str, Any]:
    return {name: _of_tensor(data[name], stacked, decoding, indices) for name, stacked in stacks.items()}
