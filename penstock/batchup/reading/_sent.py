"""The part of an array source that worker processes get: it reads rows but does not draw them.

Few imports, for every worker process loads this module.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["SentArrays", "extract", "sent_reader"]

Reader = Callable[[Any], Any]


def extract(source: Any, indices: Any) -> Any:
    """Return the batch of some indices; this is what a worker does."""
    return source.samples_by_indices_nomapping(indices)


class SentArrays:
    """The readers of an `ArrayDataSource`.

    Parameters
    ----------
    readers : tuple of callable
        One for each array.
    include_indices : bool
        Whether each batch begins with the indices of its samples.
    """

    is_random_access = True

    def __init__(self, readers: tuple[Reader, ...], include_indices: bool) -> None:
        self._readers = readers
        self._include_indices = include_indices

    def samples_by_indices_nomapping(self, indices: Any) -> tuple[Any, ...]:
        """Return a batch of the samples of some indices."""
        batch = tuple(read(indices) for read in self._readers)
        return (indices, *batch) if self._include_indices else batch


def sent_reader(reader: Reader) -> Reader:
    """Return a reader as a worker is to have it: one of a file opens the file there."""
    if not isinstance(reader, partial) or not reader.args:
        return reader
    data: Any = reader.args[0]
    base: Any = getattr(data, "base", None)
    if type(data) is np.memmap and isinstance(base, mmap.mmap) and data.mode != "c" and _is_file(data.filename):
        order = "C" if data.flags.c_contiguous else "F"
        return _Reopened(reader.func, np.memmap, (data.filename, data.dtype, "c", data.offset, data.shape, order))
    if type(data).__module__.partition(".")[0] == "h5py":
        return _Reopened(reader.func, _open_h5, (data.file.filename, data.name))
    return reader


def _is_file(path: Any) -> bool:
    return path is not None and Path(path).is_file()


def _open_h5(path: str, name: str) -> Any:
    import h5py

    return h5py.File(path, "r")[name]


class _Reopened:
    """Reads from a file that is opened when the first rows are requested."""

    def __init__(self, read: Callable[..., Any], open_file: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self._read = read
        self._open = open_file
        self._arguments = arguments
        self._data: Any = None

    def __call__(self, indices: Any) -> Any:
        if self._data is None:
            self._data = self._open(*self._arguments)
        return self._read(self._data, indices)
