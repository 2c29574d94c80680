"""Operations on one sample: the sample with its image, a part of its image."""

from __future__ import annotations

from typing import Any

import numpy as np

from penstock.dataset import SampleEdit
from penstock.dataset.samples import content_of
from penstock.errors import SampleIndexError
from penstock.tensors import first_tensor, image_levels, image_region
from penstock.widgets.editing._edits import rows_of
from penstock.widgets.operations._arguments import POSITION, UID
from penstock.widgets.operations.images._tiles import info_rows, sample_detail
from penstock.widgets.requests import _checks as check
from penstock.widgets.requests._operation import Call, Reply, operation
from penstock.widgets.session._session import Session

__all__ = ["SampleOperations"]

_MAX_REGION_PIXELS = 4_000_000
_LARGE = 1024
_MOST_EDITS, _MOST_WORDS = 50, 12


class SampleOperations:
    """Show one sample, and what is known of the dataset.

    Parameters
    ----------
    session : Session
        What the widget shows.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @operation("sample.get", lane="read", position=check.maybe(POSITION), uid=check.maybe(UID))
    def get(self, call: Call, *, position: int | None, uid: int | None) -> Reply:
        """Return one sample with a large image: at a position, or of a uid, at its position if it still is there."""
        if position is None and uid is None:
            raise check.BadRequestError("sample.get takes a position, a uid, or both")
        display = self._session.display
        run = display.run
        if uid is None and position is not None:
            if position >= len(display.positions):
                raise SampleIndexError(
                    f"position {position} is out of range; {len(display.positions)} samples are shown"
                )
            row = int(display.rows[position])
        else:
            row = int(rows_of(run.table, np.array([uid], np.int64))[0])
        call.check_cancelled()
        sample, buffers = sample_detail(self._session, display, row, _LARGE, near=position)
        return Reply(result={"sample": sample}, buffers=buffers)

    @operation("sample.history", lane="read", uid=UID)
    def history(self, call: Call, *, uid: int) -> dict[str, Any]:
        """Return what changed a sample, the newest first: edits that are not committed, then commits."""
        table = self._session.display.run.table
        row = int(rows_of(table, np.array([uid], np.int64))[0])
        call.check_cancelled()
        found = content_of(self._session.dataset).history_of(table, np.array([row], np.int64), 0)
        entries = [_history_entry(edit) for edit in found[:_MOST_EDITS]]
        return {"entries": entries, "more": len(found) - len(entries)}

    @operation("dataset.info", lane="read")
    def info(self, _call: Call) -> dict[str, Any]:
        """Return where the dataset is, and its notes."""
        dataset = self._session.dataset
        return {"path": str(dataset.path), "rows": info_rows(dataset.info)}

    @operation(
        "sample.region",
        lane="read",
        uid=UID,
        x=check.integer(0, 2**20),
        y=check.integer(0, 2**20),
        width=check.integer(1, 2**20),
        height=check.integer(1, 2**20),
        scale=check.number(1 / 1024, 1),
        window=check.maybe(check.array(check.number(-1e12, 1e12), 2)),
    )
    def region(
        self,
        call: Call,
        *,
        uid: int,
        x: int,
        y: int,
        width: int,
        height: int,
        scale: float,
        window: list[float] | None,
    ) -> Reply:
        """Return a rectangle of the full image, scaled down; never over 4 MP. `window`: its black and white values."""
        values = _window(window)
        if width * scale * height * scale > _MAX_REGION_PIXELS:
            raise check.BadRequestError(f"a region has at most {_MAX_REGION_PIXELS} pixels after scaling")
        encoded = self._encoded(uid)
        call.check_cancelled()
        allowed = self._session.dataset.max_image_bytes
        jpeg = image_region(encoded, x, y, width, height, scale, window=values, max_bytes=allowed)
        return Reply(result={"width": round(width * scale), "height": round(height * scale)}, buffers=[jpeg])

    @operation("sample.levels", lane="read", uid=UID)
    def levels(self, call: Call, *, uid: int) -> dict[str, Any]:
        """Return the bits of an image's values, and the least and the greatest of them."""
        encoded = self._encoded(uid)
        call.check_cancelled()
        bits, low, high = image_levels(encoded, max_bytes=self._session.dataset.max_image_bytes)
        return {"bits": bits, "low": low, "high": high}

    def _encoded(self, uid: int) -> Any:
        run = self._session.run
        tensor = first_tensor(run.table.tensors, "image")
        if tensor is None:
            raise SampleIndexError("the dataset has no images")
        row = int(rows_of(run.table, np.array([uid], np.int64))[0])
        return run.table.take(np.array([row]), [tensor])[tensor][0]


def _history_entry(edit: SampleEdit) -> dict[str, Any]:
    """Return a `HistoryEntry` of the contract."""
    return {
        "kind": edit.kind,
        "commit": None if edit.commit is None else edit.commit[:7],
        "branch": edit.branch,
        "time": None if edit.time is None else edit.time.isoformat(),
        "author": edit.author,
        "message": edit.message,
        "words": list(edit.differences[:_MOST_WORDS]),
        "more": max(0, len(edit.differences) - _MOST_WORDS),
    }


def _window(sent: list[float] | None) -> tuple[float, float] | None:
    if sent is None:
        return None
    if len(sent) != 2 or not sent[0] < sent[1]:
        raise check.BadRequestError("a window is [low, high] with low < high")
    return sent[0], sent[1]
