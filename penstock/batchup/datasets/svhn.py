"""SVHN: house numbers of Street View, color images of 32 × 32 pixels around one digit each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from penstock.batchup.datasets._standard_set import Part, StandardSet, TrainValTest, readable
from penstock.batchup.datasets.files._array_folder import ArrayFolder, ArrayWriter
from penstock.batchup.datasets.files._float_images import ImageArrayUInt8ToFloat32, checked_range
from penstock.batchup.datasets.files._sources import SourceFile
from penstock.errors import MissingDependencyError

__all__ = ["SVHN", "SVHNExtra", "delete_cache", "fetch_svhn_extra", "fetch_svhn_train_test"]

_SITE = "http://ufldl.stanford.edu/housenumbers/"
_FILES = {
    "train": "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
    "test": "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
    "extra": "a133a4beb38a00fcdda90c9489e0c04f900b660ce8a316a5e854838379a71eb3",
}
_ZERO = 10  # the label of the digit 0 in the files


def _source(part: str) -> SourceFile:
    name = f"{part}_32x32.mat"
    return SourceFile(name, _FILES[part], (_SITE + name,))


class _Mat(StandardSet):
    """The common base of both datasets: MATLAB files."""

    key = "svhn"

    @classmethod
    def parse(cls, paths: Mapping[str, Path], arrays: ArrayWriter) -> None:
        """Write the arrays that the files have."""
        for name, path in paths.items():
            _write(arrays, name.split("_")[0], path)

    @classmethod
    def class_names_of(cls, arrays: ArrayFolder) -> dict[str, list[str]]:  # noqa: ARG003  they are digits
        """Return the class names."""
        return {"labels": SVHN.class_names}


class SVHNExtra(_Mat):
    """SVHN's 531,131 further images, which are easier.

    Parameters
    ----------
    val_lower, val_upper : float
        What the values 0 and 255 become in `X`.
    progress : bool
        Whether to show a progress bar for the download.

    Attributes
    ----------
    X_u8 : ndarray of uint8, shape (num_samples, 3, 32, 32)
    X : ImageArrayUInt8ToFloat32
        The same as float32, converted when it is read.
    y : ndarray of int32, shape (num_samples,)

    Raises
    ------
    DownloadError
        If the file is missing and cannot be downloaded, or has another checksum.
    MissingDependencyError
        If SciPy, which reads the file, is not installed.
    """

    files = (_source("extra"),)

    def __init__(self, val_lower: float = 0.0, val_upper: float = 1.0, *, progress: bool = True) -> None:
        checked_range(val_lower, val_upper)
        arrays = ArrayFolder(self.fetch(progress=progress))
        self.X_u8, self.y = arrays["extra_X_u8"], arrays["extra_y"]
        self.X = ImageArrayUInt8ToFloat32(self.X_u8, val_lower, val_upper)

    @classmethod
    def parts(cls, arrays: ArrayFolder, *, extra: bool) -> list[Part]:  # noqa: ARG003  it is extra itself
        """Return the samples."""
        return [Part(name="extra", images=arrays["extra_X_u8"], labels={"labels": arrays["extra_y"]})]


class SVHN(TrainValTest, _Mat):
    """SVHN: 73,257 images for training and 26,032 for test.

    Parameters
    ----------
    n_val : int or None
        How many of the last training samples are for validation; 0 or None for none.
    val_lower, val_upper : float
        What the values 0 and 255 become in `train_X`, `val_X` and `test_X`.
    progress : bool
        Whether to show a progress bar for each download.

    Attributes
    ----------
    train_X_u8, val_X_u8, test_X_u8 : ndarray of uint8, shape (num_samples, 3, 32, 32)
    train_X, val_X, test_X : ImageArrayUInt8ToFloat32
        The same as float32, converted when they are read.
    train_y, val_y, test_y : ndarray of int32, shape (num_samples,)
    class_names : list of str

    Raises
    ------
    DownloadError
        If a file is missing and cannot be downloaded, or has another checksum.
    ImporterError
        If `n_val` is not a number from 0 to the number of training samples.
    MissingDependencyError
        If SciPy, which reads the files, is not installed.

    Examples
    --------
    >>> SVHN.key, [file.name for file in SVHN.files]
    ('svhn', ['train_32x32.mat', 'test_32x32.mat'])
    """

    files = (_source("train"), _source("test"))
    extra = SVHNExtra
    class_names: ClassVar[list[str]] = [str(digit) for digit in range(10)]


def _write(arrays: ArrayWriter, part: str, path: Path) -> None:
    try:
        from scipy.io import loadmat
        from scipy.io.matlab import MatReadError
    except ImportError as error:
        raise MissingDependencyError(
            "SVHN is published as MATLAB files, which require SciPy, and SciPy is not installed",
            hint="pip install 'penstock[datasets]'",
        ) from error
    with readable(path, "a MATLAB file with images in X, shape (32, 32, 3, num_samples), and labels in y"):
        try:
            found = loadmat(path, variable_names=("X", "y"))
        except (MatReadError, NotImplementedError) as error:
            raise ValueError(str(error)) from error
        images, labels = found["X"], np.asarray(found["y"]).astype(np.int32).reshape(-1)
        if images.dtype != np.uint8 or images.shape != (32, 32, 3, len(labels)):
            raise ValueError(f"X is {images.dtype} of shape {images.shape}, with {len(labels)} labels")
        labels[labels == _ZERO] = 0
        arrays.write(f"{part}_X_u8", images.transpose(3, 2, 0, 1))
        arrays.write(f"{part}_y", labels)


def fetch_svhn_train_test() -> Path:
    """Return the folder of the parsed arrays, one ``.npy`` each; download what is missing."""
    return SVHN.fetch()


def fetch_svhn_extra() -> Path:
    """Return the folder of the parsed arrays of the further images; download what is missing."""
    return SVHNExtra.fetch()


def delete_cache() -> None:
    """Remove SVHN, the further images as well, from the data folder, and what was placed there by hand."""
    SVHN.delete_cache()
