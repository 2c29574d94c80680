"""The base of the standard datasets: fetched, parsed once, split."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from penstock.batchup.config import get_data_path
from penstock.batchup.datasets.files._array_folder import ArrayFolder, ArrayWriter, make_folder
from penstock.batchup.datasets.files._files import ensure_files, locked
from penstock.batchup.datasets.files._float_images import ImageArrayUInt8ToFloat32, checked_range
from penstock.batchup.datasets.files._sources import SourceFile
from penstock.errors import ImporterError

__all__ = ["Part", "StandardSet", "TrainValTest", "check_before_download", "checked_count", "readable", "split_end"]

_MOST_SAMPLES = 1 << 48
_EDITION = 1  # of what parsing makes; a change of it parses again


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some samples of a standard dataset, as a dataset of penstock has them.

    Parameters
    ----------
    name : str
        Such as ``train``.
    images : ndarray of uint8, shape (num_samples, channels, height, width)
    labels : mapping of str to ndarray of int, shape (num_samples,)
        -1 if there is no label.
    """

    name: str
    images: NDArray[np.uint8]
    labels: Mapping[str, NDArray[Any]]


class StandardSet:
    """A dataset that is published as files with checksums.

    A subclass with other `files` reads copies of them from elsewhere, such as a server without access to the internet.
    Another dataset is one more subclass: it says what it is published as, and how that is read by `parse`, `parts` and
    `class_names_of`.

    Attributes
    ----------
    key : str
        Name, and folder in the data folder.
    files : tuple of SourceFile
        What it is published as.
    extra : type or None
        A dataset of more training samples, which are read where they are asked for.
    """

    key: ClassVar[str]
    files: ClassVar[tuple[SourceFile, ...]]
    extra: ClassVar[type[StandardSet] | None] = None

    @classmethod
    def parse(cls, paths: Mapping[str, Path], arrays: ArrayWriter) -> None:
        """Write the arrays that the files have; `paths` is by file name."""
        raise NotImplementedError

    @classmethod
    def parts(cls, arrays: ArrayFolder, *, extra: bool) -> list[Part]:
        """Return the samples by part; `extra` adds those that are otherwise left out."""
        raise NotImplementedError

    @classmethod
    def class_names_of(cls, arrays: ArrayFolder) -> dict[str, list[str]]:
        """Return the class names of each of the labels."""
        raise NotImplementedError

    @classmethod
    def folder(cls) -> Path:
        """Return where its files are kept: a folder in `penstock.batchup.config.get_data_dir`."""
        return Path(get_data_path(cls.key))

    @classmethod
    def edition(cls) -> str:
        """Return a short text that differs if the files, or what is made from them, differ."""
        parts = [str(_EDITION), *(f"{file.name} {file.sha256}" for file in cls.files)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]

    @classmethod
    def fetch(cls, *, progress: bool = True) -> Path:
        """Return the folder of the parsed arrays, downloading and parsing what is missing.

        Parameters
        ----------
        progress : bool
            Whether to show progress bars.

        Raises
        ------
        DownloadError
            If a file is missing and cannot be downloaded, or has another checksum.
        ImporterError
            If a file is not in its format.
        """
        arrays = cls.folder() / f"arrays-{cls.edition()}"
        if arrays.is_dir():
            return arrays
        with locked(cls.folder()):
            if not arrays.is_dir():
                paths = ensure_files(cls.files, cls.folder(), progress=progress)
                with _written(arrays):
                    make_folder(arrays, lambda writer: cls.parse(paths, writer))
        return arrays

    @classmethod
    def delete_cache(cls) -> None:
        """Remove all downloaded, manually placed and parsed files; datasets made by `penstock.standard` stay."""
        import shutil

        folder = cls.folder()
        for arrays in folder.glob("arrays-*"):
            shutil.rmtree(arrays, ignore_errors=True)
        for file in (*cls.files, *(cls.extra.files if cls.extra else ())):
            for name in (file.name, f"{file.name}.part"):
                (folder / name).unlink(missing_ok=True)


class TrainValTest(StandardSet):
    """Images and labels of training, validation (the last of the training samples) and test, in BatchUp's attributes.

    Parameters
    ----------
    n_val : int or None
        How many samples are for validation.
    val_lower, val_upper : float
        What the values 0 and 255 become in `train_X`, `val_X` and `test_X`.
    progress : bool
        Whether to show a progress bar for each download.

    Attributes
    ----------
    labels : mapping of str to str
        Name of each tensor of labels to name of its array.
    """

    labels: ClassVar[Mapping[str, str]] = {"labels": "y"}
    train_X_u8: NDArray[np.uint8]
    train_y: NDArray[np.int32]
    val_X_u8: NDArray[np.uint8]
    val_y: NDArray[np.int32]
    test_X_u8: NDArray[np.uint8]
    test_y: NDArray[np.int32]

    def __init__(
        self, n_val: int | None = 10000, val_lower: float = 0.0, val_upper: float = 1.0, *, progress: bool = True
    ) -> None:
        check_before_download(n_val=n_val)
        checked_range(val_lower, val_upper)
        self._split(ArrayFolder(self.fetch(progress=progress)), n_val, ("X_u8", *self.labels.values()))
        self._convert(val_lower, val_upper)

    @classmethod
    def parts(cls, arrays: ArrayFolder, *, extra: bool) -> list[Part]:  # noqa: ARG003  most have no more
        """Return training and test samples."""
        return [
            Part(
                name=part,
                images=arrays[f"{part}_X_u8"],
                labels={tensor: arrays[f"{part}_{name}"] for tensor, name in cls.labels.items()},
            )
            for part in ("train", "test")
        ]

    def _split(self, arrays: ArrayFolder, n_val: int | None, names: Sequence[str]) -> None:
        for name in names:
            rows = arrays[f"train_{name}"]
            end = split_end(n_val, len(rows))
            setattr(self, f"train_{name}", rows[:end])
            setattr(self, f"val_{name}", rows[end:])
            setattr(self, f"test_{name}", arrays[f"test_{name}"])

    def _convert(self, val_lower: float, val_upper: float) -> None:
        self.train_X = ImageArrayUInt8ToFloat32(self.train_X_u8, val_lower, val_upper)
        self.val_X = ImageArrayUInt8ToFloat32(self.val_X_u8, val_lower, val_upper)
        self.test_X = ImageArrayUInt8ToFloat32(self.test_X_u8, val_lower, val_upper)

    def __repr__(self) -> str:
        counts = ", ".join(f"{part} {len(getattr(self, f'{part}_y')):,}" for part in ("train", "val", "test"))
        return f"{type(self).__name__}({counts})"


def split_end(n_val: int | None, num_train: int) -> int:
    """Return where training ends and validation begins.

    Examples
    --------
    >>> split_end(10, 60), split_end(None, 60)
    (50, 60)
    """
    return num_train - checked_count("n_val", n_val, num_train)


def checked_count(name: str, value: int | None, most: int) -> int:
    """Return a count as int, None as 0.

    Raises
    ------
    ImporterError
        If it is not an integer from 0 to `most`.
    """
    count = 0 if value is None else value
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or not 0 <= count <= most:
        end = f" to {most:,}" if most < _MOST_SAMPLES else ""
        raise ImporterError(f"{name}={value!r} is not valid. Expected an integer from 0{end}, or None")
    return int(count)


def check_before_download(**counts: Any) -> None:
    """Refuse counts that are wrong for any number of samples."""
    for name, value in counts.items():
        checked_count(name, value, _MOST_SAMPLES)


@contextmanager
def readable(path: Path, expected: str) -> Iterator[None]:
    """Raise an error that names a file that cannot be parsed, and what was expected."""
    import struct
    import tarfile
    import zlib

    try:
        yield
    except (ImporterError, MemoryError):
        raise
    except (
        OSError,
        EOFError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        tarfile.TarError,
        zlib.error,
        struct.error,
    ) as error:
        if getattr(error, "errno", None) is not None:
            raise  # the disk, not the file's format
        reason = " ".join(str(error).split())[:120]
        raise ImporterError(
            f"{str(path)!r} cannot be parsed ({reason or type(error).__name__}). Expected {expected}"
        ) from error


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, ImporterError):
            raise
        raise ImporterError(
            f"the arrays cannot be written to {str(path)!r} ({os.strerror(error.errno) if error.errno else error}). "
            "Expected a writable folder with free space"
        ) from error
