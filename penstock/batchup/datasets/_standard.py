"""A standard dataset as a dataset of penstock."""

from __future__ import annotations

import hashlib
import os
from importlib import import_module

import numpy as np

from penstock._wording import nearest
from penstock.batchup.datasets._standard_set import Part, StandardSet
from penstock.batchup.datasets.files._array_folder import ArrayFolder
from penstock.dataset import Dataset
from penstock.errors import ImporterError
from penstock.importers import from_arrays
from penstock.importers.building import load_or_make
from penstock.importers.building._build import check_dest

__all__ = ["standard"]

_CLASSES = {
    "cifar10": ("cifar10", "CIFAR10"),
    "cifar100": ("cifar100", "CIFAR100"),
    "fashion-mnist": ("fashion_mnist", "FashionMNIST"),
    "mnist": ("mnist", "MNIST"),
    "stl10": ("stl", "STL"),
    "svhn": ("svhn", "SVHN"),
    "usps": ("usps", "USPS"),
}
_OTHER_NAMES = {"stl": "stl10", "fashion": "fashion-mnist"}


def standard(
    name: str | type[StandardSet],
    dest: str | os.PathLike[str] | None = None,
    *,
    extra: bool = False,
    progress: bool = True,
) -> Dataset:
    """Open a standard dataset; it is downloaded, verified and imported when it is missing.

    It has the tensors ``images``, ``labels`` and ``subset`` (train, then test), and of CIFAR-100 ``coarse_labels``.
    The values of USPS, which are floats, are rounded to 256 levels of gray.

    Parameters
    ----------
    name : str or class
        One of cifar10, cifar100, fashion-mnist, mnist, stl10, svhn, usps, or a class of `penstock.batchup.datasets`,
        which may be a subclass that names other files.
    dest : str or path, optional
        Where to create the dataset; must not exist. By default it is kept in the data folder
        (`penstock.batchup.config.get_data_dir`), where edits stay.
    extra : bool
        Whether to add the 100,000 images without label of STL-10 (subset unlabeled), or the 531,131 easier ones of
        SVHN (subset extra).
    progress : bool
        Whether to show progress bars.

    Returns
    -------
    Dataset
        The dataset, committed.

    Raises
    ------
    ImporterError
        If there is no such dataset, or it has nothing extra.
    DownloadError
        If a file is missing and cannot be downloaded, or has another checksum. Place a file by hand in the folder the
        message names to go on without a connection.
    MissingDependencyError
        If the package that reads SVHN or USPS is not installed.
    DatasetExistsError
        If there is something at `dest`.

    Examples
    --------
    >>> import penstock
    >>> try:
    ...     penstock.standard("minst")
    ... except ValueError as error:
    ...     print(error.hint)
    did you mean 'mnist'?
    """
    chosen = _class_of(name)
    if extra and chosen.key not in ("stl10", "svhn"):
        raise ImporterError(f"{chosen.key} has no extra samples. Expected extra=True only for stl10 and svhn")
    if dest is not None:
        check_dest(dest)
        return _make(chosen, dest, extra=extra, progress=progress)
    also = _also(chosen, extra=extra)
    edition = hashlib.sha256("".join(one.edition() for one in (chosen, *also)).encode()).hexdigest()[:12]
    cached = chosen.folder() / f"{chosen.key}{'-extra' if extra else ''}-{edition}.penstock"
    return load_or_make(cached, lambda: _make(chosen, cached, extra=extra, progress=progress))


def _class_of(name: str | type[StandardSet]) -> type[StandardSet]:
    if isinstance(name, type) and issubclass(name, StandardSet) and hasattr(name, "files"):
        return name
    folded = {known.replace("-", ""): known for known in _CLASSES} | _OTHER_NAMES
    plain = "".join(letter for letter in str(name).casefold() if letter not in "-_ ")
    if not isinstance(name, str) or plain not in folded:
        like = nearest(plain, folded)
        raise ImporterError(
            f"{name!r} is not a standard dataset. Expected one of: {', '.join(_CLASSES)}",
            hint=f"did you mean {folded[like]!r}?" if like else None,
        )
    module, found = _CLASSES[folded[plain]]
    chosen: type[StandardSet] = getattr(import_module(f"penstock.batchup.datasets.{module}"), found)
    return chosen


def _also(chosen: type[StandardSet], *, extra: bool) -> list[type[StandardSet]]:
    return [chosen.extra] if extra and chosen.extra is not None else []


def _make(chosen: type[StandardSet], dest: str | os.PathLike[str], *, extra: bool, progress: bool) -> Dataset:
    sources = [(one, ArrayFolder(one.fetch(progress=progress))) for one in (chosen, *_also(chosen, extra=extra))]
    parts = [part for one, arrays in sources for part in one.parts(arrays, extra=extra)]
    names = chosen.class_names_of(sources[0][1])
    columns = {tensor: np.concatenate([part.labels[tensor] for part in parts]) for tensor in names}
    subset = np.repeat(np.arange(len(parts)), [len(part.images) for part in parts])
    return from_arrays(
        {"images": _rows_of(parts), **columns, "subset": subset},
        dest,
        class_names=names | {"subset": [part.name for part in parts]},
        num_workers=os.cpu_count() or 1,
        progress=progress,
    )


def _rows_of(parts: list[Part]) -> list[np.ndarray]:
    """Return one image per row with channels last, as views, so that images are read on writing."""
    return [image.transpose(1, 2, 0) for part in parts for image in part.images]
