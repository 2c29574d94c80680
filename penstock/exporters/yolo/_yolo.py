"""Datasets and views to YOLO folders."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from penstock.dataset import Dataset, View
from penstock.errors import ExportError
from penstock.exporters._edited_note import explains_edited_notes
from penstock.exporters._images import Images, check_images, safe_name, write_images
from penstock.exporters._issues import Issues
from penstock.exporters._place import checked_place, written_beside
from penstock.exporters._report import ExportReport
from penstock.exporters._rows import ExportedRows
from penstock.exporters.yolo._classes import ClassNumbers
from penstock.exporters.yolo._classify import write_class_folders
from penstock.exporters.yolo._config import config_text, split_keys
from penstock.exporters.yolo._lines import OBJECTS, LabelLines
from penstock.exporters.yolo._places import Places, label_path
from penstock.exporters.yolo._pose import pose_form
from penstock.formats._yolo import Style

__all__ = ["Task", "to_yolo"]

Task = Literal["detect", "segment", "pose", "obb", "classify"]
_TASKS: tuple[Task, ...] = get_args(Task)
_IMAGES = ("file", "image_attributes", "label_file")
_NUM_SHOWN = 3
_USED_BY = {"segmentation": ("segment", "obb"), "keypoints": ("pose",)}


@explains_edited_notes
def to_yolo(
    source: Dataset | View,
    path: str | os.PathLike[str],
    *,
    task: Task | None = None,
    images: Images = None,
    overwrite: bool = False,
    progress: bool = True,
) -> ExportReport:
    """Write annotations as a YOLO folder.

    A dataset that was imported from YOLO gives the same label files and the same ``data.yaml`` again;
    only what was edited differs. Any other dataset gives ``images/SPLIT``, ``labels/SPLIT`` and
    ``data.yaml``, as Ultralytics reads them. Numbers are written with as many decimals as it takes to
    read the same box in float32 pixels.

    Parameters
    ----------
    source : Dataset or View
        What is exported, with edits that are not committed yet.
    path : str or path
        The folder.
    task : {"detect", "segment", "pose", "obb", "classify"}, optional
        What a line has: a box, a polygon, a box and keypoints, or the four corners of a rotated box;
        "classify" writes a folder of images for each class. By default the task of the YOLO folder
        that was imported; otherwise "pose" if there are keypoints, "segment" if there are polygons or
        masks, "detect" if there are boxes, and "classify" if there are only class labels.
    images : {"copy", "link"}, optional
        Write the images too, as they are stored, or as links to the files that they are linked to. By
        default annotations alone are written; "classify" needs images.
    overwrite : bool
        Whether what is at `path` may be replaced. A folder is replaced only if the export writes every
        file that is in it.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    ExportReport
        What was written; its issues say what a YOLO folder cannot hold: crowds, tensors, images of
        which no size is known, objects that have no polygon or no keypoints.

    Raises
    ------
    ExportError
        If there is something at `path`, it cannot be written there, samples come more than once, objects
        have a box and no class, or there is nothing that the task needs.

    Examples
    --------
    >>> import penstock
    >>> ds = penstock.demo()
    >>> print(penstock.to_yolo(ds[:20], "shapes", images="copy"))  # doctest: +SKIP
    20 images, 27 objects in shapes
    """
    place = checked_place(path, overwrite=overwrite)
    rows = ExportedRows(source, progress=progress)
    chosen = _task(rows, task)
    chosen_images = check_images(rows, images)
    issues = Issues()
    with written_beside(place, rows, overwrite=overwrite) as part:
        part.mkdir()
        if chosen == "classify":
            num_samples = count = write_class_folders(rows, part, chosen_images, issues)
        else:
            num_samples, count = len(rows), _write(rows, part, chosen, chosen_images, issues)
    left = (*issues.texts, *_left_out(rows, chosen))
    return ExportReport(path=Path(path), num_samples=num_samples, num_objects=count, issues=left)


def _left_out(rows: ExportedRows, task: Task) -> tuple[str, ...]:
    """Name the tensors for which the lines of a task have no place."""
    written = {rows.images, rows.labels, "subset", "file", "label_file"}
    if task != "classify":
        written |= {rows.boxes, "iscrowd", "as_written"}
        written |= {name for name, tasks in _USED_BY.items() if task in tasks}
        written |= {"score"} if _noted_task(rows) == task else set()
    names = [name for name in rows.table.tensors if name not in written or not rows.is_field(name)]
    return (f"tensors that are not part of a YOLO folder for {task!r}: {', '.join(names)}",) if names else ()


def _task(rows: ExportedRows, task: object) -> Task:
    """Return what is written.

    Raises
    ------
    ExportError
        If it is not valid, or the dataset does not have what it needs.
    """
    if task is not None and task not in _TASKS:
        raise ExportError(f"task={task!r} is not valid. Expected one of {', '.join(map(repr, _TASKS))}, or None")
    found = next((one for one in _TASKS if one == (task or _noted_task(rows))), None) or _usual_task(rows)
    lacking = "class labels" if rows.labels is None else "boxes" if rows.boxes is None and found != "classify" else ""
    if lacking:
        raise ExportError(
            f"the dataset has no {lacking}. Expected boxes and a class label for each",
            hint="task='classify' writes a folder of images for each class" if lacking == "boxes" else None,
        )
    return found


def _usual_task(rows: ExportedRows) -> Task:
    if rows.boxes is None:
        return "classify"
    if _has_any(rows, "keypoints"):
        return "pose"
    return "segment" if _has_any(rows, "segmentation") else "detect"


def _has_any(rows: ExportedRows, name: str) -> bool:
    """Return whether a tensor has a value for at least one object."""
    spec = rows.spec(name)
    if spec is None or spec.htype != "json":
        return False
    return any(any(json.loads(text) or ()) for text in rows.table.column(name).values if text)


def _note(rows: ExportedRows) -> Mapping[str, Any]:
    """Return what the import noted of the first YOLO folder; empty where the source was another, or a user wrote it."""
    files = rows.source.get("files") if rows.source.get("format") == "yolo" else None
    found = files[0] if isinstance(files, list) and files else None
    if not isinstance(found, Mapping) or found.get("format") != "yolo":
        return {}
    return found if len(files or ()) == 1 else {**found, "keeps_layout": False}


def _noted_task(rows: ExportedRows) -> object:
    return rows.source.get("task") if rows.source.get("format") == "yolo" else None


def _write(rows: ExportedRows, part: Path, task: Task, images: Images, issues: Issues) -> int:
    """Write label files, data.yaml and images; return the number of objects."""
    note = _note(rows)
    keeps = bool(note.get("keeps_layout"))
    is_source_task = _noted_task(rows) == task
    classes = ClassNumbers(rows.class_names, rows.class_origins(), _known_classes(note))
    header = note.get("header")
    header = header if isinstance(header, Mapping) and is_source_task else {}
    keypoints, pose = pose_form(rows, header, classes) if task == "pose" else ((0, 3), None)
    lines = LabelLines(
        rows,
        classes=classes,
        task=task,
        is_source_task=is_source_task,
        style=Style.from_json(note.get("style")),
        keypoints=keypoints,
        issues=issues,
    )
    folders = _folders(note) if keeps else None
    places = Places(_subsets(rows, note), folders, issues)
    paths = _write_labels(rows, part, lines, places)
    if classes.moved:
        issues.say(f"{_listed(classes.gone)} is gone, so that {_listed(classes.moved)} has a lower number")
    text = _config(note, classes, places, issues, None if is_source_task and task == "pose" else pose or {})
    target = part / (safe_name(str(note.get("name", ""))) if keeps else "data.yaml")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8", newline="")
    if images is not None:
        write_images(rows, np.arange(len(rows)), paths, part, images)
    return lines.num_objects


def _write_labels(rows: ExportedRows, part: Path, lines: LabelLines, places: Places) -> list[str]:
    """Write the label files; return the path of each image."""
    paths = []
    names = [str(rows.boxes), str(rows.labels), *OBJECTS, *_IMAGES]
    for start, samples in rows.chunks(rows.fields(names), np.arange(len(rows))):
        for at in range(len(next(iter(samples.values())))):
            sample = {name: values[at] for name, values in samples.items()}
            position = start + at
            file = _file_of(sample)
            paths.append(places.place(position, file, "" if file else rows.suffix(position)))
            text = lines.text(sample, position, paths[-1])
            if text is not None:
                target = part / label_path(paths[-1])
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8", newline="")
    return paths


def _file_of(sample: Mapping[str, Any]) -> str | None:
    """Return the name of an image in its source; LVIS has addresses in place of names."""
    stated = sample.get("image_attributes")
    address = stated.get("coco_url") if isinstance(stated, Mapping) else None
    return sample.get("file") or (address.rsplit("/", 1)[-1] if isinstance(address, str) else None)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:_NUM_SHOWN]))
    return f"{shown} and {len(names) - _NUM_SHOWN:,} more" if len(names) > _NUM_SHOWN else shown


def _known_classes(note: Mapping[str, Any]) -> Mapping[str, list[int]]:
    known = note.get("classes")
    known = known if isinstance(known, Mapping) else {}
    return {name: own for name, own in known.items() if isinstance(own, list) and all(type(one) is int for one in own)}


def _subsets(rows: ExportedRows, note: Mapping[str, Any]) -> list[str]:
    """Return the split of each sample; of an import of one split, that one."""
    found, imported = rows.subsets(), note.get("split")
    return [imported] * len(rows) if isinstance(imported, str) and not any(found) else found


def _folders(note: Mapping[str, Any]) -> dict[str, str]:
    """Return where the source has the images of each split."""
    known = note.get("folders")
    known = known if isinstance(known, Mapping) else {}
    return {subset: safe_name(one) for subset, one in known.items() if isinstance(one, str) and one != "."}


def _config(
    note: Mapping[str, Any], classes: ClassNumbers, places: Places, issues: Issues, pose: Mapping[str, Any] | None
) -> str:
    """Return the text of data.yaml."""
    source = note.get("text")
    source = source if isinstance(source, str) else ""
    keeps = bool(note.get("keeps_layout"))
    same = keeps and places.folders == _folders(note)
    header = note.get("header")
    if same and isinstance(header, Mapping) and header.get("path"):
        issues.say(f"data.yaml has path: {header['path']}, as in the source; trainers look for the images there")
    if pose is not None and not pose and not any(key in source for key in ("kpt_shape", "flip_idx", "kpt_names")):
        pose = None
    return config_text(source, classes.names, None if same else split_keys(places.folders, issues), pose)
