"""STL-10: 13,000 labeled and 100,000 unlabeled color images of 96 × 96 pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from penstock.batchup.datasets._standard_set import Part, TrainValTest, check_before_download, checked_count, readable
from penstock.batchup.datasets.files._archive import members
from penstock.batchup.datasets.files._array_folder import ArrayFolder, ArrayWriter
from penstock.batchup.datasets.files._float_images import checked_range
from penstock.batchup.datasets.files._sources import SourceFile

__all__ = ["STL", "delete_cache", "fetch_stl"]

_FILE = "stl10_binary.tar.gz"
_SHA256 = "f31fd99273a1acb8609c8db427cebb1de3f71de77758cdc0e22956e1289b9866"
_SITES = ("http://ai.stanford.edu/~acoates/stl10/", "https://cs.stanford.edu/~acoates/stl10/")
_SIDE = 96
_IMAGE_BYTES = 3 * _SIDE * _SIDE
_IMAGES_AT_ONCE = 500
_IMAGES = {"train_X.bin": "train_X_u8", "test_X.bin": "test_X_u8", "unlabeled_X.bin": "unl_X_u8"}
_LABELS = {"train_y.bin": "train_y", "test_y.bin": "test_y"}


class STL(TrainValTest):
    """STL-10: 5,000 images for training in 10 folds, 8,000 for test, 100,000 without label.

    Parameters
    ----------
    n_val_folds : int or None
        How many of the last folds are for validation; 0 or None for none.
    val_lower, val_upper : float
        What the values 0 and 255 become in `train_X`, `val_X` and `test_X`.
    progress : bool
        Whether to show a progress bar for the download.

    Attributes
    ----------
    train_X_u8, val_X_u8, test_X_u8, unl_X_u8 : ndarray of uint8, shape (num_samples, 3, 96, 96)
        The last has no labels.
    train_X, val_X, test_X : ImageArrayUInt8ToFloat32
        The same as float32, converted when they are read.
    train_y, val_y, test_y : ndarray of int32, shape (num_samples,)
    tr_folds : list of ndarray of int32
        Rows of each fold, of all training samples; folds overlap.
    class_names : list of str

    Raises
    ------
    DownloadError
        If the file is missing and cannot be downloaded, or has another checksum.
    ImporterError
        If `n_val_folds` is not a number from 0 to the number of folds.

    Examples
    --------
    >>> STL.key, [file.name for file in STL.files]
    ('stl10', ['stl10_binary.tar.gz'])
    """

    key = "stl10"
    files = (SourceFile(_FILE, _SHA256, tuple(site + _FILE for site in _SITES)),)

    def __init__(
        self, n_val_folds: int | None = 1, val_lower: float = 0.0, val_upper: float = 1.0, *, progress: bool = True
    ) -> None:
        check_before_download(n_val_folds=n_val_folds)
        checked_range(val_lower, val_upper)
        arrays = ArrayFolder(self.fetch(progress=progress))
        self.tr_folds = np.split(arrays["fold_indices"], np.cumsum(arrays["fold_lengths"])[:-1])
        self._split_folds(arrays, checked_count("n_val_folds", n_val_folds, len(self.tr_folds)))
        self.test_X_u8, self.test_y, self.unl_X_u8 = arrays["test_X_u8"], arrays["test_y"], arrays["unl_X_u8"]
        self._convert(val_lower, val_upper)
        self.class_names = arrays.texts("class_names")

    def _split_folds(self, arrays: ArrayFolder, num_folds: int) -> None:
        images, labels = arrays["train_X_u8"], arrays["train_y"]
        folds = self.tr_folds[len(self.tr_folds) - num_folds :]
        val = np.concatenate([*folds, np.zeros(0, np.int32)]).astype(np.intp)
        train = np.setdiff1d(np.arange(len(labels)), val) if num_folds else slice(None)
        self.train_X_u8, self.train_y = images[train], labels[train]
        self.val_X_u8, self.val_y = images[val], labels[val]

    @classmethod
    def parse(cls, paths: Mapping[str, Path], arrays: ArrayWriter) -> None:
        """Write the arrays that the archive has."""
        path = paths[_FILE]
        with readable(path, "the binary archive of STL-10"):
            counts = {name: _write(arrays, name, content, length) for name, content, length in members(path)}
            missing = [
                name for name in (*_IMAGES, *_LABELS, "class_names.txt", "fold_indices.txt") if name not in counts
            ]
            if missing:
                raise ValueError(f"{missing[0]!r} is not in the archive")
            for part in ("train", "test"):
                if counts[f"{part}_X.bin"] != counts[f"{part}_y.bin"]:
                    raise ValueError(
                        f"there are {counts[f'{part}_X.bin']} images of {part}, but {counts[f'{part}_y.bin']} labels"
                    )

    @classmethod
    def parts(cls, arrays: ArrayFolder, *, extra: bool) -> list[Part]:
        """Return training and test samples, with `extra` those without label."""
        found = super().parts(arrays, extra=extra)
        if extra:
            images = arrays["unl_X_u8"]
            found.append(Part(name="unlabeled", images=images, labels={"labels": np.full(len(images), -1, np.int32)}))
        return found

    @classmethod
    def class_names_of(cls, arrays: ArrayFolder) -> dict[str, list[str]]:
        """Return the class names."""
        return {"labels": arrays.texts("class_names")}


def _write(arrays: ArrayWriter, name: str, content: IO[bytes], length: int) -> int:
    """Write one file of the archive; return how many samples, names or folds it has."""
    if name in _IMAGES:
        count, rest = divmod(length, _IMAGE_BYTES)
        if rest:
            raise ValueError(f"{name} has {length} bytes, not a multiple of {_IMAGE_BYTES}")
        arrays.fill(_IMAGES[name], (count, 3, _SIDE, _SIDE), _images(content))
        return count
    if name in _LABELS:
        labels = np.frombuffer(content.read(), np.uint8).astype(np.int32) - 1
        arrays.write(_LABELS[name], labels)
        return len(labels)
    if name == "class_names.txt":
        names = content.read().decode("ascii").split()
        arrays.write("class_names", np.array(names))
        return len(names)
    if name == "fold_indices.txt":
        folds = [
            np.array(line.split(), np.int32) for line in content.read().decode("ascii").splitlines() if line.strip()
        ]
        arrays.write("fold_indices", np.concatenate(folds))
        arrays.write("fold_lengths", np.array([len(fold) for fold in folds]))
        return len(folds)
    return 0


def _images(content: IO[bytes]) -> Iterator[NDArray[np.uint8]]:
    """Yield images as rows and columns; in the file they are column by column."""
    while piece := content.read(_IMAGES_AT_ONCE * _IMAGE_BYTES):
        yield np.frombuffer(piece, np.uint8).reshape(-1, 3, _SIDE, _SIDE).transpose(0, 1, 3, 2)


def fetch_stl() -> Path:
    """Return the folder of the parsed arrays, one ``.npy`` each; download what is missing."""
    return STL.fetch()


def delete_cache() -> None:
    """Remove STL-10 from the data folder, what was placed there by hand as well."""
    STL.delete_cache()
