"""What is noted of a YOLO folder as a whole: its task, its configuration, where its images are."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.errors import ImporterError
from penstock.importers.building._report import IssueLog
from penstock.importers.files._image_files import is_below
from penstock.importers.yolo._config import YoloConfig
from penstock.importers.yolo._layout import YoloFolder, YoloImage
from penstock.importers.yolo._lines import TASKS, Task, task_of

__all__ = ["check_task", "chosen_task", "noted_folder"]


def check_task(task: object) -> None:
    """Raise if a task is not valid."""
    if task is not None and task not in TASKS:
        raise ImporterError(f"task={task!r} is not valid. Expected one of {', '.join(map(repr, TASKS))}, or None")


def chosen_task(config: YoloConfig, counts: Counter[int], log: IssueLog, *, scored: bool, task: Task | None) -> Task:
    """Return the task: as given, as in the YAML, or by the lines.

    Parameters
    ----------
    config : YoloConfig
        Of the dataset.
    counts : Counter
        How many lines have how many numbers after that of the class.
    log : IssueLog
        Takes a note where the lines may be of two tasks.
    scored : bool
        Whether odd lines end with a score.
    task : str, optional
        As given.

    Raises
    ------
    ImporterError
        If it is "pose" and nothing says how many keypoints there are.
    """
    if task == "pose" and config.keypoints is None:
        raise ImporterError(
            f"task='pose' needs the number of keypoints, which {str(config.file)!r} does not have. "
            "Expected kpt_shape in the YAML file, such as [17, 3]"
        )
    if task is not None:
        return task
    if config.keypoints is not None:
        return "pose"
    named = config.header.get("task")
    if named in TASKS and named not in ("pose", "classify"):
        known: Task = named
        return known
    found, is_unclear = task_of(count - count % 2 if scored else count for count in counts)
    if is_unclear:
        log.note(
            str(config.file),
            f"all {counts.total():,} lines have four corners, which may be rotated boxes or polygons; they are taken "
            "as rotated boxes. task='segment' takes them as polygons",
        )
    return found


def noted_folder(
    folder: YoloFolder, images: Sequence[YoloImage], task: Task, classes: Mapping[str, list[int]]
) -> Mapping[str, Any]:
    """Return what is noted of a folder, as JSON; `images` may be those of one split."""
    subsets = {image.subset for image in images}
    config = folder.config
    is_yaml = bool(config.text)
    name = config.file.relative_to(folder.root).as_posix() if is_yaml and is_below(config.file, folder.root) else ""
    return {
        "format": "yolo",
        "task": task,
        "files": [
            {
                "format": "yolo",
                "name": name or "data.yaml",
                "header": config.header,
                "text": config.text,
                "classes": dict(classes),
                "folders": _folders(folder, folder.images),
                "split": subsets.pop() if len(images) < len(folder.images) and len(subsets) == 1 else "",
                "keeps_layout": bool(name) and not folder.lists and _is_usual(folder, images),
            }
        ],
    }


def _is_usual(folder: YoloFolder, images: Sequence[YoloImage]) -> bool:
    """Return whether every label file is where trainers look for it: in `labels` in place of the last `images`."""
    for image in images:
        if not is_below(image.path, folder.root):
            return False
        head, found, tail = f"/{image.path.relative_to(folder.root).as_posix()}".rpartition("/images/")
        expected = f"{folder.root.as_posix()}{head}/labels/{tail.rpartition('.')[0]}.txt"
        if not found or (image.labels is not None and image.labels.as_posix() != expected):
            return False
    return True


def _folders(folder: YoloFolder, images: Sequence[YoloImage]) -> dict[str, str]:
    """Return the folder with all images of each split, where it has no others."""
    of_split: dict[str, list[str]] = {}
    for image in images:
        if is_below(image.path, folder.root):
            of_split.setdefault(image.subset, []).append(image.path.relative_to(folder.root).parent.as_posix())
    return {subset: os.path.commonpath(paths) for subset, paths in of_split.items()}
