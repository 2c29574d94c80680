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
from penstock.exporters._place import checked_place, written_beside
from penstock.exporters._report import ExportReport
from penstock.exporters._rows import ExportedRows
from penstock.exporters.coco._classes import Categories
from penstock.exporters.coco._document import CocoDocument

__all__ = ["to_coco"]


def to_coco(
    source: Dataset | View, path: str | os.PathLike[str], *, overwrite: bool = False, progress: bool = True
) -> ExportReport:
    """Write annotations as COCO instances.

    A dataset that was imported from COCO gives the same document again, with the same ids, order and
    keys; only what was edited differs. New images and annotations get ids above the largest.

    Parameters
    ----------
    source : Dataset or View
        What is exported, with edits that are not committed yet.
    path : str or path
        The JSON file, or, where samples are of several splits, the folder for one file of each.
    overwrite : bool
        Whether what is at `path` may be replaced.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    ExportReport
        What was written.

    Raises
    ------
    ExportError
        If there is something at `path`, it cannot be written there, samples come more than once, or
        there are no boxes with classes.

    Examples
    --------
    >>> import penstock
    >>> ds = penstock.demo()
    >>> print(penstock.to_coco(ds[:20], "shapes.json"))  # doctest: +SKIP
    20 images, 31 objects in shapes.json
    """
    place = checked_place(path, overwrite=overwrite)
    rows = ExportedRows(source, progress=progress)
    if rows.boxes is None or rows.labels is None:
        lacking = "boxes" if rows.boxes is None else "class labels"
        raise ExportError(f"a dataset without {lacking}; expected boxes and a class label for each")
    parts = _parts(rows, place)
    with written_beside(place, overwrite=overwrite) as part:
        documents = [CocoDocument(rows, chosen, note, _categories(rows, note)) for _, chosen, note in parts]
        if place.suffix == ".json":
            documents[0].write(part)
        else:
            part.mkdir()
            for (name, _, _), document in zip(parts, documents, strict=True):
                document.write(part / name)
    return ExportReport(
        path=Path(path), num_samples=len(rows), num_objects=sum(document.num_objects for document in documents)
    )


def _parts(rows: ExportedRows, place: Path) -> list[tuple[str, NDArray[np.int64], Mapping[str, Any]]]:
    """Return the files to write: name, positions of their samples, and what the import noted of them."""
    notes = {note.get("subset", ""): note for note in _files(rows)}
    subsets = rows.subsets()
    if place.suffix == ".json":
        if len(notes) > 1 and len(set(subsets)) > 1:
            raise ExportError(
                f"samples of the splits {', '.join(sorted(set(subsets)))} in one file; expected a folder",
                hint="a view of one split goes into one file: ds.query(\"select * where subset == 'train'\")",
            )
        subset = subsets[0] if subsets else next(iter(notes), "")
        return [("", np.arange(len(rows)), notes.get(subset, notes.get("", {})))]
    found = []
    for subset in dict.fromkeys(subsets):
        note = notes.get(subset, notes.get("", {}))
        chosen = np.flatnonzero(np.array([one == subset for one in subsets]))
        found.append((note.get("name", f"instances_{subset or 'all'}.json").removesuffix(".gz"), chosen, note))
    return found


def _files(rows: ExportedRows) -> list[Mapping[str, Any]]:
    """Return what the import noted of its COCO files; nothing where it was of another format, or a user wrote it."""
    source = rows.source
    files = source.get("files") if isinstance(source, Mapping) and source.get("format") == "coco" else None
    return [file for file in files if isinstance(file, Mapping)] if isinstance(files, list) else []


def _categories(rows: ExportedRows, note: Mapping[str, Any]) -> Categories:
    """Return the categories of a file for the classes there are now."""
    names = rows.class_names
    entries = note.get("header", {}).get("categories", ())
    return Categories(names, rows.class_origins(), entries, note.get("classes", {}))
