"""Operations that change labels and boxes, take changes back, and commit them."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.widgets import _checks as check
from penstock.widgets._describe import dataset_info, statistics
from penstock.widgets._editor import Editor
from penstock.widgets._ops_grid import UID, GridOperations
from penstock.widgets._rpc import Call, Reply, operation

__all__ = ["EditOperations"]

_LABELS = check.array(check.integer(0, 2**31 - 1), 10_000)
_BOXES = check.array(check.number(-1e9, 1e9), 40_000)
_MESSAGE = check.text(5000)
_SMALL = 16


class EditOperations(GridOperations):
    """Answers after an edit: the dataset, the sample that changed, the statistics as they are then."""

    @property
    def editor(self) -> Editor:
        """What edits the session's dataset."""
        return Editor(self.session)

    @operation("edit.labels", uid=UID, labels=_LABELS, boxes=check.maybe(_BOXES))
    def labels(self, call: Call, *, uid: str, labels: list[int], boxes: Sequence[float] | None) -> Reply:
        """Give a sample other labels and boxes."""
        done = self.editor.set_labels(int(uid), labels, boxes, origin=call.view)
        return self._edited(done, uid)

    @operation("edit.bulk", add=_LABELS, remove=_LABELS)
    def bulk(self, call: Call, *, add: list[int], remove: list[int]) -> Reply:
        """Relabel all selected samples in one step."""
        return self._edited(self.editor.relabel_selected(add, remove, origin=call.view))

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

    @operation("edit.commit", message=_MESSAGE)
    def commit(self, call: Call, *, message: str) -> Reply:
        """Commit with a message."""
        return self._edited(self.editor.commit(message, origin=call.view))

    @operation("edit.discard")
    def discard(self, call: Call) -> Reply:
        """Drop all edits that are not committed."""
        return self._edited(self.editor.discard(origin=call.view))

    def _edited(self, done: str, uid: str | None = None) -> Reply:
        run = self.session.run
        header, buffers = statistics(run.plan)
        result = {
            "dataset": dataset_info(self.session),
            "sample": self.sample(run, self.session.row_of(int(uid)), _SMALL)[0] if uid is not None else None,
            "done": done,
            "statistics": header,
            "pool_size": len(self.session.shown()[1]),
            "draws": run.asked_draws,
        }
        return Reply(result=result, buffers=buffers)
