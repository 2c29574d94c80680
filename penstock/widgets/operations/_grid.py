"""Operations on the grid: its pages, its filter, its order, its selection."""

from __future__ import annotations

from typing import Any

import numpy as np

from penstock.widgets.operations._arguments import CLASS, POSITION
from penstock.widgets.operations._describe import grid_state
from penstock.widgets.operations._tiles import tiles
from penstock.widgets.requests import _checks as check
from penstock.widgets.requests._operation import Call, Reply, operation
from penstock.widgets.session._selection import MAX_INTERVALS
from penstock.widgets.session._session import Session

__all__ = ["GridOperations"]

_MAX_PAGE = 256
_SORTS = ("query", "row", "labels")


class GridOperations:
    """Show pages of the grid; filter, order and select.

    Parameters
    ----------
    session : Session
        What the widget shows.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @operation("grid.page", lane="read", start=POSITION, stop=POSITION, size=check.integer(16, 512))
    def page(self, call: Call, *, start: int, stop: int, size: int) -> Reply:
        """Return the samples at grid positions [start, stop), thumbnails as buffers."""
        if stop < start or stop - start > _MAX_PAGE:
            raise check.BadRequestError(f"a page has 0 to {_MAX_PAGE} samples, got [{start}, {stop})")
        display = self._session.display
        found, buffers = tiles(self._session, display, range(start, stop), size, call.check_cancelled)
        result = {"tiles": found, "pool_size": len(display.positions), "token": display.token}
        return Reply(result=result, buffers=buffers)

    @operation("grid.filter", class_index=check.maybe(CLASS))
    def filter(self, _call: Call, *, class_index: int | None) -> Reply:
        """Show only samples that have a class."""
        self._session.show(class_index=class_index)
        return self._grid()

    @operation("grid.sort", sort=check.choice(*_SORTS))
    def sort(self, _call: Call, *, sort: str) -> Reply:
        """Order the samples."""
        self._session.sort(sort)
        return self._grid()

    @operation("grid.unlabeled", lane="read", after=check.integer(-1, 2**53))
    def unlabeled(self, _call: Call, *, after: int) -> dict[str, Any]:
        """Return the next position without a label, from one on and around; None where every sample shown has one."""
        display = self._session.display
        run, position = display.run, None
        if run.labels is not None:
            bare = np.flatnonzero(run.table.column(run.labels).lengths[run.pool[display.positions]] == 0)
            later = bare[np.searchsorted(bare, after, side="right") :]
            position = int(later[0]) if len(later) else int(bare[0]) if len(bare) else None
        return {"position": position, "token": display.token}

    @operation(
        "select.set",
        intervals=check.array(check.array(POSITION, 2), MAX_INTERVALS),
        token=check.maybe(check.text(40)),
    )
    def select(self, _call: Call, *, intervals: list[list[int]], token: str | None) -> Reply:
        """Select the samples at some positions."""
        if any(len(pair) != 2 or pair[0] > pair[1] for pair in intervals):
            raise check.BadRequestError("an interval is [start, stop] with start <= stop")
        self._session.select([(pair[0], pair[1]) for pair in intervals], token=token)
        return self._grid()

    def _grid(self) -> Reply:
        return Reply(result={"grid": grid_state(self._session.display)}, news="grid")
