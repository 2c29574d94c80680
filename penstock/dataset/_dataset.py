"""A versioned dataset: what a user opens, edits and commits."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

from penstock.dataset._filling import Filling, open_dataset
from penstock.dataset._info import Info
from penstock.dataset._verify import verify_records, verify_tables
from penstock.dataset.merging._merge import merge_branch
from penstock.dataset.shown._diff import Diff
from penstock.dataset.shown._log import Log
from penstock.dataset.shown._report import Report
from penstock.dataset.views._saved_views import SavedView, SavedViews, delete_saved, open_saved, save_rows, saved_views
from penstock.dataset.views._view import View
from penstock.dataset.writing._conflicts import Conflict
from penstock.dataset.writing._working import READ_ONLY, Working, open_working
from penstock.errors import (
    CommitNotFoundError,
    CredentialsError,
    DatasetError,
    UncommittedChangesError,
    ViewNotFoundError,
    nearest,
)
from penstock.storage import (
    ENGINE,
    Credentials,
    Location,
    Store,
    branch_names,
    cleanup,
    commits,
    delete_tag,
    find_version,
    make_branch,
    set_tag,
    user_tags,
)
from penstock.table import Draft, OverlayTable
from penstock.tensors import storable_text

__all__ = ["Dataset"]


class Dataset(Filling):
    """Samples with named tensors, versioned.

    Made by `penstock.empty`, opened by `penstock.load`. `append`, `extend` and `pop`
    are kept as soon as they are flushed; assignments to samples live in a draft
    beside the dataset until `commit`.
    """

    def _home(self) -> Dataset:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as a path; the dataset is opened read-only in the other process."""
        with self._lock:
            self._settle()
            fixed = self._working.fixed_version
            known = (self.path, self._working.store.branch, fixed, self._working.credentials)
            return _reopened, (*known, self.max_image_bytes)

    # ---- versions ------------------------------------------------------------------------

    @property
    def has_changes(self) -> bool:
        """Whether there are changes since the last commit."""
        with self._lock:
            self._settle()
            return self._working.has_changes()

    def commit(self, message: str | None = None, *, on_conflict: Literal["raise", "ours", "theirs"] = "raise") -> str:
        """Turn the current state into a version with a message.

        Parameters
        ----------
        message : str, optional
            What was changed and why.
        on_conflict : {"raise", "ours", "theirs"}
            What happens to samples edited here that another session edited and
            committed meanwhile: an error that names them, the edits made here win,
            or they are dropped.

        Returns
        -------
        str
            The commit's id.

        Raises
        ------
        DatasetError
            If nothing has changed since the last commit.
        ConflictError
            If another session changed a sample that was edited here; nothing is
            written. Its ``conflicts`` hold both values.
        """
        if on_conflict not in {"raise", "ours", "theirs"}:
            raise DatasetError(f"on_conflict={on_conflict!r} is not valid. Expected 'raise', 'ours' or 'theirs'")
        with self._lock:
            self._writable()
            self._settle()
            for warning in self._working.length_warnings():
                warnings.warn(warning, UserWarning, stacklevel=2)
            made = self._working.commit(message or "", on_conflict=on_conflict)
            self._buffer = self._working.new_buffer()
            return made.id

    def reset(self) -> None:
        """Drop everything since the last commit: edits, appended and popped samples, new tensors and classes."""
        with self._lock:
            self._writable()
            self._unsaved = Draft()
            self._working.reset()
            self._buffer = self._working.new_buffer()

    @property
    def is_behind(self) -> bool:
        """Whether another session has written to the dataset since it was read; needs a small read of the store."""
        with self._lock:
            return self._working.is_behind()

    def refresh(self) -> bool:
        """Read what other sessions have written since the dataset was opened, and keep the edits made here.

        Returns
        -------
        bool
            Whether there was anything new. Where others changed samples that are edited here, `commit` says so.
        """
        with self._lock:
            self._settle()
            if not self._working.is_behind():
                return False
            self._working.refresh()
            self._buffer = self._working.new_buffer()
            return True

    def log(self) -> Log:
        """Return the commits that led here, the newest first."""
        with self._lock:
            return Log(self._working.history())

    def _table_of(self, ref: str | None) -> OverlayTable:
        return self.table if ref is None else open_working(self.path, ref, read_only=True).table

    def diff(self, a: str | None = None, b: str | None = None) -> Diff:
        """Return what changed between two versions.

        Parameters
        ----------
        a : str, optional
            The earlier: a commit, tag or branch; by default the last commit.
        b : str, optional
            The later; by default what there is now, edits included.

        Returns
        -------
        Diff
            Rows added, removed, and edited for each tensor.

        Raises
        ------
        CommitNotFoundError
            If there is no such version.
        """
        with self._lock:
            self._settle()
            last = self._working.last_commit
            if a is None and last is None:
                raise DatasetError("there is no commit to compare with", hint="create one with ds.commit(…)")
            return Diff(self._table_of(a or (last.id if last else None)), self._table_of(b))

    @property
    def commit_id(self) -> str | None:
        """Id of the last commit, None before the first."""
        last = self._working.last_commit
        return None if last is None else last.id

    @property
    def info(self) -> Info:
        """Notes about the dataset, a dictionary of JSON values; a change is kept at once and versioned."""
        return Info(self._notes, self._change_notes)

    def _notes(self) -> dict[str, Any]:
        return dict(self._working.meta.get("info", {}))

    def _change_notes(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        with self._lock:
            self._writable()
            self._settle()
            self._working.set_info(change)

    def delete_tensor(self, name: str, large_ok: bool = False) -> None:  # noqa: ARG002  the parameter of Deep Lake
        """Delete a tensor with its samples; earlier commits still have it.

        Parameters
        ----------
        name : str
            The tensor.
        large_ok : bool
            Accepted so that code written for Deep Lake runs; not used.

        Raises
        ------
        TensorNotFoundError
            If no tensor has this name.
        """
        with self._lock:
            self._writable()
            self._settle()
            self.tensor_spec(name)
            self._working.delete_tensor(name)
            self._buffer = self._working.new_buffer()

    def rename_tensor(self, name: str, new_name: str) -> None:
        """Raise an error that says what to do instead: the name is part of every file of the tensor."""
        kind = self.tensor_spec(name).shown_htype
        raise DatasetError(
            f"cannot rename {name!r} to {new_name!r}: a tensor keeps the name it was created with",
            hint=f"copy it: ds.create_tensor({new_name!r}, htype={kind!r}), ds[{new_name!r}][:] = "
            f"ds[{name!r}].numpy(aslist=True), ds.delete_tensor({name!r})",
        )

    # ---- branches and tags ---------------------------------------------------------------

    @property
    def branches(self) -> list[str]:
        """Names of the branches, ``main`` first."""
        return ["main", *branch_names(self._working.store)]

    def checkout(self, ref: str, create: bool = False) -> None:
        """Go to a branch, or to a commit or tag, which is read-only.

        Parameters
        ----------
        ref : str
            A branch, a commit id or its first digits, or a tag.
        create : bool
            Make a new branch of this name at the present version, and go there.

        Raises
        ------
        CommitNotFoundError
            If there is no such version.
        UncommittedChangesError
            If a branch would start from uncommitted changes.
        """
        with self._lock:
            self._settle()
            if create:
                if self._working.has_changes() and self._working.read_only is None:
                    raise UncommittedChangesError(
                        f"cannot create the branch {ref!r} from uncommitted changes. Expected a commit",
                        hint="call ds.commit(…) first",
                    )
                make_branch(self._working.store, ref, self._working.stored.snapshot.version)
            working = open_working(self.path, ref, read_only=self._working.read_only == READ_ONLY)
            working.credentials = self._working.credentials
            self._working = working
            self._buffer = working.new_buffer()

    def merge(self, branch: str, *, prefer: Literal["ours", "theirs"] | None = None) -> list[Conflict]:
        """Take another branch's changes into this one, and commit them.

        Parameters
        ----------
        branch : str
            The branch, whose own uncommitted edits stay there.
        prefer : {"ours", "theirs"}, optional
            Which side wins if both changed a sample.

        Returns
        -------
        list of Conflict
            Samples both changed. Where there are any and `prefer` is not given,
            nothing was merged.

        Raises
        ------
        UncommittedChangesError
            If this branch has changes that are not committed.
        """
        with self._lock:
            self._writable()
            self._settle()
            if self._working.has_changes():
                raise UncommittedChangesError(
                    "there are uncommitted changes. Expected none before a merge", hint="call ds.commit(…) first"
                )
            theirs = open_working(self.path, branch, read_only=True)
            theirs.discard_from_memory()
            conflicts = merge_branch(self._working, theirs, branch, prefer)
            self._buffer = self._working.new_buffer()
            return conflicts

    @property
    def tags(self) -> dict[str, str]:
        """Tags and the commit each of them names."""
        known = {(commit.branch, commit.version): commit.id for commit in commits(self._working.store)}
        marks = user_tags(self._working.store)
        return {name: known.get((mark.branch, mark.version), "") for name, mark in marks.items()}

    def tag(self, name: str, ref: str | None = None) -> None:
        """Name a commit.

        Parameters
        ----------
        name : str
            A name that is not taken.
        ref : str, optional
            A commit; by default the last one.
        """
        with self._lock:
            if self._working.read_only == READ_ONLY:
                self._writable()
            store = self._working.store
            ref = ref or (self._working.last_commit.id if self._working.last_commit else None)
            if ref is None:
                raise DatasetError(
                    f"cannot create the tag {name!r}: there is no commit yet", hint="create one with ds.commit(…)"
                )
            branch, version = find_version(store, ref)
            if version is None:
                raise DatasetError(f"cannot create the tag {name!r} for branch {ref!r}. Expected a commit")
            set_tag(store, name, branch, version)

    def delete_tag(self, name: str) -> None:
        """Take a tag away; the commit stays."""
        with self._lock:
            self._writable()
            if name not in self.tags:
                raise CommitNotFoundError(
                    f"{name!r} is not a tag of this dataset. The tags are {', '.join(self.tags) or 'none'}"
                )
            delete_tag(self._working.store, name)

    # ---- upkeep --------------------------------------------------------------------------

    def verify(self, num_workers: int = 2) -> Report:
        """Read every sample, linked files and copies of views too, and report what is unreadable or altered.

        Parameters
        ----------
        num_workers : int
            Threads that read and decode.

        Returns
        -------
        Report
            Its `ok` says whether nothing is wrong.
        """
        report = verify_tables(self.table, num_workers)
        others = verify_records(self._working.store)
        return replace(report, problems=(*report.problems, *others)) if others else report

    def cleanup(self, older_than: timedelta | None = None) -> int:
        """Delete the files of states that no commit, tag or saved view names.

        Parameters
        ----------
        older_than : timedelta, optional
            Only of states older than this, by default 14 days: a shorter time
            takes files from under sessions that still read them.

        Returns
        -------
        int
            Bytes freed.
        """
        with self._lock:
            self._writable()
            self._settle()
            return cleanup(self._working.store, timedelta(days=14) if older_than is None else older_than)

    # ---- saved views ---------------------------------------------------------------------

    def save_rows(self, view: View, *, message: str | None, view_id: str | None) -> str:
        """Keep a view of this dataset; what ``view.save_view`` calls."""
        with self._lock:
            if self._working.read_only == READ_ONLY:
                self._writable()
            return save_rows(
                self._working.store,
                view.table,
                view.indices,
                view_id=view_id,
                message=message,
                query_string=view.query_string,
                seed=view.seed,
            )

    def get_views(self) -> SavedViews:
        """Return the saved views, the newest first."""
        with self._lock:
            return saved_views(self._working.store)

    def get_view(self, id: str) -> SavedView:  # noqa: A002  the document's name
        """Return what is known of a saved view; `load_view` opens it.

        Raises
        ------
        ViewNotFoundError
            If there is no such view.
        """
        views = self.get_views()
        found = next((view for view in views if view.id == id), None)
        if found is None:
            known = [view.id for view in views]
            like = nearest(str(id), known)
            raise ViewNotFoundError(
                f"{id!r} is not a saved view. The saved views are {', '.join(known[:8]) or 'none'}",
                hint=f"did you mean {like!r}?" if like else None,
            )
        return found

    def load_view(self, id: str, optimize: bool = False, num_workers: int = 0) -> View:  # noqa: A002  the document's name
        """Open a saved view: the rows of its commit, whatever has changed since.

        Parameters
        ----------
        id : str
            What ``save_view`` returned.
        optimize : bool
            Copy the samples beside the dataset, in the view's order and links
            resolved to images; from then on the view reads the copy.
        num_workers : int
            Threads that read while copying.

        Returns
        -------
        View
            Its query is not run again.

        Raises
        ------
        ViewNotFoundError
            If there is no such view.
        """
        with self._lock:
            table, rows, saved = open_saved(
                self._working.store,
                id,
                self._working.credentials,
                optimize=optimize,
                num_workers=num_workers,
                max_image_bytes=self.max_image_bytes,
            )
        return View(table, rows, dataset=self, query_string=saved.query_string, seed=saved.seed)

    def delete_view(self, id: str) -> None:  # noqa: A002  the document's name
        """Delete a saved view and its copy; the samples stay in the dataset."""
        with self._lock:
            self._writable()
            delete_saved(self._working.store, id)

    # ---- credentials ---------------------------------------------------------------------

    def add_creds_key(self, name: str, managed: bool = False) -> None:
        """Add the name of credentials for links; only the name is stored.

        Parameters
        ----------
        name : str
            The key, as given to `penstock.link`.
        managed : bool
            Whether `populate_creds` is refused: the values then come from the
            environment (``PENSTOCK_CREDS_<name>``), a keyring or the store's own chain.
        """
        if not name or not isinstance(name, str):
            raise CredentialsError(f"{name!r} is not a valid credentials key. Expected a name")
        storable_text(name, "the credentials key")
        with self._lock:
            self._writable()
            self._settle()
            self._working.set_creds_key(name, managed=managed)

    def populate_creds(self, name: str, values: Mapping[str, str]) -> None:
        """Set the credentials of a key for this session; they are kept only in memory.

        Parameters
        ----------
        name : str
            A key added by `add_creds_key`.
        values : mapping of str to str
            Such as ``aws_access_key_id``, ``aws_secret_access_key``, ``endpoint_url``.

        Raises
        ------
        CredentialsError
            If the key is unknown or managed.
        """
        keys = self._working.meta.get("creds_keys", {})
        if name not in keys:
            raise CredentialsError(
                f"{name!r} is not a credentials key of this dataset. The keys are {', '.join(keys) or 'none'}",
                hint="add one with ds.add_creds_key",
            )
        if keys[name]:
            raise CredentialsError(
                f"the credentials of {name!r} are managed, so they cannot be set for the session",
                hint=f"set the environment variable PENSTOCK_CREDS_{name} to a JSON object",
            )
        self._working.credentials.populate(name, values)


def _reopened(
    path: str, branch: str | None, version: int | None, credentials: Credentials, max_image_bytes: int | None
) -> Dataset:
    if not ENGINE.works_here:
        inherited: Dataset | None = open_dataset(path, branch, version)
        if inherited is not None:
            return inherited
    working = Working(Store.open(Location(path), branch), read_only="it came from another process", version=version)
    working.credentials = credentials
    dataset = Dataset(working)
    dataset.max_image_bytes = max_image_bytes
    return dataset
