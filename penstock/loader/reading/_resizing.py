"""Images resized in threads that come and go."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.storage import renew_in_children

__all__ = ["opencv_alone", "resized"]

_BILINEAR_REACH = 1.25


def resized(pixels: NDArray[np.uint8], size: tuple[int, int], out: NDArray[np.uint8] | None = None) -> Any:
    """Resize an image to (height, width).

    Shrinking averages areas; up to a factor of 1.25 and when growing it is
    bilinear, which reads every pixel there and takes a fifth of the time.
    """
    import cv2

    height, width = size
    factor = max(pixels.shape[0] / height, pixels.shape[1] / width)
    how = cv2.INTER_AREA if factor > _BILINEAR_REACH else cv2.INTER_LINEAR
    if out is not None and pixels.shape[2] == out.shape[2]:
        flat = out[:, :, 0] if out.shape[2] == 1 else out
        cv2.resize(pixels, (width, height), dst=flat, interpolation=how)
        return out
    return cv2.resize(pixels, (width, height), interpolation=how).reshape(height, width, pixels.shape[2])


class _Alone:
    """How many threads resize now, and OpenCV's own setting, which is put back after the last of them."""

    def __init__(self) -> None:
        self.renew()
        renew_in_children(self)

    def renew(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before: int | None = None

    def enter(self) -> None:
        cv2 = sys.modules.get("cv2")  # most images need none of it
        with self._lock:
            self._inside += 1
            if cv2 is not None and self._before is None:
                self._before = cv2.getNumThreads()
                cv2.setNumThreads(1)

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside and self._before is not None:
                sys.modules["cv2"].setNumThreads(self._before)
                self._before = None


_alone = _Alone()  # OpenCV has one setting a process


@contextmanager
def opencv_alone() -> Iterator[None]:
    """Keep OpenCV from splitting the work of a thread of ours over threads of its own meanwhile.

    OpenCV keeps 850 bytes for ever of each thread that it ever split work in, and ours come and go; there are as many
    as there is work for, too. The main thread stays, and Ctrl-C could leave the setting changed there.
    """
    if threading.current_thread() is threading.main_thread():
        yield
        return
    _alone.enter()
    try:
        yield
    finally:
        _alone.leave()
