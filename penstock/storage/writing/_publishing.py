"""New datasets in an object store, which cannot rename: built aside, and in their place by one last object.

A dataset is there from the moment its first record of a version is, so that is written last. Where another dataset is
replaced, what is about to happen is written first, and whoever opens the dataset next completes it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from penstock.errors import DatasetExistsError, StorageError
from penstock.storage._location import Location
from penstock.storage._version_files import is_version
from penstock.storage._wrap import wrapped
from penstock.storage.leasing._holder import Holder

__all__ = [
    "complete_replacement",
    "is_abandoned",
    "left_in_store",
    "published",
    "replaced_in_store",
    "sign",
    "sweep_store",
]

_NEW, _OWNER, _CLAIM, _INTENT = ".new-", "owner.json", ".claim.json", ".replacing.json"
_VERSIONS, _TAGS = "samples.lance/_versions/", "samples.lance/_refs/"
_THREADS = 16
_LARGEST_COPY = 4 * 2**30  # bytes that a store copies by itself
_ABANDONED = timedelta(days=1)  # what nothing was written to for so long, by a process on another machine


@contextmanager
def published(location: Location) -> Iterator[Location]:
    """Yield where a dataset is to be built; it is in its place if the block succeeds, and nothing is left otherwise.

    Parameters
    ----------
    location : Location
        Its place, in an object store.

    Raises
    ------
    DatasetExistsError
        If there is a dataset, or another process is about to put one there.
    """
    _check_free(location)
    sweep_store(location, _ABANDONED)
    staging = _new_staging(location)
    try:
        yield staging
        with _claimed(location):
            _check_free(location)
            _move(location, staging.path.rpartition("/")[2])
    finally:
        with suppress(StorageError):
            staging.remove()


@contextmanager
def replaced_in_store(location: Location) -> Iterator[str]:
    """Yield where the engine is to write a new dataset; it then takes the place of the one that is there."""
    if not location.exists():
        yield location.samples_uri
        return
    old = location.everything()
    staging = _new_staging(location)
    name = staging.path.rpartition("/")[2]
    try:
        yield staging.samples_uri
    except BaseException:
        with suppress(StorageError):
            staging.remove()
        raise
    kept = [one for one in old if not one.startswith(_NEW)]
    try:
        location.write(_INTENT, json.dumps({"new": name, "old": kept}).encode())
    except StorageError:
        if location.read(_INTENT) is None:
            staging.remove()
        raise
    complete_replacement(location)


def complete_replacement(location: Location) -> None:
    """Put a dataset in the place of another, if that was begun; safe where several processes do so at once."""
    content = location.read(_INTENT) if location.is_remote else None
    if content is None:
        return
    with wrapped(f"replace the dataset at {location.path!r}"):
        intent = json.loads(content)
        new = {one.partition("/")[2] for one in location.everything(f"{intent['new']}/")}
        if not any(is_version(one) for one in new):  # another process has done it
            location.delete([_INTENT])
            return
        location.delete([one for one in intent["old"] if one not in new])
        _move(location, intent["new"])
        location.delete([_INTENT])
        location.below(intent["new"]).remove()


def sweep_store(location: Location, older_than: timedelta) -> None:
    """Delete what processes that died were building, and what nothing was written to for some time."""
    if not location.is_remote:
        return
    store = location.object_store()
    location.delete([*left_in_store(location, older_than)])
    with suppress(FileNotFoundError):
        claimed = store.head(_CLAIM)["last_modified"]
        if _is_dead(location.read(_CLAIM)) or datetime.now(UTC) - claimed > max(older_than, _ABANDONED):
            location.delete([_CLAIM])


def left_in_store(location: Location, older_than: timedelta) -> dict[str, int]:
    """Return the size of each object of what was being built and is abandoned."""
    if not location.is_remote:
        return {}
    places = [place for place in location.folders(_NEW) if is_abandoned(location.below(place), older_than)]
    return {name: size for place in places for name, size in location.sizes(f"{place}/").items()}


def is_abandoned(location: Location, older_than: timedelta) -> bool:
    """Return whether nobody goes on with what was begun in a place of an object store."""
    written = [when for _, when in location.written("")]
    if _is_dead(location.read(_OWNER)):
        return True
    return not written or datetime.now(UTC) - max(written) > older_than


def sign(location: Location) -> None:
    """Note who builds something in a place of an object store, until which is whole nobody reads it."""
    if location.is_remote:
        location.write(_OWNER, _owner())


# ---- steps ---------------------------------------------------------------------------------------


def _check_free(location: Location) -> None:
    if location.exists():
        raise DatasetExistsError(f"{location.path!r} already exists", hint="choose another destination")


def _new_staging(location: Location) -> Location:
    staging = location.below(f"{_NEW}{secrets.token_hex(8)}")
    sign(staging)
    return staging


def _move(location: Location, staging: str) -> None:
    """Copy the files of a new dataset to its place: all others first, then the record of its newest version."""
    from obstore import open_writer

    store = location.object_store()
    sizes = {name.partition("/")[2]: size for name, size in location.sizes(f"{staging}/").items()}
    newest = min(name for name in sizes if name.startswith(_VERSIONS) and is_version(name))
    others = [name for name in sizes if not name.startswith((_VERSIONS, _TAGS)) and name != _OWNER]

    def copy(name: str) -> None:
        if sizes[name] <= _LARGEST_COPY:
            store.copy(f"{staging}/{name}", name)
        else:
            with open_writer(store, name) as writer:
                for part in store.get(f"{staging}/{name}").stream():
                    writer.write(bytes(part))

    with wrapped(f"move the new dataset to {location.path!r}"), ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(copy, others):
            pass
        copy(newest)


@contextmanager
def _claimed(location: Location) -> Iterator[None]:
    """Keep other processes from putting a dataset in the same place."""
    with wrapped(f"create a dataset at {location.path!r}"):
        try:
            location.object_store().put(_CLAIM, _owner(), mode="create")
        except Exception as error:
            if type(error).__name__ != "AlreadyExistsError":
                raise
            raise DatasetExistsError(
                f"another process is creating a dataset at {location.path!r}",
                hint=f"if none is, delete {location.path}/{_CLAIM}",
            ) from error
    try:
        yield
    finally:
        with suppress(StorageError):
            location.delete([_CLAIM])


def _owner() -> bytes:
    return Holder.here("", locked=False).to_bytes()


def _is_dead(owner: bytes | None) -> bool:
    """Return whether a process is known to have ended, which only those of the same machine are."""
    holder = Holder.from_bytes(owner)
    return holder is not None and holder.has_ended()
