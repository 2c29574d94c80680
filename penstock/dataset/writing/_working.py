"""The working head of a dataset: the stored version, the draft on top of it, and every write."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.views._view_records import sweep_views
from penstock.dataset.writing._buffer import Buffer
from penstock.dataset.writing._conflicts import Prefer, edit_conflicts, refuse, settled_draft
from penstock.dataset.writing._description import (
    Meta,
    appending,
    changed_names,
    few_roots,
    fitted_rows,
    label_lengths,
    object_counts_of,
    renumber,
    spec_in,
    with_buffer,
    with_label_lengths,
    with_spec,
    without_tensor,
    write_draft_into,
)
from penstock.dataset.writing._drafts import Drafts
from penstock.dataset.writing._groups import check_groups
from penstock.dataset.writing._history import history
from penstock.dataset.writing._ingest import check_creds, checked_links
from penstock.errors import DatasetError, PenstockError, StorageError, UnknownClassError
from penstock.storage import (
    Commit,
    Credentials,
    Digests,
    LinkReader,
    Location,
    Snapshot,
    Steps,
    Store,
    clean_version,
    column_names,
    commit_kind,
    decoded,
    find_version,
    is_clean,
    keep,
    last_commit,
    link_root,
    new_record,
    new_uids,
    sweep,
)
from penstock.table import (
    Draft,
    OverlayTable,
    StoredTable,
    class_keys,
    merged_into,
    new_index,
    with_class_keys,
    with_classes,
)
from penstock.tensors import Cell, TensorSpec, group_of, label_tensors, with_type_of

__all__ = ["READ_ONLY", "Working", "open_working"]

READ_ONLY = "it was opened with read_only=True"
_FOLDER_READ_ONLY = "its folder is not writable"


class Working:
    """A head to write to, or a version to read.

    Parameters
    ----------
    store : Store
        The stored dataset.
    read_only : str, optional
        Why writing is refused.
    version : int, optional
        The version of the store's branch to read; by default the newest, with its draft.
    """

    def __init__(self, store: Store, *, read_only: str | None = None, version: int | None = None) -> None:
        self.store = store
        self.read_only = read_only
        self.credentials = Credentials()
        self._drafts: Drafts | None = None
        self._digests = Digests(store)
        self.fixed_version = version
        self.last_commit: Commit | None = None
        self._table: OverlayTable | None = None
        self.refresh()
        if version is None:
            self._open_head()

    def _open_head(self) -> None:
        """Adopt the draft, complete what a killed process left, and delete its leftovers."""
        writable = self.read_only is None
        if writable:
            sweep(self.store)
            sweep_views(self.store)
            if self.last_commit is not None:
                keep(self.store, self.last_commit)
        self._drafts = Drafts(self.store, self.stored, tidy=writable)

    def refresh(self) -> None:
        """Read the newest version, whoever wrote it."""
        snapshot = self.store.head() if self.fixed_version is None else self.store.at(self.fixed_version)
        self._look_at(snapshot)

    def _look_at(self, snapshot: Snapshot) -> None:
        last = last_commit(self.store, snapshot, self.last_commit)
        if last is None:
            label = f"start+{snapshot.version}"
        else:
            label = last.id if is_clean(self.store, snapshot, last) else f"{last.id}+{snapshot.version}"
        self.last_commit = last
        self.stored = StoredTable(snapshot, label)
        if self._drafts is not None:
            self._drafts.follow(self.stored)
        self._table = None

    def is_behind(self) -> bool:
        """Return whether another process has moved the head since it was read."""
        if self.fixed_version is not None:
            return False
        return self.store.latest_version() != self.stored.snapshot.version

    @property
    def draft(self) -> Draft:
        """The edits that are not committed."""
        return Draft() if self._drafts is None else self._drafts.draft

    @property
    def table(self) -> OverlayTable:
        """The stored version with the draft on top of it."""
        if self._table is None:
            self._table = OverlayTable(self.stored, self.draft, self.credentials)
        return self._table

    @property
    def specs(self) -> dict[str, TensorSpec]:
        """Stored specs of the tensors."""
        return self.stored.specs

    @property
    def meta(self) -> dict[str, Any]:
        """The metadata of the dataset."""
        return self.stored.snapshot.meta

    @property
    def branch_name(self) -> str:
        """The branch as the user named it."""
        return "main" if self.store.branch is None else decoded(self.store.branch)

    # ---- writing the head ----------------------------------------------------------------

    def _change_meta(self, change: Callable[[Meta], Meta]) -> None:
        self.store.update_meta(lambda meta: with_class_keys(meta, change(meta)))
        self.refresh()

    def new_buffer(self) -> Buffer:
        """Return an empty buffer for the current tensors and classes."""
        meta = self.meta
        return Buffer.over(self.specs, {name: class_keys(meta, name) for name in self.specs})

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

        def change(meta: Meta) -> Meta:
            if any(entry["name"] == spec.name for entry in meta["tensors"]):
                raise DatasetError(f"another process has created the tensor {spec.name!r}")
            return {**meta, "tensors": [*meta["tensors"], spec.to_json()]}

        self.store.drop_columns(self.specs.values(), only=column_names(spec))
        if not spec.inferred:
            self.store.add_columns([spec])
        self._change_meta(change)

    def fix_type(self, typed: TensorSpec) -> None:
        """Store the type that a tensor's first sample gives it, unless another writer was first."""
        self.change_specs(
            lambda newest: {
                name: with_type_of(spec, typed) if name == typed.name else spec for name, spec in newest.items()
            }
        )

    def append(self, buffer: Buffer) -> PenstockError | None:
        """Write buffered rows and the class names and types they bring, in one step; return what to tell of it."""
        with self.store.location.lock():
            before = self.store.head().meta
            after = with_buffer(before, buffer)
            rows = fitted_rows(buffer, after)
            uids = new_uids(rows.num_rows)
            self.store.add_columns(list(rows.columns))
            try:
                if after != before:
                    action = f"append samples to {self.store.location.path!r}"
                    self.store.transact(action, "append", appending(buffer, uids))
                elif rows.num_rows:
                    self.store.append(uids, rows.columns)
            except StorageError as error:
                self.refresh()
                if len(uids) and (self.stored.positions(uids) >= 0).all():  # they are written, and may not be again
                    return error
                raise
        self.refresh()
        return rows.error()

    def delete(self, rows: NDArray[np.int64]) -> None:
        """Delete rows, and their edits."""
        uids = self.table.uids(rows)
        gone = set(uids.tolist())
        self.store.delete(uids, f"pop {', '.join(map(str, rows.tolist()))}")
        edited = any(gone & edits.keys() for edits in self.draft.edits.values())
        self.refresh()
        if edited:
            self._change_draft(lambda draft: draft.without(gone))

    def change_classes(self, spec: TensorSpec, action: str, names: Sequence[str]) -> int:
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

        self._change_meta(change)
        return found[0]

    def merge_classes(self, spec: TensorSpec, names: Sequence[str], into: str) -> None:
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

        with self.store.location.lock():
            self.store.transact(f"merge classes into {into!r} in {spec.name!r}", "merge classes", change)
            self.refresh()

    def set_info(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Replace the user's notes by `change` of them."""
        self._change_meta(lambda meta: {**meta, "info": change(dict(meta.get("info", {})))})

    def delete_tensor(self, name: str) -> None:
        """Take a tensor out of the list, which makes it true; its columns are swept after that, or by the next one."""

        def change(meta: Meta) -> Meta:
            left = {key: value for key, value in meta.get("classes", {}).items() if key != name}
            return {**meta, "tensors": without_tensor(meta["tensors"], name), "classes": left}

        with self.store.location.lock():
            self._change_meta(change)
            self._change_draft(lambda draft: draft.without(None, name))
            self.store.drop_columns(self.specs.values())
            self.refresh()

    def set_creds_key(self, name: str, *, managed: bool) -> None:
        """Store the name of credentials."""
        self._change_meta(lambda meta: {**meta, "creds_keys": {**meta.get("creds_keys", {}), name: managed}})

    # ---- the draft -----------------------------------------------------------------------

    def checked_links(self, spec: TensorSpec, cells: list[Cell], max_bytes: int | None) -> list[Cell]:
        """Read what new links point to, and allow their folders."""
        roots = {root for cell in cells if cell.value is not None and (root := link_root(str(cell.value)))}
        check_creds(cells, set(self.meta.get("creds_keys", {})))
        allowed = [*self.meta.get("link_roots", []), *roots]
        cells = checked_links(spec, cells, LinkReader(allowed, self.credentials), 0, max_bytes)
        if not roots <= set(self.meta.get("link_roots", [])):
            self._change_meta(lambda meta: {**meta, "link_roots": few_roots({*meta.get("link_roots", []), *roots})})
        return cells

    @property
    def _session(self) -> Drafts:
        if self._drafts is None:
            self._drafts = Drafts(self.store, self.stored, tidy=False)
        return self._drafts

    def edit(self, edits: Draft) -> None:
        """Take edits into the draft in memory."""
        for name, cells in edits.edits.items():
            self._session.add(name, cells, self.stored.snapshot.version)
        self._table = None

    def save(self, edits: Draft) -> None:
        """Write edits next to the dataset."""
        self._session.save(edits, self.stored)

    def _change_draft(self, change: Callable[[Draft], Draft]) -> None:
        """Replace the draft by `change` of it."""
        with self.store.location.lock():
            self._session.replace(change, self.stored)
        self._table = None

    def drop_edits(self, tensor: str | None, rows: NDArray[np.int64] | None) -> None:
        """Drop edits of a tensor, of some rows, or all."""
        uids = None if rows is None else set(self.table.uids(rows).tolist())
        self._change_draft(lambda draft: draft.without(uids, tensor))

    def discard_from_memory(self) -> None:
        """Use the stored version without its draft, which is kept."""
        self._drafts = None
        self._table = None

    # ---- versions ------------------------------------------------------------------------

    def has_changes(self) -> bool:
        """Return whether head or draft differ from the last commit."""
        return bool(self.draft) or not self.is_clean()

    def length_warnings(self) -> list[str]:
        """Name edited samples whose boxes and labels no longer agree in number."""
        boxes = [name for name, spec in self.specs.items() if spec.htype == "bbox"]
        labels = label_tensors(self.specs)
        found = []
        for box in boxes:
            for label in labels:
                if label in group_of(self.specs, box):
                    continue  # the commit refuses them
                rows = np.union1d(self.table.edited_rows(box), self.table.edited_rows(label)).astype(np.int64)
                before = object_counts_of(self.stored.column(box), rows, 4) == object_counts_of(
                    self.stored.column(label), rows, 1
                )
                after = object_counts_of(self.table.column(box), rows, 4) == object_counts_of(
                    self.table.column(label), rows, 1
                )
                broken = rows[before & ~after]
                if len(broken):
                    found.append(
                        f"sample {broken[0]} has different numbers of {box!r} and {label!r} after the edit "
                        f"({len(broken)} such samples)"
                    )
        return found

    def commit(self, message: str, *, on_conflict: Prefer = "raise") -> Commit:
        """Write the draft to the head and record the commit, in one step; then tag its version."""
        with self.store.location.lock():
            self.refresh()
            session = self._session
            conflicts = edit_conflicts(self.store, self.stored, session)
            if conflicts and on_conflict == "raise":
                refuse(conflicts, self.last_commit)
            draft = settled_draft(session, self.stored, conflicts, on_conflict)
            self._table = OverlayTable(self.stored, draft, self.credentials)
            if not draft and self.is_clean():
                if session.draft:
                    self._change_draft(lambda _: Draft())
                raise DatasetError(
                    "there is nothing to commit: nothing has changed since the last commit",
                    hint="ds.log() lists the commits",
                )
            check_groups(self.table, self.specs, self._committed_specs)
            self.store.compact()
            self.store.add_columns([self.specs[name] for name in draft.edits])
            return self.land(lambda steps: write_draft_into(steps, self.specs, draft), message)

    def _committed_specs(self) -> dict[str, TensorSpec]:
        """Return the specs of the last commit."""
        last = self.last_commit
        return {} if last is None else StoredTable(self.store.on(last.branch).at(last.version), last.id).specs

    def land(self, changes: Callable[[Steps], None], message: str, *, merged: Commit | None = None) -> Commit:
        """Make the changes the newest version together with the record of a commit, then tag it."""
        session = self._session
        parent = self.last_commit.id if self.last_commit else None
        record = new_record(message, parent, merged=merged.id if merged else None)

        def change(steps: Steps) -> None:
            changes(steps)
            lengths = label_lengths(StoredTable(steps.snapshot(), ""))
            self._digests.record(steps.snapshot(), record["id"])
            steps.set_meta(
                lambda meta: {**with_label_lengths(meta, lengths), "commit": record, "drafts": session.largest()}
            )

        session.sweep(self.stored)
        action = f"commit to {self.store.location.path!r}"
        with self._looking_again():
            version = self.store.transact(action, commit_kind(record["id"]), change)
        self._look_at(self.store.at(version))
        made = self.last_commit
        if made is None or made.id != record["id"]:
            raise DatasetError(
                f"the commit {record['id']} is not at version {version}, because another process removed it"
            )
        keep(self.store, made)
        session.drop()
        self.refresh()
        return made

    @contextmanager
    def _looking_again(self) -> Iterator[None]:
        """If a step that includes the draft fails, check whether it had already succeeded."""
        try:
            yield
        except StorageError:
            with suppress(PenstockError):
                self.refresh()
                self._session.drop_taken(self.stored)
                self._table = None
            raise

    def is_clean(self) -> bool:
        """Return whether the stored version is the last commit."""
        if self.last_commit is None:
            return self.stored.snapshot.version == clean_version(self.store, None)
        return self.stored.label == self.last_commit.id

    def reset(self) -> None:
        """Go back to the last commit, in one step: what it leaves behind includes the draft."""
        with self.store.location.lock():
            self.refresh()
            session = self._session
            if self.is_clean():
                self._change_draft(lambda _: Draft())
                return
            start = clean_version(self.store, self.last_commit)
            session.sweep(self.stored)
            with self._looking_again():
                self.store.transact(
                    f"reset {self.store.location.path!r}",
                    "reset",
                    lambda steps: steps.set_meta(lambda meta: {**meta, "drafts": session.largest()}, always=True),
                    start=start,
                )
            session.drop()
            self.refresh()

    def history(self) -> list[Commit]:
        """Return the commits that led to the head, the newest first."""
        return history(self.store, self.last_commit)


def open_working(path: str | os.PathLike[str], version: str | None, *, read_only: bool) -> Working:
    """Open the head of a stored dataset, of one of its branches, or one version."""
    store = Store.open(Location(path))
    reason = READ_ONLY if read_only else None if store.location.is_writable() else _FOLDER_READ_ONLY
    if version is None:
        return Working(store, read_only=reason)
    branch, number = find_version(store, version)
    on_branch = store.on(branch)
    if number is None:
        return Working(on_branch, read_only=reason)
    return Working(on_branch, read_only=f"it was opened at version {version!r}", version=number)
