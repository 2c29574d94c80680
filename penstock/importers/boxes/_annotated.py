"""Images with labeled boxes, as read from any annotation format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.importers.boxes._source import JoinedSources, Source
from penstock.importers.building._report import IssueLog

__all__ = ["Detections", "group_by_image", "join_detections", "merge_classes"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detections:
    """Boxes and class labels of images, flat, image after image.

    Parameters
    ----------
    images : tuple of str
        Name of each image in the source.
    offsets : ndarray of int64, shape (num_images + 1,)
        Boxes of image ``i`` are ``offsets[i]:offsets[i + 1]``.
    boxes_xywh : ndarray of float64, shape (num_boxes, 4)
        Left, top, width, height in pixels, or in fractions of the image's sides.
    labels : ndarray of int64, shape (num_boxes,)
        Index into `class_names`.
    class_names : tuple of str
        In the order of the source.
    describe : callable
        Names box ``i`` for the report.
    stated_sizes : ndarray of float64, shape (num_images, 2), optional
        Width and height that the source states; NaN where it does not.
    iscrowd : ndarray of uint8, shape (num_boxes,), optional
        1 where a box stands for a crowd, as COCO marks them.
    subsets : tuple of str, optional
        The split each image is of, such as ``train``; empty where it is of none.
    is_relative : bool
        Whether boxes are in fractions of the image's sides.
    source : Source, optional
        What there is of images and objects beside boxes and classes.
    image_places, object_places : ndarray of int64, optional
        The number that each image, and each object, has in `source`.
    """

    images: tuple[str, ...]
    offsets: NDArray[np.int64]
    boxes_xywh: NDArray[np.float64]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    describe: Callable[[int], str]
    stated_sizes: NDArray[np.float64] | None = None
    iscrowd: NDArray[np.uint8] | None = None
    subsets: tuple[str, ...] | None = None
    is_relative: bool = False
    source: Source | None = None
    image_places: NDArray[np.int64] | None = None
    object_places: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.images)

    @property
    def image_of(self) -> NDArray[np.int64]:
        """Index of each box's image, shape (num_boxes,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def keep_boxes(self, kept: NDArray[np.bool_]) -> Detections:
        """Return the detections without the boxes where `kept` is False."""
        num_kept_before = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
        numbers = np.flatnonzero(kept).tolist()
        return replace(
            self,
            offsets=num_kept_before[self.offsets],
            boxes_xywh=self.boxes_xywh[kept],
            labels=self.labels[kept],
            iscrowd=None if self.iscrowd is None else self.iscrowd[kept],
            object_places=None if self.object_places is None else self.object_places[kept],
            describe=lambda box: self.describe(numbers[box]),
        )

    def keep_images(self, kept: NDArray[np.bool_]) -> Detections:
        """Return the detections without the images where `kept` is False."""
        if kept.all():
            return self
        of_kept = self.keep_boxes(kept[self.image_of])
        numbers = np.flatnonzero(kept).tolist()
        return replace(
            of_kept,
            images=tuple(self.images[at] for at in numbers),
            offsets=np.concatenate([[0], np.cumsum(np.diff(of_kept.offsets)[kept])]).astype(np.int64),
            stated_sizes=None if self.stated_sizes is None else self.stated_sizes[kept],
            image_places=None if self.image_places is None else self.image_places[kept],
            subsets=None if self.subsets is None else tuple(self.subsets[at] for at in numbers),
        )


def group_by_image(rows: NDArray[np.int64], num_images: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the order that puts boxes image after image, and the offsets; order within an image is kept."""
    offsets = np.zeros(num_images + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=num_images), out=offsets[1:])
    return np.argsort(rows, kind="stable"), offsets


def merge_classes(names: Sequence[str], source: str, log: IssueLog) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the distinct class names and each name's index among them; a name that occurs twice is noted."""
    class_names = tuple(dict.fromkeys(names))
    class_of = {name: index for index, name in enumerate(class_names)}
    for name in class_names if len(class_names) < len(names) else ():
        if names.count(name) > 1:
            log.note(source, f"the class name {name!r} occurs {names.count(name)} times and is treated as one class")
    return class_names, np.array([class_of[name] for name in names], np.int64)


def join_detections(parts: Sequence[Detections]) -> Detections:
    """Return the images of several parts one after the other; classes of the same name are one."""
    if len(parts) == 1:
        return parts[0]
    names = tuple(dict.fromkeys(name for part in parts for name in part.class_names))
    class_of = {name: index for index, name in enumerate(names)}
    first_boxes = np.cumsum([0, *(len(part.labels) for part in parts)])

    def describe(box: int) -> str:
        part = int(np.searchsorted(first_boxes, box, side="right")) - 1
        return parts[part].describe(box - int(first_boxes[part]))

    offsets = [part.offsets[:-1] + start for part, start in zip(parts, first_boxes[:-1], strict=True)]
    labels = [np.array([class_of[name] for name in part.class_names], np.int64)[part.labels] for part in parts]
    return Detections(
        images=tuple(name for part in parts for name in part.images),
        offsets=np.concatenate([*offsets, first_boxes[-1:]]).astype(np.int64),
        boxes_xywh=np.concatenate([part.boxes_xywh for part in parts]),
        labels=np.concatenate(labels),
        class_names=names,
        describe=describe,
        stated_sizes=_joined([part.stated_sizes for part in parts]),
        iscrowd=_joined([part.iscrowd for part in parts]),
        subsets=tuple(subset for part in parts for subset in part.subsets or ("",) * len(part)),
        is_relative=parts[0].is_relative,
        **_joined_sources(parts),
    )


def _joined_sources(parts: Sequence[Detections]) -> dict[str, Any]:
    """Return the other fields of images and objects of all parts as one source."""
    if all(part.source is None for part in parts):
        return {}
    places = [(_places(part.image_places, len(part)), _places(part.object_places, len(part.labels))) for part in parts]
    num_images, num_objects = ([int(one[at].max(initial=-1)) + 1 for one in places] for at in (0, 1))
    subsets = [part.subsets[0] if part.subsets else "" for part in parts]
    images, objects = (np.cumsum([0, *counts[:-1]]) for counts in (num_images, num_objects))
    return {
        "source": JoinedSources([part.source for part in parts], num_images, num_objects, subsets),
        "image_places": np.concatenate([one[0] + start for one, start in zip(places, images, strict=True)]),
        "object_places": np.concatenate([one[1] + start for one, start in zip(places, objects, strict=True)]),
    }


def _places(known: NDArray[np.int64] | None, count: int) -> NDArray[np.int64]:
    return np.arange(count, dtype=np.int64) if known is None else known


def _joined(arrays: Sequence[NDArray[Any] | None]) -> NDArray[Any] | None:
    known = [array for array in arrays if array is not None]
    return np.concatenate(known) if len(known) == len(arrays) else None
