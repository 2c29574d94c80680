"""Which samples were edited since a state of the dataset that somebody noted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import PenstockError
from penstock.storage import Credentials, open_version
from penstock.table._stored import StoredTable
from penstock.table._table import Table
from penstock.table.drafts._compare import compare
from penstock.table.drafts._draft import Draft, cell_mark
from penstock.table.drafts._overlay import OverlayTable
from penstock.tensors import TensorSpec

__all__ = ["edited_since", "noted_state"]

_NOTES = ("text", "json")  # which are labels only where they describe objects


def noted_state(table: Table) -> dict[str, Any]:
    """Return JSON values by which `edited_since` finds a state again: its version, and a hash of each draft edit."""
    origin = table.origin
    if not isinstance(origin, OverlayTable):
        return {"label": table.version}
    snapshot = origin.stored.snapshot
    draft = {
        name: {str(uid): f"{cell_mark(uid, cell):016x}" for uid, cell in edits.items()}
        for name, edits in origin.draft.edits.items()
        if edits
    }
    return {"label": table.version, "branch": snapshot.branch, "version": snapshot.version, "draft": draft}


def edited_since(table: Table, state: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Return which rows of a table differ from what they were in a state; those that it lacks do not.

    Takes time that depends on what was changed, not on the number of rows.

    Parameters
    ----------
    table : Table
        The table now.
    state : mapping
        What `noted_state` gave.

    Returns
    -------
    ndarray of bool, shape (num_rows,)
        False everywhere where the state is no longer stored.
    """
    found = np.zeros(table.num_rows, bool)
    origin = table.origin
    if not isinstance(origin, OverlayTable) or "version" not in state or state.get("label") == origin.version:
        return found
    before = _table_at(origin, state)
    if before is None:
        return found
    edited = compare(before, origin).edited
    for name, spec in origin.stored.specs.items():
        if _is_label(spec):
            of_tensor = np.zeros(table.num_rows, bool)
            of_tensor[edited.get(name, np.empty(0, np.int64))] = True
            _compare_draft(of_tensor, origin, name, state.get("draft", {}).get(name, {}))
            found |= of_tensor
    return found


def _is_label(spec: TensorSpec) -> bool:
    return spec.htype not in _NOTES or spec.aligned_with is not None


def _table_at(table: OverlayTable, state: Mapping[str, Any]) -> OverlayTable | None:
    mine = table.stored.snapshot
    try:
        snapshot = open_version(mine.location, state["branch"], int(state["version"]))
        return OverlayTable(StoredTable(snapshot, str(state["label"]), table.stored), Draft(), Credentials())
    except PenstockError:
        return None


def _compare_draft(edited: NDArray[np.bool_], table: OverlayTable, name: str, draft: Mapping[str, str]) -> None:
    """Correct the rows that had a draft edit in the state: they are compared with that."""
    if not draft:
        return
    uids = np.array([int(uid) for uid in draft], np.int64)
    rows = table.stored.positions(uids)
    order = np.argsort(rows, kind="stable")
    order = order[rows[order] >= 0]
    marks = list(draft.values())
    for place, cell in zip(order.tolist(), table.cells(rows[order], [name])[name], strict=True):
        edited[rows[place]] = f"{cell_mark(int(uids[place]), cell):016x}" != marks[place]
