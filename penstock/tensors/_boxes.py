"""The box tensor among some tensors, and boxes of either form as x, y, width and height."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.tensors._spec import TensorSpec

__all__ = ["boxes_xywh", "first_tensor"]


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
