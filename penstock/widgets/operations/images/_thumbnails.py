"""Small images of a page of samples, made in threads and kept up to a number of bytes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import PenstockError, QueryCancelledError
from penstock.table import Table
from penstock.tensors import thumbnail
from penstock.widgets._byte_cache import ByteCache
from penstock.widgets.requests._failures import Problem, in_short, problem_of

__all__ = ["THUMBNAILS", "Thumbnail", "Thumbnails"]

_log = logging.getLogger("penstock.widgets")
_ROWS_PER_READ = 16
_NUM_DECODERS = 4
_NO_IMAGE = "this sample has no image"
_decoders = ThreadPoolExecutor(_NUM_DECODERS, thread_name_prefix="penstock-thumbnail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Thumbnail:
    """A small JPEG, or the reason why there is none.

    Parameters
    ----------
    jpeg : bytes
        Empty where `error` says why.
    width, height : int
        Of the full image, pixels; 0 where unknown.
    error : str, optional
        Why the image cannot be shown.
    problem : str, optional
        The kind of that, `Problem`.
    """

    jpeg: bytes = b""
    width: int = 0
    height: int = 0
    error: str | None = None
    problem: Problem | None = None


class Thumbnails:
    """Makes thumbnails and keeps the last ones.

    Parameters
    ----------
    max_bytes : int
        How many bytes of JPEG are kept; the least recently used go first.
    """

    def __init__(self, *, max_bytes: int = 256 * 2**20) -> None:
        self._kept: ByteCache[Thumbnail] = ByteCache(max_bytes=max_bytes, size=lambda made: len(made.jpeg))

    @property
    def num_bytes(self) -> int:
        """Bytes kept now."""
        return self._kept.num_bytes

    def clear(self) -> None:
        """Keep nothing."""
        self._kept.clear()

    def page(
        self,
        table: Table,
        rows: NDArray[np.int64],
        tensor: str,
        size: int,
        check_cancelled: Callable[[], None] = lambda: None,
        *,
        dataset: str = "",
    ) -> list[Thumbnail]:
        """Return the thumbnails of some rows, in their order.

        Parameters
        ----------
        table : Table
            What is read.
        rows : ndarray of int64, shape (num_rows,)
            Row numbers of `table`.
        tensor : str
            The image tensor.
        size : int
            Longest side, pixels.
        check_cancelled : callable
            Raises when nobody wants the page any more; called between reads.
        dataset : str
            Whose table it is, where one cache serves several.
        """
        revision = table.revision(tensor)
        keys = [(dataset, int(uid), tensor, revision, size) for uid in table.uids(rows)]
        found = [self._kept.get(key) for key in keys]
        missing = [i for i, kept in enumerate(found) if kept is None]
        for start in range(0, len(missing), _ROWS_PER_READ):
            check_cancelled()
            part = missing[start : start + _ROWS_PER_READ]
            for i, made in zip(part, _make(table, rows[part], tensor, size), strict=True):
                found[i] = made
                if made.error is None:
                    self._kept.put(keys[i], made)
        return [made for made in found if made is not None]


def _make(table: Table, rows: NDArray[np.int64], tensor: str, size: int) -> list[Thumbnail]:
    try:
        encoded = table.take(rows, [tensor])[tensor]
    except (KeyboardInterrupt, SystemExit, QueryCancelledError):
        raise
    except BaseException as error:  # noqa: BLE001  a panic of the engine too: one sample must not cost the page
        if len(rows) == 1:
            return [_failed(error)]
        return [made for row in rows for made in _make(table, np.array([row]), tensor, size)]
    allowed = table.max_image_bytes
    return list(_decoders.map(lambda sample: _shrink(sample, size, allowed), encoded))


def _shrink(encoded: Any, size: int, max_bytes: int | None) -> Thumbnail:
    if encoded is None or (isinstance(encoded, bytes) and not encoded):
        return Thumbnail(error=_NO_IMAGE, problem="none")
    try:
        jpeg, width, height = thumbnail(encoded, size, max_bytes=max_bytes)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001  whatever is wrong with one image is said on its tile
        return _failed(error)
    return Thumbnail(jpeg=jpeg, width=width, height=height)


def _failed(error: BaseException) -> Thumbnail:
    if not isinstance(error, PenstockError):
        _log.error("an image cannot be shown", exc_info=error)
    return Thumbnail(error=in_short(error), problem=problem_of(error))


THUMBNAILS = Thumbnails()
"""What all widgets of the process share, so that a cell run again does not keep a second cache."""
