"""Operations on the grid: its pages, its filter, its order, its selection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from penstock.widgets.grid._filter import STATES, How, State
from penstock.widgets.grid._selection import MAX_INTERVALS
from penstock.widgets.operations._arguments import CLASS, POSITION
from penstock.widgets.operations._describe import grid_state
from penstock.widgets.operations.images._tiles import tiles
from penstock.widgets.requests import _checks as check
from penstock.widgets.requests._operation import Call, Reply, operation
from penstock.widgets.session._session import Session

__all__ = ["GridOperations"]

_MAX_PAGE = 256
_MAX_CLASSES = 4096
_MAX_NAME = 1000


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

    @operation(
        "grid.filter",
        classes=check.array(CLASS, _MAX_CLASSES),
        how=check.choice("any", "all", "not"),
        states=check.array(check.choice(*STATES), len(STATES)),
    )
    def filter(self, call: Call, *, classes: list[int], how: How, states: list[State]) -> Reply:
        """Show only samples with some classes, in some states."""
        self._session.show(classes=classes, how=how, states=states, progress=_progress(call))
        return self._grid()

    @operation("grid.check_images", lane="read")
    def check_images(self, call: Call) -> dict[str, Any]:
        """Look for images that cannot be read, before a filter shows them: nobody waits for it meanwhile."""
        return {"unreadable": self._session.check_images(_progress(call))}

    @operation("grid.sort", sort=check.text(_MAX_NAME), descending=check.maybe(check.boolean()))
    def sort(self, _call: Call, *, sort: str, descending: bool | None) -> Reply:
        """Order the samples."""
        self._session.sort(sort, descending=descending)
        return self._grid()

    @operation("grid.unlabeled", lane="read", after=check.integer(-1, 2**53))
    def unlabeled(self, _call: Call, *, after: int) -> dict[str, Any]:
        """Return the next position without a label, from one on and around; None where every sample shown has one."""
        display = self._session.display
        run, position = display.run, None
        if run.labels is not None:
            bare = np.flatnonzero(run.table.column(run.labels).lengths[display.rows] == 0)
            later = bare[np.searchsorted(bare, after, side="right") :]
            position = int(later[0]) if len(later) else int(bare[0]) if len(bare) else None
        return {"position": position, "token": display.token}

    @operation(
        "select.set",
        intervals=check.array(check.array(POSITION, 2), MAX_INTERVALS),
        token=check.maybe(check.text(40)),
        keep_hidden=check.maybe(check.boolean()),
    )
    def select(self, _call: Call, *, intervals: list[list[int]], token: str | None, keep_hidden: bool | None) -> Reply:
        """Select the samples at some positions."""
        if any(len(pair) != 2 or pair[0] > pair[1] for pair in intervals):
            raise check.BadRequestError("an interval is [start, stop] with start <= stop")
        pairs = [(pair[0], pair[1]) for pair in intervals]
        self._session.select(pairs, token=token, keep_hidden=bool(keep_hidden))
        return self._grid()

    def _grid(self) -> Reply:
        return Reply(result={"grid": grid_state(self._session.display)}, news="grid")


def _progress(call: Call) -> Callable[[int, int], None]:
    def report(done: int, total: int) -> None:
        call.check_cancelled()
        call.progress(done, total, "looking for images that cannot be read")

    return report
