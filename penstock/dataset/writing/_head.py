"""Writes to a working head: tensors, rows, classes and notes, each in one step and kept at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.writing._buffer import Buffer
from penstock.dataset.writing._description import (
    Meta,
    appending,
    changed_names,
    few_roots,
    fitted_rows,
    renumber,
    spec_in,
    with_buffer,
    with_spec,
    without_tensor,
)
from penstock.dataset.writing._ingest import check_creds, checked_links
from penstock.dataset.writing._working import Working
from penstock.errors import DatasetError, PenstockError, StorageError, UnknownClassError
from penstock.storage import LinkReader, Steps, column_names, link_root, new_uids
from penstock.table import class_keys, merged_into, new_index, with_class_keys, with_classes
from penstock.tensors import Cell, TensorSpec, with_type_of

__all__ = [
    "add_tensor",
    "append",
    "change_classes",
    "change_meta",
    "change_specs",
    "checked_edit_links",
    "delete",
    "delete_tensor",
    "fix_type",
    "merge_classes",
    "set_creds_key",
    "set_info",
]


def change_meta(working: Working, change: Callable[[Meta], Meta]) -> None:
    """Replace what the dataset says of itself by `change` of the newest, whoever wrote it."""
    working.store.update_meta(lambda meta: with_class_keys(meta, change(meta)))
    working.refresh()


def change_specs(working: Working, change: Callable[[dict[str, TensorSpec]], dict[str, TensorSpec]]) -> None:
    """Replace the specs of the tensors by `change` of the newest ones, whoever wrote them."""

    def changed(meta: dict[str, Any]) -> dict[str, Any]:
        newest = {entry["name"]: TensorSpec.from_json(entry) for entry in meta["tensors"]}
        return {**meta, "tensors": [spec.to_json() for spec in change(newest).values()]}

    change_meta(working, changed)


def add_tensor(working: Working, spec: TensorSpec) -> None:
    """Add a tensor, its columns as soon as their type is known."""
    if working.stored.num_rows and spec.htype == "class_label":
        spec = replace(spec, length_min=0, length_max=0)

    def change(meta: Meta) -> Meta:
        if any(entry["name"] == spec.name for entry in meta["tensors"]):
            raise DatasetError(f"another process has created the tensor {spec.name!r}")
        return {**meta, "tensors": [*meta["tensors"], spec.to_json()]}

    working.store.drop_columns(working.specs.values(), only=column_names(spec))
    if not spec.inferred:
        working.store.add_columns([spec])
    change_meta(working, change)


def fix_type(working: Working, typed: TensorSpec) -> None:
    """Store the type that a tensor's first sample gives it, unless another writer was first."""
    change_specs(
        working,
        lambda newest: {
            name: with_type_of(spec, typed) if name == typed.name else spec for name, spec in newest.items()
        },
    )


def append(working: Working, buffer: Buffer) -> PenstockError | None:
    """Write buffered rows and the class names and types they bring, in one step; return what to tell of it."""
    with working.store.location.lock():
        before = working.store.head().meta
        after = with_buffer(before, buffer)
        rows = fitted_rows(buffer, after)
        uids = new_uids(rows.num_rows)
        working.store.add_columns(list(rows.columns))
        try:
            if after != before:
                action = f"append samples to {working.store.location.path!r}"
                working.store.transact(action, "append", appending(buffer, uids))
            elif rows.num_rows:
                working.store.append(uids, rows.columns)
        except StorageError as error:
            working.refresh()
            if len(uids) and (working.stored.positions(uids) >= 0).all():  # they are written, and may not be again
                return error
            raise
    working.refresh()
    return rows.error()


def delete(working: Working, rows: NDArray[np.int64]) -> None:
    """Delete rows, and their edits."""
    uids = working.table.uids(rows)
    gone = set(uids.tolist())
    near = working.stored.snapshot.fragments_of(rows)
    working.store.delete(uids, f"pop {', '.join(map(str, rows.tolist()))}", near)
    edited = any(gone & edits.keys() for edits in working.draft.edits.values())
    working.refresh()
    if edited:
        working.change_draft(lambda draft: draft.without(gone))


def delete_tensor(working: Working, name: str) -> None:
    """Take a tensor out of the list, which makes it true; its columns are swept after that, or by the next one."""

    def change(meta: Meta) -> Meta:
        left = {key: value for key, value in meta.get("classes", {}).items() if key != name}
        return {**meta, "tensors": without_tensor(meta["tensors"], name), "classes": left}

    with working.store.location.lock():
        change_meta(working, change)
        working.change_draft(lambda draft: draft.without(None, name))
        working.store.drop_columns(working.specs.values())
        working.refresh()


def change_classes(working: Working, spec: TensorSpec, action: str, names: Sequence[str]) -> int:
    """Add or rename a class of a tensor."""
    if spec.htype != "class_label":
        raise DatasetError(
            f"{spec.name!r} has htype {spec.shown_htype}, so it has no classes. Expected a class_label tensor"
        )
    found: list[int] = []

    def change(meta: Meta) -> Meta:
        stored = next(entry for entry in meta["tensors"] if entry["name"] == spec.name)
        known, index = changed_names(TensorSpec.from_json(stored), action, names)
        found[:] = [index]
        return with_spec(meta, spec.name, {"class_names": known})

    change_meta(working, change)
    return found[0]


def merge_classes(working: Working, spec: TensorSpec, names: Sequence[str], into: str) -> None:
    """Merge several classes of a tensor: stored samples and names in one step; drafts follow the classes."""
    for name in names:
        if name not in spec.class_names:
            raise UnknownClassError(name, spec.class_names, tensor=spec.name)
    if into not in spec.class_names:
        changed_names(spec, "add", [into])

    def change(steps: Steps) -> None:
        meta = with_class_keys(steps.meta, steps.meta)
        if into not in spec_in(meta, spec.name).class_names:
            known, _ = changed_names(spec_in(meta, spec.name), "add", [into])
            meta = with_class_keys(meta, with_spec(meta, spec.name, {"class_names": known}))
        before = spec_in(meta, spec.name)
        kept = [name for name in before.class_names if name == into or name not in names]
        keys = class_keys(meta, spec.name)
        into_key = keys[before.class_names.index(into)]
        gone = {key: into_key for key, name in zip(keys, before.class_names, strict=True) if name not in kept}
        now = [key for key in keys if key not in gone]
        index = new_index(keys, now, gone)
        if index is not None:
            renumber(steps, before, index)
        meta = with_classes(meta, spec.name, now, {**merged_into(meta, spec.name), **gone})
        steps.set_meta(lambda _: with_spec(meta, spec.name, {"class_names": kept}))

    with working.store.location.lock():
        working.store.transact(f"merge classes into {into!r} in {spec.name!r}", "merge classes", change)
        working.refresh()


def set_info(working: Working, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Replace the user's notes by `change` of them."""
    change_meta(working, lambda meta: {**meta, "info": change(dict(meta.get("info", {})))})


def set_creds_key(working: Working, name: str, *, managed: bool) -> None:
    """Store the name of credentials."""
    change_meta(working, lambda meta: {**meta, "creds_keys": {**meta.get("creds_keys", {}), name: managed}})


def checked_edit_links(working: Working, spec: TensorSpec, cells: list[Cell], max_bytes: int | None) -> list[Cell]:
    """Read what new links point to, and allow their folders."""
    roots = {root for cell in cells if cell.value is not None and (root := link_root(str(cell.value)))}
    check_creds(cells, set(working.meta.get("creds_keys", {})))
    allowed = [*working.meta.get("link_roots", []), *roots]
    cells = checked_links(spec, cells, LinkReader(allowed, working.credentials), 0, max_bytes)
    if not roots <= set(working.meta.get("link_roots", [])):
        change_meta(working, lambda meta: {**meta, "link_roots": few_roots({*meta.get("link_roots", []), *roots})})
    return cells
