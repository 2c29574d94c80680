"""Labels and boxes of one sample, as plain numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.table import Ragged
from penstock.tensors import TensorSpec

__all__ = ["boxes_xywh", "first_tensor", "sample_labels"]


def first_tensor(tensors: Mapping[str, TensorSpec], htype: str) -> str | None:
    """Return the first tensor of a kind, or None."""
    return next((name for name, spec in tensors.items() if spec.htype == htype), None)


def boxes_xywh(boxes: NDArray[Any], coords: str) -> NDArray[np.float64]:
    """Return boxes as x, y, width, height in pixels, float64 of shape (num_boxes, 4)."""
    found = np.array(boxes, np.float64).reshape(-1, 4)
    if coords == "xyxy":
        found[:, 2:] -= found[:, :2]
    return found


def sample_labels(
    column: Callable[[str], Ragged], tensors: Mapping[str, TensorSpec], row: int, label_tensor: str | None
) -> tuple[list[int], list[float]]:
    """Return a sample's class indices, and its boxes as x, y, width, height in pixels, flat."""
    labels = column(label_tensor).row(row) if label_tensor else np.empty(0, np.int64)
    box_tensor = first_tensor(tensors, "bbox")
    boxes = np.empty((0, 4))
    if box_tensor:
        boxes = boxes_xywh(column(box_tensor).row(row), tensors[box_tensor].coords)
    finite = [round(float(value), 3) if math.isfinite(value) else 0.0 for value in boxes.flat]
    return [int(label) for label in labels.flat], finite
