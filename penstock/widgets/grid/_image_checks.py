"""Which samples have an image that cannot be read, as far as anybody has looked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from penstock.errors import QueryCancelledError
from penstock.table import OverlayTable
from penstock.tensors import check_image, first_tensor

__all__ = ["ImageChecks"]

_ROWS_PER_READ = 32
Rows = NDArray[np.int64]
Progress = Callable[[int, int], None]


class ImageChecks:
    """Remembers which images were read and which could not be."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._broken: set[int] = set()
        self._fine: set[int] = set()
        self._revision = ""

    def note(self, uids: Iterable[int]) -> None:
        """Take note of samples whose thumbnail could not be made."""
        with self._lock:
            self._broken.update(uids)

    def unreadable(
        self, table: OverlayTable, rows: Rows, progress: Progress | None = None, *, again: bool = False
    ) -> Rows:
        """Return the uids of the samples in some rows whose image is missing or cannot be read.

        An image whose size was recorded was read when it was added, and is not read again; links are, once.

        Parameters
        ----------
        table : OverlayTable
            What is read.
        rows : ndarray of int64
            Rows of `table`.
        progress : callable, optional
            Called with the numbers of images read and to be read.
        again : bool
            Whether those that could not be read are read again: a server may answer now.
        """
        tensor = first_tensor(table.tensors, "image")
        if tensor is None or not len(rows):
            return np.empty(0, np.int64)
        rows = np.unique(rows)
        self._forget_unless(table.revision(tensor))
        suspects = rows if _is_unsure(table, tensor) else rows[_unknown(table, tensor)[rows]]
        uids = table.uids(suspects)
        with self._lock:
            known = self._fine if again else self._fine | self._broken
            left = np.array([uid not in known for uid in uids.tolist()], bool)
        noted = self._check(table, tensor, suspects[left], progress)
        found = np.fromiter(noted, np.int64, len(noted))
        there = table.positions(found)
        return found[np.isin(there, rows)]

    def _forget_unless(self, revision: str) -> None:
        with self._lock:
            if revision != self._revision:
                self._fine, self._broken, self._revision = set(), set(), revision

    def _check(self, table: OverlayTable, tensor: str, rows: Rows, progress: Progress | None) -> list[int]:
        for start in range(0, len(rows), _ROWS_PER_READ):
            if progress is not None:
                progress(start, len(rows))
            part = rows[start : start + _ROWS_PER_READ]
            fine = _readable(table, tensor, part)
            with self._lock:
                for uid, good in zip(table.uids(part).tolist(), fine, strict=True):
                    (self._fine if good else self._broken).add(uid)
                    (self._broken if good else self._fine).discard(uid)
        with self._lock:
            return list(self._broken)


def _is_unsure(table: OverlayTable, tensor: str) -> bool:
    """Return whether recorded sizes do not say that images can be read."""
    spec = table.tensors[tensor]
    return spec.link or not spec.verify


def _unknown(table: OverlayTable, tensor: str) -> NDArray[np.bool_]:
    unknown = table.stored.shapes(tensor)[:, 0] < 0
    unknown[table.edited_rows(tensor)] = True
    return unknown


def _readable(table: OverlayTable, tensor: str, rows: Rows) -> list[bool]:
    """Return which images of some rows can be read; one that cannot costs the others nothing."""
    try:
        encoded = table.take(rows, [tensor])[tensor]
    except (KeyboardInterrupt, SystemExit, QueryCancelledError):
        raise
    except BaseException:  # noqa: BLE001  a panic of the engine too: one sample must not cost the others
        if len(rows) == 1:
            return [False]
        return [good for row in rows for good in _readable(table, tensor, np.array([row]))]
    return [_is_readable(one, table.max_image_bytes) for one in encoded]


def _is_readable(encoded: object, max_bytes: int | None) -> bool:
    if not isinstance(encoded, bytes) or not encoded:
        return False
    try:
        check_image(encoded, max_bytes=max_bytes)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001  whatever is wrong with it, it cannot be shown
        return False
    return True
