"""The cache of encoded samples: its folder, its limit, and which one a session uses."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from pathlib import Path

from penstock.errors import DatasetError
from penstock.storage.caching._packs import Packs

__all__ = ["Cache", "chosen_cache", "keep_entries", "kept_entries"]

_FOLDER, _LIMIT = "PENSTOCK_CACHE_DIR", "PENSTOCK_CACHE_LIMIT"
_DEFAULT = "10 GB"
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:([KMGT])(i?)B?|B?)\s*", re.IGNORECASE)


class Cache:
    """A folder on the local disk that keeps encoded samples read from an object store or the web.

    The second epoch over a dataset in a bucket reads from it. Processes may share a folder: the workers of a loader,
    or two trainings. What was used least recently goes first where the limit is reached. Every entry has a checksum;
    one that does not match is read from the store again.

    Parameters
    ----------
    folder : str or path, optional
        By default the environment variable ``PENSTOCK_CACHE_DIR``, or ``penstock/samples`` in the user's folder for
        caches (``~/.cache`` on Linux).
    limit : int or str, optional
        Most bytes on the disk, such as ``"50 GB"``; by default the environment variable ``PENSTOCK_CACHE_LIMIT``, or
        10 GB.

    Raises
    ------
    DatasetError
        If the limit is not a size.

    Examples
    --------
    >>> import tempfile
    >>> cache = Cache(tempfile.mkdtemp(), limit="2 MB")
    >>> cache.limit, cache.size
    (2000000, 0)
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None, *, limit: int | str | None = None) -> None:
        chosen = Path(folder).expanduser().absolute() if folder else None
        self._given = None if chosen is None else str(chosen), limit
        self.folder = chosen or Path(os.environ.get(_FOLDER) or _default_folder()).expanduser().absolute()
        self.limit = _bytes_of(os.environ.get(_LIMIT) or _DEFAULT if limit is None else limit)

    def __repr__(self) -> str:
        return f"Cache({str(self.folder)!r}, limit={self.limit})"

    def __eq__(self, other: object) -> bool:
        """Return whether two caches have one folder and one limit."""
        return isinstance(other, Cache) and (self.folder, self.limit) == (other.folder, other.limit)

    def __hash__(self) -> int:
        return hash((self.folder, self.limit))

    def __reduce__(self) -> tuple[object, ...]:
        """Leave what is not given to the process that reads this: on another machine the defaults are others."""
        return _again, self._given

    def __reduce_for_worker__(self) -> tuple[object, ...]:
        """Give a process of this machine what this one uses, even if it was started with another environment."""
        return _again, (str(self.folder), self.limit)

    @cached_property
    def _packs(self) -> Packs:
        return _packs_in(self.folder)

    @property
    def size(self) -> int:
        """Bytes on the disk now, of all processes."""
        return self._packs.size()

    def clear(self) -> None:
        """Delete all entries; datasets that are open go on and read from the store."""
        self._packs.clear()


def kept_entries(cache: Cache, keys: Sequence[bytes]) -> list[memoryview | None]:
    """Return the content under each key of 16 bytes, None where there is none or it is damaged."""
    return cache._packs.get(keys)  # noqa: SLF001  the one way to it


def keep_entries(cache: Cache, entries: Iterable[tuple[bytes, bytes]]) -> None:
    """Keep contents under their keys; a disk that refuses is no error."""
    cache._packs.put(list(entries), cache.limit)  # noqa: SLF001  the one way to it


def chosen_cache(cache: Cache | str | os.PathLike[str] | bool | None) -> Cache | None:
    """Return the cache that an argument of the user's names; None for no cache."""
    if isinstance(cache, Cache):
        return cache
    if cache is None or isinstance(cache, bool):
        found = None if cache is False else Cache()
    elif isinstance(cache, str | os.PathLike):
        found = Cache(cache)
    else:
        raise DatasetError(
            f"cache={cache!r} is not valid. Expected a penstock.Cache, a folder, or False for no cache",
        )
    return found if found is not None and found.limit else None


def _again(folder: str | None, limit: int | str | None) -> Cache:
    return Cache(folder, limit=limit)


@lru_cache(maxsize=16)
def _packs_in(folder: Path) -> Packs:
    """Return the one reader and writer that this process has of a folder."""
    return Packs(folder)


def _default_folder() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("penstock") / "samples"


def _bytes_of(limit: int | str) -> int:
    if isinstance(limit, int) and not isinstance(limit, bool) and limit >= 0:
        return limit
    found = _SIZE.fullmatch(limit) if isinstance(limit, str) else None
    if found is None:
        raise DatasetError(
            f"the cache limit {limit!r} is not valid. Expected bytes, or text such as '10 GB'; 0 turns the cache off"
        )
    number, unit, binary = float(found[1]), (found[2] or "").upper(), bool(found[3])
    return int(number * (1024 if binary else 1000) ** " KMGT".index(unit or " "))
