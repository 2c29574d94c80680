"""Versions of a dataset: commits, what differs between them, branches and tags."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np

from penstock.dataset.history._history import history_of_row, history_of_uid, uid_of
from penstock.dataset.merging._merge import merge_branch
from penstock.dataset.merging._report import MergeReport
from penstock.dataset.opened._opened import OpenDataset
from penstock.dataset.samples._rows import row_of, rows_of
from penstock.dataset.shown._diff import Diff
from penstock.dataset.shown._history import SampleHistory
from penstock.dataset.writing import _committing as committing
from penstock.dataset.writing._working import READ_ONLY, open_working
from penstock.errors import CommitNotFoundError, DatasetError, UncommittedChangesError
from penstock.storage import Commit, branch_names, commits, delete_tag, find_version, make_branch, set_tag, user_tags
from penstock.table import OverlayTable

__all__ = ["Branches", "History", "Tags"]


class History:
    """The commits of an open dataset, and what is not committed.

    Parameters
    ----------
    opened : OpenDataset
        The dataset.
    """

    def __init__(self, opened: OpenDataset) -> None:
        self._opened = opened

    def has_changes(self) -> bool:
        """Return whether there are changes since the last commit."""
        opened = self._opened
        with opened.lock:
            opened.settle()
            return opened.working.has_changes()

    def commit(
        self,
        message: str | None,
        on_conflict: Literal["raise", "ours", "theirs"],
        rows: Any = None,
    ) -> str:
        """Turn the current state into a version with a message, and return its id; `rows`: only their edits."""
        if on_conflict not in {"raise", "ours", "theirs"}:
            raise DatasetError(f"on_conflict={on_conflict!r} is not valid. Expected 'raise', 'ours' or 'theirs'")
        opened = self._opened
        with opened.lock, opened.editing() as hidden:
            opened.check_writable()
            opened.settle()
            if hidden and not opened.working.has_changes():
                opened.refuse_others_edits()
            uids = None if rows is None else _uids_at(opened.working.table, rows)
            for warning in committing.length_warnings(opened.working, uids):
                warnings.warn(warning, UserWarning, stacklevel=3)
            made = committing.commit(opened.working, message or "", on_conflict=on_conflict, uids=uids)
            opened.renew_buffer()
            return made.id

    def reset(self) -> None:
        """Drop everything since the last commit."""
        opened = self._opened
        with opened.lock, opened.editing():
            opened.check_writable()
            opened.drop_held()
            committing.reset(opened.working)
            opened.renew_buffer()

    def is_behind(self) -> bool:
        """Return whether another session has written since the dataset was read."""
        opened = self._opened
        with opened.lock:
            return opened.working.is_behind()

    def refresh(self) -> bool:
        """Read what other sessions have written; tell whether there was anything new."""
        opened = self._opened
        with opened.lock:
            opened.settle()
            if not opened.working.is_behind():
                return False
            opened.working.refresh()
            opened.renew_buffer()
            return True

    def commits(self) -> list[Commit]:
        """Return the commits that led here, the newest first."""
        opened = self._opened
        with opened.lock:
            return opened.working.history()

    def of_sample(self, index: Any, uid: int | None) -> SampleHistory:
        """Return the edits of a sample, by its position or its identity."""
        if (index is None) == (uid is None):
            raise DatasetError("history takes one sample. Expected its position, or uid=", hint="ds.history(0)")
        opened = self._opened
        with opened.lock:
            opened.settle()
            table, store = opened.table, opened.working.store
        if uid is not None:
            return history_of_uid(store, table, uid_of(uid))
        return history_of_row(store, table, range(table.num_rows), index)

    def diff(self, before: str | None, after: str | None) -> Diff:
        """Return what changed between two versions."""
        opened = self._opened
        with opened.lock:
            opened.settle()
            last = opened.working.last_commit
            if before is None and last is None:
                raise DatasetError("there is no commit to compare with", hint="create one with ds.commit(…)")
            return Diff(self._table_at(before or (last.id if last else None)), self._table_at(after))

    def _table_at(self, ref: str | None) -> OverlayTable:
        opened = self._opened
        return opened.table if ref is None else open_working(opened.working.store.location, ref, read_only=True).table


def _uids_at(table: OverlayTable, index: Any) -> frozenset[int]:
    row = row_of(index, table.num_rows)
    rows = rows_of(index, table.num_rows) if row is None else np.array([row], np.int64)
    return frozenset(table.uids(rows).tolist())


class Branches:
    """The branches of an open dataset.

    Parameters
    ----------
    opened : OpenDataset
        The dataset.
    """

    def __init__(self, opened: OpenDataset) -> None:
        self._opened = opened

    def names(self) -> list[str]:
        """Return the names of the branches, ``main`` first."""
        return ["main", *branch_names(self._opened.working.store)]

    def checkout(self, ref: str, *, create: bool) -> None:
        """Switch to a branch, which may be created, or to a commit or tag."""
        opened = self._opened
        with opened.lock, opened.editing():
            opened.settle()
            working = opened.working
            if create:
                if working.has_changes() and working.read_only is None:
                    raise UncommittedChangesError(
                        f"cannot create the branch {ref!r} from uncommitted changes. Expected a commit",
                        hint="call ds.commit(…) first",
                    )
                make_branch(working.store, ref, working.stored.snapshot.version)
            opened.move_to(open_working(working.store.location, ref, read_only=working.read_only == READ_ONLY))

    def merge(self, branch: str, prefer: Literal["ours", "theirs"] | None) -> MergeReport:
        """Take another branch's changes into this one, and commit them."""
        opened = self._opened
        with opened.lock, opened.editing():
            opened.check_writable()
            opened.settle()
            if opened.working.has_changes():
                raise UncommittedChangesError(
                    "there are uncommitted changes. Expected none before a merge", hint="call ds.commit(…) first"
                )
            theirs = open_working(opened.working.store.location, branch, read_only=True)
            theirs.discard_from_memory()
            report = merge_branch(opened.working, theirs, branch, prefer)
            opened.renew_buffer()
            if report.notes:
                warnings.warn(f"merge {branch}: {'; '.join(report.notes)}", UserWarning, stacklevel=4)
            return report


class Tags:
    """The tags of an open dataset.

    Parameters
    ----------
    opened : OpenDataset
        The dataset.
    """

    def __init__(self, opened: OpenDataset) -> None:
        self._opened = opened

    def by_name(self) -> dict[str, str]:
        """Return the tags and the commit each of them names."""
        store = self._opened.working.store
        known = {(commit.branch, commit.version): commit.id for commit in commits(store)}
        return {name: known.get((mark.branch, mark.version), "") for name, mark in user_tags(store).items()}

    def add(self, name: str, ref: str | None) -> None:
        """Name a commit; None means the last one."""
        opened = self._opened
        with opened.lock:
            opened.check_may_name()
            store, last = opened.working.store, opened.working.last_commit
            ref = ref or (last.id if last else None)
            if ref is None:
                raise DatasetError(
                    f"cannot create the tag {name!r}: there is no commit yet", hint="create one with ds.commit(…)"
                )
            branch, version = find_version(store, ref)
            if version is None:
                raise DatasetError(f"cannot create the tag {name!r} for branch {ref!r}. Expected a commit")
            set_tag(store, name, branch, version)

    def delete(self, name: str) -> None:
        """Take a tag away; the commit stays."""
        opened = self._opened
        with opened.lock:
            opened.check_writable()
            tags = self.by_name()
            if name not in tags:
                raise CommitNotFoundError(f"no tag {name!r}; there are {', '.join(tags) or 'none'}")
            delete_tag(opened.working.store, name)
