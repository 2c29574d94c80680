"""Pascal VOC: a folder of XML files to detections."""

from __future__ import annotations

import os
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

import numpy as np
from numpy.typing import NDArray

from penstock.dataset import Dataset
from penstock.errors import ImporterError
from penstock.importers._build import build
from penstock.importers._detections import Detections, detection_columns, group_by_image, mend_boxes
from penstock.importers._files import image_under
from penstock.importers._report import IssueLog, OnError

__all__ = ["from_voc", "is_voc", "parse_voc"]


_LAYOUTS = (("Annotations", "JPEGImages"), ("annotations", "images"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Annotated:
    file: Path
    image: str
    size: tuple[float, float]
    names: tuple[str, ...]
    boxes_xywh: tuple[tuple[float, float, float, float], ...]


def from_voc(
    root: str | os.PathLike[str],
    dest: str | os.PathLike[str],
    *,
    split: str | None = None,
    num_workers: int = 0,
    on_error: OnError = "raise",
    progress: bool = True,
) -> Dataset:
    """Make a dataset of Pascal VOC annotations.

    Tensors: ``images``, ``boxes`` (left, top, width, height, pixels) and
    ``categories`` (classes in order of first appearance). Samples come by file
    name. Boxes that reach out of their image are clipped, boxes without area
    widened to one pixel; `import_report` lists them.

    Parameters
    ----------
    root : str or path
        Folder with ``Annotations`` and ``JPEGImages``, or ``annotations`` and ``images``.
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
    found = parse_voc(folder, log, split=split)
    images = [image_under(folder, name) for name in found.images]
    return build(
        dest,
        detection_columns(found, images),
        len(found),
        source=folder.name,
        log=log,
        num_workers=num_workers,
        progress=progress,
    )


def is_voc(root: Path) -> bool:
    """Return whether the folder is laid out as Pascal VOC."""
    return _layout(root) is not None


def _layout(root: Path) -> tuple[Path, Path] | None:
    """Return the folders of annotations and of images."""
    pairs = ((root / annotations, root / images) for annotations, images in _LAYOUTS)
    return next((pair for pair in pairs if pair[1].is_dir() and next(pair[0].glob("*.xml"), None)), None)


def parse_voc(root: Path, log: IssueLog, *, split: str | None = None) -> Detections:
    """Return the images under a VOC root by file name, with their boxes.

    Parameters
    ----------
    root : Path
        Folder with ``Annotations`` and ``JPEGImages``.
    log : IssueLog
        Takes files that are no VOC annotation and boxes that fit no image.
    split : str, optional
        Take only the names in ``ImageSets/Main/<split>.txt``, in its order.
    """
    folders = _folders(root)
    files = _files(root, folders[0], split)
    annotated = [found for file in files if (found := _read(file, folders[1], log)) is not None]
    class_names = tuple(dict.fromkeys(name for one in annotated for name in one.names))
    class_of = {name: index for index, name in enumerate(class_names)}
    rows = np.repeat(np.arange(len(annotated)), [len(one.names) for one in annotated]).astype(np.int64)
    _, offsets = group_by_image(rows, len(annotated))
    boxes_xywh = np.array([box for one in annotated for box in one.boxes_xywh], np.float64).reshape(-1, 4)
    labels = np.array([class_of[name] for one in annotated for name in one.names], np.int64)

    def describe(box: int) -> str:
        return f"{annotated[rows[box]].file.name}, {class_names[labels[box]]} {box - offsets[rows[box]]}"

    mended, kept = mend_boxes(boxes_xywh, _sizes(annotated)[rows], describe, log)
    return Detections(
        images=tuple(one.image for one in annotated),
        offsets=offsets,
        boxes_xywh=mended,
        labels=labels,
        class_names=class_names,
    ).keep_boxes(kept)


def _folders(root: Path) -> tuple[Path, Path]:
    found = _layout(root)
    if found is None:
        raise ImporterError(
            f"{str(root)!r} is no Pascal VOC folder; expected Annotations with XML files and JPEGImages in it"
        )
    return found


def _files(root: Path, annotations: Path, split: str | None) -> list[Path]:
    if split is None:
        return sorted(annotations.glob("*.xml"))
    listing = root / "ImageSets" / "Main" / f"{split}.txt"
    if not listing.is_file():
        known = ", ".join(sorted(path.stem for path in listing.parent.glob("*.txt")))
        raise ImporterError(f"no split {split!r} in {listing.parent}; the splits are {known or 'none'}")
    names = [line.split()[0] for line in listing.read_text().splitlines() if line.strip()]
    return [annotations / f"{name}.xml" for name in names]


def _read(file: Path, images: Path, log: IssueLog) -> _Annotated | None:
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import parse

    try:
        root = parse(file).getroot()
        return _annotated(file, images, root) if root is not None else None
    except (ParseError, DefusedXmlException, OSError) as error:
        log.refuse(file.name, f"cannot be read as XML: {error}")
    except (ValueError, TypeError) as error:
        log.refuse(file.name, f"is no VOC annotation: {error}")
    return None


def _annotated(file: Path, images: Path, root: Element) -> _Annotated:
    objects = root.findall("object")
    return _Annotated(
        file=file,
        image=_image_name(file, images, _text(root, "filename")),
        size=(_size(root, "width"), _size(root, "height")),
        names=tuple(_text(entry, "name") for entry in objects),
        boxes_xywh=tuple(_box(entry) for entry in objects),
    )


def _image_name(file: Path, images: Path, named: str) -> str:
    """Return the image's path below the root; files that were renamed are found by the annotation's own name."""
    if not (images / named).is_file():
        named = next((path.name for path in images.glob(f"{escape(file.stem)}.*")), named)
    return f"{images.name}/{named}"


def _text(element: Element, path: str) -> str:
    text = (element.findtext(path) or "").strip()
    if not text:
        raise ValueError(f"no {path} in <{element.tag}>")
    return text


def _size(root: Element, side: str) -> float:
    """Width or height; files of some tools say 0 where they do not know."""
    return float(root.findtext(f"size/{side}") or 0) or np.inf


def _box(entry: Element) -> tuple[float, float, float, float]:
    left, top, right, bottom = (float(_text(entry, f"bndbox/{side}")) for side in ("xmin", "ymin", "xmax", "ymax"))
    return left, top, right - left, bottom - top


def _sizes(annotated: list[_Annotated]) -> NDArray[np.float64]:
    return np.array([one.size for one in annotated], np.float64).reshape(-1, 2)
