"""Operations that change labels and boxes, take changes back, and commit them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from penstock.widgets.editing._bulk import Relabel
from penstock.widgets.editing._edits import rows_of
from penstock.widgets.operations._arguments import CLASS, UID
from penstock.widgets.operations._describe import display_state
from penstock.widgets.operations._editor import Editor
from penstock.widgets.operations._tiles import sample_detail
from penstock.widgets.requests import _checks as check
from penstock.widgets.requests._operation import Call, Reply, operation
from penstock.widgets.session._display import Display
from penstock.widgets.session._session import Session

__all__ = ["EditOperations", "edit_reply"]

_LABELS = check.array(CLASS, 10_000)
_SOURCES = check.array(check.integer(-1, 10_000), 10_000)
_REPLACE = check.array(check.mapping(**{"from": CLASS, "to": CLASS}), 1000)
_BOXES = check.array(check.number(-1e9, 1e9), 40_000)
_MESSAGE = check.text(5000)
_SMALL = 16


class EditOperations:
    """Edit; answer with everything on display as it is then, and the sample that changed.

    Parameters
    ----------
    session : Session
        What the widget shows.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def _editor(self) -> Editor:
        """What edits the session's dataset, as it is now."""
        self._session.follow(store=True)
        return Editor(self._session)

    @operation(
        "edit.labels",
        uid=UID,
        labels=_LABELS,
        boxes=check.maybe(_BOXES),
        sources=check.maybe(_SOURCES),
        state=check.maybe(check.text(40)),
    )
    def labels(
        self,
        _call: Call,
        *,
        uid: int,
        labels: list[int],
        boxes: Sequence[float] | None,
        sources: list[int] | None,
        state: str | None,
    ) -> Reply:
        """Give a sample other labels and boxes; `sources` says which object each was, so that whole objects follow."""
        done = self._editor.set_labels(uid, labels, boxes, sources=sources, state=state)
        return self._edited(done, uid)

    @operation("edit.bulk", add=_LABELS, remove=_LABELS, replace=check.maybe(_REPLACE))
    def bulk(self, _call: Call, *, add: list[int], remove: list[int], replace: list[dict[str, int]] | None) -> Reply:
        """Relabel all selected samples in one step."""
        pairs = [(pair["from"], pair["to"]) for pair in replace or ()]
        change = Relabel(add=add, remove=remove, replace=pairs)
        return self._edited(self._editor.relabel_selected(change))

    @operation("edit.undo")
    def undo(self, _call: Call) -> Reply:
        """Take the last edit back."""
        return self._edited(self._editor.undo())

    @operation("edit.redo")
    def redo(self, _call: Call) -> Reply:
        """Do again what was taken back."""
        return self._edited(self._editor.redo())

    @operation("edit.commit", message=_MESSAGE, on_conflict=check.maybe(check.choice("ours", "theirs")))
    def commit(self, _call: Call, *, message: str, on_conflict: Literal["ours", "theirs"] | None) -> Reply:
        """Commit with a message; a conflict with another session's commit is an error until one side is chosen."""
        return self._edited(self._editor.commit(message, on_conflict=on_conflict))

    @operation("dataset.update")
    def update(self, _call: Call) -> Reply:
        """Show the dataset as it is now, with what other sessions have written."""
        self._session.follow(store=True)
        return self._edited("up to date" if self._session.behind is None else self._session.behind.message)

    @operation("edit.discard")
    def discard(self, _call: Call) -> Reply:
        """Drop all edits that are not committed."""
        return self._edited(self._editor.discard())

    def _edited(self, done: str, uid: int | None = None) -> Reply:
        return edit_reply(self._session, done, uid)


def edit_reply(session: Session, done: str, uid: int | None = None) -> Reply:
    """Return the `EditReply` of the contract: what was done, all on display, and the sample that changed."""
    display = session.display
    state, buffers = display_state(session, display)
    sample = None if uid is None else _after(session, display, uid)
    return Reply(result={**state, "sample": sample, "done": done}, buffers=buffers, news="query")


def _after(session: Session, display: Display, uid: int) -> dict[str, Any]:
    row = int(rows_of(display.run.table, np.array([uid], np.int64))[0])
    return sample_detail(session, display, row, _SMALL)[0]
