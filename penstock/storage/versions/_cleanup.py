"""Free the files of versions that nothing holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.errors import PenstockError
from penstock.storage._readers import read_versions
from penstock.storage._staging import size_of
from penstock.storage._wrap import wrapped
from penstock.storage.versions._commits import commit_kind, keep, last_commit, since_commit
from penstock.storage.versions._tags import COMMIT, sweep_tags, tags_named
from penstock.storage.writing._landing import kind_of, latest
from penstock.storage.writing._publishing import left_in_store, sweep_store

if TYPE_CHECKING:
    import lance

    from penstock.storage.writing._store import Store

__all__ = ["Freed", "Version", "cleanup"]

Version = tuple[str | None, int]  # branch and number
_NEVER = timedelta(days=36500)  # older than any version: the engine then frees only what belongs to none
_COMMITS, _BRANCHES, _HEADS = "commits and tags", "starts of branches", "heads"
_READERS, _YOUNG = "open readers", "too young"


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """What was freed, or would be.

    Parameters
    ----------
    versions, files, bytes : int
        Versions, their files and those that belong to none, and their bytes.
    leftovers : int
        Those of the files that processes left when they died.
    failed : int
        Files that the store refused to delete.
    kept : mapping of str to int
        For each reason, how many versions it kept. A version counts for the first reason.
    """

    versions: int = 0
    files: int = 0
    bytes: int = 0
    leftovers: int = 0
    failed: int = 0
    kept: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Freed) -> Freed:
        return Freed(
            versions=self.versions + other.versions,
            files=self.files + other.files,
            bytes=self.bytes + other.bytes,
            leftovers=self.leftovers + other.leftovers,
            failed=self.failed + other.failed,
            kept=dict(Counter(self.kept) + Counter(other.kept)),
        )


def cleanup(store: Store, older_than: timedelta, held: Mapping[str, Iterable[Version]], *, dry_run: bool) -> Freed:
    """Delete the files of versions that are older and that nothing holds, on every branch.

    A file that belongs to no version may be about to: it stays until it is a week old, whatever `older_than` says.

    Parameters
    ----------
    store : Store
        The dataset.
    older_than : timedelta
        The age from which on a version may go.
    held : mapping of str to iterable of Version
        Versions that stay, by the reason.
    dry_run : bool
        Whether to count only.
    """
    location = store.location
    with location.lock(), wrapped(f"clean up {location.path!r}"):
        branches = store.handle.branches.list()
        starts = [(entry["parent_branch"], int(entry["parent_version"])) for entry in branches.values()]
        every = {
            **held,
            _BRANCHES: starts,
            _READERS: set() if location.is_remote else read_versions(Path(location.path)),
        }
        dead, far = location.leftovers(), left_in_store(location, older_than)
        count = len(dead) + len(far)
        total = Freed(files=count, leftovers=count, bytes=size_of(dead) + sum(far.values()))
        if not dry_run:
            sweep_tags(store)
            location.sweep(staging=True)
            sweep_store(location, older_than)
        for branch in [*branches, None]:
            total += _freed(store.on(branch), older_than, every, dry_run)
    return total


def _freed(store: Store, older_than: timedelta, held: Mapping[str, Iterable[Version]], dry_run: bool) -> Freed:
    """Clean up one branch."""
    handle = latest(store.handle, store.branch)
    reasons = _reasons(store, handle, held)
    limit = datetime.now() - older_than  # noqa: DTZ005  the engine tells times of versions in local time
    gone, kept = [], Counter[str]()
    for entry in handle.versions():
        version = int(entry["version"])
        reason = reasons.get(version) or (_YOUNG if entry["timestamp"] > limit else None)
        if reason is None and _is_commit(store, handle, version, dry_run):
            reason = _COMMITS
        if reason is None:
            gone.append(version)
        else:
            kept[reason] += 1
    chosen = {"versions": gone} if gone else {"older_than": _NEVER}
    action = handle.explain_cleanup_old_versions if dry_run else handle.cleanup_old_versions
    found = action(**chosen, error_if_tagged_old_versions=False)
    stats = found.stats if dry_run else found
    extra = stats.transaction_files_removed + stats.index_files_removed + stats.deletion_files_removed
    return Freed(
        versions=stats.old_versions,
        files=stats.old_versions + stats.data_files_removed + extra,
        bytes=stats.bytes_removed,
        failed=stats.failed_deletes,
        kept=kept,
    )


def _reasons(store: Store, handle: lance.LanceDataset, held: Mapping[str, Iterable[Version]]) -> dict[int, str]:
    """Return why versions of a branch stay; the first reason counts."""
    head = store.at(int(handle.version))
    found = dict.fromkeys([int(handle.version), *since_commit(store, head, last_commit(store, head))], _HEADS)
    for mark in tags_named(store, "").values():
        if mark.branch == store.branch:
            found.setdefault(mark.version, _COMMITS)
    for reason, versions in held.items():
        for branch, version in versions:
            if branch == store.branch:
                found.setdefault(version, reason)
    first = min(int(entry["version"]) for entry in handle.version_refs())
    found.setdefault(first, _BRANCHES)  # what `reset` goes back to before the first commit
    return found


def _is_commit(store: Store, handle: lance.LanceDataset, version: int, dry_run: bool) -> bool:
    """Return whether a version is a commit whose tag was never written, and write it."""
    kind, _ = kind_of(handle, version)
    if kind is None or not kind.startswith(commit_kind("")):
        return False
    commit_id = kind.removeprefix(commit_kind(""))
    if commit_id in tags_named(store, COMMIT):  # it was made again, as another version
        return False
    with suppress(PenstockError):
        made = last_commit(store, store.at(version))
        if made is None or made.id != commit_id:
            return False
        if not dry_run:
            keep(store, made)
    return True
