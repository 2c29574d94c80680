"""CIFAR-100: 60,000 color images of 32 × 32 pixels in 100 classes of 20 superclasses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penstock.batchup.datasets._cifar import write_batches
from penstock.batchup.datasets._standard_set import TrainValTest, readable
from penstock.batchup.datasets.files._archive import read_members
from penstock.batchup.datasets.files._array_folder import ArrayFolder, ArrayWriter
from penstock.batchup.datasets.files._pickles import read_pickle
from penstock.batchup.datasets.files._sources import SourceFile

__all__ = ["CIFAR100", "delete_cache", "fetch_cifar100"]

_FILE = "cifar-100-python.tar.gz"
_SHA256 = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"
_LABELS = {"y": "fine_labels", "y_coarse": "coarse_labels"}
_NAMES = {"class_names": "fine_label_names", "class_names_coarse": "coarse_label_names"}


class CIFAR100(TrainValTest):
    """CIFAR-100: 50,000 images for training and 10,000 for test, with a class and a superclass each.

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
    train_y_coarse, val_y_coarse, test_y_coarse : ndarray of int32, shape (num_samples,)
        Superclasses.
    class_names, class_names_coarse : list of str

    Raises
    ------
    DownloadError
        If a file is missing and cannot be downloaded, or has another checksum.
    ImporterError
        If `n_val` is not a number from 0 to the number of training samples.

    Examples
    --------
    >>> CIFAR100.key, [file.name for file in CIFAR100.files]
    ('cifar100', ['cifar-100-python.tar.gz'])
    """

    key = "cifar100"
    files = (SourceFile(_FILE, _SHA256, (f"https://www.cs.toronto.edu/~kriz/{_FILE}",)),)
    labels = {"labels": "y", "coarse_labels": "y_coarse"}  # noqa: RUF012  annotated where it is declared
    train_y_coarse: NDArray[np.int32]
    val_y_coarse: NDArray[np.int32]
    test_y_coarse: NDArray[np.int32]

    def __init__(
        self, n_val: int | None = 10000, val_lower: float = 0.0, val_upper: float = 1.0, *, progress: bool = True
    ) -> None:
        super().__init__(n_val, val_lower, val_upper, progress=progress)
        arrays = ArrayFolder(self.fetch())
        self.class_names = arrays.texts("class_names")
        self.class_names_coarse = arrays.texts("class_names_coarse")

    @classmethod
    def parse(cls, paths: Mapping[str, Path], arrays: ArrayWriter) -> None:
        """Write the arrays that the archive has."""
        path = paths[_FILE]
        with readable(path, "the archive of CIFAR-100 for Python"):
            found = {
                name: read_pickle(content) for name, content in read_members(path, ("train", "test", "meta")).items()
            }
            for part in ("train", "test"):
                write_batches(arrays, part, [found[part]], _LABELS)
            for name, key in _NAMES.items():
                arrays.write(name, np.array([str(text) for text in found["meta"][key]]))

    @classmethod
    def class_names_of(cls, arrays: ArrayFolder) -> dict[str, list[str]]:
        """Return the names of the classes and of the superclasses."""
        return {"labels": arrays.texts("class_names"), "coarse_labels": arrays.texts("class_names_coarse")}


def fetch_cifar100() -> Path:
    """Return the folder of the parsed arrays, one ``.npy`` each; download what is missing."""
    return CIFAR100.fetch()


def delete_cache() -> None:
    """Remove CIFAR-100 from the data folder, what was placed there by hand as well."""
    CIFAR100.delete_cache()
