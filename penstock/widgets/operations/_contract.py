"""All operations of the contract, joined."""

from __future__ import annotations

from collections.abc import Callable

from penstock.widgets.operations._clauses import ClauseOperations
from penstock.widgets.operations._columns import ColumnOperations
from penstock.widgets.operations._edit import ClassOperations, EditOperations
from penstock.widgets.operations._grid import GridOperations
from penstock.widgets.operations._plan import ExportOperations, PlanOperations
from penstock.widgets.operations._query import QueryOperations
from penstock.widgets.operations._review import ReviewOperations
from penstock.widgets.operations._views import ViewOperations
from penstock.widgets.operations.images._samples import SampleOperations
from penstock.widgets.operations.training._live import LiveOperations
from penstock.widgets.operations.training._signals import SignalOperations
from penstock.widgets.requests._code import CodeOperations
from penstock.widgets.session._session import Session

__all__ = ["all_operations"]


def all_operations(session: Session, draft: Callable[[], str]) -> list[object]:
    """Return objects that answer every operation of the contract; none knows of another.

    Parameters
    ----------
    session : Session
        What the widget shows.
    draft : callable
        Returns the text in the editor that has not run.
    """
    return [
        QueryOperations(session, draft),
        ClauseOperations(session),
        ClassOperations(session),
        ViewOperations(session),
        GridOperations(session),
        ColumnOperations(session),
        SampleOperations(session),
        EditOperations(session),
        ReviewOperations(session),
        PlanOperations(session),
        ExportOperations(session),
        CodeOperations(),
        LiveOperations(session),
        SignalOperations(session),
    ]
