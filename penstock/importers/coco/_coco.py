"""COCO instances: one JSON file, or one for each split, to detections."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from penstock.dataset import Dataset
from penstock.engines import EngineOption
from penstock.errors import ImporterError
from penstock.importers.boxes._annotated import Detections, join_detections
from penstock.importers.boxes._detections import Gathered, build_detections
from penstock.importers.boxes._turned import Exif
from penstock.importers.building._report import IssueLog, OnError
from penstock.importers.building._text import shown
from penstock.importers.coco._file import read_coco
from penstock.importers.coco._layout import CocoFile, coco_files, coco_root
from penstock.importers.coco._parse import CocoDetections, parse_coco
from penstock.importers.files._finder import ImageFinder, as_folders, as_links
from penstock.importers.files._image_files import local_path
from penstock.importers.files._unused import log_unused
from penstock.tensors import MAX_IMAGE_BYTES, Link

__all__ = ["from_coco", "gather_coco"]

_PathLike = str | os.PathLike[str]


def from_coco(
    annotations: _PathLike | Mapping[str, _PathLike],
    images: _PathLike | Mapping[str, _PathLike] | None,
    dest: _PathLike,
    *,
    link: bool = False,
    verify: bool = True,
    creds_key: str | None = None,
    roots: Sequence[_PathLike] = (),
    exif: Exif = "auto",
    num_workers: int = 0,
    on_error: OnError = "raise",
    progress: bool = True,
    max_image_bytes: int | None = MAX_IMAGE_BYTES,
    engine: EngineOption = None,
) -> Dataset:
    """Create a dataset from COCO instances.

    Tensors: ``images``, ``boxes`` (left, top, width, height, pixels),
    ``categories`` (classes in the file's order), ``iscrowd`` (1 for crowds), and
    ``subset`` if there are several files. Samples are sorted by image id.
    An annotation without ``bbox`` gets the box of its polygons or its run-length encoding.
    Boxes that extend beyond their image are clipped, and boxes without area are widened
    to one pixel; `import_report` lists them.

    Parameters
    ----------
    annotations : str, path or mapping
        The instances JSON file, plain or gzipped; a folder with one such file per
        split, as Roboflow exports them; or a mapping of splits to files.
    images : str, path or mapping
        Folder of the images, or a URL if they are linked; or a mapping of splits to
        folders. None looks for the images near the file, or, with ``link=True``,
        links each to its ``coco_url`` or ``flickr_url`` in the file.
    dest : str or path
        Where to create the dataset; must not exist.
    link : bool
        Whether to link to the images instead of copying them.
    verify : bool
        Whether to read linked images once during the import, to check them and to
        record their shapes.
    creds_key : str, optional
        Name of the credentials for linked images.
    roots : sequence of str or path
        Other folders that may be read: absolute paths and ``file://`` addresses
        in the file, and symbolic links to linked images, must point into `images`
        or one of these.
    exif : {"auto", "upright", "stored"}
        Whether boxes of images that EXIF rotates refer to the displayed image or to the
        stored pixels. "auto" decides from the size stated in the file and from the
        boxes; if they do not decide it, the image is rejected by name.
    num_workers : int
        Threads that read and check images; of an engine, parts at the same time, where 0 means all it can.
    on_error : {"raise", "skip"}
        Whether to raise an error for images and annotations that cannot be read, or to leave them out.
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
        If the file is not COCO, an image is missing or broken, or an annotation
        refers to an unknown image or category; nothing is left at `dest`.
    DatasetExistsError
        If `dest` already exists.
    EngineError
        If the engine is unknown, cannot be reached or loses its workers; nothing is left at `dest`.
    """
    log = IssueLog(on_error)
    gathered = gather_coco(annotations, images, log, link=link, creds_key=creds_key, roots=as_folders(roots))
    return build_detections(
        dest,
        gathered,
        log=log,
        num_workers=num_workers,
        progress=progress,
        max_image_bytes=max_image_bytes,
        linked=link,
        verify=verify or not link,
        exif=exif,
        creds_keys=[creds_key] if creds_key else [],
        engine=engine,
    )


def gather_coco(
    annotations: _PathLike | Mapping[str, _PathLike],
    images: _PathLike | Mapping[str, _PathLike] | None,
    log: IssueLog,
    *,
    link: bool = False,
    creds_key: str | None = None,
    roots: Sequence[Path] = (),
) -> Gathered:
    """Return the boxes of all files and where the images are; parameters as in `from_coco`."""
    files = coco_files(annotations, images, look_for_images=not link)
    parts: list[Detections] = []
    located: list[Path | Link | None] = []
    for file in files:
        found = parse_coco(read_coco(file.path), file.path.name, log)
        parts.append(replace(found, subsets=(file.subset,) * len(found)) if file.subset else found)
        located += _located(found, file, roots, log, link=link, creds_key=creds_key)
    if not located:
        raise ImporterError(f"{str(files[0].path)!r} does not list any images. Expected at least one")
    for folder in coco_root(annotations, files):
        log_unused(log, folder, [*(file.path for file in files), *located], "no annotation refers to it")
    name = files[0].path.name if len(files) == 1 else files[0].path.absolute().parent.parent.name
    return Gathered(found=join_detections(parts), images=located, source=name)


def _located(
    found: CocoDetections,
    file: CocoFile,
    roots: Sequence[Path],
    log: IssueLog,
    *,
    link: bool,
    creds_key: str | None,
) -> list[Path | Link | None]:
    images = file.images
    if images is None:
        return _addresses(found, roots, log, creds_key)
    if "://" in images and not images.startswith("file://"):
        if not link:
            raise ImporterError(f"images={images!r} is not on this machine. Expected a folder", hint="link=True")
        return [Link(f"{images.rstrip('/')}/{name}", creds_key) for name in found.images]
    folder = local_path(images) or Path(images)
    names = [_name_in(folder, name, url) for name, url in zip(found.images, found.urls, strict=True)]
    paths = ImageFinder(folder, roots, log, linked=link).find_all(names, file.path.name)
    return as_links(paths) if link else [*paths]


def _name_in(folder: Path, name: str, url: str | None) -> str:
    """Return the name in a folder; one taken from an address, as in LVIS, may be there without its folder."""
    last = name.rsplit("/", 1)[-1]
    is_of_address = url is not None and last != name and url.endswith(f"/{name}")
    return last if is_of_address and not os.path.isfile(folder / name) else name


def _addresses(
    found: CocoDetections, roots: Sequence[Path], log: IssueLog, creds_key: str | None
) -> list[Path | Link | None]:
    """Return links to the addresses the file gives; those on this machine must be below `roots`."""
    located: list[Path | Link | None] = []
    for name, url in zip(found.images, found.urls, strict=True):
        if url is None:
            raise ImporterError(f"image {name!r} has no coco_url or flickr_url. Expected the folder of the images")
        located.append(_address(name, url, roots, log, creds_key))
    return located


def _address(name: str, url: str, roots: Sequence[Path], log: IssueLog, creds_key: str | None) -> Link | None:
    path = local_path(url)
    if path is None:
        return Link(url, creds_key)
    real = os.path.realpath(path)
    if any(Path(real).is_relative_to(os.path.realpath(root)) for root in roots):
        return Link(real)
    log.refuse(
        name,
        f"its address {shown(url)} is on this machine. Expected a path below images= or roots=",
        hint="pass roots= to allow reading other folders",
    )
    return None
