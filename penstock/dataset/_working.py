"""The working head of a dataset: the stored version, the draft over it, and every write."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset._buffer import Buffer
from penstock.dataset._groups import check_groups
from penstock.dataset._ingest import checked_links
from penstock.errors import DatasetError, UnknownClassError
from penstock.storage import (
    Commit,
    Credentials,
    LinkReader,
    Location,
    Store,
    commits,
    decoded,
    find_version,
    head_commit,
    link_root,
    make_commit,
    new_uids,
    table_of,
)
from penstock.table import Draft, OverlayTable, StoredTable, discard_draft, load_draft, save_edits
from penstock.tensors import Cell, TensorSpec, group_of

__all__ = ["READ_ONLY", "Working", "open_working"]

READ_ONLY = "it was opened with read_only=True"
_FIRST_VERSION = 1


class Working:
    """A head to write to, or a version to read.

    Parameters
    ----------
    store : Store
        The stored dataset.
    read_only : str, optional
        Why writing is refused.
    version : int, optional
        The version to read; by default the newest, with its draft.
    """

    def __init__(self, store: Store, *, read_only: str | None = None, version: int | None = None) -> None:
        self.store = store
        self.read_only = read_only
        self.credentials = Credentials()
        self.draft = Draft()
        self._draft_files: list[str] = []
        self.fixed_version = version
        self.last_commit: Commit | None = None
        self.refresh()
        if version is None:
            tidy = read_only is None
            self.draft, self._draft_files = load_draft(store.location, store.branch, self.specs, tidy=tidy)
            self._table: OverlayTable | None = None

    def refresh(self, *, with_history: bool = True) -> None:
        """Read the newest version, whoever wrote it; each commit is a request where the store is remote."""
        snapshot = self.store.head() if self.fixed_version is None else self.store.at(self.fixed_version)
        last = head_commit(self.store, snapshot.version) if with_history else self.last_commit
        if last is None:
            label = f"start+{snapshot.version}"
        elif self.store.restored_version(snapshot.version) == last.version:
            label = last.id
        else:
            label = f"{last.id}+{snapshot.version}"
        self.last_commit = last
        self.stored = StoredTable(snapshot, label)
        self._table = None

    def is_behind(self) -> bool:
        """Tell whether another writer has moved the head, or committed it, since it was read."""
        if self.fixed_version is not None:
            return False
        if self.store.latest_version() != self.stored.snapshot.version:
            return True
        committed = self.last_commit is not None and self.stored.label == self.last_commit.id
        if committed:
            return False
        last = head_commit(self.store, self.stored.snapshot.version)
        return (last.id if last else None) != (self.last_commit.id if self.last_commit else None)

    @property
    def table(self) -> OverlayTable:
        """The stored version with the draft over it."""
        if self._table is None:
            self._table = OverlayTable(self.stored, self.draft, self.credentials)
        return self._table

    @property
    def specs(self) -> dict[str, TensorSpec]:
        """Stored specs of the tensors."""
        return self.stored.specs

    @property
    def meta(self) -> dict[str, Any]:
        """What the dataset says of itself."""
        return self.stored.snapshot.meta

    @property
    def branch_name(self) -> str:
        """The branch as the user named it."""
        return "main" if self.store.branch is None else decoded(self.store.branch)

    # ---- writing the head ----------------------------------------------------------------

    def _change_meta(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self.store.update_meta(change)
        self.refresh(with_history=False)

    def change_specs(self, change: Callable[[dict[str, TensorSpec]], dict[str, TensorSpec]]) -> None:
        """Replace the specs of the tensors by `change` of the newest ones, whoever wrote them."""

        def changed(meta: dict[str, Any]) -> dict[str, Any]:
            newest = {entry["name"]: TensorSpec.from_json(entry) for entry in meta["tensors"]}
            return {**meta, "tensors": [spec.to_json() for spec in change(newest).values()]}

        self._change_meta(changed)

    def add_tensor(self, spec: TensorSpec) -> None:
        """Add a tensor, its columns as soon as their type is known."""
        if self.stored.num_rows and spec.htype == "class_label":
            spec = replace(spec, length_min=0, length_max=0)

        def change(meta: dict[str, Any]) -> dict[str, Any]:
            if any(entry["name"] == spec.name for entry in meta["tensors"]):
                raise DatasetError(f"a tensor {spec.name!r} was made by another writer")
            return {**meta, "tensors": [*meta["tensors"], spec.to_json()]}

        if not spec.inferred:
            self.store.add_columns([spec])
        self._change_meta(change)

    def append(self, buffer: Buffer) -> None:
        """Write buffered rows: class names first, so that no stored index lacks its name."""
        with self.store.location.lock():
            merged: dict[str, TensorSpec] = {}

            def change(meta: dict[str, Any]) -> dict[str, Any]:
                head = {entry["name"]: TensorSpec.from_json(entry) for entry in meta["tensors"]}
                merged.clear()
                merged.update(buffer.merged(head))
                roots = _few(set(meta.get("link_roots", [])) | buffer.link_roots)
                return {**meta, "tensors": [spec.to_json() for spec in merged.values()], "link_roots": roots}

            self.store.update_meta(change)
            columns = buffer.renumbered(merged)
            self.store.add_columns(list(columns))
            self.store.append(new_uids(buffer.num_rows), columns)
        self.refresh(with_history=False)

    def delete(self, rows: NDArray[np.int64]) -> None:
        """Delete rows, and their edits."""
        uids = self.table.uids(rows)
        self.store.delete(uids, f"pop {', '.join(map(str, rows.tolist()))}")
        self.refresh(with_history=False)
        if len(self.draft.without(set(uids.tolist()))) != len(self.draft):
            self._change_draft(lambda draft: draft.without(set(uids.tolist())))

    def change_classes(self, spec: TensorSpec, action: str, names: Sequence[str]) -> int:
        """Add or rename a class of a tensor."""
        if spec.htype != "class_label":
            raise DatasetError(f"classes of {spec.name!r}, a {spec.shown_htype}; expected a class_label tensor")
        found: list[int] = []

        def change(meta: dict[str, Any]) -> dict[str, Any]:
            stored = next(entry for entry in meta["tensors"] if entry["name"] == spec.name)
            known, index = _changed_names(TensorSpec.from_json(stored), action, names)
            found[:] = [index]
            return _with_spec(meta, spec.name, {"class_names": known})

        self._change_meta(change)
        return found[0]

    def grow_classes(self, names: Mapping[str, Sequence[str]]) -> None:
        """Replace the class names of some tensors by longer lists; what others added meanwhile goes behind."""

        def change(meta: dict[str, Any]) -> dict[str, Any]:
            for entry in meta["tensors"]:
                if entry["name"] in names:
                    known = list(names[entry["name"]])
                    seen = self.specs[entry["name"]].class_names
                    known += [name for name in entry["class_names"] if name not in known and name not in seen]
                    meta = _with_spec(meta, entry["name"], {"class_names": known})
            return meta

        self._change_meta(change)

    def merge_classes(self, spec: TensorSpec, names: Sequence[str], into: str) -> None:
        """Make several classes of a tensor one, in stored samples and in the draft."""
        for name in (*names, into):
            if name not in spec.class_names:
                raise UnknownClassError(name, spec.class_names, tensor=spec.name)
        kept = [name for name in spec.class_names if name == into or name not in names]
        ids = np.array([kept.index(into if name in names else name) for name in spec.class_names], np.int64)
        with self.store.location.lock():
            self.refresh()
            column = self.stored.column(spec.name)
            moved = np.concatenate([[0], np.cumsum(ids[column.values] != column.values)])
            rows = np.flatnonzero(moved[column.offsets[1:]] > moved[column.offsets[:-1]])
            if len(rows):
                cells = [Cell(value=ids[column.row(row)]) for row in rows.tolist()]
                self.store.rewrite(table_of(self.stored.uids[rows], {spec: cells}), f"merge classes into {into}")
            self._change_meta(lambda meta: _with_spec(meta, spec.name, {"class_names": kept}))
            self._change_draft(lambda draft: _with_labels(draft, spec.name, ids))

    def set_creds_key(self, name: str, *, managed: bool) -> None:
        """Store the name of credentials."""
        self._change_meta(lambda meta: {**meta, "creds_keys": {**meta.get("creds_keys", {}), name: managed}})

    # ---- the draft -----------------------------------------------------------------------

    def checked_links(self, spec: TensorSpec, cells: list[Cell]) -> list[Cell]:
        """Read what new links point to, and allow their folders."""
        roots = {root for cell in cells if cell.value is not None and (root := link_root(str(cell.value)))}
        allowed = [*self.meta.get("link_roots", []), *roots]
        cells = checked_links(spec, cells, LinkReader(allowed, self.credentials), 0)
        if not roots <= set(self.meta.get("link_roots", [])):
            self._change_meta(lambda meta: {**meta, "link_roots": _few({*meta.get("link_roots", []), *roots})})
        return cells

    def edit(self, edits: Draft) -> None:
        """Take edits into the draft in memory."""
        for name, cells in edits.edits.items():
            self.draft = self.draft.with_edits(name, cells)
        self._table = None

    def save(self, edits: Draft) -> None:
        """Write edits beside the dataset."""
        self._draft_files.append(save_edits(self.store.location, self.store.branch, self.specs, edits))

    def _change_draft(self, change: Callable[[Draft], Draft]) -> None:
        """Replace the draft, edits of other sessions included, by `change` of it."""
        location, branch = self.store.location, self.store.branch
        with location.lock():
            draft, files = load_draft(location, branch, self.specs)
            self.draft = change(draft)
            if self.draft:
                self._draft_files = [save_edits(location, branch, self.specs, self.draft, instead_of=files)]
            else:
                discard_draft(location, files)
                self._draft_files = []
        self._table = None

    def drop_edits(self, tensor: str | None, rows: NDArray[np.int64] | None) -> None:
        """Drop edits of a tensor, of some rows, or all."""
        uids = None if rows is None else set(self.table.uids(rows).tolist())
        self._change_draft(lambda draft: draft.without(uids, tensor))

    def discard_from_memory(self) -> None:
        """Look at the stored version without its draft, which stays where it is."""
        self.draft = Draft()
        self._table = None

    # ---- versions ------------------------------------------------------------------------

    def has_changes(self) -> bool:
        """Whether head or draft differ from the last commit."""
        if self.draft:
            return True
        if self.last_commit is None:
            return self.stored.snapshot.version > _FIRST_VERSION
        return self.stored.label != self.last_commit.id

    def length_warnings(self) -> list[str]:
        """Name edited samples whose boxes and labels no longer agree in number."""
        boxes = [name for name, spec in self.specs.items() if spec.htype == "bbox"]
        labels = [name for name, spec in self.specs.items() if spec.htype == "class_label"]
        found = []
        for box in boxes:
            for label in labels:
                if label in group_of(self.specs, box):
                    continue  # the commit refuses them
                rows = np.union1d(self.table.edited_rows(box), self.table.edited_rows(label)).astype(np.int64)
                before = _counts(self.stored.column(box), rows, 4) == _counts(self.stored.column(label), rows, 1)
                after = _counts(self.table.column(box), rows, 4) == _counts(self.table.column(label), rows, 1)
                broken = rows[before & ~after]
                if len(broken):
                    found.append(
                        f"sample {broken[0]}: {box!r} and {label!r} differ in number after the edit "
                        f"({len(broken)} such samples)"
                    )
        return found

    def commit(self, message: str) -> Commit:
        """Write the draft to the head, merge small files, and tag the version."""
        with self.store.location.lock():
            self.refresh()
            self.draft, files = load_draft(self.store.location, self.store.branch, self.specs)
            self._draft_files = files
            self._table = None
            if not self.has_changes():
                raise DatasetError("nothing to commit: no change since the last commit", hint="ds.log() shows it")
            check_groups(self.table, self.specs, self._committed_specs)
            lengths = self._lengths()
            for name, edits in self.draft.edits.items():
                here = self.stored.positions(np.fromiter(edits, np.int64, len(edits))) >= 0
                kept = {uid: cell for (uid, cell), there in zip(edits.items(), here, strict=True) if there}
                table = table_of(np.fromiter(kept, np.int64, len(kept)), {self.specs[name]: list(kept.values())})
                if kept:
                    self.store.add_columns([self.specs[name]])
                    self.store.rewrite(table, message)
            self.store.update_meta(lambda meta: _with_lengths(meta, lengths))
            self.store.compact()
            made = make_commit(self.store, message, self.last_commit.id if self.last_commit else None)
            discard_draft(self.store.location, files)
            self.draft, self._draft_files = Draft(), []
            self.refresh()
        return made

    def _committed_specs(self) -> dict[str, TensorSpec]:
        """Return the specs of the last commit."""
        last = self.last_commit
        if last is None:
            return {}
        return StoredTable(Store.open(self.store.location, last.branch).at(last.version), last.id).specs

    def _lengths(self) -> dict[str, tuple[int, int]]:
        """Return the exact interval of label counts of each class label tensor."""
        intervals = {}
        for name, spec in self.specs.items():
            if spec.htype == "class_label" and self.stored.num_rows:
                lengths = self.table.column(name).lengths
                intervals[name] = (int(lengths.min()), int(lengths.max()))
        return intervals

    def reset(self) -> None:
        """Go back to the last commit."""
        with self.store.location.lock():
            self.refresh()
            _, files = load_draft(self.store.location, self.store.branch, self.specs)
            last = self.last_commit
            if self.has_changes():
                self.store.restore(last.version if last else _FIRST_VERSION, last.branch if last else None)
            discard_draft(self.store.location, [*files, *self._draft_files])
            self.draft, self._draft_files = Draft(), []
            self.refresh()

    def history(self) -> list[Commit]:
        """Return the commits that led to the head, the newest first."""
        known = {commit.id: commit for commit in commits(self.store)}
        found = []
        last = self.last_commit
        while last is not None:
            found.append(last)
            last = known.get(last.parent) if last.parent else None
        return found


def open_working(path: str | os.PathLike[str], version: str | None, *, read_only: bool) -> Working:
    """Open the head of a stored dataset, of one of its branches, or one version."""
    location = Location(path)
    store = Store.open(location)
    reason = READ_ONLY if read_only else None
    if version is None:
        return Working(store, read_only=reason)
    branch, number = find_version(store, version)
    on_branch = store if branch is None else Store.open(location, branch)
    if number is None:
        return Working(on_branch, read_only=reason)
    return Working(on_branch, read_only=f"it was opened at version {version!r}", version=number)


def _with_labels(draft: Draft, tensor: str, ids: NDArray[np.int64]) -> Draft:
    """Return a draft whose labels of a tensor are renumbered."""
    edits = draft.edits.get(tensor, {})
    moved = {uid: Cell(value=ids[np.asarray(cell.value, np.int64)]) for uid, cell in edits.items()}
    return draft.with_edits(tensor, moved) if moved else draft


def _changed_names(spec: TensorSpec, action: str, names: Sequence[str]) -> tuple[list[str], int]:
    """Return the class names of a tensor with one added or renamed, and its index."""
    old, new = names[0], names[-1]
    if action == "rename" and old not in spec.class_names:
        raise UnknownClassError(old, spec.class_names, tensor=spec.name)
    if not isinstance(new, str) or not new.strip():
        raise DatasetError(f"a class named {new!r}; expected a name")
    if new in spec.class_names:
        raise DatasetError(f"a class {new!r} exists already in {spec.name!r}; expected a new name")
    known = list(spec.class_names)
    index = known.index(old) if action == "rename" else len(known)
    known[index : index + 1] = [new]
    return known, index


def _with_spec(meta: dict[str, Any], name: str, changes: dict[str, Any]) -> dict[str, Any]:
    tensors = [{**entry, **changes} if entry["name"] == name else entry for entry in meta["tensors"]]
    return {**meta, "tensors": tensors}


def _with_lengths(meta: dict[str, Any], lengths: dict[str, tuple[int, int]]) -> dict[str, Any]:
    for name, (least, greatest) in lengths.items():
        meta = _with_spec(meta, name, {"length_min": least, "length_max": greatest})
    return meta


def _counts(column: Any, rows: NDArray[np.int64], size: int) -> NDArray[np.int64]:  # noqa: ANN401  a Ragged
    counts: NDArray[np.int64] = column.lengths[rows] // size
    return counts


_MANY_ROOTS = 64


def _few(roots: set[str]) -> list[str]:
    """Return folders without those inside another; of very many, the one that holds them all."""
    outer = [
        root
        for root in sorted(roots)
        if not any(root.startswith(f"{other.rstrip('/')}/") for other in roots if other != root)
    ]
    return [os.path.commonpath(outer)] if len(outer) > _MANY_ROOTS else outer
