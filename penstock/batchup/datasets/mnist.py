"""MNIST: 70,000 handwritten digits of 28 × 28 pixels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from penstock.batchup.datasets._idx import read_idx
from penstock.batchup.datasets._standard_set import TrainValTest
from penstock.batchup.datasets.files._array_folder import ArrayFolder, ArrayWriter
from penstock.batchup.datasets.files._sources import SourceFile
from penstock.errors import ImporterError

__all__ = ["MNIST", "MNISTBase", "delete_cache", "fetch_mnist"]

_SITES = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
)
_FILES = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}


class MNISTBase(TrainValTest):
    """The common base of MNIST and Fashion-MNIST: the file format and the attributes.

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
    class_names : list of str
        Names of the classes, by label.
    train_X, val_X, test_X : array of float32, shape (num_samples, 1, 28, 28)
        The images, which convert when they are read.
    """

    class_names: ClassVar[list[str]]

    @classmethod
    def parse(cls, paths: Mapping[str, Path], arrays: ArrayWriter) -> None:
        """Write the arrays that the files have."""
        for part, prefix in (("train", "train"), ("test", "t10k")):
            images = read_idx(paths[f"{prefix}-images-idx3-ubyte.gz"], 3)
            labels = read_idx(paths[f"{prefix}-labels-idx1-ubyte.gz"], 1)
            if len(images) != len(labels):
                raise ImporterError(
                    f"there are {len(images):,} images of {part}, but {len(labels):,} labels. Expected equal numbers"
                )
            arrays.write(f"{part}_X_u8", images[:, np.newaxis])
            arrays.write(f"{part}_y", labels.astype(np.int32))

    @classmethod
    def class_names_of(cls, arrays: ArrayFolder) -> dict[str, list[str]]:  # noqa: ARG003  the files have no names
        """Return the class names."""
        return {"labels": cls.class_names}


class MNIST(MNISTBase):
    """MNIST: handwritten digits, 60,000 for training and 10,000 for test.

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
    train_X_u8, val_X_u8, test_X_u8 : ndarray of uint8, shape (num_samples, 1, 28, 28)
    train_X, val_X, test_X : ImageArrayUInt8ToFloat32
        The same as float32, converted when they are read.
    train_y, val_y, test_y : ndarray of int32, shape (num_samples,)

    Raises
    ------
    DownloadError
        If a file is missing and cannot be downloaded, or has another checksum.
    ImporterError
        If `n_val` is not a number from 0 to the number of training samples.

    Examples
    --------
    >>> MNIST.key, [file.name for file in MNIST.files][:2]
    ('mnist', ['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz'])
    """

    key = "mnist"
    files = tuple(SourceFile(name, sha256, tuple(site + name for site in _SITES)) for name, sha256 in _FILES.items())
    class_names: ClassVar[list[str]] = [str(digit) for digit in range(10)]


def fetch_mnist() -> Path:
    """Return the folder of the parsed arrays, one ``.npy`` each; download what is missing."""
    return MNIST.fetch()


def delete_cache() -> None:
    """Remove MNIST from the data folder, what was placed there by hand as well."""
    MNIST.delete_cache()
