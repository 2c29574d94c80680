"""Datasets and views to COCO files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset import Dataset, View
from penstock.errors import ExportError
from penstock.exporters._boxes import left_behind, negative_boxes
from penstock.exporters._edited_note import explains_edited_notes
from penstock.exporters._images import Images, check_images, safe_name, write_images
from penstock.exporters._place import checked_place, written_beside
from penstock.exporters._report import ExportReport
from penstock.exporters._rows import ExportedRows
from penstock.exporters.coco._classes import Categories
from penstock.exporters.coco._document import WRITTEN, CocoDocument

__all__ = ["to_coco"]


@explains_edited_notes
def to_coco(
    source: Dataset | View,
    path: str | os.PathLike[str],
    *,
    images: Images = None,
    overwrite: bool = False,
    progress: bool = True,
) -> ExportReport:
    """Write annotations as COCO instances.

    A dataset that was imported from COCO gives the same document again, with the same ids, order and
    keys; only what was edited differs. New images and annotations get ids above the largest.

    Parameters
    ----------
    source : Dataset or View
        What is exported, with edits that are not committed yet.
    path : str or path
        The JSON file; or a folder for ``annotations``, with a file for each split, and ``images``.
    images : {"copy", "link"}, optional
        Write the images too, as they are stored, or as links to the files that they are linked to. By
        default annotations alone are written.
    overwrite : bool
        Whether what is at `path` may be replaced. A folder is replaced only if the export writes every
        file that is in it.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    ExportReport
        What was written; its issues name tensors that are not part of a COCO file.

    Raises
    ------
    ExportError
        If there is something at `path`, it cannot be written there, samples come more than once, objects
        have a box and no class, or there are no boxes with classes.

    Examples
    --------
    >>> import penstock
    >>> ds = penstock.demo()
    >>> print(penstock.to_coco(ds[:20], "shapes.json"))  # doctest: +SKIP
    20 images, 27 objects in shapes.json
    """
    place = checked_place(path, overwrite=overwrite, suffixes=(".json",))
    rows = ExportedRows(source, progress=progress)
    rows.check_boxes()
    chosen_images = check_images(rows, images)
    is_file = place.suffix.lower() == ".json"
    if is_file and chosen_images is not None:
        raise ExportError(f"images={images!r} cannot be written to a single file, {str(path)!r}. Expected a folder")
    parts = _parts(rows, is_file=is_file)
    with written_beside(place, rows, overwrite=overwrite) as part:
        count = 0
        for name, subset, chosen, note in parts:
            document = CocoDocument(rows, chosen, note, _categories(rows, note))
            target = part if is_file else part / "annotations" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            document.write(target)
            count += document.num_objects
            if chosen_images is not None:
                folder = part / "images" / (safe_name(subset) if subset and len(parts) > 1 else "")
                write_images(rows, chosen, document.file_names, folder, chosen_images)
    issues = (*left_behind(rows), *negative_boxes(rows.table, rows.rows, str(rows.boxes)), *_left_out(rows))
    return ExportReport(path=Path(path), num_samples=len(rows), num_objects=count, issues=issues)


def _left_out(rows: ExportedRows) -> tuple[str, ...]:
    """Name the tensors for which COCO has no key."""
    written = {rows.images, rows.boxes, rows.labels, *WRITTEN}
    return tuple(
        f"the tensor {name!r} is not part of a COCO file"
        for name in rows.table.tensors
        if name not in written or not rows.is_field(name)
    )


def _parts(rows: ExportedRows, *, is_file: bool) -> list[tuple[str, str, NDArray[np.int64], Mapping[str, Any]]]:
    """Return the files to write: name, split, positions of the samples, and what the import noted of it."""
    notes = {note.get("subset", ""): note for note in _files(rows)}
    subsets = np.array(rows.subsets())
    names = list(dict.fromkeys(subsets.tolist()))
    if is_file and len(notes) > 1 and len(names) > 1:
        raise ExportError(
            f"the splits {', '.join(sorted(names))} cannot be written to a single file. Expected a folder",
            hint="export a view of one split: ds.query(\"select * where contains(subset, 'train')\")",
        )
    if is_file or not names:
        first = names[0] if len(names) == 1 else ""
        note = notes.get(first, notes.get("", next(iter(notes.values()), {})))
        return [(_name_of(note, "instances.json"), first, np.arange(len(rows)), note)]
    usual = {subset: f"instances_{subset}.json" if subset else "instances.json" for subset in names}
    files = {subset: _name_of(notes.get(subset, {}), usual[subset]) for subset in names}
    if len(set(files.values())) < len(files):  # as Roboflow calls them, in a folder for each split
        files = {subset: safe_name(name) for subset, name in usual.items()}
    folders = {safe_name(subset) for subset in names if subset}
    if len(set(files.values())) < len(files) or len(folders) < len([subset for subset in names if subset]):
        raise ExportError(f"the splits {', '.join(map(repr, names))} are not distinct as names of files")
    return [
        (files[subset], subset, np.flatnonzero(subsets == subset), notes.get(subset, notes.get("", {})))
        for subset in names
    ]


def _name_of(note: Mapping[str, Any], otherwise: str) -> str:
    return safe_name(str(note.get("name", otherwise)).removesuffix(".gz"))


def _files(rows: ExportedRows) -> list[Mapping[str, Any]]:
    """Return what the import noted of its COCO files; nothing where it was of another format, or a user wrote it."""
    source = rows.source
    files = source.get("files") if isinstance(source, Mapping) and source.get("format") == "coco" else None
    return [file for file in files if isinstance(file, Mapping)] if isinstance(files, list) else []


def _categories(rows: ExportedRows, note: Mapping[str, Any]) -> Categories:
    """Return the categories of a file for the current classes."""
    names = rows.class_names
    entries = note.get("header", {}).get("categories", ())
    return Categories(names, rows.class_origins(), entries, note.get("classes", {}))
