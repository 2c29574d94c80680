"""Pascal VOC: XML files and images to detections."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from penstock.dataset import Dataset
from penstock.importers.boxes._annotated import Detections, group_by_image
from penstock.importers.boxes._detections import Gathered, build_detections
from penstock.importers.boxes._turned import Exif
from penstock.importers.building._report import IssueLog, OnError
from penstock.importers.files._finder import admit_links, as_folders
from penstock.importers.files._unused import log_unused
from penstock.importers.voc._file import VocFile, read_voc_file
from penstock.importers.voc._layout import ANNOTATION_FOLDERS, ImagesByName, VocFolder, find_voc, of_split
from penstock.importers.voc._masks import read_masks
from penstock.importers.voc._names import voc_names
from penstock.importers.voc._sets import read_sets
from penstock.importers.voc._source import VocSource
from penstock.tensors import MAX_IMAGE_BYTES

__all__ = ["from_voc", "gather_voc", "parse_voc"]


def from_voc(
    root: str | os.PathLike[str],
    dest: str | os.PathLike[str],
    *,
    split: str | None = None,
    one_based: bool = True,
    link: bool = False,
    roots: Sequence[str | os.PathLike[str]] = (),
    exif: Exif = "auto",
    num_workers: int = 0,
    on_error: OnError = "raise",
    progress: bool = True,
    max_image_bytes: int | None = MAX_IMAGE_BYTES,
) -> Dataset:
    """Create a dataset from Pascal VOC annotations.

    Tensors: ``images``, ``boxes`` (left, top, width, height, pixels),
    ``categories`` (classes in order of first appearance), and ``subset`` if the
    annotations are in folders of splits. Samples are sorted by file name. VOC counts
    pixels from 1 and both corners belong to the box, so ``xmin=1, xmax=64`` becomes
    left 0 and width 64. Boxes that extend beyond their image are clipped, and boxes
    without area are widened to one pixel; `import_report` lists them.

    Parameters
    ----------
    root : str or path
        Folder with ``Annotations`` and ``JPEGImages``, or ``annotations`` and
        ``images``, or XML files next to their images, or splits that contain these.
    dest : str or path
        Where to create the dataset; must not exist.
    split : str, optional
        Import only this split: a list in ``ImageSets/Main``, or a folder.
    one_based : bool
        Whether corners follow VOC. False treats them as edges counted from 0, as some
        tools write them: the width is ``xmax - xmin``.
    link : bool
        Whether to link to the images instead of copying them.
    roots : sequence of str or path
        Other folders that symbolic links to linked images may point into.
    exif : {"auto", "upright", "stored"}
        Whether boxes of images that EXIF rotates refer to the displayed image or to the
        stored pixels. "auto" decides from the size stated in the file and from the
        boxes; if they do not decide it, the image is rejected by name.
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
    gathered = gather_voc(root, log, split=split, one_based=one_based, link=link, roots=allowed)
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


def gather_voc(
    root: str | os.PathLike[str],
    log: IssueLog,
    *,
    split: str | None = None,
    one_based: bool = True,
    link: bool = False,
    roots: Sequence[Path] = (),
) -> Gathered:
    """Return the boxes of a folder and where its images are; parameters as in `from_voc`."""
    folder = find_voc(root)
    files = folder.files if split is None else of_split(folder, split, log)
    found, images, masks = parse_voc(folder, files, log, one_based=one_based, with_subsets=split is None)
    of_others = set(folder.files) - set(files)
    lists = [path for path in folder.listing.files if "ImageSets" in path.parts]
    used = [*folder.files, *images, *lists, *masks]
    log_unused(log, folder.listing, used, lambda path: _reason(path, bool(of_others)))
    located = admit_links(images, folder.root, roots, log, linked=link)
    return Gathered(found=found, images=located, source=folder.root.resolve().name)


def parse_voc(
    folder: VocFolder, files: Sequence[Path], log: IssueLog, *, one_based: bool = True, with_subsets: bool = True
) -> tuple[Detections, list[Path], list[Path]]:
    """Return the boxes in annotation files, the image of each file, and the masks.

    Parameters
    ----------
    folder : VocFolder
        As `find_voc` returns it.
    files : sequence of Path
        Those to read.
    log : IssueLog
        Receives files that are not VOC annotations, objects that are malformed, and
        files that name another image.
    one_based : bool
        Whether the first pixel is 1 and both corners belong to a box.
    with_subsets : bool
        Whether to keep the splits given by the folders.
    """
    by_name, kept, images, contents = ImagesByName(folder), list[Path](), list[Path](), list[VocFile]()
    for file in files:
        content = read_voc_file(file, log, one_based=one_based)
        image = None if content is None else by_name.find(file, content.filename, log)
        if content is not None and image is not None:
            kept.append(file)
            images.append(image)
            contents.append(content)
    _note_shared(kept, images, log)
    root = folder.root
    names = voc_names(kept, root, ANNOTATION_FOLDERS, has_lists=bool(folder.lists))
    others = frozenset(file.stem for file in {*folder.files} - {*kept})
    subsets = tuple(folder.subset(file) for file in kept)
    with_splits = with_subsets and not any(subsets)
    sets = read_sets(folder.lists, root, names, contents, log, others=others, with_splits=with_splits)
    masks = read_masks(images, folder.listing.files, root, log)
    found = _detections(folder, kept, images, contents)
    source = VocSource(contents, names=names, images=found.images, sets=sets, masks=masks, one_based=one_based)
    return (
        replace(
            found,
            subsets=(sets.subsets if with_splits else subsets) if with_subsets else None,
            source=source,
            image_places=np.arange(len(kept)),
            object_places=np.arange(len(found.labels)),
        ),
        images,
        masks.files,
    )


def _note_shared(files: Sequence[Path], images: Sequence[Path], log: IssueLog) -> None:
    counts = Counter(images)
    for file, image in zip(files, images, strict=True):
        if counts[image] > 1:
            log.note(file.name, f"shares the image {image.name!r} with {counts[image] - 1} other annotation files")


def _detections(
    folder: VocFolder, files: Sequence[Path], images: Sequence[Path], contents: Sequence[VocFile]
) -> Detections:
    class_names = tuple(dict.fromkeys(name for content in contents for name in content.names))
    class_of = {name: index for index, name in enumerate(class_names)}
    of_image = np.repeat(np.arange(len(files)), [len(content.names) for content in contents]).astype(np.int64)
    _, offsets = group_by_image(of_image, len(files))
    labels = np.array([class_of[name] for content in contents for name in content.names], np.int64)

    def describe(box: int) -> str:
        at = int(of_image[box])
        return f"{files[at].name}, {class_names[labels[box]]} {box - int(offsets[at])}"

    boxes_xywh = [box for content in contents for box in content.boxes_xywh]
    return Detections(
        images=tuple(image.relative_to(folder.root).as_posix() for image in images),
        offsets=offsets,
        boxes_xywh=np.array(boxes_xywh, np.float64).reshape(-1, 4),
        labels=labels,
        class_names=class_names,
        describe=describe,
        stated_sizes=np.array([content.size for content in contents], np.float64).reshape(-1, 2),
    )


def _reason(path: Path, is_split: bool) -> str:
    if path.suffix.lower() == ".xml":
        return "not an annotation file of the dataset"
    return f"no annotation file refers to it{' in this split' if is_split else ''}"
