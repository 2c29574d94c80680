"""How many keypoints objects have, and what they are called."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.errors import ExportError
from penstock.exporters._rows import ExportedRows
from penstock.exporters.yolo._classes import ClassNumbers
from penstock.exporters.yolo._config import flip_order

__all__ = ["PoseForm", "pose_form"]

_SIZES = (2, 3)
_KEYPOINT = 3

PoseForm = tuple[tuple[int, int], dict[str, Any] | None]


def pose_form(rows: ExportedRows, header: Mapping[str, Any], classes: ClassNumbers) -> PoseForm:
    """Return the number of keypoints and the numbers of each, and the keys of data.yaml; None for those of the source.

    Raises
    ------
    ExportError
        If no object has keypoints.
    """
    shape = header.get("kpt_shape")
    if isinstance(shape, list) and len(shape) == 2 and type(shape[0]) is int and shape[0] > 0 and shape[1] in _SIZES:
        return (shape[0], shape[1]), None
    named = _named_keypoints(rows)
    count = max((len(names) for names in named.values()), default=0) or _most_keypoints(rows)
    if not count:
        raise ExportError(
            "task='pose' was given, but no object has keypoints. Expected a tensor 'keypoints'",
            hint="task='detect' writes boxes",
        )
    keys: dict[str, Any] = {"kpt_shape": [count, _KEYPOINT]}
    orders = [flip_order(names) for names in named.values() if len(names) == count]
    if orders and orders[0] is not None and all(order == orders[0] for order in orders):
        keys["flip_idx"] = orders[0]
    numbers = {name: classes.numbers[at] for at, name in enumerate(rows.class_names)}
    if named:
        keys["kpt_names"] = {numbers[name]: list(names) for name, names in named.items()}
    return (count, _KEYPOINT), keys


def _named_keypoints(rows: ExportedRows) -> dict[str, Sequence[str]]:
    """Return the names of the keypoints of each class, as COCO's categories have them."""
    files = rows.source.get("files")
    headers = [file.get("header") for file in files if isinstance(file, Mapping)] if isinstance(files, list) else []
    entries = [
        entry
        for header in headers
        if isinstance(header, Mapping) and isinstance(header.get("categories"), list)
        for entry in header["categories"]
        if isinstance(entry, Mapping)
    ]
    found: dict[str, Sequence[str]] = {}
    for name, origin in zip(rows.class_names, rows.class_origins(), strict=True):
        own = next((entry.get("keypoints") for entry in entries if str(entry.get("name")) == origin), None)
        if isinstance(own, list) and own and all(isinstance(one, str) for one in own):
            found[name] = own
    return found


def _most_keypoints(rows: ExportedRows) -> int:
    spec = rows.spec("keypoints")
    if spec is None or spec.htype != "json":
        return 0
    samples = (json.loads(text) for text in rows.table.column("keypoints").values if text)
    found = (one for sample in samples for one in (sample if isinstance(sample, list) else []))
    return max((len(one) // _KEYPOINT for one in found if isinstance(one, list)), default=0)
