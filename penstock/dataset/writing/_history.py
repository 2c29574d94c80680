"""The commits that led to a commit, even if the record of one in between is gone."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.storage import Commit, Store, commit_before, commits

__all__ = ["ancestors", "history", "nearest_common"]


def history(store: Store, last: Commit | None, known: Mapping[str, Commit] | None = None) -> list[Commit]:
    """Return a commit and those before it, the newest first; `known`: every commit by id, if they were listed."""
    known = {commit.id: commit for commit in commits(store)} if known is None else known
    found: list[Commit] = []
    while last is not None and last not in found[-1:]:
        found.append(last)
        last = (
            known.get(last.parent or "")
            or (commit_before(store, last) if last.parent else None)
            or _before(last, known)
        )
    return found


def _before(commit: Commit, known: Mapping[str, Commit]) -> Commit | None:
    """Return the previous commit: its parent, or the newest earlier one of its branch if the parent is gone."""
    if commit.parent is None:
        return None
    if commit.parent in known:
        return known[commit.parent]
    earlier = [other for other in known.values() if other.branch == commit.branch and other.version < commit.version]
    return max(earlier, key=lambda other: other.version, default=None)


def ancestors(store: Store, last: Commit | None, known: Mapping[str, Commit] | None = None) -> set[str]:
    """Return the ids of a commit and of all before it, those of merged branches included."""
    return _ancestors({commit.id: commit for commit in commits(store)} if known is None else known, last)


def _ancestors(known: Mapping[str, Commit], last: Commit | None) -> set[str]:
    found: set[str] = set()
    waiting = [last]
    while waiting:
        commit = waiting.pop()
        if commit is not None and commit.id not in found:
            found.add(commit.id)
            waiting += [_before(commit, known), known.get(commit.merged or "")]
    return found


def nearest_common(store: Store, ours: Commit | None, theirs: Commit | None) -> Commit | None:
    """Return the newest commit that led to both; None if there is none."""
    known = {commit.id: commit for commit in commits(store)}
    common = _ancestors(known, ours) & _ancestors(known, theirs)
    shared = [known[commit_id] for commit_id in common if commit_id in known]
    # what led to both is closed under going back, so its newest are those that no other of it names
    named = {before.id for commit in shared if (before := _before(commit, known))} | {c.merged for c in shared}
    newest = [commit for commit in shared if commit.id not in named]
    return max(newest, key=lambda commit: (commit.time, commit.version), default=None)
