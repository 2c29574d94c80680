"""The versions of a dataset: commits, differences, branches and tags."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal

from numpy.typing import NDArray

from penstock.dataset._cleanup import Cleanup, clean_up
from penstock.dataset._compaction import Compacted, compact
from penstock.dataset._versions import Branches, History, Tags
from penstock.dataset.merging._report import MergeReport
from penstock.dataset.opened._opened import OpenDataset
from penstock.dataset.shown._diff import Diff
from penstock.dataset.shown._history import SampleHistory
from penstock.dataset.shown._log import Log

__all__ = ["Versioned"]


class Versioned:
    """An object with commits, branches and tags.

    Parameters
    ----------
    opened : OpenDataset
        The dataset as this session has it open.
    """

    def __init__(self, opened: OpenDataset) -> None:
        self._opened = opened
        self._history = History(opened)
        self._branches = Branches(opened)
        self._tags = Tags(opened)

    @property
    def has_changes(self) -> bool:
        """Whether there are changes since the last commit."""
        return self._history.has_changes()

    @property
    def commit_id(self) -> str | None:
        """Id of the last commit, None before the first."""
        last = self._opened.working.last_commit
        return None if last is None else last.id

    def commit(
        self,
        message: str | None = None,
        *,
        on_conflict: Literal["raise", "ours", "theirs"] = "raise",
        rows: int | slice | Sequence[int] | NDArray[Any] | None = None,
    ) -> str:
        """Turn the current state into a version with a message.

        Parameters
        ----------
        message : str, optional
            What was changed and why.
        on_conflict : {"raise", "ours", "theirs"}
            What happens to samples edited here that another session edited and
            committed meanwhile: an error that names them, the edits made here win,
            or they are dropped.
        rows : int, slice, sequence of int or mask, optional
            Commit the edits of these samples only; those of other samples stay in the
            draft. Appended and deleted samples, new tensors and changed classes are part
            of every commit.

        Returns
        -------
        str
            The commit's id.

        Raises
        ------
        DatasetError
            If nothing has changed since the last commit, or nothing in `rows`.
        SampleIndexError
            If there is no such sample.
        ConflictError
            If another session changed a sample that was edited here; nothing is
            written. Its ``conflicts`` hold both values.

        Examples
        --------
        >>> import tempfile, penstock
        >>> ds = penstock.empty(tempfile.mkdtemp() + "/ages")
        >>> _ = ds.create_tensor("age")
        >>> ds.extend({"age": [1, 2, 3]})
        >>> _ = ds.commit("three ages")
        >>> ds.age[0], ds.age[2] = 10, 30
        >>> _ = ds.commit("the first was wrong", rows=[0])
        >>> ds.num_edits, ds.age.numpy().tolist()
        (1, [10, 2, 30])
        """
        return self._history.commit(message, on_conflict, rows)

    def reset(self) -> None:
        """Drop everything since the last commit: edits, appended and popped samples, new tensors and classes."""
        self._history.reset()

    @property
    def is_behind(self) -> bool:
        """Whether another session has written to the dataset since it was read; needs a small read of the store."""
        return self._history.is_behind()

    def refresh(self) -> bool:
        """Read what other sessions have written since the dataset was opened, and keep the edits made here.

        Returns
        -------
        bool
            Whether there was anything new. Where others changed samples that are edited here, `commit` says so.
        """
        return self._history.refresh()

    def log(self) -> Log:
        """Return the commits that led here, the newest first."""
        return Log(self._history.commits())

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
        return self._history.diff(a, b)

    def history(self, row: int | None = None, *, uid: int | None = None) -> SampleHistory:
        """Return the edits of one sample, the newest first.

        Edits that are not committed are on top. Those made on branches that were merged
        are among them. Renaming a class is not an edit of its samples, and neither is
        creating or deleting a tensor.

        Parameters
        ----------
        row : int, optional
            The sample by its position, counted from the end when negative.
        uid : int, optional
            The sample by its identity instead, also one that was deleted: ``ds[0].uid``.

        Returns
        -------
        SampleHistory
            For each commit that changed the sample: who, when, the message, and each
            field before and after.

        Raises
        ------
        SampleIndexError
            If there is no such sample.

        Examples
        --------
        >>> import tempfile, penstock
        >>> ds = penstock.empty(tempfile.mkdtemp() + "/pets")
        >>> _ = ds.create_tensor("kinds", "class_label", class_names=["cat", "dog"])
        >>> ds.append({"kinds": ["cat"]})
        >>> _ = ds.commit("one cat")
        >>> ds.kinds[0] = ["dog"]
        >>> _ = ds.commit("it is a dog")
        >>> for edit in ds.history(0):
        ...     print(edit.message, "|", edit.words)
        it is a dog | - cat, + dog
        one cat | sample added
        >>> ds.history(0)[0].changes
        (kinds: ['cat'] → ['dog'],)
        """
        return self._history.of_sample(row, uid)

    @property
    def branches(self) -> list[str]:
        """Names of the branches, ``main`` first."""
        return self._branches.names()

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
        self._branches.checkout(ref, create=create)

    def merge(self, branch: str, *, prefer: Literal["ours", "theirs"] | None = None) -> MergeReport:
        """Take another branch's changes into this one, and commit them.

        Samples whose objects (boxes, their classes, everything aligned with them) were
        edited on both branches are joined object by object and field by field. An object
        is recognized by its ``annotation_id``, or by what it was in the commit that both
        branches come from. New objects of both are kept, an object drawn alike on both once.

        Parameters
        ----------
        branch : str
            The branch, whose own uncommitted edits stay there.
        prefer : {"ours", "theirs"}, optional
            Whose value is taken in each conflict. All other edits are taken from both.

        Returns
        -------
        MergeReport
            A list of `Conflict`: fields of objects, and samples, that both branches
            changed to different values. Where there are any and `prefer` is not given,
            nothing was merged. Its ``notes`` say what else is worth a look.

        Raises
        ------
        UncommittedChangesError
            If this branch has changes that are not committed.
        ConflictError
            If a tensor has types on the two branches that cannot hold the other's samples,
            or a sample cannot get an entry for each of its objects.

        Warns
        -----
        UserWarning
            If the report has notes, such as an object drawn on both branches.

        Examples
        --------
        >>> import tempfile, penstock
        >>> ds = penstock.empty(tempfile.mkdtemp() + "/two")
        >>> _ = ds.create_tensor("boxes", "bbox")
        >>> _ = ds.create_tensor("kinds", "class_label", class_names=["cat", "dog"], aligned_with="boxes")
        >>> ds.append({"boxes": [[0, 0, 9, 9], [20, 0, 9, 9]], "kinds": ["cat", "cat"]})
        >>> _ = ds.commit("two cats")
        >>> ds.checkout("ann", create=True)
        >>> ds.kinds[0] = ["dog", "cat"]
        >>> _ = ds.commit("the first is a dog")
        >>> ds.checkout("main")
        >>> ds.boxes[0] = [[0, 0, 9, 9], [21, 1, 9, 9]]
        >>> _ = ds.commit("move the second")
        >>> ds.merge("ann")
        merged without conflicts
        >>> ds.kinds[0].data()["text"], ds.boxes[0].numpy()[1].tolist()
        (['dog', 'cat'], [21.0, 1.0, 9.0, 9.0])
        """
        return self._branches.merge(branch, prefer)

    @property
    def tags(self) -> dict[str, str]:
        """Tags and the commit each of them names."""
        return self._tags.by_name()

    def tag(self, name: str, ref: str | None = None) -> None:
        """Name a commit.

        Parameters
        ----------
        name : str
            A name that is not taken.
        ref : str, optional
            A commit; by default the last one.
        """
        self._tags.add(name, ref)

    def delete_tag(self, name: str) -> None:
        """Take a tag away; the commit stays."""
        self._tags.delete(name)

    # ---- upkeep --------------------------------------------------------------------------

    def cleanup(self, older_than: timedelta | None = None, *, dry_run: bool = False) -> Cleanup:
        """Delete the files of states that nothing holds, on every branch.

        Commits, tags, branches, saved views, training runs with the versions they trained on,
        edits that are not committed and versions that someone has open stay as they are. So
        does everything that names a commit: states of loaders, exported code. Files of
        processes that died are deleted as well, but a file that belongs to no version only
        once it is a week old: another process may be about to commit it.

        Parameters
        ----------
        older_than : timedelta, optional
            Only states older than this, by default 14 days.
        dry_run : bool
            Report what would be freed, and delete nothing.

        Returns
        -------
        Cleanup
            How many versions, files and bytes, and why the others were kept.

        Raises
        ------
        ReadOnlyError
            If the dataset is read-only.

        Notes
        -----
        Versions are known to be open on a local disk (not on Windows). In an object store
        only their age protects them: keep `older_than` longer than a session lasts.

        Examples
        --------
        >>> import tempfile, penstock
        >>> from datetime import timedelta
        >>> ds = penstock.empty(tempfile.mkdtemp() + "/ages")
        >>> _ = ds.create_tensor("age")
        >>> for age in range(3):
        ...     ds.append({"age": age})
        ...     ds.flush()
        >>> _ = ds.commit("three ages")
        >>> ds.cleanup(timedelta(0), dry_run=True).versions == ds.cleanup(timedelta(0)).versions
        True
        >>> ds.cleanup(timedelta(0)).files
        0
        """
        return clean_up(self._opened, older_than, dry_run=dry_run)

    def compact(self) -> Compacted:
        """Merge small files of this branch into large ones, and drop deleted samples from them.

        The samples, their order and identity stay, and so do all commits. Committing
        merges some files by itself; this leaves as few as there can be, which is worth it
        after thousands of small commits. Another process may write meanwhile. What the
        old files take is free after `cleanup`, as far as no commit needs them.

        Returns
        -------
        Compacted
            How many files there were, and are.

        Raises
        ------
        ReadOnlyError
            If the dataset is read-only.

        Examples
        --------
        >>> import tempfile, penstock
        >>> ds = penstock.empty(tempfile.mkdtemp() + "/ages")
        >>> _ = ds.create_tensor("age")
        >>> for age in range(3):
        ...     ds.append({"age": age})
        ...     _ = ds.commit(f"age {age}")
        >>> ds.compact()
        merged 3 files into 1
        >>> ds.has_changes, ds.age.numpy().tolist()
        (False, [0, 1, 2])
        """
        return compact(self._opened)
