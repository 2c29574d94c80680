"""The history of a sample of a dataset or a view."""

from __future__ import annotations

import operator
from typing import Any

from penstock.dataset.history._changes import same_state
from penstock.dataset.history._states import SampleState, state_now
from penstock.dataset.history._walk import Walk, edit_between
from penstock.dataset.samples._rows import row_of
from penstock.dataset.shown._history import SampleEdit, SampleHistory
from penstock.errors import DatasetError, SampleIndexError
from penstock.storage import Commit, Location, SampleStates, Store, decoded, last_commit, names_at
from penstock.table import OverlayTable, Table

__all__ = ["history_of_row", "history_of_uid", "uid_of"]


def uid_of(uid: Any) -> int:
    """Return an identity as an integer."""
    try:
        return operator.index(uid)
    except TypeError:
        raise SampleIndexError(f"uid={uid!r} is not valid. Expected an integer, such as ds[0].uid") from None


def history_of_row(store: Store, table: Table, rows: Any, index: Any) -> SampleHistory:
    """Return the edits of a sample of a table by its position among some rows."""
    source = _source(table)
    place = row_of(index, len(rows))
    if place is None:
        raise SampleIndexError(f"{index!r} is not the number of a sample. Expected an integer")
    row = int(rows[place])
    uid, row_id = names_at(source.stored.snapshot, row)
    return _history(store, source, uid, (row, row_id))


def history_of_uid(store: Store, table: Table, uid: int) -> SampleHistory:
    """Return the edits of a sample by its identity, whether it is still there or not."""
    source = _source(table)
    row = source.stored.row_of(uid)
    there = None if row < 0 else (row, names_at(source.stored.snapshot, row)[1])
    found = _history(store, source, uid, there)
    if not found:
        raise SampleIndexError(f"no commit of {source.version!r} has a sample with the uid {uid}")
    return found


def _source(table: Table) -> OverlayTable:
    source = table.origin
    if not isinstance(source, OverlayTable):
        raise DatasetError("the rows of this table are not samples of a dataset. Expected a view of samples")
    return source


def _history(store: Store, table: OverlayTable, uid: int, there: tuple[int, int] | None) -> SampleHistory:
    """Return the edits of a sample; `there`: its row in the table, and the engine's number of it."""
    snapshot = table.stored.snapshot
    if snapshot.path != store.location.path:  # the query read another dataset
        store = Store.open(Location(snapshot.path))
    on_branch = store.on(snapshot.branch)
    last = last_commit(on_branch, snapshot)
    walk = Walk(on_branch, SampleStates(on_branch, uid))
    row_id = None if there is None else there[1]
    is_new = last is not None and row_id is not None and not walk.has(last, row_id)
    made = [] if is_new else walk.edits(last, row_id)
    before = walk.state(last, walk.row_id if there is None else row_id)
    return SampleHistory([*_uncommitted(table, last, before, there, uid), *made], uid)


def _uncommitted(
    table: OverlayTable, last: Commit | None, before: SampleState | None, there: tuple[int, int] | None, uid: int
) -> list[SampleEdit]:
    """Return what is not committed of a sample."""
    edited = any(uid in edits for edits in table.draft.edits.values())
    if last is not None and table.stored.label == last.id and not edited:
        return []
    after = None if there is None else state_now(table, there[0])
    branch = table.stored.snapshot.branch
    if same_state(before, after):
        return []
    return [edit_between(before, after, None, branch="main" if branch is None else decoded(branch))]
