"""Tags of the engine: names that keep versions; one that cannot be read is a leftover, never the end."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.errors import StorageError
from penstock.storage._wrap import wrapped

if TYPE_CHECKING:
    from penstock.storage.writing._store import Store

__all__ = [
    "COMMIT",
    "Mark",
    "create_tag",
    "damaged_refs",
    "delete_tag_named",
    "has_tag",
    "keep_ref",
    "refs_are_whole",
    "sweep_tags",
    "tags_named",
]

COMMIT = "commit-"  # of the names of tags that no one changes once their note is complete
_FOLDER = "samples.lance/_refs/tags"
_FOLDERS = {_FOLDER: ("version",), "samples.lance/_refs/branches": ("parentVersion",)}
_JSON = ".json"
_DAMAGED = ".damaged"
_NEWEST = 32  # records that a power failure can have truncated: each one before them was synced


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A name for a version of a branch, with its record.

    Parameters
    ----------
    branch : str or None
        The branch of the version, None for the first one.
    version : int
        Version of the store on that branch.
    note : dict of str to str
        Metadata.
    """

    branch: str | None
    version: int
    note: dict[str, str]


def tags_named(store: Store, kind: str) -> dict[str, Mark]:
    """Return the tags whose name starts with `kind`, without it, sorted."""
    return {name.removeprefix(kind): mark for name, mark in sorted(_all(store, kind).items())}


def _all(store: Store, kind: str) -> dict[str, Mark]:
    """Read tags, each by itself, so that a damaged one is only left out; those that never change are read once."""
    location = store.location
    there = {
        file.rpartition("/")[2].removesuffix(_JSON): file for file in location.names(_FOLDER) if file.endswith(_JSON)
    }
    files = {name: file for name, file in there.items() if name.startswith(kind)}
    known: dict[str, Mark] = location.lasting
    new = [name for name in files if name not in known]
    contents = location.read_all([files[name] for name in new])
    marks = {name: mark for name, content in zip(new, contents, strict=True) if (mark := _parsed(content)) is not None}
    known.update({name: mark for name, mark in marks.items() if name.startswith(COMMIT) and mark.note.get("time")})
    return {name: marks.get(name) or known[name] for name in files if name in marks or name in known}


def _parsed(content: bytes | None) -> Mark | None:
    try:
        tag: dict[str, Any] = json.loads(content or b"")
        return Mark(branch=tag["branch"], version=int(tag["version"]), note=dict(tag.get("metadata") or {}))
    except (ValueError, KeyError, TypeError):
        return None


def create_tag(store: Store, name: str, branch: str | None, version: int, note: dict[str, str] | None = None) -> None:
    """Name a version; the note is a second write, and whoever reads it must do without."""
    with wrapped(f"tag {store.location.path!r}"):
        tags = store.own_handle().tags
        tags.create(name, ("main" if branch is None else branch, version))
        if note:
            tags.replace_metadata(name, note)
    keep_ref(store, f"{_FOLDER}/{name}.json")


def keep_ref(store: Store, file: str) -> None:
    """Sync the record of a tag or branch; one that the disk did not save completely is deleted."""
    if store.location.is_remote:
        return
    keys = _FOLDERS[file.rpartition("/")[0]]
    if not _is_record(store.location.read(file) or b"", keys):
        with suppress(StorageError):
            store.location.delete([file])
        raise StorageError(f"the disk of {store.location.path!r} did not save {file!r}. Nothing was changed")
    store.location.sync([file])


def has_tag(store: Store, name: str) -> bool:
    """Return whether a tag with this name exists, without reading the others."""
    with suppress(StorageError), wrapped(f"read a tag of {store.location.path!r}"):
        store.handle.tags.get_version(name)
        return True
    return False


def delete_tag_named(store: Store, name: str) -> None:
    """Take a name away."""
    with wrapped(f"delete a tag of {store.location.path!r}"):
        store.own_handle().tags.delete(name)
    store.location.sync_folder(_FOLDER)


def refs_are_whole(store: Store) -> bool:
    """Return whether a power failure has truncated no tag or branch; object stores save whole objects."""
    return store.location.is_remote or all(
        _is_record(store.location.read(file) or b"", keys)
        for folder, keys in _FOLDERS.items()
        for file in store.location.doubtful(folder, _NEWEST)
        if file.endswith(_JSON)
    )


def sweep_tags(store: Store) -> None:
    """Put away the records of tags and branches that cannot be read, so that the others can.

    What a full disk or a killed process truncated is deleted; what is complete but damaged is kept under another
    name, for `damaged_refs` to report.
    """
    for folder, keys in _FOLDERS.items():
        for file in store.location.names(folder):
            content = store.location.read(file)
            if file.endswith(".json") and content is not None and not _is_record(content, keys):
                if content.rstrip().endswith(b"}"):
                    store.location.write(f"{file}{_DAMAGED}", content)
                store.location.delete([file])


def _is_record(content: bytes, keys: tuple[str, ...]) -> bool:
    try:
        record = json.loads(content)
    except ValueError:
        return False
    return isinstance(record, dict) and all(key in record for key in keys)


def damaged_refs(store: Store) -> list[str]:
    """Return the unreadable records of tags and branches, apart from those left half written by a dead process."""
    return [
        file
        for folder, keys in _FOLDERS.items()
        for file in store.location.names(folder)
        if file.endswith(_DAMAGED)
        or (file.endswith(".json") and not _is_record(store.location.read(file) or b"{}", keys))
    ]
