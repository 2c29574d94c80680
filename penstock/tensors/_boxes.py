"""The box tensor among some tensors, and boxes as x, y, width and height, inside their images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.tensors._spec import TensorSpec

__all__ = ["boxes_xywh", "clip_boxes", "first_tensor"]


def first_tensor(tensors: Mapping[str, TensorSpec], htype: str) -> str | None:
    """Return the first tensor of a kind; None if there is none.

    Examples
    --------
    >>> first_tensor({"boxes": TensorSpec(name="boxes", htype="bbox")}, "bbox")
    'boxes'
    """
    return next((name for name, spec in tensors.items() if spec.htype == htype), None)


def boxes_xywh(boxes: NDArray[Any], coords: str) -> NDArray[np.float64]:
    """Return boxes as x, y, width, height in pixels, float64 of shape (num_boxes, 4).

    Parameters
    ----------
    boxes : ndarray of shape (num_boxes, 4)
        As their tensor holds them.
    coords : {"xywh", "xyxy"}
        Their form.

    Examples
    --------
    >>> boxes_xywh(np.array([[1, 1, 3, 4]]), "xyxy").tolist()
    [[1.0, 1.0, 2.0, 3.0]]
    """
    found = np.array(boxes, np.float64).reshape(-1, 4)
    if coords == "xyxy":
        found[:, 2:] -= found[:, :2]
    return found


def clip_boxes(boxes_xywh: NDArray[np.float64], image_sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return boxes clipped to their images; one without area is widened to a pixel.

    Parameters
    ----------
    boxes_xywh : ndarray of float64, shape (num_boxes, 4)
        Left, top, width, height in pixels.
    image_sizes : ndarray of float64, shape (num_boxes, 2)
        Width and height of each box's image; infinite where unknown.

    Examples
    --------
    >>> clip_boxes(np.array([[-1.0, 2, 5, 0]]), np.array([[3.0, 9]])).tolist()
    [[0.0, 2.0, 3.0, 1.0]]
    """
    corner, size = boxes_xywh[:, :2], boxes_xywh[:, 2:]
    widened = np.where(size == 0, np.minimum(1.0, image_sizes), size)
    start = np.where(size == 0, np.minimum(corner, image_sizes - widened), corner)
    low, high = np.maximum(start, 0.0), np.minimum(start + widened, image_sizes)
    reaches_out = (start < 0) | (start + widened > image_sizes)
    return np.concatenate([low, np.where(reaches_out, high - low, widened)], axis=1)
