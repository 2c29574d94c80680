"""Create branches, and delete what dead processes left."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from penstock.errors import DatasetError, ReadOnlyError, StorageError
from penstock.storage._wrap import wrapped
from penstock.storage.versions._commits import branch_names, encoded
from penstock.storage.versions._tags import keep_ref, refs_are_whole, sweep_tags

if TYPE_CHECKING:
    from penstock.storage.writing._store import Store

__all__ = ["make_branch", "sweep"]


def sweep(store: Store) -> None:
    """Delete what dead processes left behind, unless another process is writing; `cleanup` does in an object store."""
    if store.location.is_remote:
        return
    with suppress(StorageError, ReadOnlyError), store.location.lock(timeout=0):
        store.location.sweep()
        if not refs_are_whole(store):
            sweep_tags(store)


def make_branch(store: Store, name: str, version: int) -> str:
    """Create a branch at a version of this store; return its name in the store."""
    if not isinstance(name, str) or not name.strip():
        raise DatasetError(f"{name!r} is not a valid branch name. Expected a name")
    if name == "main" or name in branch_names(store):
        raise DatasetError(f"the branch {name!r} already exists", hint=f"use ds.checkout({name!r}) to switch to it")
    branch = encoded(name)
    with wrapped(f"create branch {name!r} of {store.location.path!r}"):
        store.own_handle().create_branch(branch, (store.branch or "main", version))
    keep_ref(store, f"samples.lance/_refs/branches/{branch}.json")
    store.on(branch).sync()
    return branch
