"""Operations on samples: pages of the grid, one sample large, the selection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SampleIndexError
from penstock.tensors import image_region
from penstock.widgets.editing._edits import rows_of
from penstock.widgets.editing._objects import state_of
from penstock.widgets.editing._sample import committed_labels, edited_uids, first_tensor
from penstock.widgets.operations._describe import grid_state, sample_fields, tile
from penstock.widgets.operations._thumbnails import THUMBNAILS, Thumbnail
from penstock.widgets.operations._weights import WeightOperations
from penstock.widgets.requests import _checks as check
from penstock.widgets.requests._rpc import Call, Reply, operation
from penstock.widgets.session._query_run import QueryRun
from penstock.widgets.session._selection import MAX_INTERVALS

__all__ = ["UID", "GridOperations"]

MAX_PAGE = 256
MAX_REGION_PIXELS = 4_000_000
_POSITION = check.integer(0, 2**53)
UID = check.identity()
_LARGE = 1024
_SORTS = ("query", "row", "labels")


class GridOperations(WeightOperations):
    """Answers with pictures, boxes and labels."""

    @operation("grid.page", lane="read", start=_POSITION, stop=_POSITION, size=check.integer(16, 512))
    def page(self, call: Call, *, start: int, stop: int, size: int) -> Reply:
        """Return the samples at grid positions [start, stop), thumbnails as buffers."""
        if stop < start or stop - start > MAX_PAGE:
            raise check.BadRequestError(f"a page has 0 to {MAX_PAGE} samples, got [{start}, {stop})")
        shown = self.session.shown()
        tiles, buffers = self._tiles(call, shown.run, shown.positions[start:stop], start, size)
        return Reply(result={"tiles": tiles, "pool_size": len(shown.positions), "token": shown.token}, buffers=buffers)

    @operation("grid.filter", class_index=check.maybe(check.integer(0, 2**31 - 1)))
    def filter(self, call: Call, *, class_index: int | None) -> dict[str, Any]:
        """Show only samples that have a class."""
        self.session.show(class_index=class_index, origin=call.view)
        return {"grid": grid_state(self.session)}

    @operation("grid.sort", sort=check.choice(*_SORTS))
    def sort(self, call: Call, *, sort: str) -> dict[str, Any]:
        """Order what is shown."""
        self.session.sort(sort, origin=call.view)
        return {"grid": grid_state(self.session)}

    @operation(
        "select.set",
        intervals=check.array(check.array(_POSITION, 2), MAX_INTERVALS),
        token=check.maybe(check.text(40)),
    )
    def select(self, call: Call, *, intervals: list[list[int]], token: str | None) -> dict[str, Any]:
        """Select what the grid shows at some positions."""
        if any(len(pair) != 2 or pair[0] > pair[1] for pair in intervals):  # noqa: PLR2004  start and stop
            raise check.BadRequestError("an interval is [start, stop] with start <= stop")
        pairs = [(pair[0], pair[1]) for pair in intervals]
        return {"count": self.session.select(pairs, token=token, origin=call.view)}

    @operation("sample.get", lane="read", position=check.maybe(_POSITION), uid=check.maybe(UID))
    def get(self, call: Call, *, position: int | None, uid: int | None) -> Reply:
        """Return one sample with a large picture: of a uid, at the position where it was seen, if it still is there."""
        if position is None and uid is None:
            raise check.BadRequestError("sample.get takes a position, a uid, or both")
        shown = self.session.shown()
        run = shown.run
        if uid is None and position is not None:
            if position >= len(shown.positions):
                raise SampleIndexError(f"position {position} is out of range; {len(shown.positions)} samples are shown")
            row = int(run.pool[shown.positions[position]])
        else:
            row = int(rows_of(run.table, np.array([uid], np.int64))[0])
        call.check_cancelled()
        sample, jpeg = self.sample(run, row, _LARGE, near=position)
        return Reply(result={"sample": sample}, buffers=[jpeg] if jpeg else [])

    @operation(
        "sample.region",
        lane="read",
        uid=UID,
        x=check.integer(0, 2**20),
        y=check.integer(0, 2**20),
        width=check.integer(1, 2**20),
        height=check.integer(1, 2**20),
        scale=check.number(1 / 1024, 1),
    )
    def region(self, call: Call, *, uid: int, x: int, y: int, width: int, height: int, scale: float) -> Reply:
        """Return a rectangle of the full image, scaled down; never over 4 MP."""
        if width * scale * height * scale > MAX_REGION_PIXELS:
            raise check.BadRequestError(f"a region has at most {MAX_REGION_PIXELS} pixels after scaling")
        run = self.session.run
        tensor = first_tensor(run.table.tensors, "image")
        if tensor is None:
            raise SampleIndexError("the dataset has no images")
        row = int(rows_of(run.table, np.array([uid], np.int64))[0])
        encoded = run.table.take(np.array([row]), [tensor])[tensor][0]
        call.check_cancelled()
        allowed = self.session.dataset.max_image_bytes
        jpeg = image_region(encoded, x, y, width, height, scale, max_bytes=allowed)
        return Reply(result={"width": round(width * scale), "height": round(height * scale)}, buffers=[jpeg])

    def sample(self, run: QueryRun, row: int, size: int, *, near: int | None = None) -> tuple[dict[str, Any], bytes]:
        """Return a `SampleDetail` for a row of the run's table, at position `near` if it is there, and its picture."""
        session, table = self.session, run.table
        box_tensor = first_tensor(table.tensors, "bbox")
        made = self._thumbnails(run, np.array([row]), size, lambda: None)[0]
        uid = int(table.uids(np.array([row]))[0])
        position = session.shown(run).position_of(uid, near)
        edited = uid in edited_uids(table)
        detail = tile(run, row, position, made, edited=edited, image=0 if made.jpeg else -1)
        detail["fields"] = sample_fields(table, row, (run.labels, box_tensor))
        detail["before"] = committed_labels(table, uid, run.labels) if edited else None
        detail["state"] = state_of(table, row, run.labels)
        return detail, made.jpeg

    def _tiles(
        self, call: Call, run: QueryRun, positions: NDArray[np.int64], start: int, size: int
    ) -> tuple[list[dict[str, Any]], list[bytes]]:
        rows = run.pool[positions]
        edited = edited_uids(run.table)
        tiles: list[dict[str, Any]] = []
        buffers: list[bytes] = []
        pictures = self._thumbnails(run, rows, size, call.check_cancelled)
        uids = run.table.uids(rows)
        for i, (row, made) in enumerate(zip(rows, pictures, strict=True)):
            image = len(buffers) if made.jpeg else -1
            buffers += [made.jpeg] if made.jpeg else []
            tiles.append(tile(run, int(row), start + i, made, edited=int(uids[i]) in edited, image=image))
        return tiles, buffers

    def _thumbnails(
        self, run: QueryRun, rows: NDArray[np.int64], size: int, check_cancelled: Callable[[], None]
    ) -> list[Thumbnail]:
        tensor = first_tensor(run.table.tensors, "image")
        if tensor is None:
            return [Thumbnail(error="the dataset has no images")] * len(rows)
        path = self.session.dataset.path
        return THUMBNAILS.page(run.table, rows, tensor, size, check_cancelled, dataset=path)
