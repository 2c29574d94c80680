"""Samples, classes and tensors that differ from the last commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock.dataset import Dataset
from penstock.dataset.samples import content_of
from penstock.storage import find_version
from penstock.table import (
    Draft,
    OverlayTable,
    StoredTable,
    class_colors_of,
    class_keys,
    class_totals,
    merged_into,
    new_index,
)

__all__ = [
    "Uncommitted",
    "class_words",
    "committed_table",
    "draft_token",
    "moved_counts",
    "tensor_words",
    "uncommitted",
]

_FIRST = "start"
_NO_ROWS = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Uncommitted:
    """Which samples differ.

    Parameters
    ----------
    table : OverlayTable
        The dataset as it is now.
    committed : OverlayTable or None
        The last commit; None before the first.
    edited : ndarray of int64
        Rows whose edits are not committed, increasing.
    added : ndarray of int64
        Other rows that the last commit has not, increasing.
    new : ndarray of int64
        Rows that the last commit has not, edited or not, increasing.
    deleted : ndarray of int64
        Rows of the last commit that are gone, increasing.
    """

    table: OverlayTable
    committed: OverlayTable | None
    edited: NDArray[np.int64]
    added: NDArray[np.int64]
    new: NDArray[np.int64]
    deleted: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.edited) + len(self.added) + len(self.deleted)

    @property
    def token(self) -> str:
        """The `draft_token` of the table."""
        return draft_token(self.table)


def draft_token(table: OverlayTable) -> str:
    """Return a text that is another one whenever the edits, or what is stored under them, are others."""
    snapshot = table.stored.snapshot
    return f"{snapshot.branch}:{snapshot.version}:{table.draft.digest()}"


def committed_table(dataset: Dataset, table: OverlayTable) -> OverlayTable | None:
    """Return the last commit under a state of a dataset; None before the first."""
    commit_id, changed, _ = table.stored.label.partition("+")
    credentials = content_of(dataset).opened.working.credentials
    if not changed:
        return OverlayTable(table.stored, Draft(), credentials)
    if commit_id == _FIRST:
        return None
    store = content_of(dataset).opened.working.store
    branch, version = find_version(store, commit_id)
    if version is None:
        return None
    return OverlayTable(StoredTable(store.on(branch).at(version), commit_id), Draft(), credentials)


def uncommitted(table: OverlayTable, committed: OverlayTable | None, known: Uncommitted | None = None) -> Uncommitted:
    """Return which samples of a table are not as in the last commit; `known`: of the state before."""
    uids = {uid for edits in table.draft.edits.values() for uid in edits}
    rows = table.positions(np.fromiter(uids, np.int64, len(uids)))
    edited = np.sort(rows[rows >= 0])
    if known is not None and known.table.stored is table.stored and known.committed is committed:
        new, deleted = known.new, known.deleted
    else:
        new, deleted = _new_and_deleted(table, committed)
    return Uncommitted(
        table=table,
        committed=committed,
        edited=edited,
        added=np.setdiff1d(new, edited) if len(edited) else new,
        new=new,
        deleted=deleted,
    )


def _new_and_deleted(
    table: OverlayTable, committed: OverlayTable | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if committed is None:
        return np.arange(table.num_rows, dtype=np.int64), _NO_ROWS
    if committed.stored is table.stored:
        return _NO_ROWS, _NO_ROWS
    new = np.flatnonzero(committed.positions(table.stored.uids) < 0).astype(np.int64)
    return new, np.flatnonzero(table.positions(committed.stored.uids) < 0).astype(np.int64)


def class_words(table: OverlayTable, committed: OverlayTable | None) -> list[str]:
    """Return how classes differ from the last commit: added, renamed, merged, deleted, recolored."""
    if committed is None or committed.stored is table.stored:
        return []
    found = []
    for tensor, spec in table.tensors.items():
        if spec.htype == "class_label" and tensor in committed.tensors:
            found += _classes_of(table, committed, tensor)
    return found


def _classes_of(table: OverlayTable, committed: OverlayTable, tensor: str) -> list[str]:
    meta = table.stored.snapshot.meta
    before = dict(
        zip(class_keys(committed.stored.snapshot.meta, tensor), committed.tensors[tensor].class_names, strict=False)
    )
    after = dict(zip(class_keys(meta, tensor), table.tensors[tensor].class_names, strict=False))
    merged, words = merged_into(meta, tensor), []
    words += [f"class {name} added" for key, name in after.items() if key not in before]
    words += [f"class {before[key]} renamed to {name}" for key, name in after.items() if before.get(key, name) != name]
    for key, name in before.items():
        if key not in after:
            into = _merged(key, merged, after)
            words.append(f"class {name} deleted" if into is None else f"class {name} merged into {into}")
    colors = class_colors_of(committed, tensor), class_colors_of(table, tensor)
    for key, name in after.items():
        if key in before and colors[0].get(before[key]) != colors[1].get(name):
            words.append(f"class {name} recolored")
    return words


def _merged(key: str, merged: dict[str, str], after: dict[str, str]) -> str | None:
    seen: set[str] = set()
    while key not in after and key in merged and key not in seen:
        seen.add(key)
        key = merged[key]
    return after.get(key)


def tensor_words(table: OverlayTable, committed: OverlayTable | None) -> list[str]:
    """Return which tensors and notes differ from the last commit."""
    if committed is None or committed.stored is table.stored:
        return []
    before, after = committed.tensors, table.tensors
    words = [f"tensor {name} added" for name in after if name not in before]
    words += [f"tensor {name} deleted" for name in before if name not in after]
    aligned = [name for name in after if name in before and after[name].aligned_with != before[name].aligned_with]
    words += [f"tensor {name} aligned" for name in aligned]
    notes = [side.stored.snapshot.meta.get("info") or {} for side in (committed, table)]
    return [*words, "notes changed"] if notes[0] != notes[1] else words


def moved_counts(table: OverlayTable, committed: OverlayTable | None, tensor: str | None) -> list[tuple[str, int, int]]:
    """Return the classes whose number of labels is not that of the last commit: name, before, after; most moved first.

    Labels of a class that was merged into another count for that one before as well.
    """
    if tensor is None or tensor not in table.tensors:
        return []
    names = table.tensors[tensor].class_names
    after = class_totals(table, tensor)
    before = np.zeros(len(names), np.int64)
    if committed is not None and tensor in committed.tensors:
        before = _as_now(class_totals(committed, tensor), committed, table, tensor, len(names))
    moved = np.flatnonzero(before != after)
    order = moved[np.argsort(-np.abs(after - before)[moved], kind="stable")]
    return [(names[i], int(before[i]), int(after[i])) for i in order.tolist()]


def _as_now(
    totals: NDArray[np.int64], committed: OverlayTable, table: OverlayTable, tensor: str, num_classes: int
) -> NDArray[np.int64]:
    index = class_index(committed, table, tensor)
    places = np.arange(len(totals)) if index is None else index[: len(totals)]
    found = np.zeros(num_classes, np.int64)
    here = (places >= 0) & (places < num_classes)
    np.add.at(found, places[here], totals[: len(places)][here])
    return found


def class_index(committed: OverlayTable, table: OverlayTable, tensor: str) -> NDArray[np.int64] | None:
    """Return the index now of each class of the last commit, -1 where it is gone; None where none moved."""
    then, now = committed.stored.snapshot.meta, table.stored.snapshot.meta
    return new_index(class_keys(then, tensor), class_keys(now, tensor), merged_into(now, tensor))


def labels_now(labels: Sequence[int], index: NDArray[np.int64] | None) -> list[int]:
    """Return labels of the last commit as classes count now; those of classes that are gone are left out."""
    if index is None:
        return list(labels)
    found = [int(index[label]) for label in labels if 0 <= label < len(index)]
    return [label for label in found if label >= 0]
