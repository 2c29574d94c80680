"""Commits: records inside the versions they create; a tag keeps each from being cleaned up."""

from __future__ import annotations

import getpass
import os
import re
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from penstock._wording import nearest
from penstock.errors import CommitNotFoundError, DatasetError, PenstockError, StorageError
from penstock.storage._wrap import wrapped
from penstock.storage.reading._snapshot import Snapshot
from penstock.storage.versions._tags import (
    COMMIT,
    Mark,
    create_tag,
    damaged_refs,
    delete_tag_named,
    has_tag,
    tags_named,
)
from penstock.storage.writing._landing import kind_of

if TYPE_CHECKING:
    from penstock.storage.writing._store import Store

__all__ = [
    "Commit",
    "author",
    "branch_names",
    "clean_version",
    "commit_before",
    "commit_kind",
    "commits",
    "decoded",
    "delete_tag",
    "encoded",
    "find_version",
    "is_clean",
    "keep",
    "last_commit",
    "new_record",
    "set_tag",
    "since_commit",
    "user_tags",
    "wrong_tags",
]

_USER = "user-"
_MIN_PREFIX = 4
_RECORD = "commit"  # of the dataset's description: the last commit, in every version that follows it
_NOTED = ("message", "author", "parent", "merged")
_LOOK_BACK = 64  # versions
_UPKEEP = {"Rewrite", "Merge"}  # files merged, columns of no values added: nothing a reader sees
_RESERVED = "BaseOperation"  # as the engine tells of numbers reserved for the files of the next version, a Rewrite


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A version with a message.

    Parameters
    ----------
    id : str
        24 hexadecimal digits, the one name of the commit on every branch.
    version : int
        Version of the store, on the branch it was made on.
    branch : str or None
        The branch it was made on, None for the first one.
    message, author : str
        What was said, and by whom.
    time : datetime
        When, in UTC.
    parent : str or None
        The commit before it.
    merged : str or None
        The commit of another branch that it took in.
    """

    id: str
    version: int
    branch: str | None
    message: str
    author: str
    time: datetime
    parent: str | None
    merged: str | None = None


def encoded(name: str) -> str:
    """Return a name as the engine takes it: other characters as '.' and hexadecimal digits."""
    return "".join(
        character
        if re.fullmatch(r"[A-Za-z0-9_-]", character)
        else "".join(f".{byte:02x}" for byte in character.encode())
        for character in name
    )


def decoded(name: str) -> str:
    """Return the original of an encoded name."""
    return re.sub(
        r"(?:\.[0-9a-f]{2})+", lambda found: bytes.fromhex(found[0].replace(".", "")).decode(errors="replace"), name
    )


# ---- records -------------------------------------------------------------------------------------


def new_record(message: str, parent: str | None, *, merged: str | None = None) -> dict[str, str]:
    """Return what is written into the version that a commit makes."""
    return {
        "id": secrets.token_hex(12),
        "message": message,
        "author": author(),
        "time": repr(time.time()),
        "parent": parent or "",
        "merged": merged or "",
    }


def author() -> str:
    """Return the author: PENSTOCK_AUTHOR, or else the user's name."""
    named = os.environ.get("PENSTOCK_AUTHOR")
    if named:
        return named
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


def _commit(record: Mapping[str, Any], commit_id: str, branch: str | None, version: int) -> Commit:
    return Commit(
        id=commit_id,
        version=version,
        branch=branch,
        message=str(record.get("message", "")),
        author=str(record.get("author", "unknown")),
        time=_time(record.get("time")),
        parent=str(record.get("parent") or "") or None,
        merged=str(record.get("merged") or "") or None,
    )


def _time(text: Any) -> datetime:
    with suppress(ValueError, TypeError, OverflowError, OSError):
        return datetime.fromtimestamp(float(text), UTC)
    return datetime.fromtimestamp(0, UTC)


def _record_in(snapshot: Snapshot) -> dict[str, Any]:
    """Return the record of the last commit at or before a version; empty in datasets that kept it in tags."""
    record = snapshot.meta.get(_RECORD)
    return record if isinstance(record, dict) and isinstance(record.get("id"), str) else {}


# ---- finding -------------------------------------------------------------------------------------


def commits(store: Store) -> list[Commit]:
    """Return every commit of every branch, the oldest first."""
    found = [_from_tag(store, commit_id, mark) for commit_id, mark in tags_named(store, COMMIT).items()]
    return sorted((commit for commit in found if commit), key=lambda commit: (commit.time, commit.version))


def _from_tag(store: Store, commit_id: str, mark: Mark) -> Commit | None:
    if mark.note.get("time"):
        return _commit(mark.note, commit_id, mark.branch, mark.version)
    with suppress(PenstockError):
        record = _record_in(store.on(mark.branch).at(mark.version))
        if record.get("id") == commit_id:
            return _commit(record, commit_id, mark.branch, mark.version)
    return None


def last_commit(store: Store, snapshot: Snapshot, known: Commit | None = None) -> Commit | None:
    """Return the last commit at or before a version of the store's branch; `known` spares looking for it."""
    record = _record_in(snapshot)
    if not record:
        return _last_tagged(store, snapshot.version)
    commit_id: str = record["id"]
    if known is not None and known.id == commit_id:
        return known
    version = _made_at(snapshot, commit_id)
    if version is not None:
        return _commit(record, commit_id, store.branch, version)
    mark = tags_named(store, COMMIT).get(commit_id)
    branch, made = (mark.branch, mark.version) if mark else (store.branch, snapshot.version)
    return _commit(record, commit_id, branch, made)


def _made_at(snapshot: Snapshot, commit_id: str) -> int | None:
    """Return the version of the snapshot's branch that a commit created, among the latest ones, or None."""
    for version in range(snapshot.version, max(0, snapshot.version - _LOOK_BACK), -1):
        kind, operation = kind_of(snapshot.handle, version)
        if kind == commit_kind(commit_id):
            return version
        if operation is None or type(operation).__name__ == "Clone":
            return None
    return None


def commit_kind(commit_id: str) -> str:
    """Return the record that is stored with the version of a commit."""
    return f"commit {commit_id}"


def keep(store: Store, commit: Commit) -> None:
    """Tag a commit's version so that it stays and the history lists it; again, or on a full disk, is no error."""
    name = f"{COMMIT}{commit.id}"
    with suppress(StorageError):
        if not has_tag(store, name):
            note = {
                "message": commit.message,
                "author": commit.author,
                "time": repr(commit.time.timestamp()),
                "parent": commit.parent or "",
                "merged": commit.merged or "",
            }
            create_tag(store, name, commit.branch, commit.version, note)


def _last_tagged(store: Store, version: int) -> Commit | None:
    """Return the last commit at or before a version, by tags: datasets of before had no other record."""
    known = commits(store)
    branch = store.branch
    while True:
        mine = [commit for commit in known if commit.branch == branch and commit.version <= version]
        if mine or branch is None:
            return max(mine, key=lambda commit: commit.version, default=None)
        branch, version = _made_from(store, branch)


def _made_from(store: Store, branch: str) -> tuple[str | None, int]:
    """Return the branch and version that a branch was created from."""
    with wrapped(f"read the branches of {store.location.path!r}"):
        made_from = store.handle.branches.list()[branch]
    return made_from["parent_branch"], int(made_from["parent_version"])


def clean_version(store: Store, last: Commit | None) -> int:
    """Return the version of the store's branch that contains its last commit and nothing after it."""
    if last is not None and last.branch == store.branch:
        return last.version
    return 1 if store.branch is None else _made_from(store, store.branch)[1]


def is_clean(store: Store, snapshot: Snapshot, last: Commit | None) -> bool:
    """Return whether a version equals its last commit; maintenance versions after it change nothing."""
    return last is not None and bool(since_commit(store, snapshot, last))


def since_commit(store: Store, snapshot: Snapshot, last: Commit | None) -> list[int]:
    """Return the maintenance versions from a version back to one that equals its last commit; none if it differs."""
    version, later, found = snapshot.version, "", []
    while version > 0:
        found.append(version)
        if last is not None and (last.branch, last.version) == (store.branch, version):
            return found
        kind, operation = kind_of(snapshot.handle, version)
        if kind is not None:
            return found if kind == "reset" or kind.startswith("commit ") else []
        name = type(operation).__name__
        if name == "Clone":
            return found
        if name == "Restore":
            version = int(operation.version)
            continue
        if name not in _UPKEEP and (name, later) != (_RESERVED, "Rewrite"):
            return []
        version, later = version - 1, name
    return []


def find_version(store: Store, name: str) -> tuple[str | None, int | None]:
    """Return (branch, version) of a commit id or its beginning, a tag, or a branch (version None)."""
    marks = {**tags_named(store, COMMIT)}
    mine = user_tags(store)
    exact = marks.get(name) or mine.get(name)
    if exact:
        return exact.branch, exact.version
    branches = branch_names(store)
    if name == "main" or name in branches:
        return (None if name == "main" else encoded(name)), None
    begun = [commit_id for commit_id in marks if len(name) >= _MIN_PREFIX and commit_id.startswith(name)]
    if len(begun) == 1:
        return marks[begun[0]].branch, marks[begun[0]].version
    if begun:
        raise CommitNotFoundError(f"{name!r} matches {len(begun)} commit ids. Expected more digits")
    known = [*marks, *mine, *branches, "main"]
    like = nearest(name, known)
    raise CommitNotFoundError(
        f"{name!r} is not a commit, tag or branch of {store.location.path!r}",
        hint=f"did you mean {like!r}?" if like else "ds.log() lists the commits",
    )


def branch_names(store: Store) -> list[str]:
    """Return the names of all branches but the first."""
    with wrapped(f"read the branches of {store.location.path!r}"):
        return sorted(decoded(name) for name in store.handle.branches.list())


def commit_before(store: Store, commit: Commit) -> Commit | None:
    """Return the previous commit from the version a commit is based on, if its own tag is gone."""
    with suppress(PenstockError):
        on_branch = store.on(commit.branch)
        found = last_commit(on_branch, on_branch.at(commit.version - 1))
        return found if found is not None and found.id != commit.id else None
    return None


def wrong_tags(store: Store) -> list[str]:
    """Return what is wrong with tags and branches: what cannot be read, or is not what its version records."""
    wrong = [f"the record {file!r} cannot be read" for file in damaged_refs(store)]
    for commit_id, mark in tags_named(store, COMMIT).items():
        record = _record_at(store, mark)
        told = {key: mark.note[key] for key in _NOTED if mark.note.get(key)}
        if record and (record.get("id") != commit_id or any(record.get(key) != told[key] for key in told)):
            wrong.append(f"the tag of commit {commit_id} does not match the record in its version")
    for name, mark in user_tags(store).items():
        if mark.note.get(_RECORD) and _record_at(store, mark).get("id") != mark.note[_RECORD]:
            wrong.append(f"the tag {name!r} does not point to the commit it was created for")
    return wrong


def _record_at(store: Store, mark: Mark) -> dict[str, Any]:
    with suppress(PenstockError):
        return _record_in(store.on(mark.branch).at(mark.version))
    return {}


# ---- the user's own tags -------------------------------------------------------------------------


def user_tags(store: Store) -> dict[str, Mark]:
    """Return the user's own tags."""
    return {decoded(name): mark for name, mark in tags_named(store, _USER).items()}


def set_tag(store: Store, name: str, branch: str | None, version: int) -> None:
    """Tag a version with a name chosen by the user."""
    if not isinstance(name, str) or not name or name in user_tags(store) or name in {"main", *branch_names(store)}:
        raise DatasetError(f"{name!r} is not a valid tag name. Expected a name that is not in use")
    record = _record_in(store.on(branch).at(version))
    note = {_RECORD: str(record["id"])} if record else None
    with store.location.lock():
        create_tag(store, f"{_USER}{encoded(name)}", branch, version, note)


def delete_tag(store: Store, name: str) -> None:
    """Take a name of the user's away."""
    delete_tag_named(store, f"{_USER}{encoded(name)}")
