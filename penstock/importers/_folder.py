"""A folder with a folder of images for each class."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset import Dataset
from penstock.engines import EngineOption
from penstock.errors import ImporterError
from penstock.importers.building._build import Column, build
from penstock.importers.building._report import IssueLog, OnError
from penstock.importers.building._sources import existing_folder, plain_errors
from penstock.importers.building._text import printable
from penstock.importers.files._masks import MaskFiles
from penstock.importers.files._passed_over import Listing, is_image_file, list_files
from penstock.importers.files._places import Place, find_places
from penstock.importers.files._unused import log_unused
from penstock.tensors import MAX_IMAGE_BYTES

__all__ = ["ImageFolder", "from_folder", "parse_folder"]

_NUM_SHOWN = 3
_PathLike = str | os.PathLike[str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImageFolder:
    """Images with the class and split of their folders.

    Parameters
    ----------
    images : tuple of Path
        Ascending.
    labels : ndarray of int64, shape (num_images,), optional
        Index into `class_names`, -1 for an image without class; None if no image has one.
    class_names : tuple of str
        Names of the folders, ascending.
    splits : ndarray of int64, shape (num_images,), optional
        Index into `split_names`, where folders such as train, val and test divide the images.
    split_names : tuple of str
        Names of the splits.
    """

    images: tuple[Path, ...]
    labels: NDArray[np.int64] | None
    class_names: tuple[str, ...]
    splits: NDArray[np.int64] | None
    split_names: tuple[str, ...]


def from_folder(
    root: str | os.PathLike[str],
    dest: str | os.PathLike[str],
    *,
    splits: Sequence[str] | None = None,
    masks: str | os.PathLike[str] | Mapping[str, str | os.PathLike[str]] | None = None,
    num_workers: int = 0,
    on_error: OnError = "raise",
    progress: bool = True,
    max_image_bytes: int | None = MAX_IMAGE_BYTES,
    engine: EngineOption = None,
) -> Dataset:
    """Create a dataset from a folder that contains a folder of images per class.

    Tensors: ``images``, and ``labels`` if the images are in folders (classes in the
    folders' order). Folders such as train, val and test are splits and never classes:
    the classes are the folders below or above them, and ``subset`` records the split.
    Images of a split without class folders have no label, and files next to the splits
    are left out. ``file`` is the path of each image. Images are recognized by their
    content. Hidden files and system files are skipped, and a symbolic link counts as
    its target; `import_report` lists skipped files.

    Parameters
    ----------
    root : str or path
        The folder.
    dest : str or path
        Where to create the dataset; must not exist.
    splits : sequence of str, optional
        Names of the folders that are splits, in any letter case. By default train,
        training, val, valid, validation, test and testing, also such as ``train2017``
        and ``test_images``. With an empty sequence, every folder is a class.
    masks : str, path or mapping of str to str or path, optional
        A folder of PNG masks, which have the same names as the images: a tensor ``masks`` of the number of each
        pixel. A mapping of tensor names to folders makes several.
    num_workers : int
        Threads that read and check images; of an engine, parts at the same time, where 0 means all it can.
    on_error : {"raise", "skip"}
        Whether to raise an error for images that cannot be read or assigned to a class, or to leave them out.
    progress : bool
        Whether to show a progress bar.
    max_image_bytes : int, optional
        Maximum size of a decoded image in bytes; None allows any size.
    engine : {"threads", "processes", "ray"} or RayEngine, optional
        Where the images are read and checked and the samples are written, part by part; by default here. The dataset
        is the same.

    Returns
    -------
    Dataset
        The dataset, committed.

    Raises
    ------
    ImporterError
        If there are no images, some are not in a class folder, one is broken, or it is
        not clear whether a folder is a split; nothing is left at `dest`.
    DatasetExistsError
        If `dest` already exists.
    EngineError
        If the engine is unknown, cannot be reached or loses its workers; nothing is left at `dest`.
    """
    folder, log = existing_folder(root, "a folder that contains a folder of images per class"), IssueLog(on_error)
    with plain_errors(f"the folder {str(folder)!r}"):
        apart = [Path(one) for one in (masks.values() if isinstance(masks, Mapping) else [masks]) if one is not None]
        found = parse_folder(folder, log, splits=splits, apart=apart)
        files = [printable(path.relative_to(folder).as_posix()) for path in found.images]
        mask_columns, note = _mask_columns(masks, files, log)
    columns = [Column(name="images", htype="image", sample=found.images.__getitem__)]
    labels, subset = ("labels", found.labels, found.class_names), ("subset", found.splits, found.split_names)
    for name, indices, names in (labels, subset):
        if indices is not None:
            samples = [[index] if index >= 0 else [] for index in indices.tolist()]
            columns.append(
                Column(name=name, htype="class_label", sample=samples.__getitem__, options={"class_names": names})
            )
    columns.append(Column(name="file", htype="text", sample=files.__getitem__))
    return build(
        dest,
        [*columns, *mask_columns],
        len(found.images),
        source=folder.resolve().name,
        log=log,
        num_workers=num_workers,
        progress=progress,
        max_image_bytes=max_image_bytes,
        info={"format": "folder", "masks": note},
        engine=engine,
    )


def _mask_columns(
    masks: _PathLike | Mapping[str, _PathLike] | None, images: Sequence[str], log: IssueLog
) -> tuple[list[Column], dict[str, Any]]:
    """Return a tensor for each folder of masks, and how its files show the numbers."""
    if masks is None:
        return [], {}
    columns, note, found = [], {}, {}
    for name, folder in (masks if isinstance(masks, Mapping) else {"masks": masks}).items():
        root = existing_folder(folder, "a folder of PNG masks with the names of the images")
        listing = list_files(root)
        files = MaskFiles(_masks_of(images, root, listing), log)
        if not files:
            raise ImporterError(
                f"{str(root)!r} has no PNG mask with the name of an image. Expected for example "
                f"{PurePosixPath(images[0]).stem + '.png'!r}"
            )
        log_unused(log, listing, files.files, "not a mask with the name of an image")
        found[name] = files
        columns.append(Column(name=name, htype="segment_mask", sample=files.read, options={"dtype": files.dtype}))
        note[name] = {"folder": root.name, "forms": [form.to_json() for form in files.forms]}
    if any(len(files.forms) > 1 for files in found.values()):
        columns.append(Column(name="mask_forms", htype="json", sample=lambda row: _forms(found, row)))
    return columns, note


def _masks_of(images: Sequence[str], root: Path, listing: Listing) -> list[Path | None]:
    """Return the mask of each image: at the same path, or the only one of the same name."""
    by_path, by_stem = {}, defaultdict(list)
    for path in listing.files:
        by_path[str(path.relative_to(root).with_suffix(""))] = path
        by_stem[path.stem].append(path)
    stems = Counter(PurePosixPath(image).stem for image in images)
    found: list[Path | None] = []
    for image in images:
        stem, own = PurePosixPath(image).stem, by_path.get(str(PurePosixPath(image).with_suffix("")))
        alone = len(by_stem[stem]) == 1 and stems[stem] == 1
        found.append(own if own is not None else by_stem[stem][0] if alone else None)
    return found


def _forms(found: Mapping[str, MaskFiles], row: int) -> dict[str, int] | None:
    return {name: at for name, files in found.items() if (at := files.form_of(row))} or None


def parse_folder(
    root: Path, log: IssueLog, *, splits: Sequence[str] | None = None, apart: Sequence[Path] = ()
) -> ImageFolder:
    """Return the images below `root`; the class is the first folder below it, or below the split.

    Parameters
    ----------
    root : Path
        The folder.
    log : IssueLog
        Receives skipped files, and images that cannot be assigned to a class.
    splits : sequence of str, optional
        Names of the folders that are splits.
    apart : sequence of Path
        Folders whose images are masks of others.

    Raises
    ------
    ImporterError
        If the folder does not exist or has no images, or it is not clear what is a split.
    """
    listing = list_files(existing_folder(root, "a folder that contains a folder of images per class"))
    listing = _without(listing, apart)
    images = [path for path in listing.files if is_image_file(path)]
    _record(root, listing, images, log)
    if not images:
        raise ImporterError(f"there are no images in {str(root)!r}. {_seen(root, listing)}")
    places = find_places([path.relative_to(root).parts[:-1] for path in images], root, splits)
    placed = list(zip(images, places, strict=True))
    _record_beside(root, placed, log)
    kept = [(path, place) for path, place in placed if not place.beside and not _refused(path, place, log)]
    labels, class_names = _indexed([place.label for _, place in kept], log)
    subset, split_names = _indexed([place.split for _, place in kept], log)
    return ImageFolder(
        images=tuple(path for path, _ in kept),
        labels=labels,
        class_names=class_names,
        splits=subset,
        split_names=split_names,
    )


def _without(listing: Listing, apart: Sequence[Path]) -> Listing:
    """Return what is below a folder without some folders."""
    real = [folder.resolve() for folder in apart]
    if not real:
        return listing

    def is_apart(path: Path) -> bool:
        return any(path.resolve().is_relative_to(folder) for folder in real)

    return replace(
        listing,
        files=tuple(path for path in listing.files if not is_apart(path)),
        folders=tuple(path for path in listing.folders if not is_apart(path)),
    )


def _record_beside(root: Path, placed: Sequence[tuple[Path, Place]], log: IssueLog) -> None:
    """Add the images next to the splits to the report, one entry per folder."""
    tops = [(root / path.relative_to(root).parts[0], place.beside) for path, place in placed if place.beside]
    for (top, splits), count in Counter(tops).items():
        what = "an image" if top.is_file() else f"a folder with {count:,} image{'' if count == 1 else 's'}"
        log.ignore(str(top), f"{what} next to the splits {splits}")


def _refused(path: Path, place: Place, log: IssueLog) -> bool:
    if place.problem:
        log.refuse(str(path), place.problem)
    return bool(place.problem)


def _record(root: Path, listing: Listing, images: Sequence[Path], log: IssueLog) -> None:
    """Add skipped files, and the number of files reached through links, to the report."""
    for path, reason in listing.passed_over:
        log.ignore(str(path), reason)
    taken = set(images)
    for path in listing.files:
        if path not in taken:
            log.ignore(str(path), "not an image")
    filled = {root, *(parent for path in images for parent in path.parents)}
    for path in listing.folders:
        if path not in filled and path.parent in filled:
            log.ignore(str(path), "a folder without images")
    if listing.num_outside:
        log.note(
            str(root),
            f"{listing.num_outside:,} files are reached through symbolic links that point outside this folder",
        )


def _seen(root: Path, listing: Listing) -> str:
    names = [str(path.relative_to(root)) for path in listing.files]
    seen = (
        f"the folder has {', '.join(names[:3])}{', …' if len(names) > 3 else ''}"
        if names
        else "the folder has no files"
    )
    return f"Expected image files such as JPEG or PNG, but {seen}"


def _indexed(names: list[str | None], log: IssueLog) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """Return the index of each name (-1 for None) and the sorted names; None if there are no names."""
    distinct = sorted({name for name in names if name is not None})
    if not distinct:
        return None, ()
    index = {name: number for number, name in enumerate(distinct)}
    indices = np.array([-1 if name is None else index[name] for name in names], np.int64)
    return indices, tuple(_storable(name, log) for name in distinct)


def _storable(name: str, log: IssueLog) -> str:
    """Return a folder's name as text; one that is not UTF-8 has escapes for the bytes that are not."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    if text != name:
        log.repair(text, "the folder's name is not UTF-8, so the class name contains escapes")
    return text
