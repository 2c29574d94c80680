"""Renames in one step, where the system has them."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["exchange", "rename_new"]

_HERE = -100  # AT_FDCWD
_ONLY_NEW, _EXCHANGE = 1, 2  # RENAME_NOREPLACE, RENAME_EXCHANGE
_UNKNOWN = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM}  # of a system or file system without it


def exchange(one: Path, other: Path) -> bool:
    """Swap two paths, so that there is something at both at any moment; return False where that is not possible."""
    return _renamed(one, other, _EXCHANGE)


def rename_new(path: Path, new: Path) -> None:
    """Rename a file or folder, if nothing has the new name.

    Raises
    ------
    FileExistsError
        If there is something.
    """
    if _renamed(path, new, _ONLY_NEW):
        return
    if os.path.lexists(new):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(new))
    path.rename(new)


def _renamed(path: Path, new: Path, flag: int) -> bool:
    rename = _system_call()
    if rename is None:
        return False
    if rename(_HERE, os.fsencode(path), _HERE, os.fsencode(new), flag) == 0:
        return True
    code = ctypes.get_errno()
    if code in _UNKNOWN:
        return False
    raise OSError(code, os.strerror(code), str(new))


@cache
def _system_call() -> Any:
    return getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if sys.platform == "linux" else None
