"""Operations on saved views."""

from __future__ import annotations

from typing import Any

from penstock.errors import ViewNotFoundError
from penstock.widgets.operations._describe import query_reply, saved_views
from penstock.widgets.requests import _checks as check
from penstock.widgets.requests._operation import Call, Reply, operation
from penstock.widgets.session._session import Session

__all__ = ["ViewOperations"]


class ViewOperations:
    """Save what the query returns under an id, and open it again.

    Parameters
    ----------
    session : Session
        What the widget shows.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @operation("views.save", message=check.text(2000))
    def save(self, _call: Call, *, message: str) -> dict[str, Any]:
        """Keep what the query returns under an id."""
        self._session.view.save_view(message)
        return {"views": saved_views(self._session)}

    @operation("views.open", id=check.text(200))
    def open(self, call: Call, *, id: str) -> Reply:  # noqa: A002  the contract's name
        """Run the query of a saved view on the data as it is now."""
        session = self._session
        found = next((view for view in session.dataset.get_views() if view.id == id), None)
        if found is None:
            raise ViewNotFoundError(f"saved view {id!r} does not exist", hint="it may have been deleted")
        if not found.query_string:
            raise ViewNotFoundError(f"view {id!r} has no query", hint="open it in Python: ds.load_view(id)")
        session.run_query(found.query_string, seed=found.seed, cancelled=call.cancelled.is_set)
        return query_reply(session)
