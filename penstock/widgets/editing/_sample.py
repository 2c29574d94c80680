"""Labels and boxes of one sample, as plain numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.storage import Credentials
from penstock.table import Draft, OverlayTable, Ragged
from penstock.tensors import TensorSpec, boxes_xywh, first_tensor

__all__ = [
    "committed_labels",
    "edited_uids",
    "sample_labels",
    "stored_alone",
    "values_at",
]


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


def values_at(table: OverlayTable, tensor: str, rows: NDArray[np.int64]) -> list[Any]:
    """Return samples of a tensor that is no image or mask: arrays, parsed JSON, text; None where there is none."""
    if table.tensors[tensor].htype in {"text", "json"}:
        return list(table.take(rows, [tensor])[tensor]) if len(rows) else []
    column = table.column(tensor)
    present = column.valid
    return [np.array(column.row(row)) if present is None or present[row] else None for row in rows.tolist()]


def committed_labels(table: OverlayTable, uid: int, labels: str | None) -> dict[str, Any] | None:
    """Return labels and boxes of a sample as stored, without edits; None where it is not stored."""
    stored = table.stored
    row = stored.row_of(uid)
    if row < 0:
        return None
    found, boxes = sample_labels(stored.column, stored.specs, row, labels)
    return {"labels": found, "boxes": boxes}


def stored_alone(table: OverlayTable) -> OverlayTable:
    """Return what is stored under the edits of a table; for labels, boxes and values, whose links nobody follows."""
    return OverlayTable(table.stored, Draft(), Credentials())


def edited_uids(table: OverlayTable) -> frozenset[int]:
    """Return the samples that differ from what is stored."""
    edits = table.draft.edits
    return frozenset(uid for tensor in edits for uid in edits[tensor])
