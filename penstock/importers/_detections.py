"""Images with labelled boxes, as read from any annotation format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.importers._report import IssueLog
from penstock.importers._write import Column
from penstock.tensors import Link

__all__ = ["Detections", "detection_columns", "group_by_image", "mend_boxes"]

_CROWDS = {"dtype": "uint8", "aligned_with": "boxes"}
_READ_WHEN_ADDED = ("verify", "create_shape_tensor", "create_sample_info_tensor")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detections:
    """Boxes and class labels of images, flat, image after image.

    Parameters
    ----------
    images : tuple of str
        Path or URL of each image.
    offsets : ndarray of int64, shape (num_images + 1,)
        Boxes of image ``i`` are ``offsets[i]:offsets[i + 1]``.
    boxes_xywh : ndarray of float32, shape (num_boxes, 4)
        Left, top, width, height in pixels.
    labels : ndarray of int64, shape (num_boxes,)
        Index into `class_names`.
    class_names : tuple of str
        In the order of the source.
    iscrowd : ndarray of uint8, shape (num_boxes,), optional
        1 where a box stands for a crowd, as COCO marks them.
    """

    images: tuple[str, ...]
    offsets: NDArray[np.int64]
    boxes_xywh: NDArray[np.float32]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    iscrowd: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.images)

    def keep_boxes(self, kept: NDArray[np.bool_]) -> Detections:
        """Return the detections without the boxes where `kept` is False."""
        num_kept_before = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
        return replace(
            self,
            offsets=num_kept_before[self.offsets],
            boxes_xywh=self.boxes_xywh[kept],
            labels=self.labels[kept],
            iscrowd=None if self.iscrowd is None else self.iscrowd[kept],
        )


def group_by_image(rows: NDArray[np.int64], num_images: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the order that puts boxes image after image, and the offsets; order within an image is kept."""
    offsets = np.zeros(num_images + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=num_images), out=offsets[1:])
    return np.argsort(rows, kind="stable"), offsets


def mend_boxes(
    boxes_xywh: NDArray[np.float64],
    image_sizes: NDArray[np.float64],
    describe: Callable[[int], str],
    log: IssueLog,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Clip boxes to their images and widen empty ones to a pixel; refuse the rest.

    Parameters
    ----------
    boxes_xywh : ndarray of float64, shape (num_boxes, 4)
        Pixels.
    image_sizes : ndarray of float64, shape (num_boxes, 2)
        Width and height of each box's image; infinite where unknown.
    describe : callable
        Names box ``i`` for the report.
    log : IssueLog
        Takes repairs and refusals.

    Returns
    -------
    boxes_xywh : ndarray of float32, shape (num_boxes, 4)
    kept : ndarray of bool, shape (num_boxes,)
        False where a box was refused.
    """
    corner, size = boxes_xywh[:, :2], boxes_xywh[:, 2:]
    widened = np.where(size == 0, 1.0, size)
    finite = np.asarray(np.isfinite(boxes_xywh).all(axis=1))
    sized = np.asarray((size >= 0).all(axis=1))
    inside = np.asarray(((corner < image_sizes) & (corner + widened > 0)).all(axis=1))
    kept: NDArray[np.bool_] = np.logical_and.reduce([finite, sized, inside])
    for box in np.flatnonzero(~kept).tolist():
        log.refuse(describe(box), f"box {_shown(boxes_xywh[box])} {_flaw(bool(finite[box]), bool(sized[box]))}")
    mended = _clip(corner, widened, image_sizes)
    for box in np.flatnonzero(kept & (mended != boxes_xywh).any(axis=1)).tolist():
        what = "has no area, widened" if (size[box] == 0).any() else "reaches outside its image, clipped"
        log.repair(describe(box), f"box {_shown(boxes_xywh[box])} {what} to {_shown(mended[box])}")
    return mended.astype(np.float32), kept


def _clip(
    corner: NDArray[np.float64], size: NDArray[np.float64], image_sizes: NDArray[np.float64]
) -> NDArray[np.float64]:
    low, high = np.maximum(corner, 0.0), np.minimum(corner + size, image_sizes)
    reaches_out = (corner < 0) | (corner + size > image_sizes)
    return np.concatenate([low, np.where(reaches_out, high - low, size)], axis=1)


def _flaw(finite: bool, sized: bool) -> str:
    if not finite:
        return "has a coordinate that is no finite number"
    return "lies outside its image" if sized else "has a negative width or height"


def _shown(box: NDArray[np.float64]) -> str:
    return "[" + ", ".join(f"{value:g}" for value in box) + "]"


def detection_columns(
    found: Detections, images: Sequence[Path | Link], *, linked: bool = False, verify: bool = True
) -> list[Column]:
    """Return the tensors images, boxes, categories, and iscrowd where there is one."""

    def rows_of(values: NDArray[Any]) -> Callable[[int], NDArray[Any]]:
        return lambda row: values[found.offsets[row] : found.offsets[row + 1]]

    columns = [
        Column(
            name="images",
            htype="link[image]" if linked else "image",
            sample=images.__getitem__,
            options={} if verify else dict.fromkeys(_READ_WHEN_ADDED, False),
        ),
        Column(name="boxes", htype="bbox", sample=rows_of(found.boxes_xywh)),
        Column(
            name="categories",
            htype="class_label",
            sample=rows_of(found.labels),
            options={"class_names": found.class_names, "aligned_with": "boxes"},
        ),
    ]
    if found.iscrowd is not None:
        columns.append(Column(name="iscrowd", htype="generic", sample=rows_of(found.iscrowd), options=_CROWDS))
    return columns
