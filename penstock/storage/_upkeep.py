"""Branches made, versions nobody names let go."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from penstock.errors import DatasetError
from penstock.storage._commits import branch_names, encoded
from penstock.storage._wrap import wrapped

if TYPE_CHECKING:
    from penstock.storage._store import Store

__all__ = ["cleanup", "make_branch"]


def make_branch(store: Store, name: str, version: int) -> str:
    """Make a branch at a version of the store's own; return its name in the store."""
    if not isinstance(name, str) or not name.strip():
        raise DatasetError(f"a branch named {name!r}; expected a name")
    if name == "main" or name in branch_names(store):
        raise DatasetError(f"a branch {name!r} exists already", hint=f"ds.checkout({name!r}) goes there")
    branch = encoded(name)
    with wrapped(f"make branch {name!r} of {store.location.path!r}"):
        store.handle.create_branch(branch, version if store.branch is None else (store.branch, version))
    return branch


def cleanup(store: Store, older_than: timedelta) -> int:
    """Delete the files of versions that are older and have no name; return the bytes freed."""
    with store.location.lock(), wrapped(f"clean up {store.location.path!r}"):
        store.handle.checkout_latest()
        stats = store.handle.cleanup_old_versions(older_than, error_if_tagged_old_versions=False)
    return int(stats.bytes_removed)
