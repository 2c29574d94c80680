"""Limits on the memory of decoding: one per image, and one for all images decoded at the same time."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from penstock.errors import ImageDecodeError

__all__ = ["DECODING", "LARGE", "MAX_IMAGE_BYTES", "Memory", "refuse_larger", "shown_bytes"]

MAX_IMAGE_BYTES: Final = 512 * 2**20
"""Bytes one decoded image may have unless the caller allows more."""
LARGE: Final = 64 * 2**20
"""Bytes of working memory from which images are decoded in parts."""
_AT_ONCE = 2**30
_SMALL = 16 * 2**20


def shown_bytes(num_bytes: int) -> str:
    """Return a number of bytes as people write it."""
    return f"{num_bytes / 2**30:,.1f} GiB" if num_bytes >= 2**30 else f"{num_bytes / 2**20:,.0f} MiB"


def refuse_larger(shape: tuple[int, ...], num_bytes: int, max_bytes: int | None) -> None:
    """Refuse an image whose decoded form has more bytes than allowed."""
    if max_bytes is not None and num_bytes > max_bytes:
        raise ImageDecodeError(
            f"the image has {shape[1]} × {shape[0]} pixels and takes {shown_bytes(num_bytes)} when decoded. "
            f"Expected at most {shown_bytes(max_bytes)} (it could be a decompression bomb)",
            hint="pass max_image_bytes to penstock.load to allow larger images",
        )


class Memory:
    """Memory that threads share: who wants more than is free waits until others are done.

    Parameters
    ----------
    total : int
        Bytes that may be taken at once; a single larger piece is allowed when nothing else is taken.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self.reset()

    def reset(self) -> None:
        """Reset the memory in use; for a forked process, whose other threads are gone."""
        self._changed = threading.Condition()
        self._taken = 0

    @contextmanager
    def taken(self, num_bytes: int) -> Iterator[None]:
        """Reserve some bytes; small amounts are not counted. Never nested in one thread."""
        if num_bytes < _SMALL:
            yield
            return
        changed = self._changed
        with changed:
            changed.wait_for(lambda: not self._taken or self._taken + num_bytes <= self._total)
            self._taken += num_bytes
        try:
            yield
        finally:
            with changed:
                if changed is self._changed:
                    self._taken -= num_bytes
                changed.notify_all()


DECODING = Memory(_AT_ONCE)
"""What all decoding in this process shares: the process has one memory."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=DECODING.reset)
