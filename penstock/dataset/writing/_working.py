"""The working head of a dataset: the stored version and the draft on top of it.

`_head` writes to it, `_committing` makes commits of it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.views._view_records import sweep_views
from penstock.dataset.writing._buffer import Buffer
from penstock.dataset.writing._drafts import Drafts
from penstock.dataset.writing._history import history
from penstock.storage import (
    Commit,
    Credentials,
    Digests,
    Holder,
    Location,
    Snapshot,
    Store,
    clean_version,
    decoded,
    find_version,
    is_clean,
    keep,
    last_commit,
    sweep,
)
from penstock.table import (
    Draft,
    OverlayTable,
    StoredTable,
    class_keys,
)
from penstock.tensors import TensorSpec

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
    sessions : collection of str, optional
        The sessions whose edits are shown; by default all that may be.
    """

    def __init__(
        self,
        store: Store,
        *,
        read_only: str | None = None,
        version: int | None = None,
        sessions: Collection[str] | None = None,
    ) -> None:
        self.store = store
        self.read_only = read_only
        self.credentials = Credentials()
        self._drafts: Drafts | None = None
        self.digests = Digests(store)
        self.fixed_version = version
        self.last_commit: Commit | None = None
        self._held: weakref.ref[Snapshot] | None = None  # what is marked as read
        self._table: OverlayTable | None = None
        self._plain: OverlayTable | None = None
        self._before: OverlayTable | None = None  # an earlier version in memory, of which much may hold still
        self.refresh()
        if version is None:
            self._open_head(sessions)

    def _open_head(self, sessions: Collection[str] | None) -> None:
        """Adopt the draft, complete what a killed process left, and delete its leftovers."""
        writable = self.read_only is None
        if writable:
            sweep(self.store)
            sweep_views(self.store)
            if self.last_commit is not None:
                keep(self.store, self.last_commit)
        self._drafts = Drafts(self.store, self.stored, tidy=writable, sessions=sessions)

    def refresh(self) -> None:
        """Read the newest version, whoever wrote it."""
        if self.fixed_version is not None:
            self.look_at(self.store.at(self.fixed_version))
            return
        while True:  # until the newest version is one that no one cleans up meanwhile
            self.look_at(self.store.head())
            if self._is_held():
                return

    def _is_held(self) -> bool:
        """Keep the version that is read; a commit needs no mark to be kept."""
        last, snapshot = self.last_commit, self.stored.snapshot
        if last is not None and (last.branch, last.version) == (snapshot.branch, snapshot.version):
            return True
        if self._held is None or self._held() is not snapshot:
            self._held = weakref.ref(snapshot)
            return self.store.hold(snapshot)
        return True

    def look_at(self, snapshot: Snapshot) -> None:
        """Show a version of the store."""
        last = last_commit(self.store, snapshot, self.last_commit)
        if last is None:
            label = f"start+{snapshot.version}"
        else:
            label = last.id if is_clean(self.store, snapshot, last) else f"{last.id}+{snapshot.version}"
        self.last_commit = last
        known = self.__dict__.get("stored")
        if known is None or not known.is_at(snapshot, label):  # else it stays, with what it has in memory
            self.stored = StoredTable(snapshot, label, known)
            if self._plain is not None:
                self._before, self._plain = self._plain.root, None
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
            draft = self.draft
            self._table = self._over(draft) if draft else self._without_draft()
        return self._table

    def _over(self, draft: Draft) -> OverlayTable:
        return OverlayTable(self.stored, draft, self.credentials, before=self._without_draft())

    def _without_draft(self) -> OverlayTable:
        """Return the stored version alone; it is kept, so that edits cost no more than the rows they are in."""
        if self._plain is None:
            self._plain = OverlayTable(self.stored, Draft(), self.credentials, before=self._before)
            self._before = None
        return self._plain

    @property
    def specs(self) -> dict[str, TensorSpec]:
        """Stored specs of the tensors."""
        return self.stored.specs

    @property
    def meta(self) -> dict[str, Any]:
        """The description stored with the samples: tensors, classes, notes, the last commit."""
        return self.stored.snapshot.meta

    @property
    def branch_name(self) -> str:
        """The branch as the user named it."""
        return "main" if self.store.branch is None else decoded(self.store.branch)

    def new_buffer(self) -> Buffer:
        """Return an empty buffer for the current tensors and classes."""
        meta = self.meta
        return Buffer.over(self.specs, {name: class_keys(meta, name) for name in self.specs})

    # ---- the draft -----------------------------------------------------------------------

    @property
    def drafts(self) -> Drafts:
        """The edits of this session and the files they are in."""
        if self._drafts is None:
            self._drafts = Drafts(self.store, self.stored, tidy=False)
        return self._drafts

    def claim(self, *, over: bool = False) -> bool:
        """Be the one process that changes the draft; return whether it was read again.

        Raises
        ------
        DraftHeldError
            If another process holds it, unless it is taken `over`.
        """
        if not self.drafts.claim(self.stored, over=over):
            return False
        self._table = None
        return True

    def let_go(self) -> None:
        """Let other processes change the draft, whose edits stay beside the dataset."""
        if self._drafts is not None:
            self._drafts.leave()

    @property
    def holder(self) -> Holder | None:
        """The other process that holds the draft, if there is one."""
        return None if self._drafts is None else self._drafts.holder

    def hide_others(self) -> bool:
        """Show no edits of another process; return whether there were any."""
        hidden = self.drafts.hide_others()
        if hidden:
            self._table = None
        return hidden

    def show_others(self) -> None:
        """Show the edits of another process again, as they are now."""
        self.drafts.show_others(self.stored)
        self._table = None

    def num_left(self) -> int:
        """Return how many edits processes that have ended left, which are not part of this draft."""
        return 0 if self._drafts is None else self._drafts.num_left(self.stored)

    @property
    def held(self) -> Holder | None:
        """The other process whose edits were there when this was opened."""
        return None if self._drafts is None else self._drafts.held

    def edit(self, edits: Draft) -> None:
        """Take edits into the draft in memory."""
        for name, cells in edits.edits.items():
            self.drafts.add(name, cells, self.stored.snapshot.version)
        self._table = None

    def save(self, edits: Draft, keys: Mapping[str, Sequence[str]] | None = None) -> None:
        """Write edits next to the dataset; `keys`: the classes that labels are indices of, if not those of now."""
        self.drafts.save(edits, self.stored, keys or {})

    def change_draft(self, change: Callable[[Draft], Draft]) -> None:
        """Replace the draft by `change` of it."""
        with self.store.location.lock():
            self.drafts.replace(change, self.stored)
        self._table = None

    def drop_edits(self, tensor: str | None, rows: NDArray[np.int64] | None) -> None:
        """Drop edits of a tensor, of some rows, or all."""
        uids = None if rows is None else set(self.table.uids(rows).tolist())
        self.change_draft(lambda draft: draft.without(uids, tensor))

    def show_draft(self, draft: Draft) -> None:
        """Show other edits on top of the stored version, such as those about to be committed."""
        self._table = self._over(draft)

    def forget_table(self) -> None:
        """Rebuild the table on the next request: the draft has changed."""
        self._table = None

    def discard_from_memory(self) -> None:
        """Use the stored version without its draft, which is kept."""
        self._drafts = None
        self._table = None

    # ---- versions ------------------------------------------------------------------------

    def has_changes(self) -> bool:
        """Return whether head or draft differ from the last commit."""
        return bool(self.draft) or not self.is_clean()

    def is_clean(self) -> bool:
        """Return whether the stored version is the last commit."""
        if self.last_commit is None:
            return self.stored.snapshot.version == clean_version(self.store, None)
        return self.stored.label == self.last_commit.id

    def history(self) -> list[Commit]:
        """Return the commits that led to the head, the newest first."""
        return history(self.store, self.last_commit)


def open_working(location: Location, version: str | None, *, read_only: bool) -> Working:
    """Open the head of a stored dataset, of one of its branches, or one version."""
    store = Store.open(location)
    reason = READ_ONLY if read_only else None if store.location.is_writable() else _FOLDER_READ_ONLY
    if version is None:
        return Working(store, read_only=reason)
    branch, number = find_version(store, version)
    on_branch = store.on(branch)
    if number is None:
        return Working(on_branch, read_only=reason)
    return Working(on_branch, read_only=f"it was opened at version {version!r}", version=number)
