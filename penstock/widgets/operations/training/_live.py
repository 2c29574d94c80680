"""Operations on training that draws from a loader of the session."""

from __future__ import annotations

from typing import Any

from penstock.widgets.requests import _checks as check
from penstock.widgets.requests._operation import Call, operation
from penstock.widgets.session._session import Session

__all__ = ["LiveOperations"]


class LiveOperations:
    """Let the sliders reach a running loader, or not.

    Parameters
    ----------
    session : Session
        What the widget shows.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @operation("live.follow", on=check.boolean())
    def follow(self, _call: Call, *, on: bool) -> dict[str, Any]:
        """Let weights that are set reach the loader, or let go of it."""
        live = self._session.live
        if live is None:
            return {"live": None}
        live.follow(on=on)
        return {"live": live.told}
