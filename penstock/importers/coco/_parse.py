"""From a COCO document to its images, their boxes and classes."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ImporterError
from penstock.importers.boxes._annotated import Detections, group_by_image, merge_classes
from penstock.importers.building._report import IssueLog
from penstock.importers.building._text import shown
from penstock.importers.coco._boxes import box_of, crowd_of
from penstock.importers.coco._file import image_name
from penstock.importers.coco._nesting import MOST_NESTED, deep_keys, without_deep
from penstock.importers.coco._notes import AnnotationNotes, values_of
from penstock.importers.coco._source import CocoSource
from penstock.importers.coco._spans import Entries

__all__ = ["CocoDetections", "parse_coco"]

_LARGEST_ID = 10**18
_LARGEST_SIDE = 10**9
_LISTS = ("annotations", "images", "categories")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CocoDetections(Detections):
    """Detections whose images have addresses."""

    urls: tuple[str | None, ...] = ()


def parse_coco(data: dict[str, Any], source: str, log: IssueLog) -> CocoDetections:
    """Return the images of a COCO file by ascending id, with their boxes in the file's order.

    Parameters
    ----------
    data : dict
        As `read_coco` returns it.
    source : str
        The file's name, for messages.
    log : IssueLog
        Takes images without id or name, annotations of unknown images or
        categories, and boxes that are malformed.
    """
    data = _without_deep(data, source, log)
    images = _images(data["images"], source, log)
    class_names, class_of = _categories(data["categories"], source, log)
    row_of = {image.key: row for row, image in enumerate(images)}
    notes = AnnotationNotes()
    category_ids = _written_ids(class_of)
    annotations, placed = data["annotations"], _PlacedObjects()
    for place, annotation in enumerate(_shallow(annotations, f"{source}, annotation", log)):
        found = _placed(annotation, row_of, class_of, source, log)
        if found is None:
            notes.add(place, annotation)
            continue
        row, label, bbox, iscrowd = found
        notes.add(place, annotation, images[row].key, category_ids[label], int(iscrowd))
        placed.add(place, row, label, bbox, iscrowd)
    notes.note_repeated()
    places, rows, boxes_xywh = placed.places, placed.rows, placed.boxes_xywh
    order, offsets = group_by_image(rows, len(images))
    if len(places) and (boxes_xywh[:, 2:] < 1).all() and (np.abs(boxes_xywh) <= 1).all():
        log.note(source, "every box is within one pixel. They may be fractions of the sides, but COCO uses pixels")

    def describe(box: int) -> str:
        at = int(order[box])
        return f"{source}, annotation {shown(annotations[int(places[at])].get('id'))} of {images[int(rows[at])].name}"

    image_places = np.array([image.place for image in images], np.int64)
    written = CocoSource(
        data,
        source,
        places=places,
        boxes_xywh=boxes_xywh,
        notes=notes,
        class_names=class_names,
        category_ids=[category_ids[label] for label in range(len(class_names))],
        in_order=(_ascends(image_places), _ascends(places[order])),
    )
    return CocoDetections(
        images=tuple(image.name for image in images),
        offsets=offsets,
        boxes_xywh=boxes_xywh[order],
        labels=placed.labels[order],
        class_names=class_names,
        describe=describe,
        stated_sizes=np.array([image.size for image in images], np.float64).reshape(-1, 2),
        iscrowd=placed.crowds[order],
        urls=tuple(image.url for image in images),
        source=written,
        image_places=image_places,
        object_places=places[order],
    )


def _ascends(places: NDArray[np.int64]) -> bool:
    return bool((np.diff(places) > 0).all())


def _written_ids(class_of: dict[int | str, int]) -> dict[int, int | str]:
    """Return the category id that is written for each class: of classes of one name the first."""
    found: dict[int, int | str] = {}
    for key, label in class_of.items():
        found.setdefault(label, key)
    return found


@dataclass(frozen=True, slots=True)
class _Image:
    key: int | str
    name: str
    size: tuple[float, float]
    url: str | None
    place: int


class _PlacedObjects:
    """Annotations whose image, class and box are known, a few bytes each: there may be millions."""

    def __init__(self) -> None:
        self._places, self._rows, self._labels = array("q"), array("q"), array("q")
        self._crowds, self._boxes = array("B"), array("d")

    def add(self, place: int, row: int, label: int, bbox: Sequence[float], iscrowd: bool) -> None:
        self._places.append(place)
        self._rows.append(row)
        self._labels.append(label)
        self._crowds.append(iscrowd)
        self._boxes.extend(bbox)

    @property
    def places(self) -> NDArray[np.int64]:
        return values_of(self._places)

    @property
    def rows(self) -> NDArray[np.int64]:
        return values_of(self._rows)

    @property
    def labels(self) -> NDArray[np.int64]:
        return values_of(self._labels)

    @property
    def crowds(self) -> NDArray[np.uint8]:
        return values_of(self._crowds)

    @property
    def boxes_xywh(self) -> NDArray[np.float64]:
        return values_of(self._boxes).reshape(-1, 4)


def _without_deep(data: dict[str, Any], source: str, log: IssueLog) -> dict[str, Any]:
    """Return a document whose images, categories and header have no values that JSON tensors cannot hold."""
    for name in deep_keys({name: value for name, value in data.items() if name not in _LISTS}):
        _report_deep(source, name, log)
        data = {key: value for key, value in data.items() if key != name}
    named = {"images": "image", "categories": "category"}
    return data | {name: list(_shallow(data[name], f"{source}, {one}", log)) for name, one in named.items()}


def _shallow(entries: Sequence[Any], source: str, log: IssueLog) -> Iterator[Any]:
    """Yield entries without the keys whose values are nested deeper than JSON tensors allow."""
    for entry, may_be_deep in _with_depth(entries):
        if may_be_deep and isinstance(entry, dict):
            for name in deep_keys(entry):
                _report_deep(f"{source} {shown(entry.get('id'))}", name, log)
            yield without_deep(entry)
        else:
            yield entry


def _with_depth(entries: Sequence[Any]) -> Iterator[tuple[Any, bool]]:
    """Yield entries, and whether one may be nested too deep: few are, and text tells it fast."""
    if not isinstance(entries, Entries):
        yield from ((entry, True) for entry in entries)
        return
    for text in entries.texts():
        yield Entries.parse(text), text.count(b"[") + text.count(b"{") > MOST_NESTED


def _report_deep(source: str, name: str, log: IssueLog) -> None:
    log.repair(source, f"the key {shown(name)} is nested more than {MOST_NESTED} levels deep and was left out")


def _key(value: object) -> int | str | None:
    """Return an id: an integer, also one written as 1.0, or text; None where it is neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int | str) else None


def _found(value: object, places: dict[int | str, int], what: str) -> int:
    """Return the place of an id; where a file mixes them, 1 and "1" are the same."""
    if type(value) is int and value in places:  # the usual case, of which there may be a million
        return places[value]
    key = _key(value)
    other: int | str | None = None
    if isinstance(key, int):
        other = str(key) if abs(key) < _LARGEST_ID else None
    elif key is not None and key.isdecimal() and len(key) <= len(str(_LARGEST_ID)):
        other = int(key)
    for one in (key, other):
        if one is not None and one in places:
            return places[one]
    raise ValueError(f"no {what} has id {shown(value)}. Expected one of the {len(places):,} {what} ids")


def _images(entries: list[Any], source: str, log: IssueLog) -> list[_Image]:
    """Return the images by ascending id.

    Raises
    ------
    ImporterError
        If two different images have one id.
    """
    by_key: dict[int | str, _Image] = {}
    for position, entry in enumerate(entries):
        key = _key(entry.get("id")) if isinstance(entry, dict) else None
        name = image_name(entry)
        if key is None or name is None:
            log.refuse(f"{source}, image {position}", "has no id or no file_name. Expected both")
            continue
        known = by_key.get(key)
        if known is not None and known.name != name:
            raise ImporterError(
                f"{source}: the image id {shown(key)} occurs twice, for {known.name!r} and {name!r}. "
                "Expected unique ids"
            )
        if known is not None:
            log.note(f"{source}, image {position}", f"{name!r} is listed twice with the same id and becomes one sample")
            continue
        by_key[key] = _Image(key, name, _size(entry, f"{source}, image {name}", log), _url(entry), position)
    return sorted(by_key.values(), key=lambda image: (isinstance(image.key, str), image.key))


def _size(entry: dict[str, Any], source: str, log: IssueLog) -> tuple[float, float]:
    """Return the width and height that a file states; (NaN, NaN) where it does not."""
    values = (entry.get("width"), entry.get("height"))
    width, height = (_side(value) for value in values)
    if not np.isnan(width) and not np.isnan(height):
        return width, height
    if any(value not in (None, 0, -1) for value in values):
        log.note(source, f"width and height are {shown(values[0])} and {shown(values[1])}. Expected pixels")
    return np.nan, np.nan


def _side(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return np.nan
    return float(value) if 0 < value < _LARGEST_SIDE else np.nan


def _url(entry: dict[str, Any]) -> str | None:
    return next((url for key in ("coco_url", "flickr_url") if isinstance(url := entry.get(key), str) and url), None)


def _categories(entries: list[Any], source: str, log: IssueLog) -> tuple[tuple[str, ...], dict[int | str, int]]:
    """Return the class names in the file's order, and the class of each category id.

    Raises
    ------
    ImporterError
        If a category has no id or name, or an id has two names.
    """
    name_of: dict[int | str, str] = {}
    for entry in entries:
        key = _key(entry.get("id")) if isinstance(entry, dict) else None
        name = _class_name(entry.get("name")) if isinstance(entry, dict) else None
        if key is None or name is None:
            raise ImporterError(f"{source}: the category {shown(entry)} has no id or no name. Expected both")
        if name_of.setdefault(key, name) != name:
            raise ImporterError(
                f"{source}: the category id {shown(key)} occurs twice, for {name_of[key]!r} and {name!r}. "
                "Expected unique ids"
            )
    class_names, class_of = merge_classes(list(name_of.values()), source, log)
    return class_names, dict(zip(name_of, class_of.tolist(), strict=True))


def _class_name(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    name = shown(value) if isinstance(value, int) else str(value)
    try:
        name.encode()
    except UnicodeEncodeError:
        return None
    return name if name.strip() else None


def _placed(
    annotation: object, row_of: dict[int | str, int], class_of: dict[int | str, int], source: str, log: IssueLog
) -> tuple[int, int, list[float], bool] | None:
    if not isinstance(annotation, dict):
        log.refuse(
            f"{source}, annotation {shown(annotation)}", "is not an object. Expected image_id, category_id, bbox"
        )
        return None
    key = annotation.get("id")
    try:
        row = _found(annotation.get("image_id"), row_of, "image")
        label = _found(annotation.get("category_id"), class_of, "category")
        return row, label, box_of(annotation), crowd_of(annotation)
    except ValueError as error:
        log.refuse(f"{source}, annotation {shown(key)}", str(error))
    return None
