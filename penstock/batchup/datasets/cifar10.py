"""CIFAR-10: 60,000 color images of 32 × 32 pixels in 10 classes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from penstock.batchup.datasets._cifar import write_batches
from penstock.batchup.datasets._standard_set import TrainValTest, readable
from penstock.batchup.datasets.files._archive import read_members
from penstock.batchup.datasets.files._array_folder import ArrayFolder, ArrayWriter
from penstock.batchup.datasets.files._pickles import read_pickle
from penstock.batchup.datasets.files._sources import SourceFile

__all__ = ["CIFAR10", "delete_cache", "fetch_cifar10"]

_FILE = "cifar-10-python.tar.gz"
_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
_TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
_TEST = "test_batch"


class CIFAR10(TrainValTest):
    """CIFAR-10: 50,000 images for training and 10,000 for test.

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

    Examples
    --------
    >>> CIFAR10.class_names[:3]
    ['airplane', 'automobile', 'bird']
    """

    key = "cifar10"
    files = (SourceFile(_FILE, _SHA256, (f"https://www.cs.toronto.edu/~kriz/{_FILE}",)),)
    class_names: ClassVar[list[str]] = [
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ]

    @classmethod
    def parse(cls, paths: Mapping[str, Path], arrays: ArrayWriter) -> None:
        """Write the arrays that the archive has."""
        path = paths[_FILE]
        with readable(path, "the archive of CIFAR-10 for Python"):
            found = read_members(path, (*_TRAIN, _TEST))
            write_batches(arrays, "train", [read_pickle(found[name]) for name in _TRAIN], {"y": "labels"})
            write_batches(arrays, "test", [read_pickle(found[_TEST])], {"y": "labels"})

    @classmethod
    def class_names_of(cls, arrays: ArrayFolder) -> dict[str, list[str]]:  # noqa: ARG003  they are known
        """Return the class names."""
        return {"labels": cls.class_names}


def fetch_cifar10() -> Path:
    """Return the folder of the parsed arrays, one ``.npy`` each; download what is missing."""
    return CIFAR10.fetch()


def delete_cache() -> None:
    """Remove CIFAR-10 from the data folder, what was placed there by hand as well."""
    CIFAR10.delete_cache()
