"""Samples as the browser gets them: tiles of the grid, one sample with all it has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.tensors import first_tensor
from penstock.widgets.editing._objects import state_of
from penstock.widgets.editing._sample import committed_labels, edited_uids, sample_labels
from penstock.widgets.operations._facts import sample_fields
from penstock.widgets.operations._thumbnails import THUMBNAILS, Thumbnail
from penstock.widgets.session._display import Display
from penstock.widgets.session._query_run import QueryRun
from penstock.widgets.session._session import Session

__all__ = ["sample_detail", "tiles"]


def tiles(
    session: Session, display: Display, places: range, size: int, check_cancelled: Callable[[], None]
) -> tuple[list[dict[str, Any]], list[bytes]]:
    """Return the `Tile`s of the contract at some places of the grid, and their thumbnails.

    Parameters
    ----------
    session : Session
        Whose images are read.
    display : Display
        What the grid shows.
    places : range
        Positions; those past the end are left out.
    size : int
        Longest side of a thumbnail, pixels.
    check_cancelled : callable
        Raises when nobody wants the page any more.
    """
    run = display.run
    rows = run.pool[display.positions[places.start : places.stop]]
    edited = edited_uids(run.table)
    found: list[dict[str, Any]] = []
    buffers: list[bytes] = []
    thumbnails = _thumbnails(session, run, rows, size, check_cancelled)
    uids = display.uids[places.start : places.stop]
    for i, (row, made) in enumerate(zip(rows, thumbnails, strict=True)):
        image = len(buffers) if made.jpeg else -1
        buffers += [made.jpeg] if made.jpeg else []
        found.append(_tile(run, int(row), places.start + i, made, edited=int(uids[i]) in edited, image=image))
    return found, buffers


def sample_detail(
    session: Session, display: Display, row: int, size: int, *, near: int | None = None
) -> tuple[dict[str, Any], bytes]:
    """Return a `SampleDetail` for a row of the run's table, at position `near` if it is there, and its image."""
    run, table = display.run, display.run.table
    box_tensor = first_tensor(table.tensors, "bbox")
    made = _thumbnails(session, run, np.array([row]), size, lambda: None)[0]
    uid = int(table.uids(np.array([row]))[0])
    edited = uid in edited_uids(table)
    detail = _tile(run, row, display.position_of(uid, near), made, edited=edited, image=0 if made.jpeg else -1)
    detail["fields"] = sample_fields(table, row, (run.labels, box_tensor))
    detail["before"] = committed_labels(table, uid, run.labels) if edited else None
    detail["state"] = state_of(table, row, run.labels)
    return detail, made.jpeg


def _thumbnails(
    session: Session, run: QueryRun, rows: NDArray[np.int64], size: int, check_cancelled: Callable[[], None]
) -> list[Thumbnail]:
    tensor = first_tensor(run.table.tensors, "image")
    if tensor is None:
        return [Thumbnail(error="the dataset has no images")] * len(rows)
    return THUMBNAILS.page(run.table, rows, tensor, size, check_cancelled, dataset=session.dataset.path)


def _tile(run: QueryRun, row: int, position: int, made: Thumbnail, *, edited: bool, image: int) -> dict[str, Any]:
    """Return a `Tile` of the contract for a row of the run's table."""
    table = run.table
    labels, boxes = sample_labels(table.column, table.tensors, row, run.labels)
    return {
        "position": position,
        "row": row,
        "uid": str(int(table.uids(np.array([row]))[0])),
        "image": image,
        "width": made.width,
        "height": made.height,
        "labels": labels,
        "boxes": boxes,
        "edited": edited,
        "error": made.error,
    }
