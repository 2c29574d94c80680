"""Where a dataset is: a folder or an object store, and the small files beside its samples."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from penstock.errors import DatasetError, StorageError
from penstock.storage._fork import OBJECT_STORES
from penstock.storage._wrap import wrapped

if TYPE_CHECKING:
    from filelock import FileLock

__all__ = ["Location"]

_SCHEMES = ("s3", "gs", "az", "abfss")
_LOCK_TIMEOUT = 60.0  # seconds another process may hold the lock while it flushes


class Location:
    """A dataset's folder, local or in an object store.

    Parameters
    ----------
    path : str or path
        Local folder or URL.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else ""
        if not isinstance(text, str) or not text.strip():
            raise DatasetError(f"a dataset at {path!r}; expected a path or an object-store URL")
        scheme = re.match(r"(\w+)://", text)
        if scheme and scheme[1] == "file":
            text, scheme = text.removeprefix("file://"), None
        if scheme and scheme[1] in {"hub", "al", "org"}:
            raise DatasetError(
                f"{text!r} is a Deep Lake path; expected a local path or an object-store URL",
                hint="penstock.from_deeplake(path, dest) copies such a dataset",
            )
        if scheme and scheme[1] not in _SCHEMES:
            raise DatasetError(f"{text!r} has scheme {scheme[1]!r}; expected a local path or {', '.join(_SCHEMES)}")
        self.is_remote = bool(scheme)
        self.path = text.rstrip("/") if scheme else str(Path(text).expanduser().absolute())

    @property
    def samples_uri(self) -> str:
        """Where the engine's own files are."""
        return f"{self.path}/samples.lance"

    def _object_store(self) -> Any:  # noqa: ANN401  obstore ships no common base type
        from obstore.store import from_url

        OBJECT_STORES.check()
        return from_url(self.path, client_options=_client_options())

    def write(self, name: str, content: bytes) -> None:
        """Write one small file, whole or not at all."""
        with wrapped(f"write {name!r} of the dataset at {self.path!r}"):
            if self.is_remote:
                self._object_store().put(name, content)
                return
            target = Path(self.path, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f".{target.name}.{os.getpid()}.part")
            with part.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(target)

    def read(self, name: str) -> bytes | None:
        """Read one small file, None where there is none."""
        with wrapped(f"read {name!r} of the dataset at {self.path!r}"):
            try:
                if self.is_remote:
                    return bytes(self._object_store().get(name).bytes())
                return Path(self.path, name).read_bytes()
            except FileNotFoundError:
                return None

    def names(self, folder: str) -> list[str]:
        """Return the files of a folder, sorted, as names relative to the dataset."""
        with wrapped(f"list {folder!r} of the dataset at {self.path!r}"):
            if self.is_remote:
                batches = self._object_store().list(prefix=f"{folder}/")
                return sorted(cast("str", entry["path"]) for batch in batches for entry in batch)
            home = Path(self.path, folder)
            if not home.is_dir():
                return []
            return sorted(f"{folder}/{entry.name}" for entry in home.iterdir() if not entry.name.startswith("."))

    def delete(self, names: list[str]) -> None:
        """Delete small files; missing ones are no error."""
        with wrapped(f"delete files of the dataset at {self.path!r}"):
            for name in names:
                if self.is_remote:
                    self._object_store().delete(name)
                else:
                    Path(self.path, name).unlink(missing_ok=True)

    def is_file(self) -> bool:
        """Tell whether a plain file is in the place of the folder."""
        return not self.is_remote and Path(self.path).is_file()

    def exists(self) -> bool:
        """Tell whether a dataset is stored here."""
        if self.is_remote:
            return bool(self.names("samples.lance/_versions"))
        return Path(self.path, "samples.lance", "_versions").is_dir()

    def clear(self) -> None:
        """Delete the dataset stored here, and nothing else that lies beside it."""
        if self.is_remote:
            self.delete(self.names("samples.lance") + self.names("drafts") + self.names("views"))
            return
        import shutil

        with wrapped(f"delete the dataset at {self.path!r}"):
            for folder in ("samples.lance", "drafts", "views"):
                shutil.rmtree(Path(self.path, folder), ignore_errors=True)

    def remove(self) -> None:
        """Delete everything under this place, a copy of ours."""
        if self.is_remote:
            self.delete([*self.names("samples.lance")])
            return
        import shutil

        shutil.rmtree(self.path, ignore_errors=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes from writing; object stores rely on the engine's conflict checks."""
        if self.is_remote:
            yield
            return
        from filelock import Timeout

        lock = self._file_lock
        try:
            lock.acquire()
        except Timeout as error:
            raise StorageError(
                f"another process has been writing to {self.path!r} for {_LOCK_TIMEOUT:.0f} s"
            ) from error
        try:
            yield
        finally:
            lock.release()

    @cached_property
    def _file_lock(self) -> FileLock:
        """One lock object, so that a step inside a step passes."""
        from filelock import FileLock

        return FileLock(Path(self.path, ".penstock.lock"), timeout=_LOCK_TIMEOUT)


def _client_options() -> dict[str, Any]:
    return {"timeout": "30s", "allow_http": os.environ.get("AWS_ALLOW_HTTP", "").lower() in {"1", "true"}}
