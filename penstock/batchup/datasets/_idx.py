"""The IDX format of MNIST: a magic number, sizes, bytes."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.batchup.datasets._standard_set import readable
from penstock.errors import ImporterError

__all__ = ["read_idx"]

_UNSIGNED_BYTES = 8


def read_idx(path: Path, ndim: int) -> NDArray[np.uint8]:
    """Return the array of a gzipped IDX file of unsigned bytes.

    Parameters
    ----------
    path : Path
    ndim : int
        How many axes it is expected to have.

    Raises
    ------
    ImporterError
        If the file is something else.
    """
    expected = f"a gzipped IDX file of unsigned bytes with {ndim} axes"
    with readable(path, expected):
        content = gzip.decompress(path.read_bytes())
        magic, shape = content[:4], struct.unpack_from(f">{ndim}I", content, 4)
        found: NDArray[Any] = np.frombuffer(content, np.uint8, offset=4 + 4 * ndim)
        if magic != bytes((0, 0, _UNSIGNED_BYTES, ndim)):
            raise ImporterError(f"{str(path)!r} begins with {magic.hex()}. Expected {expected}")
        return found.reshape(shape)
