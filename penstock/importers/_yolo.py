"""YOLO: a folder of images and text files to detections."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset import Dataset
from penstock.errors import ImporterError, SampleError
from penstock.importers._build import build
from penstock.importers._detections import Detections, detection_columns, group_by_image, mend_boxes
from penstock.importers._files import IMAGE_SUFFIXES, image_under
from penstock.importers._report import IssueLog, OnError
from penstock.tensors import image_shape

__all__ = ["from_yolo", "is_yolo", "parse_yolo"]

_NUM_BOX_VALUES = 5
_NAMES_FILES = ("classes.txt", "obj.names")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Annotated:
    image: Path
    size: tuple[int, int]
    rows: tuple[tuple[int, tuple[float, float, float, float]], ...]


def from_yolo(
    root: str | os.PathLike[str],
    dest: str | os.PathLike[str],
    *,
    split: str | None = None,
    num_workers: int = 0,
    on_error: OnError = "raise",
    progress: bool = True,
) -> Dataset:
    """Make a dataset of YOLO annotations.

    Tensors: ``images``, ``boxes`` (left, top, width, height, pixels) and
    ``categories``. Samples come by path; polygons become their boxes, and an
    image without a label file has none. Boxes that reach out of their image are
    clipped, boxes without area widened to one pixel; `import_report` lists them.

    Parameters
    ----------
    root : str or path
        Folder with ``images``, ``labels`` and a YAML file, ``classes.txt`` or ``obj.names``.
    dest : str or path
        Where the dataset is made; must not exist.
    split : str, optional
        Take only this split.
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
        If the folder is laid out otherwise, or a file or image is missing or
        broken; nothing is left at `dest`.
    DatasetExistsError
        If there is something at `dest`.
    """
    folder = Path(root)
    log = IssueLog(on_error)
    found = parse_yolo(folder, log, split=split)
    images = [image_under(folder / "images", name) for name in found.images]
    return build(
        dest,
        detection_columns(found, images),
        len(found),
        source=folder.name,
        log=log,
        num_workers=num_workers,
        progress=progress,
    )


def is_yolo(root: Path) -> bool:
    """Return whether the folder is laid out as YOLO."""
    return (root / "images").is_dir() and (root / "labels").is_dir()


def parse_yolo(root: Path, log: IssueLog, *, split: str | None = None) -> Detections:
    """Return the images under a YOLO root by path, with their boxes in pixels.

    Parameters
    ----------
    root : Path
        Folder with ``images``, ``labels`` and a YAML or names file.
    log : IssueLog
        Takes label files that cannot be read, unknown classes and boxes that fit no image.
    split : str, optional
        Take only ``images/<split>``.
    """
    if not is_yolo(root):
        raise ImporterError(f"{str(root)!r} is no YOLO folder; expected images and labels in it")
    class_names = _class_names(root)
    annotated = [found for path in _images(root, split) if (found := _read(path, root, class_names, log)) is not None]
    flat = [(row, label, box) for row, one in enumerate(annotated) for label, box in one.rows]
    rows = np.array([row for row, _, _ in flat], np.int64)
    _, offsets = group_by_image(rows, len(annotated))
    sizes = np.array([one.size for one in annotated], np.float64).reshape(-1, 2)[rows]
    boxes_xywh = np.array([box for _, _, box in flat], np.float64).reshape(-1, 4) * np.tile(sizes, 2)

    def describe(box: int) -> str:
        return f"{annotated[rows[box]].image.name}, box {box - offsets[rows[box]]}"

    mended, kept = mend_boxes(_rounded(boxes_xywh), sizes, describe, log)
    return Detections(
        images=tuple(str(one.image.relative_to(root / "images")) for one in annotated),
        offsets=offsets,
        boxes_xywh=mended,
        labels=np.array([label for _, label, _ in flat], np.int64),
        class_names=class_names,
    ).keep_boxes(kept)


def _images(root: Path, split: str | None) -> list[Path]:
    folder = root / "images" / split if split else root / "images"
    if not folder.is_dir():
        known = ", ".join(sorted(path.name for path in (root / "images").iterdir() if path.is_dir()))
        raise ImporterError(f"no split {split!r} in {root / 'images'}; the splits are {known or 'none'}")
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)


def _read(image: Path, root: Path, class_names: tuple[str, ...], log: IssueLog) -> _Annotated | None:
    labels = (root / "labels" / image.relative_to(root / "images")).with_suffix(".txt")
    try:
        height, width = image_shape(image.read_bytes())[:2]
        lines = labels.read_text().splitlines() if labels.exists() else []
    except (OSError, SampleError, UnicodeDecodeError) as error:
        log.refuse(image.name, f"cannot be read: {error}")
        return None
    rows = tuple(row for line in lines if line.strip() and (row := _row(line, labels.name, class_names, log)))
    return _Annotated(image=image, size=(width, height), rows=rows)


def _row(
    line: str, source: str, class_names: tuple[str, ...], log: IssueLog
) -> tuple[int, tuple[float, float, float, float]] | None:
    try:
        label, *values = (float(word) for word in line.split())
        return _class(label, class_names), _box(values)
    except ValueError as error:
        log.refuse(source, f"line {line.strip()!r}: {error}")
    return None


def _class(label: float, class_names: tuple[str, ...]) -> int:
    if label not in range(len(class_names)):
        raise ValueError(f"class {label:g}; expected 0 to {len(class_names) - 1}")
    return int(label)


def _box(values: list[float]) -> tuple[float, float, float, float]:
    """Left, top, width, height, normalised, of a box or a polygon."""
    if len(values) == _NUM_BOX_VALUES - 1:
        x, y, width, height = values
        return x - width / 2, y - height / 2, width, height
    if len(values) < _NUM_BOX_VALUES + 1 or len(values) % 2:
        raise ValueError(f"{len(values) + 1} numbers; expected class, x, y, width, height or class and a polygon")
    xs, ys = values[::2], values[1::2]
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)


def _rounded(boxes_xywh: NDArray[np.float64]) -> NDArray[np.float64]:
    """Six decimals of a normalised number leave edges a hair outside the image: round to 1/100 pixel."""
    return np.round(boxes_xywh, 2)


def _class_names(root: Path) -> tuple[str, ...]:
    for name in _NAMES_FILES:
        if (root / name).is_file():
            return tuple(line.strip() for line in (root / name).read_text().splitlines() if line.strip())
    for file in sorted([*root.glob("*.yaml"), *root.glob("*.yml")]):
        return _yaml_names(file)
    raise ImporterError(f"no class names in {str(root)!r}; expected a YAML file with names, classes.txt or obj.names")


def _yaml_names(file: Path) -> tuple[str, ...]:
    import yaml

    try:
        data: Any = yaml.safe_load(file.read_text())
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
        raise ImporterError(f"{file} cannot be read as YAML: {error}") from None
    names = data.get("names") if isinstance(data, dict) else None
    if isinstance(names, dict) and sorted(names) == list(range(len(names))):
        names = [names[index] for index in range(len(names))]
    if not isinstance(names, list) or not names:
        raise ImporterError(f"{file} has no names; expected a list of class names, or numbers from 0 with a name each")
    return tuple(str(name) for name in names)
