"""The history of a sample of a dataset or a view."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from penstock.dataset.history._changes import same_state
from penstock.dataset.history._states import state_now
from penstock.dataset.history._walk import Walk, edit_between
from penstock.dataset.samples._rows import row_of
from penstock.dataset.shown._history import SampleEdit, SampleHistory
from penstock.errors import DatasetError, SampleIndexError
from penstock.storage import Commit, Location, SampleStates, Store, decoded, last_commit
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
    source = table.origin
    if not isinstance(source, OverlayTable):
        raise DatasetError("the rows of this table are not samples of a dataset. Expected a view of samples")
    row = row_of(index, len(rows))
    if row is None:
        raise SampleIndexError(f"{index!r} is not the number of a sample. Expected an integer")
    return _history(store, source, int(source.uids(np.array([rows[row]], np.int64))[0]))


def history_of_uid(store: Store, table: Table, uid: int) -> SampleHistory:
    """Return the edits of a sample by its identity, whether it is still there or not."""
    source = table.origin
    if not isinstance(source, OverlayTable):
        raise DatasetError("the rows of this table are not samples of a dataset. Expected a view of samples")
    found = _history(store, source, uid)
    if not found:
        raise SampleIndexError(f"no sample has the uid {uid}, in no commit of {source.version!r}")
    return found


def _history(store: Store, table: OverlayTable, uid: int) -> SampleHistory:
    snapshot = table.stored.snapshot
    if snapshot.path != store.location.path:  # the query read another dataset
        store = Store.open(Location(snapshot.path))
    on_branch = store.on(snapshot.branch)
    last = last_commit(on_branch, snapshot)
    states = SampleStates(on_branch, uid)
    walk = Walk(on_branch, states)
    row_id = _number_at(states, table, uid) if last is None else states.find(walk.snapshot(last))
    made = [] if last is None else walk.edits(last, row_id)
    open_edit = _uncommitted(table, walk, last, row_id, uid)
    return SampleHistory([*open_edit, *made], uid)


def _number_at(states: SampleStates, table: OverlayTable, uid: int) -> int | None:
    return states.find(table.stored.snapshot) if table.stored.row_of(uid) >= 0 else None


def _uncommitted(
    table: OverlayTable, walk: Walk, last: Commit | None, row_id: int | None, uid: int
) -> list[SampleEdit]:
    """Return what is not committed of a sample."""
    edited = any(uid in edits for edits in table.draft.edits.values())
    if last is not None and table.stored.label == last.id and not edited:
        return []
    row = table.stored.row_of(uid)
    before = walk.state(last, row_id)
    after = state_now(table, row) if row >= 0 else None
    branch = table.stored.snapshot.branch
    if same_state(before, after):
        return []
    return [edit_between(before, after, None, branch="main" if branch is None else decoded(branch))]
