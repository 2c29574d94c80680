"""COCO instances: the JSON file to detections."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from penstock.dataset import Dataset
from penstock.errors import ImporterError
from penstock.importers._build import build
from penstock.importers._detections import Detections, detection_columns, group_by_image, mend_boxes
from penstock.importers._files import image_folder, image_under
from penstock.importers._report import IssueLog, OnError
from penstock.tensors import Link

__all__ = ["find_coco_images", "from_coco", "is_coco", "parse_coco", "read_coco"]

_GZIP_MAGIC = b"\x1f\x8b"
_NUM_COORDINATES = 4


def from_coco(
    annotations: str | os.PathLike[str],
    images: str | os.PathLike[str] | None,
    dest: str | os.PathLike[str],
    *,
    link: bool = False,
    verify: bool = True,
    creds_key: str | None = None,
    num_workers: int = 0,
    on_error: OnError = "raise",
    progress: bool = True,
) -> Dataset:
    """Make a dataset of COCO instances.

    Tensors: ``images``, ``boxes`` (left, top, width, height, pixels),
    ``categories`` (classes in the file's order) and ``iscrowd`` (1 for crowds).
    Samples come by ascending image id. Boxes that reach out of their image are
    clipped, boxes without area widened to one pixel; `import_report` lists them.

    Parameters
    ----------
    annotations : str or path
        The instances JSON file, plain or gzipped.
    images : str or path
        Folder of the images, or a URL when they are linked; None links each to
        its ``coco_url`` or ``flickr_url`` in the file.
    dest : str or path
        Where the dataset is made; must not exist.
    link : bool
        Refer to the images where they are instead of copying them.
    verify : bool
        Whether linked images are read once now, for their shapes and to see that
        they are there.
    creds_key : str, optional
        Name of the credentials that open linked images.
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
        If the file is no COCO, an image is missing or broken, or an annotation
        names no image or category; nothing is left at `dest`.
    DatasetExistsError
        If there is something at `dest`.
    """
    path = Path(annotations)
    log = IssueLog(on_error)
    data = read_coco(path)
    found = parse_coco(data, path.name, log)
    if images is None:
        located = _addresses(_images(data["images"], path.name), link=link)
    else:
        located = _located(found.images, os.fspath(images), creds_key, link=link)
    return build(
        dest,
        detection_columns(found, located, linked=link, verify=verify),
        len(found),
        source=path.name,
        log=log,
        num_workers=num_workers,
        progress=progress,
        creds_keys=[creds_key] if creds_key else [],
    )


def _addresses(images: list[dict[str, Any]], *, link: bool) -> list[Path | Link]:
    """Return links to the addresses the file gives."""
    if not link:
        raise ImporterError("images is None; expected the folder of the images", hint="link=True takes the file's URLs")
    urls = [image.get("coco_url") or image.get("flickr_url") for image in images]
    if None in urls:
        name = images[urls.index(None)]["file_name"]
        raise ImporterError(f"image {name!r} has no coco_url or flickr_url; expected the folder of the images")
    return [Link(str(url)) for url in urls]


def _located(names: tuple[str, ...], images: str, creds_key: str | None, *, link: bool) -> list[Path | Link]:
    if "://" in images:
        if not link:
            raise ImporterError(f"images at {images!r} are not on this machine; expected a folder", hint="link=True")
        return [Link(f"{images.rstrip('/')}/{name}", creds_key) for name in names]
    paths = [image_under(root, name) for root in [image_folder(images, names)] for name in names]
    return [Link(str(path.absolute())) for path in paths] if link else [*paths]


def read_coco(path: Path) -> dict[str, Any]:
    """Read a COCO instances file, plain or gzipped, and check that it is one."""
    data = _load_json(path)
    missing = [key for key in ("images", "annotations", "categories") if not _is_list_of_dicts(data, key)]
    if missing:
        raise ImporterError(
            f"{path} is no COCO instances file: it has no list of {missing[0]}; "
            "expected images, annotations and categories",
            hint="captions have no boxes; take the instances file" if missing == ["categories"] else None,
        )
    return cast("dict[str, Any]", data)


def is_coco(path: Path) -> bool:
    """Return whether the file is COCO instances."""
    try:
        read_coco(path)
    except ImporterError:
        return False
    return True


def find_coco_images(annotations: Path) -> Path:
    """Return the folder near an annotations file that has its images.

    Raises
    ------
    ImporterError
        If no folder beside the file, or beside its folder, has the first image.
    """
    images = read_coco(annotations)["images"]
    name = str(images[0].get("file_name")) if images else ""
    near = [annotations.parent, annotations.parent.parent]
    folders = [*near, *(child for folder in near for child in sorted(folder.iterdir()) if child.is_dir())]
    folders += [child for folder in near for child in sorted(folder.glob("images/*")) if child.is_dir()]
    found = next((folder for folder in folders if name and (folder / name).is_file()), None)
    if found is None:
        raise ImporterError(
            f"no folder near {str(annotations)!r} has the image {name!r} that it names",
            hint="name the folder: --images FOLDER",
        )
    return found


def parse_coco(data: dict[str, Any], source: str, log: IssueLog) -> Detections:
    """Return the images of a COCO file by ascending id, with their boxes in the file's order.

    Parameters
    ----------
    data : dict
        As `read_coco` returns it.
    source : str
        The file's name, for messages.
    log : IssueLog
        Takes annotations of unknown images or categories, and boxes that fit no image.
    """
    images = _images(data["images"], source)
    class_names, class_of = _categories(data["categories"], source)
    row_of = {image["id"]: row for row, image in enumerate(images)}
    annotations = [a for a in data["annotations"] if _is_placed(a, row_of, class_of, source, log)]
    rows = np.array([row_of[a["image_id"]] for a in annotations], np.int64)
    order, offsets = group_by_image(rows, len(images))
    boxes_xywh = np.array([a["bbox"] for a in annotations], np.float64).reshape(-1, _NUM_COORDINATES)[order]

    def describe(box: int) -> str:
        annotation = annotations[order[box]]
        return f"{source}, annotation {annotation.get('id')} of {images[rows[order[box]]]['file_name']}"

    mended, kept = mend_boxes(boxes_xywh, _sizes(images)[rows[order]], describe, log)
    return Detections(
        images=tuple(image["file_name"] for image in images),
        offsets=offsets,
        boxes_xywh=mended,
        labels=np.array([class_of[a["category_id"]] for a in annotations], np.int64)[order],
        class_names=class_names,
        iscrowd=np.array([bool(a.get("iscrowd")) for a in annotations], np.uint8)[order],
    ).keep_boxes(kept)


def _load_json(path: Path) -> object:
    try:
        content = path.read_bytes()
        return json.loads(gzip.decompress(content) if content.startswith(_GZIP_MAGIC) else content)
    except FileNotFoundError:
        raise ImporterError(f"no annotations file {str(path)!r}; expected a COCO JSON file") from None
    except json.JSONDecodeError as error:
        raise ImporterError(
            f"{path} is no complete JSON: {error.msg.removesuffix(' at')} at line {error.lineno}, column {error.colno}",
            hint="the download may have been cut short",
        ) from None
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise ImporterError(f"{path} cannot be read as JSON: {error}; expected a COCO JSON file") from None


def _is_list_of_dicts(data: object, key: str) -> bool:
    items = data.get(key) if isinstance(data, dict) else None
    return isinstance(items, list) and all(isinstance(item, dict) for item in items)


def _images(entries: list[dict[str, Any]], source: str) -> list[dict[str, Any]]:
    for position, entry in enumerate(entries):
        if not isinstance(entry.get("id"), int | str) or not isinstance(entry.get("file_name"), str):
            raise ImporterError(f"{source}: image {position} has no id or no file_name; expected both")
    if len({entry["id"] for entry in entries}) < len(entries):
        raise ImporterError(f"{source}: an image id occurs twice; expected unique ids")
    return sorted(entries, key=lambda entry: (isinstance(entry["id"], str), entry["id"]))


def _categories(entries: list[dict[str, Any]], source: str) -> tuple[tuple[str, ...], dict[Any, int]]:
    names = tuple(entry.get("name") for entry in entries)
    ids = [entry.get("id") for entry in entries]
    if not all(isinstance(name, str) for name in names) or None in ids:
        raise ImporterError(f"{source}: a category has no id or no name; expected both")
    for what, values in (("id", ids), ("name", list(names))):
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise ImporterError(f"{source}: category {what} {twice!r} occurs twice; expected unique {what}s")
    return tuple(str(name) for name in names), {key: index for index, key in enumerate(ids)}


def _is_placed(
    annotation: dict[str, Any], row_of: dict[Any, int], class_of: dict[Any, int], source: str, log: IssueLog
) -> bool:
    problem = _misplacement(annotation, row_of, class_of)
    if problem:
        log.refuse(f"{source}, annotation {annotation.get('id')}", problem)
    return not problem


def _misplacement(annotation: dict[str, Any], row_of: dict[Any, int], class_of: dict[Any, int]) -> str | None:
    image, category, bbox = (annotation.get(key) for key in ("image_id", "category_id", "bbox"))
    if image not in row_of:
        return f"no image has id {image!r}; expected one of the {len(row_of):,} image ids"
    if category not in class_of:
        return f"no category has id {category!r}; expected one of the {len(class_of):,} category ids"
    if not _is_box(bbox):
        return f"bbox is {bbox!r}; expected [left, top, width, height]"
    return None


def _is_box(bbox: object) -> bool:
    return (
        isinstance(bbox, list)
        and len(bbox) == _NUM_COORDINATES
        and all(isinstance(value, int | float) for value in bbox)
    )


def _sizes(images: list[dict[str, Any]]) -> NDArray[np.float64]:
    sizes = [[image.get("width") or np.inf, image.get("height") or np.inf] for image in images]
    return np.array(sizes, np.float64).reshape(-1, 2)
