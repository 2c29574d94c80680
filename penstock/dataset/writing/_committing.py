"""Commits of a working head: the draft and the record of the commit become one version, or nothing does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress

import numpy as np

from penstock.dataset.objects._joining import Side
from penstock.dataset.writing._conflicts import Prefer, edit_conflicts, refuse, settled_draft
from penstock.dataset.writing._description import label_lengths, object_counts_of, with_label_lengths, write_draft_into
from penstock.dataset.writing._groups import check_groups
from penstock.dataset.writing._joined_edits import joined_edits
from penstock.dataset.writing._working import Working
from penstock.errors import DatasetError, PenstockError, StorageError
from penstock.storage import Commit, Steps, clean_version, commit_kind, keep, new_record
from penstock.table import Draft, DraftFile, StoredTable
from penstock.tensors import TensorSpec, group_of

__all__ = ["commit", "land", "length_warnings", "reset"]


def length_warnings(working: Working, uids: Collection[int] | None = None) -> list[str]:
    """Name edited samples, or those of `uids` alone, whose boxes and labels no longer agree in number."""
    boxes = [name for name, spec in working.specs.items() if spec.htype == "bbox"]
    labels = [name for name, spec in working.specs.items() if spec.htype == "class_label"]
    found = []
    for box in boxes:
        for label in labels:
            if label in group_of(working.specs, box):
                continue  # the commit refuses them
            rows = np.union1d(working.table.edited_rows(box), working.table.edited_rows(label)).astype(np.int64)
            if uids is not None:
                rows = rows[np.isin(working.table.uids(rows), np.fromiter(uids, np.int64, len(uids)))]
            before = object_counts_of(working.stored.column(box), rows, 4) == object_counts_of(
                working.stored.column(label), rows, 1
            )
            after = object_counts_of(working.table.column(box), rows, 4) == object_counts_of(
                working.table.column(label), rows, 1
            )
            broken = rows[before & ~after]
            if len(broken):
                found.append(
                    f"sample {broken[0]} has different numbers of {box!r} and {label!r} after the edit "
                    f"({len(broken)} such samples)"
                )
    return found


def commit(working: Working, message: str, *, on_conflict: Prefer, uids: Collection[int] | None = None) -> Commit:
    """Write the draft to the head and record the commit, in one step; then tag its version.

    Parameters
    ----------
    working : Working
        The head.
    message : str
        What was changed and why.
    on_conflict : {"raise", "ours", "theirs"}
        What happens to samples that another session has committed.
    uids : collection of int, optional
        Samples whose edits are committed; the edits of others stay in the draft. All by default.
    """
    try:
        return _commit(working, message, on_conflict, uids)
    except BaseException:
        working.forget_table()  # it may show only what was to be committed
        raise


def _commit(working: Working, message: str, on_conflict: Prefer, uids: Collection[int] | None) -> Commit:
    with working.store.location.lock():
        working.refresh()
        session = working.drafts.pending(uids)
        kept = Draft() if uids is None else working.draft.without(set(uids))
        side: Side = "theirs" if on_conflict == "theirs" else "ours"
        joined = joined_edits(working.store, working.stored, session, side)
        conflicts = edit_conflicts(working.store, working.stored, session, joined.settled)
        if (conflicts or joined.conflicts) and on_conflict == "raise":
            refuse([*joined.conflicts, *conflicts], working.last_commit)
        draft = joined.into(settled_draft(session, working.stored, conflicts, on_conflict))
        working.show_draft(draft)
        if not draft and working.is_clean():
            if session.draft:
                working.change_draft(lambda _: kept)
            elif kept:
                raise DatasetError(
                    "there is nothing to commit: none of the chosen samples is edited",
                    hint="ds.commit(message) commits all edits",
                )
            raise DatasetError(
                "there is nothing to commit: nothing has changed since the last commit",
                hint="ds.log() lists the commits",
            )
        check_groups(working.table, working.specs, lambda: _committed_specs(working))
        working.store.compact()
        working.store.add_columns([working.specs[name] for name in draft.edits])

        def change(steps: Steps) -> None:
            write_draft_into(steps, working.specs, draft, working.stored)

        return land(working, change, message, kept=kept)


def _committed_specs(working: Working) -> dict[str, TensorSpec]:
    """Return the specs of the last commit."""
    last = _last_table(working)
    return {} if last is None else last.specs


def _last_table(working: Working) -> StoredTable | None:
    """Return the last commit; None where there is none, or its version is gone."""
    last = working.last_commit
    if last is None:
        return None
    with suppress(PenstockError):
        return StoredTable(working.store.on(last.branch).at(last.version), last.id)
    return None


def land(
    working: Working,
    changes: Callable[[Steps], None],
    message: str,
    *,
    merged: Commit | None = None,
    kept: Draft | None = None,
) -> Commit:
    """Make the changes the newest version together with the record of a commit, then tag it.

    `kept` are edits that stay in the draft. They are written to files of their own first: until the version is there
    these only repeat other files, and from then on these alone count.
    """
    session = working.drafts
    before = _last_table(working)
    parent = working.last_commit.id if working.last_commit else None
    record = new_record(message, parent, merged=merged.id if merged else None)
    session.sweep(working.stored)
    taken = session.largest()
    left = kept or Draft()
    files = session.save_again(left, working.stored) if left else []

    def change(steps: Steps) -> None:
        changes(steps)
        lengths = label_lengths(StoredTable(steps.snapshot(), "", working.stored), before)
        working.digests.record(steps.snapshot(), record["id"])
        steps.set_meta(lambda meta: {**with_label_lengths(meta, lengths), "commit": record, "drafts": taken})

    action = f"commit to {working.store.location.path!r}"
    with _looking_again(working, left, files):
        version = working.store.transact(action, commit_kind(record["id"]), change)
    working.look_at(working.store.at(version))
    made = working.last_commit
    if made is None or made.id != record["id"]:
        raise DatasetError(f"the commit {record['id']} is not at version {version}, because another process removed it")
    keep(working.store, made)
    session.keep_only(left, files)
    working.refresh()
    return made


@contextmanager
def _looking_again(working: Working, kept: Draft, files: Sequence[DraftFile]) -> Iterator[None]:
    """If a step that includes the draft, but the edits in some files, fails, check whether it had already succeeded."""
    try:
        yield
    except StorageError:
        with suppress(PenstockError):
            working.refresh()
            working.drafts.drop_taken(working.stored, kept, files)
            working.forget_table()
        raise


def reset(working: Working) -> None:
    """Go back to the last commit, in one step: what it leaves behind includes the draft."""
    with working.store.location.lock():
        working.refresh()
        session = working.drafts
        if working.is_clean():
            working.change_draft(lambda _: Draft())
            return
        start = clean_version(working.store, working.last_commit)
        session.sweep(working.stored)
        with _looking_again(working, Draft(), ()):
            working.store.transact(
                f"reset {working.store.location.path!r}",
                "reset",
                lambda steps: steps.set_meta(lambda meta: {**meta, "drafts": session.largest()}, always=True),
                start=start,
            )
        session.drop()
        working.refresh()
