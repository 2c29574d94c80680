"""Samples that two sessions or branches changed, each in its own way."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

import numpy as np

from penstock.dataset.writing._drafts import Pending
from penstock.errors import ConflictError, PenstockError
from penstock.storage import Commit, Store
from penstock.table import Draft, StoredTable, class_keys, merged_into, new_index, sample_of_cell
from penstock.tensors import Cell, TensorSpec

__all__ = [
    "Conflict",
    "Prefer",
    "cells_at",
    "class_index",
    "edit_conflicts",
    "refuse",
    "renumbered",
    "same",
    "settled_draft",
    "shown_value",
]

Prefer = Literal["raise", "ours", "theirs"]
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A sample, or an object of it, that two changed, each in its own way.

    Parameters
    ----------
    uid : int or None
        Lasting identity of the sample; None where a class name is concerned.
    tensor : str or None
        The tensor both edited; None where one deleted the sample that the other edited.
    reason : str
        What each of them did.
    row : int or None
        Where the sample is here; None where it is deleted here.
    ours, theirs : object
        The value here and there: class names for labels, the shape for images and masks.
    base : object
        The value that both started from.
    object, object_there : int or None
        Which object of the sample it is, here and there; None where it is deleted, or the whole sample is concerned.
    annotation_id : int or str or None
        The id of the object, if it has one.
    """

    uid: int | None
    tensor: str | None
    reason: str
    row: int | None = None
    ours: Any = None
    theirs: Any = None
    base: Any = None
    object: int | None = None
    object_there: int | None = None
    annotation_id: int | str | None = None

    def __str__(self) -> str:
        """Return the conflict in words."""
        where = (
            "" if self.uid is None else f"sample {self.row}" if self.row is not None else f"sample with uid {self.uid}"
        )
        if self.object is not None or self.object_there is not None:
            place = self.object if self.object is not None else f"{self.object_there} there"
            where += f", object {place}"
            where += f" (annotation {self.annotation_id})" if self.annotation_id is not None else ""
        if self.tensor is not None and (self.ours is not None or self.theirs is not None):
            values = [f"{self.ours!r} here"] if self.object is not None or self.object_there is None else []
            values += [f"{self.theirs!r} there"] if self.object_there is not None or self.object is None else []
            was = "" if self.base is None else f", and was {self.base!r}"
            return f"{where}: {self.tensor!r} is {', '.join(values)}{was} ({self.reason})"
        named = f" ({self.tensor!r})" if self.tensor is not None else ""
        return f"{where}{named}: {self.reason}" if where else f"{self.reason}{named}"


def same(one: Cell, two: Cell) -> bool:
    """Return whether two cells contain the same sample."""
    return _value(one) == _value(two)


def _value(cell: Cell) -> tuple[object, ...]:
    value = cell.value
    if isinstance(value, np.ndarray):
        return value.tobytes(), cell.shape or (), cell.creds_key
    return value, None, cell.creds_key


def cells_at(stored: StoredTable, tensor: str, uids: Sequence[int]) -> list[Cell | None]:
    """Return the stored cell of each uid; None if the sample does not exist."""
    rows = stored.positions(np.array(uids, np.int64))
    here = np.unique(rows[rows >= 0])
    cells = stored.cells(here, [tensor], recorded=False)[tensor] if len(here) else []
    by_row = dict(zip(here.tolist(), cells, strict=True))
    return [by_row.get(row) for row in rows.tolist()]


def shown_value(spec: TensorSpec, cell: Cell | None) -> Any:
    """Return a cell as a person would write it."""
    if cell is None or cell.value is None:
        return None
    if spec.htype == "class_label":
        ids = np.asarray(cell.value, np.int64).tolist()
        return [spec.class_names[i] if 0 <= i < len(spec.class_names) else i for i in ids]
    if spec.is_encoded:
        return f"{spec.htype} of shape {cell.shape}" if cell.shape else spec.htype
    value = sample_of_cell(spec, cell)
    return value.tolist() if isinstance(value, np.ndarray) else value


# ---- two sessions ----------------------------------------------------------------------------------


def edit_conflicts(
    store: Store, stored: StoredTable, session: Pending, settled: Collection[tuple[str, int]] = ()
) -> list[Conflict]:
    """Return the edited samples that another session changed since they were edited here.

    `settled` names tensors and uids that were joined object by object.
    """
    found = [_lost(stored, tensor, uid) for tensor, uid in session.lost]
    for tensor, edits in session.draft.edits.items():
        for version, uids in _by_version(edits, session.over.get(tensor, {})).items():
            if version not in {stored.snapshot.version, -1}:
                left = {uid: edits[uid] for uid in uids if (tensor, uid) not in settled}
                found += _changed_since(store, stored, tensor, left, version) if left else []
    return found


def _lost(stored: StoredTable, tensor: str, uid: int) -> Conflict:
    row = stored.row_of(uid)
    return Conflict(
        uid=uid,
        tensor=tensor,
        row=row if row >= 0 else None,
        reason="labeled here with a class that another session has removed",
    )


def _by_version(edits: Iterable[int], over: Mapping[int, int]) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = {}
    for uid in edits:
        groups.setdefault(over.get(uid, -1), []).append(uid)
    return groups


def _changed_since(
    store: Store, stored: StoredTable, tensor: str, edits: Mapping[int, Cell], version: int
) -> list[Conflict]:
    before: StoredTable | None = None
    with suppress(PenstockError):  # an old version may be cleaned up; then nothing is known of it
        before = StoredTable(store.at(version), "")
    if before is None or tensor not in before.specs:
        return []
    uids = list(edits)
    index = class_index(before, stored, tensor)
    old, now = cells_at(before, tensor, uids), cells_at(stored, tensor, uids)
    found = []
    for uid, first, second in zip(uids, old, now, strict=True):
        if first is None:
            continue
        if second is None:
            found.append(Conflict(uid=uid, tensor=None, reason="edited here, deleted by another session"))
        elif not same(renumbered(first, index), second) and not same(second, edits[uid]):
            found.append(_both(stored, tensor, uid, (renumbered(first, index), edits[uid], second)))
    return found


def class_index(before: StoredTable, now: StoredTable, tensor: str) -> Any:
    """Return the index now of each class of an earlier version; None where none moved."""
    meta = now.snapshot.meta
    return new_index(class_keys(before.snapshot.meta, tensor), class_keys(meta, tensor), merged_into(meta, tensor))


def renumbered(cell: Cell, index: Any) -> Cell:
    """Return a label of an earlier version as classes count now."""
    if index is None or not isinstance(cell.value, np.ndarray):
        return cell
    return Cell(value=index[cell.value.astype(np.int64)])


def _both(stored: StoredTable, tensor: str, uid: int, cells: tuple[Cell, Cell, Cell]) -> Conflict:
    spec = stored.specs[tensor]
    base, mine, theirs = cells
    return Conflict(
        uid=uid,
        tensor=tensor,
        row=stored.row_of(uid),
        ours=shown_value(spec, mine),
        theirs=shown_value(spec, theirs),
        base=shown_value(spec, base),
        reason="edited here and committed by another session",
    )


def refuse(conflicts: Sequence[Conflict], last: Commit | None) -> NoReturn:
    """Raise the conflicts as an error that names samples and both values."""
    told = []
    for conflict in conflicts[:_SHOWN]:
        if conflict.object is not None or conflict.object_there is not None:
            told.append(str(conflict))
        elif conflict.tensor is None or (conflict.ours is None and conflict.theirs is None):
            told.append(f"sample {conflict.row if conflict.row is not None else conflict.uid} {conflict.reason}")
        else:
            told.append(
                f"sample {conflict.row} of {conflict.tensor!r} is {conflict.ours!r} here "
                f"and {conflict.theirs!r} in the stored dataset"
            )
    more = f", and {len(conflicts) - _SHOWN} more" if len(conflicts) > _SHOWN else ""
    where = f" (commit {last.id})" if last is not None else ""
    raise ConflictError(
        f"{len(conflicts)} edits of this session conflict with another session{where}: {'; '.join(told)}{more}",
        conflicts=tuple(conflicts),
        hint="use ds.commit(message, on_conflict='ours') to keep the edits made here, or on_conflict='theirs' "
        "to drop them; "
        "ds.discard_edits(name, rows) drops individual edits",
    )


def settled_draft(session: Pending, stored: StoredTable, conflicts: Sequence[Conflict], prefer: Prefer) -> Draft:
    """Return the edits to commit: without dropped ones, those of deleted samples, and those also made elsewhere."""
    draft = session.draft
    if prefer == "theirs":
        for conflict in conflicts:
            if conflict.uid is not None:
                draft = draft.without({conflict.uid}, conflict.tensor)
    left = Draft()
    for tensor, edits in draft.edits.items():
        over = session.over.get(tensor, {})
        older = [uid for uid in edits if over.get(uid, -1) != stored.snapshot.version]
        now = dict(zip(older, cells_at(stored, tensor, older), strict=True)) if older else {}
        done = {uid for uid, cell in now.items() if cell is None or same(cell, edits[uid])}
        kept = {uid: cell for uid, cell in edits.items() if uid not in done}
        left = left.with_edits(tensor, kept) if kept else left
    return left
