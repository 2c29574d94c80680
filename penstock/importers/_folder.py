"""A folder with a folder of images for each class."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penstock.dataset import Dataset
from penstock.errors import ImporterError
from penstock.importers._build import Column, build
from penstock.importers._files import IMAGE_SUFFIXES
from penstock.importers._report import IssueLog, OnError

__all__ = ["ImageFolder", "from_folder", "parse_folder"]

_SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImageFolder:
    """Images and the class, and split, that their folders say.

    Parameters
    ----------
    images : tuple of Path
        Ascending.
    labels : ndarray of int64, shape (num_images,), optional
        Index into `class_names`; None when the images lie in no subfolders.
    class_names : tuple of str
        Names of the folders, ascending.
    splits : ndarray of int64, shape (num_images,), optional
        Index into `split_names`, where the uppermost folders are train, val, test.
    split_names : tuple of str
        Names of the splits.
    """

    images: tuple[Path, ...]
    labels: NDArray[np.int64] | None
    class_names: tuple[str, ...]
    splits: NDArray[np.int64] | None
    split_names: tuple[str, ...]


def from_folder(
    root: str | os.PathLike[str],
    dest: str | os.PathLike[str],
    *,
    num_workers: int = 0,
    on_error: OnError = "raise",
    progress: bool = True,
) -> Dataset:
    """Make a dataset of a folder with a folder of images for each class.

    Tensors: ``images``, and ``labels`` where the images lie in folders (classes
    in the folders' order). Where the uppermost folders are train, val and test,
    the classes are the folders below and ``subset`` says which one it was.

    Parameters
    ----------
    root : str or path
        The folder.
    dest : str or path
        Where the dataset is made; must not exist.
    num_workers : int
        Threads that read and check images.
    on_error : {"raise", "skip"}
        What becomes of images and annotations that cannot be read.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    Dataset
        The dataset, committed.

    Raises
    ------
    ImporterError
        If there are no images, some lie in no class folder, or one is broken;
        nothing is left at `dest`.
    DatasetExistsError
        If there is something at `dest`.
    """
    folder = Path(root)
    found = parse_folder(folder)
    columns = [Column(name="images", htype="image", sample=found.images.__getitem__)]
    labels, splits = ("labels", found.labels, found.class_names), ("subset", found.splits, found.split_names)
    for name, indices, names in (labels, splits):
        if indices is not None:
            sample = indices.reshape(-1, 1).__getitem__
            columns.append(Column(name=name, htype="class_label", sample=sample, options={"class_names": names}))
    return build(
        dest,
        columns,
        len(found.images),
        source=folder.name,
        log=IssueLog(on_error),
        num_workers=num_workers,
        progress=progress,
    )


def parse_folder(root: Path) -> ImageFolder:
    """Return the images below `root`; the class is the first folder below it, or below the split.

    Raises
    ------
    ImporterError
        If there is no such folder, or no image in it.
    """
    if not root.is_dir():
        raise ImporterError(f"no folder {str(root)!r}; expected a folder with a folder of images for each class")
    images = tuple(sorted(path for path in root.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()))
    if not images:
        raise ImporterError(
            f"no images below {str(root)!r}; expected files ending in {', '.join(sorted(IMAGE_SUFFIXES))}"
        )
    folders = [path.relative_to(root).parts[:-1] for path in images]
    split = all(len(parts) > 1 and parts[0].lower() in _SPLITS for parts in folders)
    splits, split_names = _indexed([parts[0] for parts in folders]) if split else (None, ())
    classes = [parts[1 if split else 0] if parts else "" for parts in folders]
    flat = not any(classes)
    labels, class_names = (None, ()) if flat else _indexed(classes)
    if "" in class_names:
        stray = next(path for path, name in zip(images, classes, strict=True) if not name)
        raise ImporterError(
            f"{str(stray)!r} lies in no class folder, other images do; expected all or none in class folders"
        )
    return ImageFolder(images=images, labels=labels, class_names=class_names, splits=splits, split_names=split_names)


def _indexed(names: list[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    distinct, indices = np.unique(np.array(names, dtype=object), return_inverse=True)
    return indices.astype(np.int64), tuple(str(name) for name in distinct)
