"""Operations that change labels and boxes, take changes back, and commit them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from penstock.widgets.editing._bulk import Relabel
from penstock.widgets.editing._edits import rows_of
from penstock.widgets.operations._describe import dataset_info, grid_state, statistics
from penstock.widgets.operations._editor import Editor
from penstock.widgets.operations._grid import UID, GridOperations
from penstock.widgets.requests import _checks as check
from penstock.widgets.requests._rpc import Call, Reply, operation
from penstock.widgets.session._query_run import QueryRun

__all__ = ["EditOperations"]

_LABELS = check.array(check.integer(0, 2**31 - 1), 10_000)
_SOURCES = check.array(check.integer(-1, 10_000), 10_000)
_CLASS = check.integer(0, 2**31 - 1)
_REPLACE = check.array(check.mapping(**{"from": _CLASS, "to": _CLASS}), 1000)
_BOXES = check.array(check.number(-1e9, 1e9), 40_000)
_MESSAGE = check.text(5000)
_SMALL = 16


class EditOperations(GridOperations):
    """Answers after an edit: the dataset, the sample that changed, the statistics as they are then."""

    @property
    def editor(self) -> Editor:
        """What edits the session's dataset, as it is now."""
        self.session.follow(store=True)
        return Editor(self.session)

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
        call: Call,
        *,
        uid: int,
        labels: list[int],
        boxes: Sequence[float] | None,
        sources: list[int] | None,
        state: str | None,
    ) -> Reply:
        """Give a sample other labels and boxes; `sources` says which object each was, so that whole objects follow."""
        done = self.editor.set_labels(uid, labels, boxes, sources=sources, state=state, origin=call.view)
        return self._edited(done, uid)

    @operation("edit.bulk", add=_LABELS, remove=_LABELS, replace=check.maybe(_REPLACE))
    def bulk(self, call: Call, *, add: list[int], remove: list[int], replace: list[dict[str, int]] | None) -> Reply:
        """Relabel all selected samples in one step."""
        pairs = [(pair["from"], pair["to"]) for pair in replace or ()]
        change = Relabel(add=add, remove=remove, replace=pairs)
        return self._edited(self.editor.relabel_selected(change, origin=call.view))

    @operation("edit.new_class", name=check.text(1000))
    def new_class(self, call: Call, *, name: str) -> Reply:
        """Add a class without samples."""
        return self._edited(self.editor.add_class(name, origin=call.view))

    @operation("edit.undo")
    def undo(self, call: Call) -> Reply:
        """Take the last edit back."""
        return self._edited(self.editor.undo(origin=call.view))

    @operation("edit.redo")
    def redo(self, call: Call) -> Reply:
        """Do again what was taken back."""
        return self._edited(self.editor.redo(origin=call.view))

    @operation("edit.commit", message=_MESSAGE, on_conflict=check.maybe(check.choice("ours", "theirs")))
    def commit(self, call: Call, *, message: str, on_conflict: Literal["ours", "theirs"] | None) -> Reply:
        """Commit with a message; a conflict with another session's commit is an error until one side is chosen."""
        return self._edited(self.editor.commit(message, on_conflict=on_conflict, origin=call.view))

    @operation("dataset.update")
    def update(self, call: Call) -> Reply:
        """Show the dataset as it is now, with what other sessions have written."""
        self.session.follow(store=True, origin=call.view)
        return self._edited("up to date" if self.session.behind is None else self.session.behind.message)

    @operation("edit.discard")
    def discard(self, call: Call) -> Reply:
        """Drop all edits that are not committed."""
        return self._edited(self.editor.discard(origin=call.view))

    def _edited(self, done: str, uid: int | None = None) -> Reply:
        revision, run = self.session.revision, self.session.run
        header, buffers = statistics(run.plan)
        result = {
            "dataset": dataset_info(self.session, run),
            "grid": grid_state(self.session, run) | {"rev": revision},
            "sample": self._after(run, uid) if uid is not None else None,
            "done": done,
            "statistics": header,
            "num_rows": run.num_rows,
            "draws": run.asked_draws,
        }
        return Reply(result=result, buffers=buffers)

    def _after(self, run: QueryRun, uid: int) -> dict[str, Any]:
        row = int(rows_of(run.table, np.array([uid], np.int64))[0])
        return self.sample(run, row, _SMALL)[0]
