"""Boxes of images that EXIF turns: on the image as shown, or on the pixels in the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ImporterError
from penstock.importers.boxes._annotated import Detections
from penstock.importers.boxes._frames import Frame
from penstock.importers.boxes._source import SeesFrames
from penstock.importers.building._report import IssueLog

__all__ = ["Exif", "upright_boxes"]

Exif = Literal["auto", "upright", "stored"]
_ROUNDING = 1.0  # pixels that a box may reach out of the image it was drawn on


def upright_boxes(
    found: Detections, frames: Sequence[Frame | None], log: IssueLog, exif: Exif
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return boxes in pixels of the upright images, and which images are kept.

    Where EXIF turns an image, some tools draw boxes on the image as shown, others
    on the pixels as stored. The size that the source states and the boxes
    themselves tell which, for the image or for others of the same source; an image
    for which nothing tells is refused.

    Parameters
    ----------
    found : Detections
        As the source has them.
    frames : sequence of Frame, one for each image
        None where the image is not read.
    log : IssueLog
        Takes images whose boxes fit both ways, and those whose boxes were turned.
    exif : {"auto", "upright", "stored"}
        Which pixels boxes are on, where the caller knows.
    """
    if exif not in ("auto", "upright", "stored"):
        raise ImporterError(f"exif={exif!r} is not valid. Expected 'auto', 'upright' or 'stored'")
    boxes_xywh, kept = found.boxes_xywh.astype(np.float64), np.ones(len(found), bool)
    turned = [row for row, frame in enumerate(frames) if frame is not None and frame.is_turned]
    with_boxes = [row for row in turned if found.offsets[row] < found.offsets[row + 1]]
    drawn_on = _drawn_on(found, frames, with_boxes, exif)
    for row in with_boxes:
        name, frame = found.images[row], frames[row]
        if frame is not None and drawn_on[row] is None:
            kept[row] = False
            log.refuse(
                name,
                f"EXIF rotates this image (orientation {frame.orientation}), and its boxes fit both the "
                "displayed image "
                "and the stored pixels",
                hint="pass exif='upright' if boxes refer to the displayed image, or exif='stored' if they "
                "refer to the stored pixels",
            )
    stored = {row for row, side in drawn_on.items() if side == "stored"}
    if found.is_relative:
        boxes_xywh *= _scales(found, frames, stored)
    _show(found, frames, stored)
    for row in with_boxes:
        name, frame, of_row = found.images[row], frames[row], slice(found.offsets[row], found.offsets[row + 1])
        if frame is not None and drawn_on[row] == "stored":
            boxes_xywh[of_row] = frame.upright(boxes_xywh[of_row])
            log.repair(
                name, f"boxes refer to the stored pixels and were turned upright (orientation {frame.orientation})"
            )
        elif drawn_on[row] == "upright" and found.is_relative and exif == "auto":
            log.note(
                name, "EXIF rotates this image; its boxes are taken to refer to the displayed image, as usual for YOLO"
            )
    return boxes_xywh, kept


def _show(found: Detections, frames: Sequence[Frame | None], stored: set[int]) -> None:
    """Give the sizes of images to a source that needs them."""
    source: object = found.source
    if isinstance(source, SeesFrames) and found.image_places is not None:
        for row, (place, frame) in enumerate(zip(found.image_places.tolist(), frames, strict=True)):
            if frame is not None:
                source.see(place, frame, is_stored=row in stored)


def _drawn_on(
    found: Detections, frames: Sequence[Frame | None], rows: Sequence[int], exif: Exif
) -> dict[int, Literal["upright", "stored"] | None]:
    """Return for each row which pixels its boxes refer to; None if it is not clear."""
    if exif != "auto":
        return dict.fromkeys(rows, exif)
    if found.is_relative:  # fractions fit either way; trainers read labels as of the upright image
        return dict.fromkeys(rows, "upright")
    own = {row: _evidence(found, row, frame) for row in rows if (frame := frames[row]) is not None}
    seen = {side for side in own.values() if side is not None}
    of_others = next(iter(seen)) if len(seen) == 1 else None
    return {row: side or of_others for row, side in own.items()}


def _evidence(found: Detections, row: int, frame: Frame) -> Literal["upright", "stored"] | None:
    stated = None if found.stated_sizes is None else tuple(found.stated_sizes[row].tolist())
    if stated == frame.size != frame.stored_size:
        return "upright"
    boxes_xywh = found.boxes_xywh[found.offsets[row] : found.offsets[row + 1]]
    fits_upright, fits_stored = _fits(boxes_xywh, frame.size), _fits(boxes_xywh, frame.stored_size)
    if fits_upright == fits_stored:
        return None
    return "upright" if fits_upright else "stored"


def _fits(boxes_xywh: NDArray[np.float64], size: tuple[int, int]) -> bool:
    reach = boxes_xywh[:, :2] + boxes_xywh[:, 2:]
    return bool((reach <= np.array(size) + _ROUNDING).all())


def _scales(found: Detections, frames: Sequence[Frame | None], stored: set[int]) -> NDArray[np.float64]:
    """Width, height, width, height of each box's image, in the pixels that the box was drawn on."""
    sizes = [
        (1, 1) if frame is None else frame.stored_size if row in stored else frame.size
        for row, frame in enumerate(frames)
    ]
    return np.tile(np.array(sizes, np.float64).reshape(-1, 2), 2)[found.image_of]
