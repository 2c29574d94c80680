"""A folder with a folder of images for each class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ImporterError
from penstock.importers._files import IMAGE_SUFFIXES

__all__ = ["ImageFolder", "parse_folder"]

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
