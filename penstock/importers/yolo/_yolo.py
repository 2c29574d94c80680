"""YOLO: images and text files to detections."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from penstock.dataset import Dataset
from penstock.importers.boxes._annotated import Detections
from penstock.importers.boxes._detections import Gathered, build_detections
from penstock.importers.boxes._turned import Exif
from penstock.importers.building._report import IssueLog, OnError
from penstock.importers.building._text import printable
from penstock.importers.files._finder import admit_links, as_folders
from penstock.importers.files._unused import log_unused
from penstock.importers.yolo._classify import from_class_folders, is_classify
from penstock.importers.yolo._config import is_class_list, named_classes
from penstock.importers.yolo._files import parse_files, read_files, word_counts
from penstock.importers.yolo._layout import YoloFolder, YoloImage, find_yolo, looks_like_labels, of_subset
from penstock.importers.yolo._lines import LineReader, Task, has_scores
from penstock.importers.yolo._noted import check_task, chosen_task, noted_folder
from penstock.importers.yolo._source import YoloSource
from penstock.tensors import MAX_IMAGE_BYTES

__all__ = ["from_yolo", "gather_yolo", "parse_yolo"]


def from_yolo(
    root: str | os.PathLike[str],
    dest: str | os.PathLike[str],
    *,
    split: str | None = None,
    task: Task | None = None,
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
    ``categories``, ``file`` (path of the image), and ``subset`` if there are splits. Samples
    are sorted by path. Polygons and rotated boxes also become ``segmentation``, keypoints
    ``keypoints``, and a score at the end of a line ``score``. What else is needed to write the
    same label files again is in ``as_written``, ``label_file`` and ``ds.info["source"]``. An
    image without a label file has no boxes. Boxes that extend beyond their image
    are clipped, and boxes without area are widened to one pixel; `import_report` lists them.

    Parameters
    ----------
    root : str or path
        The dataset's folder, or its YAML file: ``images`` and ``labels`` with
        splits in them, splits with ``images`` and ``labels`` in them, label files
        next to the images, or the layout described by the YAML or ``obj.data``. Class
        names come from the YAML, ``classes.txt`` or ``obj.names``; no label may use a
        number without a name (an empty line). For classification, a folder of images for each
        class, in a folder for each split.
    dest : str or path
        Where to create the dataset; must not exist.
    split : str, optional
        Import only this split.
    task : {"detect", "segment", "pose", "obb", "classify"}, optional
        What the dataset is for. By default ``task`` or ``kpt_shape`` in the YAML decides, and otherwise
        the lines: boxes are "detect", polygons "segment". Lines that all have four corners
        can be rotated boxes or polygons: they are taken as "obb", which the report notes.
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
    check_task(task)
    if task == "classify" or (task is None and class_names is None and is_classify(root)):
        return from_class_folders(
            root,
            dest,
            log,
            split=split,
            link=link,
            num_workers=num_workers,
            progress=progress,
            max_image_bytes=max_image_bytes,
        )
    allowed = as_folders(roots)
    gathered = gather_yolo(root, log, split=split, task=task, class_names=class_names, link=link, roots=allowed)
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
    task: Task | None = None,
    class_names: Sequence[str] | None = None,
    link: bool = False,
    roots: Sequence[Path] = (),
) -> Gathered:
    """Return the boxes of a folder and where its images are; parameters as in `from_yolo`."""
    folder = find_yolo(root, log, roots=roots, class_names=class_names)
    images = folder.images if split is None else of_subset(folder, split)
    found, kept = parse_yolo(folder, images, log, class_names=class_names, task=task)
    log_unused(log, folder.listing, _used(folder), _reason)
    located = admit_links([image.path for image in kept], folder.root, roots, log, linked=link)
    return Gathered(found=found, images=located, source=folder.root.resolve().name)


def parse_yolo(
    folder: YoloFolder,
    images: Sequence[YoloImage],
    log: IssueLog,
    *,
    class_names: Sequence[str] | None = None,
    task: Task | None = None,
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
    task : str, optional
        What the lines are, where the caller knows.
    """
    names, class_of = named_classes(folder.config, class_names, log)
    texts = read_files(images, log)
    counts = word_counts(texts)
    scored = has_scores(counts)
    chosen = chosen_task(folder.config, counts, log, scored=scored, task=task)
    reader = LineReader(
        class_of=class_of,
        keypoints=folder.config.keypoints,
        may_be_pose=folder.config.text != "" or task is not None,
        scores=scored,
    )
    read = parse_files(texts, reader, log)
    kept = [file.image for file in read]
    lines = [line for file in read for _, _, line in file.lines]
    offsets = np.concatenate([[0], np.cumsum([len(file.lines) for file in read], dtype=np.int64)]).astype(np.int64)
    paths = tuple(_name(image, folder) for image in kept)
    numbers = {label: number for number, label in sorted(class_of.items(), reverse=True)}
    same: dict[int, set[int]] = {}
    for number, label in class_of.items():
        same.setdefault(label, set()).add(number)

    def describe(box: int) -> str:
        at = int(np.searchsorted(offsets, box, side="right")) - 1
        labels = kept[at].labels
        return f"{labels.name if labels else kept[at].path.name}, box {box - int(offsets[at])}"

    source = YoloSource(
        read,
        [printable(path) for path in paths],
        info=noted_folder(folder, images, chosen, {names[label]: sorted(own) for label, own in same.items()}),
        numbers=numbers,
        same=same,
    )
    return Detections(
        images=paths,
        offsets=offsets,
        boxes_xywh=np.array([line.box for line in lines], np.float64).reshape(-1, 4),
        labels=np.array([line.label for line in lines], np.int64),
        class_names=names,
        describe=describe,
        subsets=tuple(image.subset for image in kept) if len(images) == len(folder.images) else None,
        is_relative=True,
        source=source,
        image_places=np.arange(len(kept), dtype=np.int64),
        object_places=np.arange(len(lines), dtype=np.int64),
    ), kept


def _name(image: YoloImage, folder: YoloFolder) -> str:
    below = image.path.is_relative_to(folder.root)
    return image.path.relative_to(folder.root).as_posix() if below else str(image.path)


def _used(folder: YoloFolder) -> list[Path]:
    labels = [image.labels for image in folder.images if image.labels is not None]
    names = [path for path in folder.listing.files if is_class_list(path)]
    return [folder.config.file, *names, *folder.lists, *(image.path for image in folder.images), *labels]


def _reason(path: Path) -> str:
    if path.suffix.lower() == ".txt" and ("labels" in map(str.lower, path.parts) or looks_like_labels(path)):
        return "a label file that belongs to no image"
    return "not an image or label file of the dataset"
