"""Arrays of a dataset in a folder of .npy files: written whole or not at all, read without being loaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import dtype_to_descr, write_array_header_1_0
from numpy.typing import DTypeLike, NDArray

from penstock.errors import ImporterError

__all__ = ["ArrayFolder", "ArrayWriter", "make_folder"]


class ArrayFolder:
    """The arrays in a folder, by name.

    Parameters
    ----------
    path : Path

    Notes
    -----
    Arrays are mapped copy-on-write: what is assigned to them stays in memory and never reaches the files.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __getitem__(self, name: str) -> NDArray[Any]:
        file = self._path / f"{name}.npy"
        try:
            return np.asarray(np.load(file, mmap_mode="c"))
        except (OSError, ValueError, EOFError):  # there is nothing in it to map, or it is damaged
            return self._loaded(file)

    def _loaded(self, file: Path) -> NDArray[Any]:
        try:
            return np.asarray(np.load(file))
        except (OSError, ValueError, EOFError) as error:
            raise ImporterError(
                f"{str(file)!r} is damaged ({' '.join(str(error).split())[:100]}). Expected an array",
                hint=f"remove the folder {str(self._path)!r} to parse the files again",
            ) from error

    def texts(self, name: str) -> list[str]:
        """Return an array of text as a list."""
        return [str(text) for text in self[name]]


class ArrayWriter:
    """Writes arrays into a folder.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, name: str, array: NDArray[Any]) -> None:
        """Write one array; its file is on disk when this returns."""
        self.fill(name, array.shape, [array], dtype=array.dtype)

    def fill(
        self, name: str, shape: tuple[int, ...], pieces: Iterable[NDArray[Any]], *, dtype: DTypeLike = np.uint8
    ) -> None:
        """Write one array, piece by piece along its first axis, so that it is never in memory whole.

        Raises
        ------
        OSError
            If the disk does not take all of it (`numpy.save` returns as if it had).
        ValueError
            If the pieces are not as long as `shape` says.
        """
        header = {"descr": dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
        length = 0
        with (self._path / f"{name}.npy").open("wb") as out:
            write_array_header_1_0(out, header)
            for piece in pieces:
                length += len(piece)
                out.write(np.ascontiguousarray(piece).tobytes())
            out.flush()
            os.fsync(out.fileno())
        if length != shape[0]:
            raise ValueError(f"{name} has {length} samples. Expected {shape[0]}")


def make_folder(path: Path, fill: Callable[[ArrayWriter], None]) -> None:
    """Create a folder of arrays at `path`: under another name first, renamed when it is complete.

    Parameters
    ----------
    path : Path
    fill : callable
        Writes the arrays.
    """
    staging = path.with_name(f"{path.name}.unfinished")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        fill(ArrayWriter(staging))
        _sync_folder(staging)
        staging.replace(path)
        _sync_folder(path.parent)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _sync_folder(path: Path) -> None:
    if os.name == "posix":  # elsewhere a folder cannot be opened
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
