"""Recognize COCO, Pascal VOC, YOLO or a folder of images, and import it."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, cast

from penstock.dataset import Dataset
from penstock.errors import ImporterError
from penstock.importers._folder import from_folder, parse_folder
from penstock.importers._seen import annotations_seen
from penstock.importers.boxes._detections import Gathered
from penstock.importers.building._build import import_report
from penstock.importers.building._report import IssueLog
from penstock.importers.building._sources import path_of
from penstock.importers.coco._coco import from_coco, gather_coco
from penstock.importers.coco._file import find_coco_images, read_coco
from penstock.importers.coco._layout import coco_files_below
from penstock.importers.files._passed_over import Listing, is_image_file, list_files
from penstock.importers.voc._layout import is_voc, voc_root
from penstock.importers.voc._voc import from_voc, gather_voc
from penstock.importers.yolo._layout import find_yolo, is_yolo, yolo_root
from penstock.importers.yolo._yolo import from_yolo, gather_yolo

__all__ = ["Recognized", "Source", "describe_import", "recognize"]

Kind = Literal["coco", "voc", "yolo", "folder"]
_IMPORTERS: dict[str, Callable[..., Dataset]] = {"voc": from_voc, "yolo": from_yolo, "folder": from_folder}
_LABELS = {"coco": "COCO instances", "voc": "Pascal VOC", "yolo": "YOLO", "folder": "image folder"}
_JSON_SUFFIXES = (".json", ".json.gz")
_YAML_SUFFIXES = (".yaml", ".yml")
_FORMAT = 3  # goes up when importers read the same source otherwise, so that old imports are not taken for new
_NUM_SHOWN = 3
_BESIDE = {"images": ("labels", "annotations"), "jpegimages": ("annotations",)}
_EXPECTED = "Expected a dataset, COCO annotations, a YOLO or VOC folder, or a folder of images"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognized:
    """What an import includes and leaves out.

    Examples
    --------
    >>> print(Recognized(kind="coco", num_images=80, num_classes=80, ignored=("a.txt",)))
    COCO instances, 80 images, 80 classes; ignored: 1 file

    Parameters
    ----------
    kind : {"coco", "voc", "yolo", "folder"}
    num_images : int
        Images that are listed or found.
    num_classes : int
        Classes.
    ignored : tuple of str
        Files that do not belong to the dataset.
    num_rejected : int
        Images and annotations that cannot be imported, as far as the annotations show.
    """

    kind: Kind
    num_images: int
    num_classes: int
    ignored: tuple[str, ...] = ()
    num_rejected: int = 0

    def __str__(self) -> str:
        """Return it in one line, as the command line prints it."""
        counts = f"{_counted(self.num_images, 'image')}, {_counted(self.num_classes, 'class')}"
        text = f"{_LABELS[self.kind]}, {counts}; ignored: {_counted(len(self.ignored), 'file')}"
        return f"{text}; rejected:  {self.num_rejected:,}" if self.num_rejected else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source to import, as `recognize` found it.

    Parameters
    ----------
    kind : {"coco", "voc", "yolo", "folder"}
    root : Path
        The COCO annotations file, or the folder of the dataset.
    path : Path
        The path that was checked.
    images : Path, optional
        Folder of the COCO images.
    """

    kind: Kind
    root: Path
    path: Path
    images: Path | None = None

    @property
    def name(self) -> str:
        """The name a user would expect: that of the folder, not of the annotations."""
        root = self.root.resolve()
        folder = root.parent if root.is_file() else root
        return folder.parent.name if folder.name == "annotations" else folder.name

    @property
    def key(self) -> str:
        """Name that changes with the source's place, and with any of its files."""
        digest = hashlib.sha256(os.fsencode(f"{_FORMAT}\n{self.kind}\n{self.path.resolve()}\n{self.images}\n"))
        for path, status in _states(self.path, self.images):
            digest.update(os.fsencode(f"{path}\n{status.st_size}\n{status.st_mtime_ns}\n"))
        return digest.hexdigest()[:16]

    def size(self) -> tuple[int, int]:
        """Return the number of files that an import reads, and their bytes; none is opened."""
        sizes = [status.st_size for _, status in _states(self.path, self.images) if stat.S_ISREG(status.st_mode)]
        return len(sizes), sum(sizes)

    def __str__(self) -> str:
        """Return the kind and the place, without reading more."""
        images = f", images in {self.images}" if self.images is not None else ""
        return f"{_LABELS[self.kind]} in {self.root}{images}"

    def inspect(self) -> Recognized:
        """Read the annotations, and return what an import takes and leaves; nothing is written."""
        log = IssueLog("skip")
        if self.kind == "folder":
            found = parse_folder(self.path, log)
            num_images, num_classes = len(found.images), len(found.class_names)
        else:
            gathered = self._gather(log)
            num_images = sum(image is not None for image in gathered.images)
            num_classes = len(gathered.found.class_names)
        return Recognized(
            kind=self.kind,
            num_images=num_images,
            num_classes=num_classes,
            ignored=tuple(issue.source for issue in log.issues if issue.action == "ignored"),
            num_rejected=sum(issue.action == "rejected" for issue in log.issues),
        )

    def _gather(self, log: IssueLog) -> Gathered:
        if self.kind == "coco":
            return gather_coco(self.path, self.images, log)
        return (gather_voc if self.kind == "voc" else gather_yolo)(self.path, log)

    def make(self, dest: str | os.PathLike[str], **options: Any) -> Dataset:
        """Import it.

        Parameters
        ----------
        dest : str or path
            Where to create the dataset; must not exist.
        **options
            Of the importer: ``on_error``, ``num_workers``, ``progress``, ...
        """
        if self.kind == "coco":
            return from_coco(self.path, self.images, dest, **options)
        return _IMPORTERS[self.kind](self.path, dest, **options)


def describe_import(dataset: Dataset, kind: str) -> Recognized:
    """Return what the import that created a dataset included and left out.

    Parameters
    ----------
    dataset : Dataset
        Made by an importer.
    kind : {"coco", "voc", "yolo", "folder"}
        By which.
    """
    report = import_report(dataset)
    labels = next((dataset[name] for name in ("categories", "labels") if name in dataset.tensors), None)
    return Recognized(
        kind=cast("Kind", kind),
        num_images=len(dataset),
        num_classes=0 if labels is None else len(labels.info.class_names),
        ignored=tuple(issue.source for issue in report.ignored),
        num_rejected=len(report.rejected),
    )


def recognize(path: str | os.PathLike[str], images: str | os.PathLike[str] | None = None) -> Source:
    """Recognize what can be imported from a path.

    Parameters
    ----------
    path : str or path
        COCO annotations, the YAML file of a YOLO dataset, or a folder.
    images : str or path, optional
        Folder of the images of COCO annotations; found near them by default.

    Returns
    -------
    Source
        Its kind and location. ``print(source.inspect())`` shows the number of images and
        classes, ``source.make(dest)`` imports it.

    Raises
    ------
    ImporterError
        If the path does not exist or contains nothing that can be imported; also if
        there are images and files that may be annotations in another format: these
        are named, never left out silently.
    """
    given = path_of(path, "COCO annotations, or a folder")
    folder = None if images is None else path_of(images, "a folder of images")
    if not os.path.exists(given):
        raise ImporterError(f"{str(given)!r} does not exist. {_EXPECTED}")
    if given.is_file():
        return _of_file(given, folder)
    listing = list_files(given)
    found = [source for kind in (_voc, _yolo, _coco) if (source := kind(given, listing, folder)) is not None]
    _refuse_apart(given, found)
    return found[0] if found else _image_folder(given, listing)


def _of_file(path: Path, images: Path | None) -> Source:
    if path.suffix.lower() in _YAML_SUFFIXES:
        return Source(kind="yolo", root=find_yolo(path, IssueLog("skip")).root, path=path)
    if not path.name.lower().endswith(_JSON_SUFFIXES):
        hint = "to import a table, use: penstock import table" if ".csv" in path.suffixes else None
        raise ImporterError(f"{str(path)!r} is not a COCO annotations file. Expected a name ending in .json", hint=hint)
    data = read_coco(path)
    return Source(kind="coco", root=path, path=path, images=images or find_coco_images(path, data))


def _voc(path: Path, listing: Listing, _images: Path | None) -> Source | None:
    return Source(kind="voc", root=voc_root(listing), path=path) if is_voc(path, listing) else None


def _yolo(path: Path, listing: Listing, _images: Path | None) -> Source | None:
    return Source(kind="yolo", root=yolo_root(path, listing), path=path) if is_yolo(path, listing) else None


def _coco(path: Path, listing: Listing, images: Path | None) -> Source | None:
    files = coco_files_below(path, listing)
    if len(files) == 1:
        return Source(kind="coco", root=files[0].path, path=path, images=images or find_coco_images(files[0].path))
    return Source(kind="coco", root=path, path=path, images=images) if files else None


def _refuse_apart(path: Path, found: list[Source]) -> None:
    """Raise where a folder has datasets of different kinds in different folders."""
    for first, second in pairwise(found):
        one, other = _place(first), _place(second)
        if not one.is_relative_to(other) and not other.is_relative_to(one):
            raise ImporterError(
                f"{str(path)!r} has {_LABELS[first.kind]} in {str(one)!r} and {_LABELS[second.kind]} in "
                f"{str(other)!r}. Expected a single dataset",
                hint=f"choose one, such as {one}",
            )


def _place(source: Source) -> Path:
    folder = source.root.parent if source.root.is_file() else source.root
    return folder.parent if folder.name == "annotations" else folder


def _image_folder(path: Path, listing: Listing) -> Source:
    if not any(is_image_file(file) for file in listing.files):
        raise ImporterError(
            f"{str(path)!r} is not a dataset and does not contain COCO, VOC, YOLO or a folder of images",
            hint="to import a table, use: penstock import table",
        )
    beside = _BESIDE.get(path.absolute().name.lower(), ())
    siblings = [one for one in sorted(path.absolute().parent.iterdir()) if one.is_dir() and one.name.lower() in beside]
    if siblings:
        raise ImporterError(
            f"{str(path)!r} has images, and {siblings[0].name!r} next to it may have their annotations. {_EXPECTED}",
            hint=f"pass the folder that contains both: {path.absolute().parent}",
        )
    seen = annotations_seen(path, listing)
    if seen:
        shown = ", ".join(f"{str(one.relative_to(path))!r} ({what})" for one, what in seen[:_NUM_SHOWN])
        more = f" and {len(seen) - _NUM_SHOWN:,} more" if len(seen) > _NUM_SHOWN else ""
        raise ImporterError(
            f"{str(path)!r} has images and what may be their annotations: {shown}{more}. Expected COCO instances, "
            "YOLO, VOC, or only images",
            hint="penstock import folder imports only images and folders; penstock import table reads a CSV file",
        )
    return Source(kind="folder", root=path, path=path)


def _states(path: Path, images: Path | None) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield the files that an import depends on, with their states."""
    folders = [path] if path.is_dir() else [path.parent] if path.suffix.lower() in _YAML_SUFFIXES else []
    folders += [images] if images is not None and images.is_dir() and images not in folders else []
    files = dict.fromkeys([path, *(file for folder in folders for file in list_files(folder).files)])
    for file in files:
        try:
            yield file, file.stat()
        except OSError:
            continue


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what if number == 1 else f'{what}es' if what.endswith('s') else f'{what}s'}"
