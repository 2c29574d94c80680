"""The location of a dataset: a folder or an object store, and the small files next to its samples."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.errors import DatasetError, DatasetExistsError, ReadOnlyError, StorageError
from penstock.storage._address import address_of
from penstock.storage._fork import ENGINE, OBJECT_STORES
from penstock.storage._lasting import make_folders, sync_folder, sync_tree
from penstock.storage._staging import dead_staging, left_inside, part_of, sweep_staging
from penstock.storage._transfer import Transfer, plain_http
from penstock.storage._version_files import has_end, is_version, newest_version, version_of
from penstock.storage._wrap import wrapped
from penstock.storage.caching._cache import Cache
from penstock.storage.leasing._write_lease import WriteLease

if TYPE_CHECKING:
    from filelock import FileLock

__all__ = ["Location"]

_FOLDERS = ("samples.lance", "drafts", "views", "digests", "runs")
_NEW, _OLD = ".new-samples.lance", ".old-dataset"  # on the way in and out; the lock is held meanwhile

_FETCHES = 32  # small objects read at the same time
_LOCK_TIMEOUT = 60.0  # seconds another process may hold the lock while it flushes


class Location:
    """A dataset's folder, local or in an object store.

    Parameters
    ----------
    path : str or path
        Local folder or URL.
    cache : Cache, optional
        Keeps samples that are read from an object store, or through links; by default nothing does.
    """

    def __init__(self, path: str | os.PathLike[str], cache: Cache | None = None) -> None:
        self.path, self.is_remote = address_of(path)
        self.cache = cache
        self._lasting: set[Path] = set()  # folders whose own names are on the disk
        self.lasting: dict[str, Any] = {}  # what was read of records that never change, by their name

    def __reduce__(self) -> tuple[Any, ...]:
        return Location, (self.path, self.cache)

    def __eq__(self, other: object) -> bool:
        """Return whether two locations have one path and one cache."""
        return isinstance(other, Location) and (self.path, self.cache) == (other.path, other.cache)

    def __hash__(self) -> int:
        return hash((self.path, self.cache))

    def below(self, name: str) -> Location:
        """Return the location of another dataset inside this one, such as the copy of a view."""
        return Location(f"{self.path}/{name}", self.cache)

    @property
    def samples_uri(self) -> str:
        """The URI of the engine's own files."""
        return f"{self.path}/samples.lance"

    def object_store(self) -> Any:
        """Return the object store, seen from the dataset."""
        OBJECT_STORES.check()
        return self._connected

    @cached_property
    def _connected(self) -> Any:
        from obstore.store import from_url

        limits = Transfer.from_environment()
        return from_url(
            self.path,
            client_options=limits.client_options(allow_http=plain_http()),
            retry_config=limits.retry_config(),
        )

    def engine_options(self) -> dict[str, str] | None:
        """Return what the engine needs to know of the store; None for a folder."""
        return Transfer.from_environment().engine_options() if self.is_remote else None

    def write(self, name: str, content: bytes) -> None:
        """Write one small file, whole or not at all."""
        with wrapped(f"write {name!r} of the dataset at {self.path!r}"):
            if self.is_remote:
                self.object_store().put(name, content)
                return
            self._write_local(name, content)

    def _write_local(self, name: str, content: bytes) -> None:
        target = Path(self.path, name)
        make_folders(target.parent)
        part = part_of(target)
        try:
            with part.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(target)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise
        sync_folder(target.parent)

    def read(self, name: str) -> bytes | None:
        """Read one small file; None if it does not exist."""
        with wrapped(f"read {name!r} of the dataset at {self.path!r}"):
            try:
                if self.is_remote:
                    return bytes(self.object_store().get(name).bytes())
                return Path(self.path, name).read_bytes()
            except FileNotFoundError:
                return None

    def read_all(self, names: Sequence[str]) -> list[bytes | None]:
        """Read several small files, those of an object store at the same time; None for those that do not exist."""
        if not self.is_remote or len(names) < 2:
            return [self.read(name) for name in names]
        with ThreadPoolExecutor(_FETCHES) as workers:
            return list(workers.map(self.read, names))

    def doubtful(self, folder: str, newest: int) -> list[str]:
        """Return the empty files of a local folder and those written last, without reading any."""
        home = Path(self.path, folder)
        with wrapped(f"list {folder!r} of the dataset at {self.path!r}"):
            found = [(entry.stat(), entry.name) for entry in os.scandir(home)] if home.is_dir() else []
        found.sort(key=lambda entry: entry[0].st_mtime_ns, reverse=True)
        return [f"{folder}/{name}" for place, (stat, name) in enumerate(found) if place < newest or not stat.st_size]

    def names(self, folder: str) -> list[str]:
        """Return the files and folders of a folder, sorted, as names relative to the dataset."""
        with wrapped(f"list {folder!r} of the dataset at {self.path!r}"):
            if self.is_remote:
                found = self.object_store().list_with_delimiter(f"{folder}/")
                return sorted([*found["common_prefixes"], *(entry["path"] for entry in found["objects"])])
            home = Path(self.path, folder)
            if not home.is_dir():
                return []
            return sorted(f"{folder}/{name}" for name in os.listdir(home) if not name.startswith("."))  # noqa: PTH208  names are enough

    def delete(self, names: list[str]) -> None:
        """Delete small files; missing ones are no error."""
        with wrapped(f"delete files of the dataset at {self.path!r}"):
            if self.is_remote and names:
                with suppress(FileNotFoundError):
                    self.object_store().delete(names)
                return
            for name in names:
                Path(self.path, name).unlink(missing_ok=True)

    def everything(self, prefix: str = "") -> list[str]:
        """Return the names of all objects in an object store, or of those that begin alike."""
        return [name for name, _, _ in self._entries(prefix)]

    def sizes(self, prefix: str) -> dict[str, int]:
        """Return the size of each object whose name begins alike."""
        return {name: size for name, size, _ in self._entries(prefix)}

    def written(self, prefix: str) -> list[tuple[str, datetime]]:
        """Return when each object whose name begins alike was written, by the clock of the store."""
        return [(name, when) for name, _, when in self._entries(prefix)]

    def folders(self, prefix: str) -> list[str]:
        """Return the names of the folders in an object store that begin alike."""
        found = self.object_store().list_with_delimiter()["common_prefixes"]
        return sorted(str(name) for name in found if str(name).startswith(prefix))

    def _entries(self, prefix: str) -> list[tuple[str, int, datetime]]:
        with wrapped(f"list the dataset at {self.path!r}"):
            folder = f"{prefix.rpartition('/')[0]}/" if "/" in prefix else None  # a store lists whole folders
            entries = [entry for batch in self.object_store().list(folder) for entry in batch]
        return [
            (str(entry["path"]), int(entry["size"]), entry["last_modified"])
            for entry in entries
            if str(entry["path"]).startswith(prefix)
        ]

    def sync(self, names: list[str]) -> None:
        """Sync small files, as an object store does by itself; missing ones are skipped."""
        if self.is_remote:
            return
        with wrapped(f"sync files of the dataset at {self.path!r}"):
            files = [path for path in (Path(self.path, name) for name in names) if path.is_file()]
            for file in files:
                with file.open("rb") as stream:
                    os.fsync(stream.fileno())
            self.sync_folders({file.parent for file in files})

    def sync_folders(self, folders: Iterable[Path]) -> None:
        """Sync the names in folders and in parents that the engine may have created with them."""
        home = Path(self.path)
        with wrapped(f"sync folders of the dataset at {self.path!r}"):
            for folder in folders:
                sync_folder(folder)
                for above in folder.parents:
                    if folder in self._lasting or not above.is_relative_to(home):
                        break
                    sync_folder(above)
                self._lasting.add(folder)

    def sync_folder(self, name: str) -> None:
        """Sync the removal of names from a folder."""
        if not self.is_remote:
            with wrapped(f"sync {name!r} of the dataset at {self.path!r}"):
                sync_folder(Path(self.path, name))

    def sync_version(self, record: str) -> None:
        """Sync the record of a version; one that the disk did not save completely is deleted."""
        path = Path(self.path, record)
        if not path.is_file() or not has_end(path):
            with suppress(OSError):
                path.unlink(missing_ok=True)
            raise StorageError(f"the disk of {self.path!r} did not save the record of a version. Nothing was changed")
        try:
            self.sync([record])
        except StorageError as error:
            raise StorageError(
                f"{error.message}. The change was made, but a power failure may undo it", hint="check the disk"
            ) from error

    def object_tag(self, name: str) -> dict[str, Any] | None:
        """Return the size and tag of a file in an object store; None if it does not exist."""
        try:
            found = self.object_store().head(name)
        except FileNotFoundError:
            return None
        return {"size": int(found["size"]), "e_tag": str(found.get("e_tag") or "")}

    def is_file(self) -> bool:
        """Return whether a plain file is at the path of the folder."""
        return not self.is_remote and Path(self.path).is_file()

    def exists(self) -> bool:
        """Return whether a dataset is stored here: at least one version, not leftovers of a killed process."""
        if self.is_remote:
            return any(is_version(name) for name in self.names("samples.lance/_versions"))
        folder = Path(self.path, "samples.lance", "_versions")
        with wrapped(f"look for a dataset at {self.path[:200]!r}"):
            return folder.is_dir() and any(is_version(name) for name in os.listdir(folder))  # noqa: PTH208  names are enough

    @contextmanager
    def replaced(self, *, overwrite: bool) -> Iterator[str]:
        """Yield a path for a new dataset, and move it here in one step once it is complete.

        An object store cannot rename: see `replaced_in_store`.
        """
        self.make_folder()
        home = Path(self.path)
        with self.lock():
            if self.exists() and not overwrite:
                raise DatasetExistsError(f"another process has created a dataset at {self.path!r} in the meantime")
            self._sweep_copies()
            self._lasting.clear()
            yield str(home / _NEW)
            sync_tree(home / _NEW)
            try:
                self._put_aside()
                (home / _NEW).rename(home / "samples.lance")
            except BaseException:
                with suppress(OSError):
                    self.recover()
                raise
            sync_folder(home)
            self._sweep_copies()

    def _put_aside(self) -> None:
        """Move what is stored here out of the way, the samples last: until then it is still here."""
        home, old = Path(self.path), Path(self.path, _OLD)
        if not (home / "samples.lance").exists():
            for folder in _FOLDERS[1:]:
                shutil.rmtree(home / folder, ignore_errors=True)
            return
        old.mkdir()
        for folder in reversed(_FOLDERS):
            if (home / folder).exists():
                (home / folder).rename(old / folder)
        sync_folder(old)

    def make_folder(self) -> None:
        """Create the folder of a dataset that is about to be written."""
        if not self.is_remote:
            with wrapped(f"create the folder {self.path!r}"):
                make_folders(Path(self.path))

    def recover(self) -> None:
        """Put back a dataset that was about to be replaced when its writer died."""
        if not self._is_half_replaced():
            return
        home, old = Path(self.path), Path(self.path, _OLD)
        with self.lock():
            if self._is_half_replaced():
                for folder in (folder for folder in _FOLDERS if (old / folder).exists()):
                    (old / folder).rename(home / folder)
                old.rmdir()

    def _is_half_replaced(self) -> bool:
        """Return whether an old dataset was moved away and the new one is not in place yet."""
        old = Path(self.path, _OLD)
        if self.is_remote or not old.is_dir():
            return False
        return not ((old / "samples.lance").exists() and Path(self.path, "samples.lance").exists())

    def step_over_torn(self, branch: str | None) -> None:
        """Delete the newest records of versions that a power failure truncated: they were never committed."""
        if self.is_remote:
            return
        for folder in {"samples.lance", f"samples.lance/tree/{branch}" if branch else "samples.lance"}:
            newest = newest_version(Path(self.path, folder, "_versions"))
            while newest is not None and not has_end(newest):
                version = version_of(newest)
                if self._is_tagged(branch if "/tree/" in folder else None, version):
                    raise StorageError(
                        f"the record of version {version} of {self.path!r} is damaged. That version is a commit"
                    )
                with self.lock():
                    newest.unlink(missing_ok=True)
                newest = newest_version(newest.parent)

    def _is_tagged(self, branch: str | None, version: int) -> bool:
        """Return whether a tag names a version; tags are created after the version was synced."""
        for name in self.names("samples.lance/_refs/tags"):
            with suppress(ValueError, TypeError, AttributeError):
                tag = json.loads(self.read(name) or b"{}")
                if (tag.get("branch"), tag.get("version")) == (branch, version):
                    return True
        return False

    def leftovers(self) -> list[Path]:
        """Return what killed processes left here, files and folders; only right for the holder of the lock."""
        if self.is_remote:
            return []
        home = Path(self.path)
        copies = [home / name for name in (_NEW, _OLD) if (home / name).exists()]
        return [*copies, *dead_staging(home), *left_inside(home, _FOLDERS)]

    def sweep(self, *, staging: bool = False) -> None:
        """Delete what killed processes left next to the samples; the caller holds the lock.

        `staging`: also the folders beside this one in which they built it.
        """
        if self.is_remote:
            return
        self._sweep_copies()
        sweep_staging(Path(self.path), folders=staging)
        for left in left_inside(Path(self.path), _FOLDERS):
            left.unlink(missing_ok=True)

    def _sweep_copies(self) -> None:
        for name in (_NEW, _OLD):
            shutil.rmtree(Path(self.path, name), ignore_errors=True)

    def remove(self) -> None:
        """Delete everything under this place, a copy of ours."""
        if self.is_remote:
            self.delete(self.everything())
            return
        with wrapped(f"delete the copy at {self.path!r}"):
            if Path(self.path).exists():
                shutil.rmtree(self.path)

    def is_writable(self) -> bool:
        """Return whether the folder is writable; object stores report this only on writing."""
        return self.is_remote or os.access(self.path, os.W_OK | os.X_OK)

    @contextmanager
    def lock(self, *, timeout: float | None = None) -> Iterator[None]:
        """Keep other processes from writing.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait for another writer, by default a minute.
        """
        ENGINE.check()  # a lock is taken to write, which a forked child cannot
        if self.is_remote:
            with self._lease.held(_LOCK_TIMEOUT if timeout is None else timeout):
                yield
            return
        from filelock import Timeout

        lock = self._file_lock
        try:
            lock.acquire(timeout=timeout)
        except Timeout as error:
            raise StorageError(
                f"another process has been writing to {self.path!r} for more than {_LOCK_TIMEOUT:.0f} s"
            ) from error
        except OSError as error:
            raise _lock_refused(self.path, error) from error
        try:
            yield
        finally:
            lock.release()

    def check_lock(self) -> None:
        """Refuse to go on where the lock of an object store was not renewed in time, such as after a pause.

        Raises
        ------
        StorageError
            If another process may be writing.
        """
        if self.is_remote and self._lease.is_over:
            raise StorageError(
                f"writing to {self.path!r} was interrupted for too long, and another process may be writing. "
                "Nothing was changed",
                hint="try again",
            )

    @cached_property
    def _lease(self) -> WriteLease:
        return WriteLease(self.object_store, self.path)

    @cached_property
    def _file_lock(self) -> FileLock:
        """One lock object, so that a step inside a step passes."""
        from filelock import FileLock

        return FileLock(Path(self.path, ".penstock.lock"), timeout=_LOCK_TIMEOUT)


def _lock_refused(path: str, error: OSError) -> DatasetError:
    """Return why a folder cannot be locked, in words."""
    if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
        return ReadOnlyError(f"cannot write to the dataset at {path!r}: its folder is read-only")
    return StorageError(f"cannot write to the dataset at {path!r}: {error.strerror or error}")
