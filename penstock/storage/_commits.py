"""Commits: tags of the engine that carry message, author, time and parent."""

from __future__ import annotations

import getpass
import os
import re
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from penstock.errors import CommitNotFoundError, DatasetError, nearest
from penstock.storage._wrap import wrapped

if TYPE_CHECKING:
    from penstock.storage._store import Store

__all__ = [
    "Commit",
    "Mark",
    "branch_names",
    "commits",
    "decoded",
    "delete_tag",
    "encoded",
    "find_version",
    "head_commit",
    "make_commit",
    "mark_view",
    "set_tag",
    "unmark_view",
    "user_tags",
    "view_marks",
]

_COMMIT = "commit-"
_USER = "user-"
_VIEW = "view-"
_MIN_PREFIX = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A version with a message.

    Parameters
    ----------
    id : str
        24 hexadecimal digits; the first eight are the time.
    version : int
        Version of the store.
    branch : str or None
        The branch it was made on, None for the first one.
    message, author : str
        What was said, and by whom.
    time : datetime
        When, in UTC.
    parent : str or None
        The commit before it.
    """

    id: str
    version: int
    branch: str | None
    message: str
    author: str
    time: datetime
    parent: str | None


def encoded(name: str) -> str:
    """Return a name as the engine takes it: other characters as '.' and hexadecimal digits."""
    return "".join(
        character
        if re.fullmatch(r"[A-Za-z0-9_-]", character)
        else "".join(f".{byte:02x}" for byte in character.encode())
        for character in name
    )


def decoded(name: str) -> str:
    """Return what `encoded` was given."""
    return re.sub(r"(?:\.[0-9a-f]{2})+", lambda found: bytes.fromhex(found[0].replace(".", "")).decode(), name)


def _tags(store: Store) -> dict[str, Any]:
    with wrapped(f"read the history of {store.location.path!r}"):
        tags: dict[str, Any] = store.handle.tags.list()
    return tags


def commits(store: Store) -> list[Commit]:
    """Return every commit of every branch, the oldest first."""
    found = [_commit(name, tag) for name, tag in _tags(store).items() if name.startswith(_COMMIT)]
    return sorted(found, key=lambda commit: (commit.time, commit.version))


def _commit(name: str, tag: dict[str, Any]) -> Commit:
    said = tag.get("metadata") or {}
    return Commit(
        id=name.removeprefix(_COMMIT),
        version=int(tag["version"]),
        branch=tag["branch"],
        message=said.get("message", ""),
        author=said.get("author", "unknown"),
        time=datetime.fromtimestamp(float(said.get("time", 0)), UTC),
        parent=said.get("parent") or None,
    )


def head_commit(store: Store, version: int | None = None) -> Commit | None:
    """Return the last commit at or before a version of the store's branch."""
    version = store.handle.version if version is None else version
    known = commits(store)
    branch = store.branch
    while True:
        mine = [commit for commit in known if commit.branch == branch and commit.version <= version]
        if mine or branch is None:
            return max(mine, key=lambda commit: commit.version, default=None)
        with wrapped(f"read the branches of {store.location.path!r}"):
            made_from = store.handle.branches.list()[branch]
        branch, version = made_from["parent_branch"], int(made_from["parent_version"])


def make_commit(store: Store, message: str, parent: str | None) -> Commit:
    """Tag the newest version as a commit."""
    now = time.time()
    name = f"{_COMMIT}{secrets.token_hex(12)}"
    version = store.head().version
    said = {"message": message, "author": _author(), "time": repr(now), "parent": parent or ""}
    with wrapped(f"commit to {store.location.path!r}"):
        store.handle.tags.create(name, version if store.branch is None else (store.branch, version))
        store.handle.tags.replace_metadata(name, said)
        return _commit(name, store.handle.tags.list()[name])


def _author() -> str:
    named = os.environ.get("PENSTOCK_AUTHOR")
    if named:
        return named
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


def find_version(store: Store, name: str) -> tuple[str | None, int | None]:
    """Return (branch, version) of a commit id or its beginning, a tag, or a branch (version None)."""
    tags = _tags(store)
    exact = tags.get(f"{_COMMIT}{name}") or tags.get(f"{_USER}{encoded(name)}")
    if exact:
        return exact["branch"], int(exact["version"])
    branches = branch_names(store)
    if name == "main" or name in branches:
        return (None if name == "main" else encoded(name)), None
    ids = [tag.removeprefix(_COMMIT) for tag in tags if tag.startswith(_COMMIT)]
    begun = [commit_id for commit_id in ids if len(name) >= _MIN_PREFIX and commit_id.startswith(name)]
    if len(begun) == 1:
        tag = tags[f"{_COMMIT}{begun[0]}"]
        return tag["branch"], int(tag["version"])
    if begun:
        raise CommitNotFoundError(f"{name!r} begins {len(begun)} commit ids; expected more of its digits")
    known = [*ids, *user_tags(store), *branches, "main"]
    like = nearest(name, known)
    raise CommitNotFoundError(
        f"no commit, tag or branch {name!r} in {store.location.path!r}",
        hint=f"did you mean {like!r}?" if like else "ds.log() lists the commits",
    )


def branch_names(store: Store) -> list[str]:
    """Return the names of the branches beside the first one."""
    with wrapped(f"read the branches of {store.location.path!r}"):
        return sorted(decoded(name) for name in store.handle.branches.list())


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A name for a version, with what is said of it.

    Parameters
    ----------
    branch : str or None
        The branch of the version, None for the first one.
    version : int
        Version of the store.
    said : dict of str to str
        Metadata.
    """

    branch: str | None
    version: int
    said: dict[str, str]


def _marks(store: Store, kind: str) -> dict[str, Mark]:
    return {
        decoded(name.removeprefix(kind)): Mark(
            branch=tag["branch"], version=int(tag["version"]), said=dict(tag.get("metadata") or {})
        )
        for name, tag in sorted(_tags(store).items())
        if name.startswith(kind)
    }


def _mark(store: Store, name: str, at: Mark) -> None:
    with wrapped(f"tag {store.location.path!r}"):
        store.handle.tags.create(name, at.version if at.branch is None else (at.branch, at.version))
        store.handle.tags.replace_metadata(name, at.said)


def user_tags(store: Store) -> dict[str, Mark]:
    """Return the user's own tags."""
    return _marks(store, _USER)


def set_tag(store: Store, name: str, branch: str | None, version: int) -> None:
    """Give a version a name of the user's."""
    if not isinstance(name, str) or not name or name in user_tags(store) or name in {"main", *branch_names(store)}:
        raise DatasetError(f"a tag named {name!r}; expected a name that is not taken")
    _mark(store, f"{_USER}{encoded(name)}", Mark(branch=branch, version=version, said={}))


def delete_tag(store: Store, name: str) -> None:
    """Take a name of the user's away."""
    with wrapped(f"delete the tag {name!r} of {store.location.path!r}"):
        store.handle.tags.delete(f"{_USER}{encoded(name)}")


def view_marks(store: Store) -> dict[str, Mark]:
    """Return the saved views."""
    return _marks(store, _VIEW)


def mark_view(store: Store, view_id: str, at: Mark) -> None:
    """Keep the version of a saved view, or say more of one that is kept already."""
    name = f"{_VIEW}{encoded(view_id)}"
    if view_id in view_marks(store):
        with wrapped(f"change the view {view_id!r} of {store.location.path!r}"):
            store.handle.tags.replace_metadata(name, at.said)
    else:
        _mark(store, name, at)


def unmark_view(store: Store, view_id: str) -> None:
    """Let go of the version of a saved view."""
    with wrapped(f"delete the view {view_id!r} of {store.location.path!r}"):
        store.handle.tags.delete(f"{_VIEW}{encoded(view_id)}")
