"""Changes to the metadata of a dataset, and to the rows and labels that depend on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.writing._buffer import Buffer
from penstock.dataset.writing._fitting import Fitted, fitted
from penstock.errors import DatasetError, UnknownClassError
from penstock.storage import Steps, table_of
from penstock.table import (
    Draft,
    StoredTable,
    all_bounds,
    class_keys,
    exact_bounds,
    merged_into,
    widened,
    with_class_keys,
)
from penstock.tensors import Cell, TensorSpec, storable_text

__all__ = [
    "Meta",
    "appending",
    "changed_names",
    "few_roots",
    "fitted_rows",
    "label_lengths",
    "object_counts_of",
    "renumber",
    "spec_in",
    "with_buffer",
    "with_label_lengths",
    "with_spec",
    "without_tensor",
    "write_draft_into",
]

Meta = dict[str, Any]


def write_draft_into(
    steps: Steps, specs: Mapping[str, TensorSpec], draft: Draft, near: StoredTable | None = None
) -> None:
    """Write edits to the samples that are there; tensors edited in the same samples in one pass.

    `near` is a version that is in memory, which spares reading what both have.
    """
    stored = StoredTable(steps.snapshot(), "", near)
    together: dict[tuple[int, ...], dict[TensorSpec, list[Cell]]] = {}
    rows_of: dict[tuple[int, ...], NDArray[np.int64]] = {}
    for name, edits in draft.edits.items():
        rows = stored.positions(np.fromiter(edits, np.int64, len(edits)))
        kept = {uid: row for uid, row in zip(edits, rows.tolist(), strict=True) if row >= 0}
        if kept:
            uids = tuple(sorted(kept))
            together.setdefault(uids, {})[specs[name]] = [edits[uid] for uid in uids]
            rows_of[uids] = np.fromiter(kept.values(), np.int64, len(kept))
    for uids, columns in together.items():
        steps.rewrite(table_of(np.array(uids, np.int64), columns), stored.snapshot.fragments_of(rows_of[uids]))


def renumber(steps: Steps, spec: TensorSpec, index: NDArray[np.int64]) -> None:
    """Write the labels of a tensor anew where their classes got other numbers."""
    stored = StoredTable(steps.snapshot(), "")
    column = stored.column(spec.name)
    moved = np.concatenate([[0], np.cumsum(index[column.values] != column.values)])
    rows = np.flatnonzero(moved[column.offsets[1:]] > moved[column.offsets[:-1]])
    if len(rows):
        cells = [Cell(value=index[column.row(row)]) for row in rows.tolist()]
        steps.rewrite(table_of(stored.uids[rows], {spec: cells}))


def with_buffer(meta: Meta, buffer: Buffer) -> Meta:
    """Return the description that some rows leave: class names grown, types and lengths widened, folders allowed."""
    head = {entry["name"]: TensorSpec.from_json(entry) for entry in meta["tensors"]}
    merged = buffer.merged(head)
    roots = few_roots(set(meta.get("link_roots", [])) | buffer.link_roots)
    after = {**meta, "tensors": [spec.to_json() for spec in merged.values()], "link_roots": roots}
    return with_class_keys(meta, after)


def fitted_rows(buffer: Buffer, meta: Meta) -> Fitted:
    """Return the rows of a buffer as a description takes them: types, and labels as its classes count."""
    merged = {entry["name"]: TensorSpec.from_json(entry) for entry in meta["tensors"]}
    keys = {name: class_keys(meta, name) for name in merged}
    columns = buffer.renumbered(merged, keys, {name: merged_into(meta, name) for name in merged})
    return fitted(columns, buffer.specs, buffer.num_rows)


def appending(buffer: Buffer, uids: NDArray[np.int64]) -> Callable[[Steps], None]:
    def change(steps: Steps) -> None:
        steps.set_meta(lambda meta: with_buffer(meta, buffer))
        rows = fitted_rows(buffer, steps.meta)
        if rows.num_rows:
            steps.append(uids[: rows.num_rows], rows.columns)

    return change


def spec_in(meta: Meta, name: str) -> TensorSpec:
    return TensorSpec.from_json(next(entry for entry in meta["tensors"] if entry["name"] == name))


def changed_names(spec: TensorSpec, action: str, names: Sequence[str]) -> tuple[list[str], int]:
    """Return the class names of a tensor with one added or renamed, and its index."""
    old, new = names[0], names[-1]
    if action == "rename" and old not in spec.class_names:
        raise UnknownClassError(old, spec.class_names, tensor=spec.name)
    if not isinstance(new, str) or not new.strip():
        raise DatasetError(f"{new!r} is not a valid class name. Expected a name")
    storable_text(new, f"a class name of {spec.name!r}")
    if new in spec.class_names:
        hint = f"merge_classes([{old!r}], into={new!r}) merges them" if action == "rename" else None
        raise DatasetError(f"the class {new!r} already exists in {spec.name!r}. Expected a new name", hint=hint)
    known = list(spec.class_names)
    index = known.index(old) if action == "rename" else len(known)
    known[index : index + 1] = [new]
    return known, index


def with_spec(meta: dict[str, Any], name: str, changes: dict[str, Any]) -> dict[str, Any]:
    tensors = [{**entry, **changes} if entry["name"] == name else entry for entry in meta["tensors"]]
    return {**meta, "tensors": tensors}


def label_lengths(stored: StoredTable, last: StoredTable | None = None) -> dict[str, tuple[int, int]]:
    """Return the exact interval of label counts of each class label tensor; `last` is the last commit."""
    labels = [name for name, spec in stored.specs.items() if spec.htype == "class_label"]
    return {name: _interval(stored, last, name) for name in labels} if stored.num_rows else {}


def _interval(stored: StoredTable, last: StoredTable | None, name: str) -> tuple[int, int]:
    """Return the interval of one tensor: the recorded one, widened by new files, as far as it is still reached."""
    spec = None if last is None else last.specs.get(name)
    known = last is not None and spec is not None and last.num_rows and spec.htype == "class_label"
    if not known or spec is None or last is None or spec.length_min is None or spec.length_max is None:
        return _read_interval(stored, name)
    new, old = stored.parts_since(last, name)
    if sum(stored.snapshot.files[place].num_rows for place in new) * 2 > stored.num_rows:
        return _read_interval(stored, name)
    fresh = [stored.lengths_of_part(name, place) for place in new]
    outer = widened((spec.length_min, spec.length_max), fresh)
    kept = (stored.lengths_of_part(name, place).offsets for place in old)
    return exact_bounds(chain((piece.offsets for piece in fresh), kept), outer)


def _read_interval(stored: StoredTable, name: str) -> tuple[int, int]:
    """Return the interval of one tensor; a column that is not in memory is read a part at a time."""
    if stored.is_cached(name) or not stored.snapshot.files:
        return stored.bounds(name)
    return all_bounds(stored.lengths_of_part(name, place).offsets for place in range(len(stored.snapshot.files)))


def without_tensor(tensors: Sequence[Meta], name: str) -> list[Meta]:
    """Return the entries of the other tensors; those aligned with it stay aligned with each other."""
    left = [entry for entry in tensors if entry["name"] != name]
    first = next((entry["name"] for entry in left if entry.get("aligned_with") == name), None)
    follows = {"aligned_with": first}
    return [
        entry
        if entry.get("aligned_with") != name
        else {**entry, **(follows if entry["name"] != first else {"aligned_with": None})}
        for entry in left
    ]


def with_label_lengths(meta: dict[str, Any], lengths: dict[str, tuple[int, int]]) -> dict[str, Any]:
    for name, (least, greatest) in lengths.items():
        meta = with_spec(meta, name, {"length_min": least, "length_max": greatest})
    return meta


def object_counts_of(column: Any, rows: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = column.lengths[rows] // size
    return counts


_MANY_ROOTS = 64


def few_roots(roots: set[str]) -> list[str]:
    """Return folders without those inside another; for very many, their common parent."""
    outer = [
        root
        for root in sorted(roots)
        if not any(root.startswith(f"{other.rstrip('/')}/") for other in roots if other != root)
    ]
    return [os.path.commonpath(outer)] if len(outer) > _MANY_ROOTS else outer
