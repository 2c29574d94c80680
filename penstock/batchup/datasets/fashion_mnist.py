"""Fashion-MNIST: 70,000 articles of clothing of 28 × 28 pixels."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from penstock.batchup.datasets.files._sources import SourceFile
from penstock.batchup.datasets.mnist import MNISTBase

__all__ = ["FashionMNIST", "delete_cache", "fetch_fashion_mnist"]

_SITES = ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",)
_FILES = {
    "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}


class FashionMNIST(MNISTBase):
    """Fashion-MNIST (arXiv:1708.07747): articles of clothing, 60,000 for training and 10,000 for test.

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
    class_names : list of str

    Raises
    ------
    DownloadError
        If a file is missing and cannot be downloaded, or has another checksum.
    ImporterError
        If `n_val` is not a number from 0 to the number of training samples.

    Examples
    --------
    >>> FashionMNIST.class_names[:3]
    ['T-shirt/top', 'Trouser', 'Pullover']
    """

    key = "fashion-mnist"
    files = tuple(SourceFile(name, sha256, tuple(site + name for site in _SITES)) for name, sha256 in _FILES.items())
    class_names: ClassVar[list[str]] = [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ]


def fetch_fashion_mnist() -> Path:
    """Return the folder of the parsed arrays, one ``.npy`` each; download what is missing."""
    return FashionMNIST.fetch()


def delete_cache() -> None:
    """Remove Fashion-MNIST from the data folder, what was placed there by hand as well."""
    FashionMNIST.delete_cache()
