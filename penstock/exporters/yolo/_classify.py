"""Images in a folder for each class, as YOLO's classification reads them."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np

from penstock.errors import ExportError
from penstock.exporters._images import Images, safe_name, write_images
from penstock.exporters._issues import Issues
from penstock.exporters._rows import ExportedRows

__all__ = ["write_class_folders"]


def write_class_folders(rows: ExportedRows, part: Path, images: Images, issues: Issues) -> int:
    """Write images to ``SPLIT/CLASS``; return the number of images that have a class.

    Raises
    ------
    ExportError
        If no images are written, or names of classes are not distinct as folders.
    """
    if images is None:
        raise ExportError("task='classify' writes images alone. Expected images='copy' or images='link'")
    labels = str(rows.labels)
    folders = _class_folders(rows, issues)
    subsets = rows.subsets()
    has_splits = any(subsets)
    if not any(subset.lower().startswith(("val", "test", "dev")) for subset in subsets):
        issues.say("there is no split for 'val' or 'test', one of which trainers need")
    chosen, names = [], []
    used: set[str] = set()
    for start, samples in rows.chunks(rows.fields([labels, "file"]), np.arange(len(rows))):
        files = samples.get("file") or [None] * len(samples[labels])
        for at, (own, file) in enumerate(zip(samples[labels], files, strict=True)):
            position = start + at
            name = file or f"{position:012d}{rows.suffix(position)}"
            found = [] if own is None else np.unique(own).tolist()
            if len(found) != 1:
                what = "without a class" if not found else "of several classes"
                issues.note(f"images {what} are left out", name)
                continue
            subset = safe_name(subsets[position] or "unassigned") if has_splits else "train"
            path = _distinct(f"{subset}/{folders[found[0]]}", PurePosixPath(safe_name(name)).name, used, issues)
            chosen.append(position)
            names.append(path)
    write_images(rows, np.array(chosen, np.int64), names, part, images)
    for name in folders:
        if not any(PurePosixPath(path).parent.name == name for path in names):
            issues.note("classes without images, which have no folder", name)
    return len(names)


def _class_folders(rows: ExportedRows, issues: Issues) -> list[str]:
    folders = [safe_name(name.replace("/", "_")) for name in rows.class_names]
    if len(set(folders)) < len(folders):
        raise ExportError(f"the classes {', '.join(map(repr, rows.class_names))} are not distinct as names of folders")
    for name, folder in zip(rows.class_names, folders, strict=True):
        if name != folder:
            issues.say(f"the class {name!r} is written as the folder {folder!r}")
    return folders


def _distinct(folder: str, name: str, used: set[str], issues: Issues) -> str:
    path, number = PurePosixPath(folder) / name, 1
    while str(path) in used:
        number += 1
        path = PurePosixPath(folder) / f"{PurePosixPath(name).stem}-{number}{PurePosixPath(name).suffix}"
    if number > 1:
        issues.note("images of a name that its folder already has get another name", f"{folder}/{name}")
    used.add(str(path))
    return str(path)
