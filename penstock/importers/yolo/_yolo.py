"""YOLO: images and text files to detections."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from penstock.dataset import Dataset
from penstock.errors import ImporterError
from penstock.importers.boxes._annotated import Detections, group_by_image
from penstock.importers.boxes._detections import Gathered, build_detections
from penstock.importers.boxes._turned import Exif
from penstock.importers.building._report import IssueLog, OnError
from penstock.importers.building._text import read_lines
from penstock.importers.files._finder import admit_links, as_folders
from penstock.importers.files._unused import log_unused
from penstock.importers.yolo._config import is_class_list, named_classes
from penstock.importers.yolo._layout import YoloFolder, YoloImage, find_yolo, looks_like_labels, of_subset
from penstock.importers.yolo._lines import Box, LineReader
from penstock.tensors import MAX_IMAGE_BYTES

__all__ = ["from_yolo", "gather_yolo", "parse_yolo"]


def from_yolo(
    root: str | os.PathLike[str],
    dest: str | os.PathLike[str],
    *,
    split: str | None = None,
    class_names: Sequence[str] | None = None,
    link: bool = False,
    roots: Sequence[str | os.PathLike[str]] = (),
    exif: Exif = "auto",
    num_workers: int = 0,
    on_error: OnError = "raise",
    progress: bool = True,
    max_image_bytes: int | None = MAX_IMAGE_BYTES,
) -> Dataset:
    """Create a dataset from YOLO annotations.

    Tensors: ``images``, ``boxes`` (left, top, width, height, pixels),
    ``categories``, and ``subset`` if there are splits. Samples are sorted by path.
    Polygons and rotated boxes become the boxes around them, poses become their boxes,
    and an image without a label file has no boxes. Boxes that extend beyond their image
    are clipped, and boxes without area are widened to one pixel; `import_report` lists them.

    Parameters
    ----------
    root : str or path
        The dataset's folder, or its YAML file: ``images`` and ``labels`` with
        splits in them, splits with ``images`` and ``labels`` in them, label files
        next to the images, or the layout described by the YAML or ``obj.data``. Class
        names come from the YAML, ``classes.txt`` or ``obj.names``; no label may use a
        number without a name (an empty line).
    dest : str or path
        Where to create the dataset; must not exist.
    split : str, optional
        Import only this split.
    class_names : sequence of str, optional
        Names of the classes from number 0, instead of those in the folder.
    link : bool
        Whether to link to the images instead of copying them.
    roots : sequence of str or path
        Other folders that may be read: files named by the YAML and its lists, and
        symbolic links to linked images, must point into `root` or one of these.
    exif : {"auto", "upright", "stored"}
        Whether boxes of images that EXIF rotates refer to the displayed image or to the
        stored pixels. "auto" uses the displayed image, as YOLO trainers do, and notes
        it in the report.
    num_workers : int
        Threads that read and check images.
    on_error : {"raise", "skip"}
        Whether to raise an error for images and annotations that cannot be read, or to leave them out.
    progress : bool
        Whether to show a progress bar.
    max_image_bytes : int, optional
        Maximum size of a decoded image in bytes; None allows any size.

    Returns
    -------
    Dataset
        The dataset, committed.

    Raises
    ------
    ImporterError
        If the folder has another layout, or a file or image is missing or broken;
        nothing is left at `dest`.
    DatasetExistsError
        If `dest` already exists.
    """
    log = IssueLog(on_error)
    allowed = as_folders(roots)
    gathered = gather_yolo(root, log, split=split, class_names=class_names, link=link, roots=allowed)
    return build_detections(
        dest,
        gathered,
        log=log,
        num_workers=num_workers,
        progress=progress,
        linked=link,
        exif=exif,
        max_image_bytes=max_image_bytes,
    )


def gather_yolo(
    root: str | os.PathLike[str],
    log: IssueLog,
    *,
    split: str | None = None,
    class_names: Sequence[str] | None = None,
    link: bool = False,
    roots: Sequence[Path] = (),
) -> Gathered:
    """Return the boxes of a folder and where its images are; parameters as in `from_yolo`."""
    folder = find_yolo(root, log, roots=roots, class_names=class_names)
    images = folder.images if split is None else of_subset(folder, split)
    found, kept = parse_yolo(folder, images, log, class_names=class_names)
    log_unused(log, folder.listing, _used(folder), _reason)
    located = admit_links([image.path for image in kept], folder.root, roots, log, linked=link)
    return Gathered(found=found, images=located, source=folder.root.resolve().name)


def parse_yolo(
    folder: YoloFolder, images: Sequence[YoloImage], log: IssueLog, *, class_names: Sequence[str] | None = None
) -> tuple[Detections, list[YoloImage]]:
    """Return the boxes of images, in fractions of their sides, and the images whose labels could be read.

    Parameters
    ----------
    folder : YoloFolder
        As `find_yolo` returns it.
    images : sequence of YoloImage
        Those to take.
    log : IssueLog
        Takes label files and lines that cannot be read.
    class_names : sequence of str, optional
        Names of the classes from number 0, instead of those in the folder.
    """
    names, class_of = named_classes(folder.config, class_names, log)
    has_yaml = folder.config.file.suffix.lower() in {".yaml", ".yml"}
    reader = LineReader(class_of=class_of, keypoints=folder.config.keypoints, has_yaml=has_yaml)
    read = [(image, rows) for image in images if (rows := _rows(image, reader, log)) is not None]
    flat = [(at, label, box) for at, (_, rows) in enumerate(read) for label, box in rows]
    of_image = np.array([at for at, _, _ in flat], np.int64)
    _, offsets = group_by_image(of_image, len(read))
    kept = [image for image, _ in read]

    def describe(box: int) -> str:
        at = int(of_image[box])
        labels = kept[at].labels
        return f"{labels.name if labels else kept[at].path.name}, box {box - int(offsets[at])}"

    return Detections(
        images=tuple(_name(image, folder) for image in kept),
        offsets=offsets,
        boxes_xywh=np.array([box for _, _, box in flat], np.float64).reshape(-1, 4),
        labels=np.array([label for _, label, _ in flat], np.int64),
        class_names=names,
        describe=describe,
        subsets=tuple(image.subset for image in kept) if len(images) == len(folder.images) else None,
        is_relative=True,
    ), kept


def _name(image: YoloImage, folder: YoloFolder) -> str:
    below = image.path.is_relative_to(folder.root)
    return image.path.relative_to(folder.root).as_posix() if below else str(image.path)


def _rows(image: YoloImage, reader: LineReader, log: IssueLog) -> list[tuple[int, Box]] | None:
    """Return the boxes of an image, None where its label file cannot be read."""
    if image.labels is None:
        return []
    try:
        lines = read_lines(image.labels)
    except ImporterError as error:
        log.refuse(image.path.name, error.message)
        return None
    return [row for line in lines if line.strip() and (row := _row(line, image.labels, reader, log)) is not None]


def _row(line: str, labels: Path, reader: LineReader, log: IssueLog) -> tuple[int, Box] | None:
    try:
        return reader.read(line)
    except ValueError as error:
        log.refuse(labels.name, f"line {line.strip()[:80]!r}: {error}")
    return None


def _used(folder: YoloFolder) -> list[Path]:
    labels = [image.labels for image in folder.images if image.labels is not None]
    names = [path for path in folder.listing.files if is_class_list(path)]
    return [folder.config.file, *names, *folder.lists, *(image.path for image in folder.images), *labels]


def _reason(path: Path) -> str:
    if path.suffix.lower() == ".txt" and ("labels" in map(str.lower, path.parts) or looks_like_labels(path)):
        return "a label file that belongs to no image"
    return "not an image or label file of the dataset"
