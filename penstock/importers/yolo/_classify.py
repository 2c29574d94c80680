"""YOLO folders for classification: a folder of images for each class, in a folder for each split."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from penstock.dataset import Dataset
from penstock.errors import ImporterError
from penstock.importers._folder import parse_folder
from penstock.importers.building._build import Column, build
from penstock.importers.building._report import IssueLog
from penstock.importers.building._sources import existing_folder, path_of, plain_errors
from penstock.importers.building._text import printable
from penstock.importers.files._passed_over import list_files
from penstock.importers.files._subsets import choose_subset
from penstock.importers.yolo._config import find_config
from penstock.tensors import Link

__all__ = ["from_class_folders", "is_classify"]

_EXPECTED = "a folder for each split, with a folder of images for each class"


def is_classify(root: str | os.PathLike[str]) -> bool:
    """Return whether a folder has images in folders of classes in folders of splits, and no label files."""
    folder = path_of(root, _EXPECTED)
    if not folder.is_dir():
        return False
    listing = list_files(folder)
    if any(path.suffix.lower() == ".txt" for path in listing.files):
        return False
    try:
        find_config(folder, listing.files)
    except ImporterError:
        pass
    else:
        return False
    try:
        found = parse_folder(folder, IssueLog("skip"))
    except ImporterError:
        return False
    return found.labels is not None and found.splits is not None and not _has_label_folders(found.class_names)


def _has_label_folders(names: tuple[str, ...]) -> bool:
    return any(name.lower() in {"images", "labels"} for name in names)


def from_class_folders(
    root: str | os.PathLike[str],
    dest: str | os.PathLike[str],
    log: IssueLog,
    *,
    split: str | None,
    link: bool,
    num_workers: int,
    progress: bool,
    max_image_bytes: int | None,
) -> Dataset:
    """Create a dataset from folders of classes; parameters as in `from_yolo`."""
    folder = existing_folder(root, _EXPECTED)
    with plain_errors(f"the folder {str(folder)!r}"):
        found = parse_folder(folder, log)
    chosen = np.arange(len(found.images))
    if split is not None:
        name = choose_subset(split, found.split_names)
        if name is None or found.splits is None:
            known = ", ".join(found.split_names) or "none"
            raise ImporterError(f"{split!r} is not a split of {str(folder)!r}. The splits are {known}")
        chosen = np.flatnonzero(found.splits == found.split_names.index(name))
    paths = [found.images[at] for at in chosen.tolist()]
    files = [printable(path.relative_to(folder).as_posix()) for path in paths]
    images: list[Path | Link] = [Link(str(path.absolute())) if link else path for path in paths]
    columns = [
        Column(name="images", htype="link[image]" if link else "image", sample=images.__getitem__),
        Column(name="file", htype="text", sample=files.__getitem__),
    ]
    splits = found.splits if split is None else None
    for name, indices, names in (("labels", found.labels, found.class_names), ("subset", splits, found.split_names)):
        if indices is not None:
            samples = [[index] if index >= 0 else [] for index in indices[chosen].tolist()]
            options = {"class_names": names}
            columns.append(Column(name=name, htype="class_label", sample=samples.__getitem__, options=options))
    return build(
        dest,
        columns,
        len(paths),
        source=folder.resolve().name,
        log=log,
        num_workers=num_workers,
        progress=progress,
        max_image_bytes=max_image_bytes,
        info={"format": "yolo", "task": "classify", "files": [{"format": "yolo"}]},
    )
