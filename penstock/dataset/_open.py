"""Making and opening datasets."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable

from penstock.dataset._dataset import Dataset
from penstock.dataset.opened._opened import OpenDataset
from penstock.dataset.writing._working import Working, open_working
from penstock.errors import DatasetError, DatasetNotFoundError
from penstock.storage import Cache, Location, Store, chosen_cache
from penstock.tensors import MAX_IMAGE_BYTES

__all__ = ["empty", "load"]

_FORMAT = 1
_TOKEN_NOTE = "token is accepted for compatibility with Deep Lake, but it is not used"  # noqa: S105  a text about tokens


def _note_token(token: str | None) -> None:
    if token is not None:
        warnings.warn(_TOKEN_NOTE, UserWarning, stacklevel=3)


def _of(working: Working) -> Dataset:
    return Dataset(OpenDataset(working))


def _noting_holder(dataset: Dataset) -> Dataset:
    holder = dataset._opened.working.held  # noqa: SLF001  a dataset of ours
    if holder is not None:
        warnings.warn(
            f"another process has uncommitted edits of the dataset at {dataset.path!r}: {holder}. They are shown, "
            "but not committed here, and none can be made here meanwhile. ds.take_over() takes them over",
            UserWarning,
            stacklevel=3,
        )
    return dataset


def _allowing(max_image_bytes: int | None, make: Callable[[], Dataset]) -> Dataset:
    """Check the limit on image size before a dataset is created or opened."""
    whole = isinstance(max_image_bytes, int) and not isinstance(max_image_bytes, bool)
    if max_image_bytes is not None and not (whole and max_image_bytes > 0):
        raise DatasetError(
            f"max_image_bytes={max_image_bytes!r} is not valid. Expected a number of bytes, or None for any size"
        )
    dataset = make()
    dataset.max_image_bytes = max_image_bytes
    return dataset


def empty(
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    token: str | None = None,
    max_image_bytes: int | None = MAX_IMAGE_BYTES,
    cache: Cache | str | os.PathLike[str] | bool | None = None,
) -> Dataset:
    """Create an empty dataset.

    Parameters
    ----------
    path : str or path
        A folder or object-store URL.
    overwrite : bool
        Whether a dataset stored there is deleted.
    token : str, optional
        Accepted so that code written for Deep Lake runs; not used.
    max_image_bytes : int, optional
        Most bytes an image or mask may have when it is decoded, 512 MiB by default;
        None allows any size. Applies to this session only and is not stored.
    cache : Cache, str or path, optional
        Where samples that are read from an object store, or through links, are kept on
        the local disk: a `Cache`, a folder, or False for nowhere. By default `Cache()`.

    Returns
    -------
    Dataset
        Without tensors.

    Raises
    ------
    DatasetExistsError
        If a dataset is stored there and `overwrite` is False.

    Examples
    --------
    >>> import tempfile
    >>> ds = empty(tempfile.mkdtemp() + "/shapes")
    >>> labels = ds.create_tensor("labels", htype="class_label")
    >>> ds.append({"labels": ["circle"]})
    >>> ds.labels[0].numpy().tolist(), ds.labels.info.class_names
    ([0], ['circle'])
    """
    _note_token(token)
    meta = {"format": _FORMAT, "tensors": [], "creds_keys": {}, "link_roots": []}
    location = Location(path, chosen_cache(cache))
    return _allowing(max_image_bytes, lambda: _of(Working(Store.create(location, meta, overwrite=overwrite))))


def load(
    path: str | os.PathLike[str],
    *,
    read_only: bool = False,
    version: str | None = None,
    token: str | None = None,
    max_image_bytes: int | None = MAX_IMAGE_BYTES,
    cache: Cache | str | os.PathLike[str] | bool | None = None,
) -> Dataset:
    """Open a dataset: its newest state with the edits that are not committed, or one version.

    Parameters
    ----------
    path : str or path
        A folder or object-store URL; ``"folder@version"`` is `version` in one text.
    read_only : bool
        Whether the dataset is read-only.
    version : str, optional
        A commit id or its first digits, a tag, or a branch. A commit or tag is
        opened read-only, exactly as it was.
    token : str, optional
        Accepted so that code written for Deep Lake runs; not used.
    max_image_bytes : int, optional
        Most bytes an image or mask may have when it is decoded, 512 MiB by default;
        None allows any size. Reading, loaders, queries and `verify` of this dataset
        refuse larger ones.
    cache : Cache, str or path, optional
        Where samples that are read from an object store, or through links, are kept on
        the local disk: a `Cache`, a folder, or False for nowhere. By default `Cache()`.

    Returns
    -------
    Dataset
        The dataset.

    Raises
    ------
    DatasetNotFoundError
        If none is stored there.
    CommitNotFoundError
        If there is no such version.

    Warns
    -----
    UserWarning
        If another process has uncommitted edits: they are shown, but not committed here,
        and none can be made here until it commits or ends.
    """
    _note_token(token)
    location = Location(path, chosen_cache(cache))
    try:
        return _noting_holder(
            _allowing(max_image_bytes, lambda: _of(open_working(location, version, read_only=read_only)))
        )
    except DatasetNotFoundError:
        found = None if version is not None else _at_version(location)
        if found is None:
            raise
    return _noting_holder(
        _allowing(max_image_bytes, lambda: _of(open_working(found[0], found[1], read_only=read_only)))
    )


def _at_version(location: Location) -> tuple[Location, str] | None:
    """Return folder and version of ``folder@version``; a path that contains an @ is tried first."""
    path = location.path
    places = [place for place, character in enumerate(path) if character == "@"]
    for place in reversed(places):
        folder, version = path[:place], path[place + 1 :]
        if folder and version and not folder.endswith("/") and Location(folder).exists():
            return Location(folder, location.cache), version
    return None
