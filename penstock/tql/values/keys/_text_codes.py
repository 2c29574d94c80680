"""Texts and arrays as numbers: equal ones have the same, found by Arrow's dictionaries."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.pool._sorting import Digits, digits_of_numbers

__all__ = ["array_codes", "digits_of_text"]

_FEW = 4096


def digits_of_text(texts: NDArray[Any], *, descending: bool = False, ordered: bool = True) -> Digits:
    """Return texts as digits, in the order of their code points if it counts.

    Parameters
    ----------
    texts : ndarray of StringDType, shape (num_rows,)
        The texts.
    descending : bool
        Whether the last text has the smallest number.
    ordered : bool
        Whether the numbers have to be in the order of the texts, or only be equal where the texts are.
    """
    if len(texts) <= _FEW:
        return digits_of_numbers(np.unique(texts, return_inverse=True)[1], descending=descending)
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        array = pa.array(texts, pa.large_string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid, pa.ArrowTypeError):  # before Arrow knew StringDType
        array = pa.array(texts.tolist(), pa.large_string())
    encoded = array.dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    if not ordered:
        return digits_of_numbers(codes)
    order = pc.array_sort_indices(encoded.dictionary).to_numpy()  # of bytes in UTF-8, which is that of code points
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return digits_of_numbers(ranks[codes], descending=descending)


def array_codes(data: NDArray[Any], offsets: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return a number for each row's elements, equal where their bytes are.

    Parameters
    ----------
    data : ndarray, shape (num_elements,)
        Elements without Python objects, row after row.
    offsets : ndarray of int64, shape (num_rows + 1,)
        Where each row begins.
    """
    import pyarrow as pa

    flat = np.ascontiguousarray(data)
    ends = np.ascontiguousarray(offsets * flat.dtype.itemsize)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(flat.view(np.uint8))]
    rows = pa.Array.from_buffers(pa.large_binary(), len(offsets) - 1, buffers)
    codes: NDArray[np.int32] = rows.dictionary_encode().indices.to_numpy()
    return codes
