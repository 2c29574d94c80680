"""Check boxes against their images, and write both."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset import Dataset
from penstock.engines import Engine, EngineOption, engine_of
from penstock.importers.boxes._annotated import Detections
from penstock.importers.boxes._fields import field_columns
from penstock.importers.boxes._frames import Frame, read_frames
from penstock.importers.boxes._turned import Exif, upright_boxes
from penstock.importers.building._build import build, check_options
from penstock.importers.building._report import IssueLog
from penstock.importers.building._text import printable
from penstock.importers.building._write import Column
from penstock.table import part_rows
from penstock.tensors import MAX_IMAGE_BYTES, Link, clip_boxes

__all__ = ["Gathered", "build_detections", "judge_boxes", "repair_boxes"]

_CROWDS = {"dtype": "uint8", "aligned_with": "boxes"}
_READ_WHEN_ADDED = ("verify", "create_shape_tensor", "create_sample_info_tensor")
_PART = 65_536  # boxes
_FRAMES = 2048  # images of a part
_SLACK = 0.01  # pixels: what decimal fractions of an image's side leave outside of it


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gathered:
    """What an importer has read from a source, before any image is opened.

    Parameters
    ----------
    found : Detections
        Boxes and labels as the source has them.
    images : sequence of Path, Link or None
        Where each image is; None where it was refused.
    source : str
        What it is called in the report.
    """

    found: Detections
    images: Sequence[Path | Link | None]
    source: str


def judge_boxes(
    found: Detections, frames: Sequence[Frame | None], log: IssueLog, exif: Exif = "auto"
) -> tuple[Detections, NDArray[np.bool_]]:
    """Bring boxes into the pixels of their upright images, and judge them by the images' own sizes.

    Parameters
    ----------
    found : Detections
        As the source has them.
    frames : sequence of Frame, one for each image
        None where the image is not read; then the size that the source states counts.
    log : IssueLog
        Takes sizes that are stated otherwise, repairs and refusals.
    exif : {"auto", "upright", "stored"}
        Which pixels the boxes of images that EXIF turns are on.

    Returns
    -------
    found : Detections
        The images that are kept, with boxes in pixels.
    kept : ndarray of bool, shape (num_images,)
        False where an image was refused.
    """
    _note_sizes(found, frames, log)
    boxes_xywh, kept_images = upright_boxes(found, frames, log, exif)
    sizes = _sizes(found, frames)[found.image_of]
    upright = replace(found, boxes_xywh=boxes_xywh, is_relative=False).keep_images(kept_images)
    repaired, kept = _repaired_in_parts(upright, sizes[kept_images[found.image_of]], log)
    return replace(upright, boxes_xywh=repaired.astype(np.float64)).keep_boxes(kept), kept_images


def _repaired_in_parts(
    found: Detections, image_sizes: NDArray[np.float64], log: IssueLog
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Repair all boxes, some at a time: what is computed for each takes ten times the memory of the boxes."""
    parts = []
    for start in range(0, max(len(image_sizes), 1), _PART):
        part = slice(start, start + _PART)
        describe = partial(_described, found.describe, start)
        parts.append(repair_boxes(found.boxes_xywh[part], image_sizes[part], describe, log))
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _described(describe: Callable[[int], str], start: int, box: int) -> str:
    return describe(start + box)


def _sizes(found: Detections, frames: Sequence[Frame | None]) -> NDArray[np.float64]:
    """Width and height of each image, infinite where unknown."""
    stated = np.full((len(found), 2), np.nan) if found.stated_sizes is None else found.stated_sizes
    known = np.where(np.isnan(stated), np.inf, stated)
    rows = [frame.size if frame is not None else pair for frame, pair in zip(frames, known.tolist(), strict=True)]
    return np.array(rows, np.float64).reshape(-1, 2)


def _note_sizes(found: Detections, frames: Sequence[Frame | None], log: IssueLog) -> None:
    if found.stated_sizes is None:
        return
    for name, (width, height), frame in zip(found.images, found.stated_sizes.tolist(), frames, strict=True):
        if frame is None or np.isnan(width) or (width, height) == frame.size:
            continue
        stated, own = f"the annotations state {width:g} × {height:g} pixels", f"{frame.width} × {frame.height}"
        if (width, height) == frame.stored_size:
            log.note(name, f"{stated}, which is the stored size; the displayed image is {own}")
        else:
            log.note(name, f"{stated}, but the image is {own}; its boxes were not scaled")


def repair_boxes(
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
    finite = np.asarray((np.abs(boxes_xywh) <= np.finfo(np.float32).max).all(axis=1))
    known = np.where(finite[:, None], boxes_xywh, 1.0)
    corner, size = known[:, :2], known[:, 2:]
    sized = np.asarray((size >= 0).all(axis=1))
    touches = np.where(size == 0, (corner <= image_sizes) & (corner >= 0), (corner < image_sizes) & (corner + size > 0))
    kept: NDArray[np.bool_] = np.logical_and.reduce([finite, sized, touches.all(axis=1)])
    for box in np.flatnonzero(~kept).tolist():
        log.refuse(describe(box), f"box {_shown(boxes_xywh[box])} {_flaw(bool(finite[box]), bool(sized[box]))}")
    repaired = clip_boxes(np.where(kept[:, None], known, [[0.0, 0.0, 1.0, 1.0]]), image_sizes)
    for box in np.flatnonzero(kept & (np.abs(repaired - known) > _SLACK).any(axis=1)).tolist():
        what = "has no area and was widened" if (size[box] == 0).any() else "extends beyond its image and was clipped"
        log.repair(describe(box), f"box {_shown(boxes_xywh[box])} {what} to {_shown(repaired[box])}")
    return repaired.astype(np.float32), kept


def _flaw(finite: bool, sized: bool) -> str:
    if not finite:
        return "has a coordinate that is not a finite number"
    return "is outside its image" if sized else "has a negative width or height"


def _shown(box: NDArray[np.float64]) -> str:
    return "[" + ", ".join(f"{value:g}" for value in box) + "]"


def build_detections(
    dest: str | os.PathLike[str],
    gathered: Gathered,
    *,
    log: IssueLog,
    num_workers: int,
    progress: bool,
    linked: bool = False,
    verify: bool = True,
    exif: Exif = "auto",
    creds_keys: Sequence[str] = (),
    max_image_bytes: int | None = MAX_IMAGE_BYTES,
    engine: EngineOption = None,
) -> Dataset:
    """Check the boxes against the images, and write all tensors.

    Parameters
    ----------
    gathered : Gathered
        What was read.
    linked : bool
        Whether images are linked to.
    verify : bool
        Whether linked images are read now.
    max_image_bytes : int, optional
        Maximum size of a decoded image in bytes; None allows any size.
    engine : Engine, str or None
        Where images are read and samples are written; None is here.
    """
    check_options(num_workers, max_image_bytes)
    if engine is not None:
        with engine_of(engine) as opened:
            return _built(
                dest, gathered, log=log, num_workers=num_workers, progress=progress, linked=linked, verify=verify,
                exif=exif, creds_keys=creds_keys, max_image_bytes=max_image_bytes, engine=opened,
            )  # fmt: skip
    return _built(
        dest, gathered, log=log, num_workers=num_workers, progress=progress, linked=linked, verify=verify,
        exif=exif, creds_keys=creds_keys, max_image_bytes=max_image_bytes, engine=None,
    )  # fmt: skip


def _built(
    dest: str | os.PathLike[str],
    gathered: Gathered,
    *,
    log: IssueLog,
    num_workers: int,
    progress: bool,
    linked: bool,
    verify: bool,
    exif: Exif,
    creds_keys: Sequence[str],
    max_image_bytes: int | None,
    engine: Engine | None,
) -> Dataset:
    found = gathered.found.keep_images(np.array([image is not None for image in gathered.images], bool))
    located = [image for image in gathered.images if image is not None]
    frames = _frames(located, num_workers, max_image_bytes, engine) if verify else [None] * len(located)
    found, kept = judge_boxes(found, frames, log, exif)
    located = [image for image, is_kept in zip(located, kept.tolist(), strict=True) if is_kept]
    return build(
        dest,
        _columns(found, located, linked=linked, verify=verify),
        len(found),
        source=printable(gathered.source),
        log=log,
        num_workers=num_workers,
        progress=progress,
        creds_keys=creds_keys,
        max_image_bytes=max_image_bytes,
        info=None if found.source is None else found.source.info,
        engine=engine,
    )


def _frames(
    located: Sequence[Path | Link], num_workers: int, max_bytes: int | None, engine: Engine | None
) -> list[Frame | None]:
    """Return each image's frame, read here or wherever the engine reads."""
    if engine is None:
        return read_frames(located, num_workers, max_bytes)
    parts = [located[start:stop] for start, stop in part_rows(len(located), _FRAMES)]
    read = partial(read_frames, num_workers=0, max_bytes=max_bytes)
    return [frame for found in engine.map(read, parts, num_workers=num_workers) for frame in found]


def _columns(found: Detections, images: Sequence[Path | Link], *, linked: bool, verify: bool) -> list[Column]:
    """Return the tensors images, boxes and categories, and iscrowd and subset if the source has them."""

    def rows_of(values: NDArray[Any]) -> Callable[[int], NDArray[Any]]:
        return lambda row: values[found.offsets[row] : found.offsets[row + 1]]

    columns = [
        Column(
            name="images",
            htype="link[image]" if linked else "image",
            sample=images.__getitem__,
            options={} if verify else dict.fromkeys(_READ_WHEN_ADDED, False),
        ),
        Column(name="boxes", htype="bbox", sample=rows_of(found.boxes_xywh.astype(np.float32))),
        Column(
            name="categories",
            htype="class_label",
            sample=rows_of(found.labels),
            options={"class_names": found.class_names, "aligned_with": "boxes"},
        ),
    ]
    if found.iscrowd is not None:
        columns.append(Column(name="iscrowd", htype="generic", sample=rows_of(found.iscrowd), options=_CROWDS))
    if found.subsets is not None and any(found.subsets):
        columns.append(_subset_column(found.subsets))
    return [*columns, *field_columns(found)]


def _subset_column(subsets: tuple[str, ...]) -> Column:
    names = tuple(sorted({subset for subset in subsets if subset}))
    index_of = {name: [index] for index, name in enumerate(names)} | {"": []}
    rows = [np.array(index_of[subset], np.int64) for subset in subsets]
    return Column(name="subset", htype="class_label", sample=rows.__getitem__, options={"class_names": names})
