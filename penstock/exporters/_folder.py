"""Datasets and views to a folder of images for each class."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np

from penstock.dataset import Dataset, View
from penstock.errors import ExportError
from penstock.exporters._edited_note import explains_edited_notes
from penstock.exporters._images import check_images, safe_name, write_images
from penstock.exporters._masks import MaskWriter, mask_tensors
from penstock.exporters._place import checked_place, written_beside
from penstock.exporters._report import ExportReport
from penstock.exporters._rows import ExportedRows

__all__ = ["to_folder"]

_IMAGES = "images"


@explains_edited_notes
def to_folder(
    source: Dataset | View,
    path: str | os.PathLike[str],
    *,
    images: Literal["copy", "link"] = "copy",
    overwrite: bool = False,
    progress: bool = True,
) -> ExportReport:
    """Write images as a folder for each class, in a folder for each split.

    A dataset that was imported with `from_folder` gives the same files again; an image whose class was edited is in
    the folder of its new class. If the dataset has masks, the images are in ``images``, and the masks in a folder
    of the same layout named as their tensor.

    Parameters
    ----------
    source : Dataset or View
        What is exported, with edits that are not committed yet.
    path : str or path
        The folder.
    images : {"copy", "link"}
        Whether to write the images as they are stored, or links to the files that they are linked to.
    overwrite : bool
        Whether what is at `path` may be replaced, if the export writes every file that is in it.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    ExportReport
        What was written; its issues count images without a class among others with one, which are left out, and
        name tensors that are not part of a folder.

    Raises
    ------
    ExportError
        If there are no images, the dataset has boxes, a sample has several labels, there is something at `path`,
        or it cannot be written there.

    Examples
    --------
    >>> import penstock
    >>> digits = penstock.load("digits.penstock")  # doctest: +SKIP
    >>> print(penstock.to_folder(digits, "digits"))  # doctest: +SKIP
    100 images, 0 objects in digits
    """
    place = checked_place(path, overwrite=overwrite)
    rows = ExportedRows(source, progress=progress)
    if images is None or check_images(rows, images) is None:
        raise ExportError("images=None is not valid for a folder of images. Expected 'copy' or 'link'")
    if rows.boxes is not None:
        raise ExportError(
            f"the dataset has boxes ({rows.boxes!r}), which a folder per class cannot hold. Expected labels alone",
            hint="use to_coco, to_voc or to_csv; ds.delete_tensor removes boxes",
        )
    _check_folders(rows)
    labels = _labels(rows)
    chosen = np.flatnonzero(_has_place(rows, labels))
    masks = [MaskWriter(name, rows.source.get("masks", {}).get(name, {})) for name in mask_tensors(rows)]
    names = _names(rows, labels)
    with written_beside(place, rows, overwrite=overwrite) as part:
        part.mkdir()
        picked = [names[at] for at in chosen.tolist()]
        write_images(rows, chosen, picked, part / _IMAGES if masks else part, images)
        _write_masks(rows, masks, names, part)
    issues = _issues(rows, masks, len(rows) - len(chosen), set(labels.tolist()))
    return ExportReport(path=Path(path), num_samples=len(chosen), num_objects=0, issues=issues)


def _folder_of(name: str) -> str:
    """Return the folder of a class or split."""
    return safe_name(name).replace("/", "_")


def _check_folders(rows: ExportedRows) -> None:
    folders = Counter(map(_folder_of, rows.class_names))
    twice = next((folder for folder, count in folders.items() if count > 1), None)
    if twice is not None:
        names = ", ".join(repr(name) for name in rows.class_names if _folder_of(name) == twice)
        raise ExportError(
            f"the classes {names} would be written to one folder, {twice!r}. Expected names that are distinct as "
            "folders",
            hint="rename_class gives a class another name",
        )


def _labels(rows: ExportedRows) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the class of each sample, -1 where it has none."""
    if rows.labels is None:
        return np.full(len(rows), -1, np.int64)
    column = rows.table.column(rows.labels)
    found = [column.row(row) for row in rows.rows.tolist()]
    several = [at for at, labels in enumerate(found) if len(labels) > 1]
    if several:
        raise ExportError(
            f"{len(several):,} samples have several labels in {rows.labels!r}, such as sample "
            f"{int(rows.rows[several[0]])}. Expected at most one for each",
            hint="use to_csv, which holds several labels",
        )
    return np.array([labels[0] if len(labels) else -1 for labels in found], np.int64)


def _has_place(
    rows: ExportedRows, labels: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which samples have a class, or are in a split in which none has."""
    has_class = labels >= 0
    subsets = np.array(rows.subsets())
    return np.asarray(has_class | ~np.isin(subsets, np.unique(subsets[has_class])) | (not has_class.any()))


def _names(rows: ExportedRows, labels: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[str]:
    """Return the path of each image in the folder."""
    classes, subsets = rows.class_names, rows.subsets()
    splits = set(subsets) - {""}
    files = rows.texts("file")
    found = []
    for at, (label, subset, file) in enumerate(zip(labels.tolist(), subsets, files, strict=True)):
        name = "" if label < 0 else classes[label] if label < len(classes) else str(label)
        path = PurePosixPath(safe_name(file)) if file else PurePosixPath(f"{at:06d}{rows.suffix(at)}")
        folders = _folders(path.parts[:-1], name, subset, set(classes), splits)
        found.append("/".join([*folders, path.name]))
    return found


def _folders(parts: tuple[str, ...], label: str, subset: str, classes: set[str], splits: set[str]) -> list[str]:
    """Return the folders of an image: those of its file, with its class and split of today; or those two alone."""
    split_at = next((at for at, part in enumerate(parts) if part in splits), None)
    label_at = next((at for at, part in enumerate(parts) if part in classes and at != split_at), None)
    if (split_at is None) != (not subset) or (label_at is None) != (not label):
        return [_folder_of(name) for name in (subset, label) if name]
    folders = list(parts)
    for at, name in ((split_at, subset), (label_at, label)):
        if at is not None:
            folders[at] = _folder_of(name)
    return folders


def _write_masks(rows: ExportedRows, masks: list[MaskWriter], names: list[str], folder: Path) -> None:
    if not masks:
        return
    tensors = [*(writer.name for writer in masks), "mask_forms"]
    for start, samples in rows.chunks(rows.fields(tensors), np.arange(len(rows))):
        for writer in masks:
            forms = samples.get("mask_forms")
            for at, mask in enumerate(samples[writer.name]):
                png = writer.png(mask, None if forms is None else forms[at])
                if png is not None:
                    place = folder / safe_name(writer.name) / PurePosixPath(names[start + at]).with_suffix(".png")
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(png)


def _issues(rows: ExportedRows, masks: list[MaskWriter], left_out: int, labels: set[int]) -> tuple[str, ...]:
    found = []
    if left_out:
        what = "1 image has no class and was" if left_out == 1 else f"{left_out:,} images have no class and were"
        found.append(f"{what} left out")
    unused = [name for at, name in enumerate(rows.class_names) if at not in labels]
    found += [f"the class {name!r} has no images, and no folder" for name in unused]
    changed = [(name, _folder_of(name)) for name in (*rows.class_names, *dict.fromkeys(rows.subsets())) if name]
    found += [f"{name!r} is written as the folder {folder!r}" for name, folder in changed if name != folder]
    for writer in masks:
        found += writer.issues()
    written = {rows.images, rows.labels, "subset", "file", "mask_forms", *(writer.name for writer in masks)}
    found += [
        f"the tensor {name!r} is not part of a folder"
        for name in rows.table.tensors
        if name not in written or not rows.is_field(name)
    ]
    return tuple(found)
