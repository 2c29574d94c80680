"""Boxes of one sample at a time, fixed and refused as those of annotation files are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ImporterError, SampleError
from penstock.importers.boxes._detections import repair_boxes
from penstock.importers.building._report import ImportIssue, IssueLog
from penstock.tensors import image_shape

__all__ = ["BoxReader", "Boxes", "Coords", "image_size"]

Coords = Literal["xywh", "xyxy"]

_NUM_KEPT = 1024  # rows in memory: more than are written at a time
_NUM_COORDINATES = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Boxes:
    """The boxes of one sample that are imported.

    Parameters
    ----------
    boxes : ndarray of float32, shape (num_kept, 4)
        Pixels, in the form they were given.
    kept : ndarray of bool, shape (num_boxes,)
        Which of the source's boxes these are.
    issues : tuple of ImportIssue
        What was repaired and refused.
    """

    boxes: NDArray[np.float32]
    kept: NDArray[np.bool_]
    issues: tuple[ImportIssue, ...]


class BoxReader:
    """Reads the boxes of each row of a source, and clips, widens and refuses them.

    Parameters
    ----------
    name : str
        What the boxes are called, for the report.
    boxes_of : callable
        Row to boxes, (num_boxes, 4) or what can be made such; None for none.
    size_of : callable
        Row to width and height of its image in pixels, None where there is none.
    coords : {"xywh", "xyxy"}
        Form of the boxes.
    flaws_of : callable, optional
        Row to one entry a box, None or what is wrong with the rest of the object.
    """

    def __init__(
        self,
        name: str,
        boxes_of: Callable[[int], Any],
        size_of: Callable[[int], tuple[int, int] | None],
        *,
        coords: Coords = "xywh",
        flaws_of: Callable[[int], Sequence[str | None]] | None = None,
    ) -> None:
        if coords not in ("xywh", "xyxy"):
            raise ImporterError(f"coords={coords!r} is not valid. Expected 'xywh' or 'xyxy', in pixels")
        self._name = name
        self._boxes_of = boxes_of
        self._size_of = size_of
        self._is_xyxy = coords == "xyxy"
        self._flaws_of = flaws_of
        self.read = lru_cache(_NUM_KEPT)(self._read)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle without the boxes that were read."""
        return {name: value for name, value in vars(self).items() if name != "read"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.read = lru_cache(_NUM_KEPT)(self._read)

    def _read(self, row: int) -> Boxes:
        log = IssueLog("skip")
        given = _as_boxes(self._boxes_of(row), f"{self._name} of row {row}")
        flaws = list(self._flaws_of(row)) if self._flaws_of is not None else [None] * len(given)
        if len(flaws) != len(given):
            raise ImporterError(
                f"{self._name!r} has {len(given)} boxes and {len(flaws)} classes. Expected equal numbers"
            )
        whole = np.array([flaw is None for flaw in flaws], bool)
        for box in np.flatnonzero(~whole).tolist():
            log.refuse(self._named(row, box), str(flaws[box]))
        places = np.flatnonzero(whole)
        repaired, fit = self._repaired(given[whole], row, places, log)
        kept = whole.copy()
        kept[places[~fit]] = False
        return Boxes(boxes=repaired[fit], kept=kept, issues=tuple(log.issues))

    def _repaired(
        self, given: NDArray[np.float64], row: int, places: NDArray[np.int64], log: IssueLog
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        boxes_xywh = given.copy()
        if self._is_xyxy:
            boxes_xywh[:, 2:] -= boxes_xywh[:, :2]
        sizes = np.full((len(given), 2), self._size_of(row) or np.inf, np.float64)
        with np.errstate(all="ignore"):  # of coordinates that are no finite numbers, which are refused
            repaired, fit = repair_boxes(boxes_xywh, sizes, lambda box: self._named(row, int(places[box])), log)
        if self._is_xyxy:
            repaired[:, 2:] += repaired[:, :2]
        same = fit & (repaired == given.astype(np.float32)).all(axis=1)
        repaired[same] = given[same]
        return repaired, fit

    def _named(self, row: int, box: int) -> str:
        return f"row {row}, {self._name} {box}"


def _as_boxes(given: Any, what: str) -> NDArray[np.float64]:
    """Return boxes as an array; one that is not four numbers is one of NaN, which is refused by itself."""
    if given is None:
        return np.empty((0, _NUM_COORDINATES))
    try:
        boxes = np.array(given, np.float64)
    except (TypeError, ValueError):
        boxes = np.array([_as_box(box) for box in _as_list(given, what)])
    if boxes.size == 0:
        return np.empty((0, _NUM_COORDINATES))
    boxes = boxes[None] if boxes.shape == (_NUM_COORDINATES,) else boxes
    if boxes.ndim != 2 or boxes.shape[1] != _NUM_COORDINATES:  # boxes by coordinates
        raise ImporterError(f"{what} have shape {boxes.shape}. Expected (num_boxes, {_NUM_COORDINATES})")
    return boxes


def _as_list(given: Any, what: str) -> list[Any]:
    if isinstance(given, str | bytes | dict) or not hasattr(given, "__iter__"):
        raise ImporterError(f"{what} are {repr(given)[:60]}. Expected boxes of four numbers")
    return list(given)


def _as_box(box: Any) -> NDArray[np.float64]:
    try:
        numbers = np.array(box, np.float64)
    except (TypeError, ValueError):
        numbers = np.empty(0)
    return numbers if numbers.shape == (_NUM_COORDINATES,) else np.full(_NUM_COORDINATES, np.nan)


def image_size(image: Any) -> tuple[int, int] | None:
    """Return width and height of an upright image in pixels, None where it cannot be read."""
    if isinstance(image, np.ndarray):
        return (image.shape[1], image.shape[0]) if image.ndim in (2, 3) else None
    try:
        encoded = image.read_bytes() if isinstance(image, Path) else image
        if not isinstance(encoded, bytes):
            return None
        height, width = image_shape(encoded)[:2]
    except (OSError, SampleError, ValueError):
        return None
    return width, height
