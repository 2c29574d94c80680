"""USPS: 9,298 handwritten digits of 16 × 16 pixels, scanned from envelopes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from penstock.batchup.datasets._standard_set import Part, TrainValTest, check_before_download, readable
from penstock.batchup.datasets.files._array_folder import ArrayFolder, ArrayWriter
from penstock.batchup.datasets.files._sources import SourceFile
from penstock.errors import ImporterError, MissingDependencyError

__all__ = ["USPS", "delete_cache", "usps_data"]

_FILE = "usps.h5"
_SHA256 = "ba768d9a9b11e79b31c1e40130647c4fc04e6afc1fb41a0d4b9f1176065482b4"


class USPS(TrainValTest):
    """USPS: 7,291 digits for training and 2,007 for test, as float32.

    Parameters
    ----------
    n_val : int or None
        How many of the last training samples are for validation; 0 or None for none.
    progress : bool
        Whether to show a progress bar for the download.

    Attributes
    ----------
    class_names : list of str
        The digits, by label.
    train_X, val_X, test_X : ndarray of float32, shape (num_samples, 1, 16, 16)
    train_y, val_y, test_y : ndarray of int32, shape (num_samples,)

    Raises
    ------
    DownloadError
        If the file is missing and cannot be downloaded, or has another checksum.
    ImporterError
        If `n_val` is not a number from 0 to the number of training samples.
    MissingDependencyError
        If h5py, which reads the file, is not installed.

    Examples
    --------
    >>> USPS.key, [file.name for file in USPS.files]
    ('usps', ['usps.h5'])
    """

    key = "usps"
    files = (SourceFile(_FILE, _SHA256, (f"https://github.com/Britefury/usps_dataset/raw/master/{_FILE}",)),)
    class_names: ClassVar[list[str]] = [str(digit) for digit in range(10)]
    train_X: NDArray[np.float32]  # type: ignore[assignment]  # floats, where the other sets have bytes
    val_X: NDArray[np.float32]  # type: ignore[assignment]  # floats, where the other sets have bytes
    test_X: NDArray[np.float32]  # type: ignore[assignment]  # floats, where the other sets have bytes

    def __init__(self, n_val: int | None = 729, *, progress: bool = True) -> None:
        check_before_download(n_val=n_val)
        self._split(ArrayFolder(self.fetch(progress=progress)), n_val, ("X", "y"))

    @classmethod
    def parse(cls, paths: Mapping[str, Path], arrays: ArrayWriter) -> None:
        """Write the arrays that the file has."""
        try:
            import h5py
        except ImportError as error:
            raise MissingDependencyError(
                "USPS is published as an HDF5 file, which requires h5py, and h5py is not installed",
                hint="pip install 'penstock[datasets]'",
            ) from error
        path = paths[_FILE]
        with (
            readable(path, "an HDF5 file with train_X, train_y, test_X and test_y in usps"),
            h5py.File(path, "r") as file,
        ):
            for part in ("train", "test"):
                images = np.asarray(file[f"usps/{part}_X"], np.float32)
                labels = np.asarray(file[f"usps/{part}_y"], np.int32)
                if images.shape != (len(labels), 1, 16, 16):
                    raise ValueError(f"{part}_X has shape {images.shape}, with {len(labels)} labels")
                arrays.write(f"{part}_X", images)
                arrays.write(f"{part}_y", labels)

    @classmethod
    def parts(cls, arrays: ArrayFolder, *, extra: bool) -> list[Part]:  # noqa: ARG003  there is no more
        """Return training and test samples, rounded to 256 levels of gray."""
        lower = min(float(arrays[f"{part}_X"].min(initial=0)) for part in ("train", "test"))
        return [
            Part(name=part, images=_bytes(arrays[f"{part}_X"], lower), labels={"labels": arrays[f"{part}_y"]})
            for part in ("train", "test")
        ]

    @classmethod
    def class_names_of(cls, arrays: ArrayFolder) -> dict[str, list[str]]:  # noqa: ARG003  they are digits
        """Return the class names."""
        return {"labels": cls.class_names}


def _bytes(images: NDArray[np.float32], lower: float) -> NDArray[np.uint8]:
    """Return images as bytes, from values of -1 to 1 if any value is negative, otherwise of 0 to 1."""
    black = -1.0 if lower < 0 else 0.0
    if images.size and not (black <= images.min() and images.max() <= 1):
        raise ImporterError(f"USPS has values from {images.min()} to {images.max()}. Expected 0 to 1, or -1 to 1")
    levels: NDArray[np.uint8] = np.rint((images - black) * (255 / (1 - black))).astype(np.uint8)
    return levels


def usps_data() -> Path:
    """Return the folder of the parsed arrays, one ``.npy`` each; download what is missing."""
    return USPS.fetch()


def delete_cache() -> None:
    """Remove USPS from the data folder, what was placed there by hand as well."""
    USPS.delete_cache()
