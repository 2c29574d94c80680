"""Reading samples through io_uring, where Linux lets a process have it."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    import lance

__all__ = ["through_rings"]

_SETUP = 425  # the number of io_uring_setup on every architecture
_ENTRIES = 1 << 14  # what the engine asks for
_PARAMETERS_SIZE = 120


@cache
def _allowed() -> bool:
    """Return whether the kernel offers io_uring; containers often forbid it, and other systems do not have it."""
    if sys.platform != "linux":
        return False
    import ctypes

    parameters = ctypes.create_string_buffer(_PARAMETERS_SIZE)
    ring: int = ctypes.CDLL(None).syscall(_SETUP, _ENTRIES, parameters)
    if ring < 0:
        return False
    os.close(ring)
    return True


def through_rings(handle: lance.LanceDataset, path: str, branch: str | None) -> lance.LanceDataset:
    """Return the same version of a dataset in a local folder, read through io_uring; `handle` where that cannot be.

    The engine's usual way starts a job in another thread for each sample: 40 µs of processor time for 19 kB, and a
    change of context. A ring takes 14 µs and hardly any.
    """
    if "://" in path or not _allowed():
        return handle
    import lance

    uri = f"file+uring://{quote(path)}/samples.lance"
    try:
        if branch is None:
            return lance.dataset(uri, version=int(handle.version))
        return lance.dataset(uri).checkout_version((branch, int(handle.version)))
    except (OSError, ValueError):
        return handle
