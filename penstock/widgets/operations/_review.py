"""Operations of the review: what is not committed, discarded one by one, committed in part."""

from __future__ import annotations

import threading
from typing import Any

from penstock.table import OverlayTable
from penstock.widgets.editing._sample import edited_uids
from penstock.widgets.operations._arguments import POSITION, UID
from penstock.widgets.operations._review_page import ReviewPage
from penstock.widgets.requests import _checks as check
from penstock.widgets.requests._operation import Call, Reply, operation
from penstock.widgets.review._uncommitted import (
    Uncommitted,
    class_words,
    committed_table,
    moved_counts,
    tensor_words,
    uncommitted,
)
from penstock.widgets.session._session import Session

__all__ = ["ReviewOperations"]

_MAX_PAGE = 64
_MAX_WORDS = 200
_MAX_MOVED = 12


class ReviewOperations:
    """Show what is not committed.

    Parameters
    ----------
    session : Session
        What the widget shows.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._known: Uncommitted | None = None
        self._committed: tuple[str, OverlayTable | None] | None = None

    @operation(
        "review.page",
        lane="read",
        start=POSITION,
        stop=POSITION,
        size=check.integer(16, 512),
        marked=check.maybe(check.array(UID, 1_000_000)),
    )
    def page(self, call: Call, *, start: int, stop: int, size: int, marked: list[int] | None) -> Reply:
        """Return the samples at places [start, stop) of all that are not committed, and what else differs.

        `marked`: samples of which the answer says whether they still are edited.
        """
        if stop < start or stop - start > _MAX_PAGE:
            raise check.BadRequestError(f"a page of the review has 0 to {_MAX_PAGE} samples, got [{start}, {stop})")
        run = self._session.display.run
        found = self._uncommitted(run.table)
        call.check_cancelled()
        page = ReviewPage(self._session, found, run.labels, size, call.check_cancelled)
        entries = page.entries(start, stop)
        still = edited_uids(run.table).intersection(marked or ())
        result = {"entries": entries, "marked": [str(uid) for uid in still], **self._summary(found, run.labels)}
        return Reply(result=result, buffers=page.buffers)

    def _summary(self, found: Uncommitted, labels: str | None) -> dict[str, Any]:
        moved = moved_counts(found.table, found.committed, labels)
        others = [*class_words(found.table, found.committed), *tensor_words(found.table, found.committed)]
        return {
            "token": found.token,
            "num_edited": len(found.edited),
            "num_added": len(found.added),
            "num_deleted": len(found.deleted),
            "others": others[:_MAX_WORDS],
            "num_others": len(others),
            "moved": [list(one) for one in moved[:_MAX_MOVED]],
            "num_moved": len(moved),
        }

    def _uncommitted(self, table: OverlayTable) -> Uncommitted:
        with self._lock:
            if self._known is None or self._known.table is not table:
                self._known = uncommitted(table, self._committed_under(table), self._known)
            return self._known

    def _committed_under(self, table: OverlayTable) -> OverlayTable | None:
        label = table.stored.label
        commit, changed, _ = label.partition("+")
        kept = self._committed
        if (
            kept is None
            or kept[0] != commit
            or (not changed and kept[1] is not None and kept[1].stored is not table.stored)
        ):
            self._committed = commit, committed_table(self._session.dataset, table)
        return None if self._committed is None else self._committed[1]
