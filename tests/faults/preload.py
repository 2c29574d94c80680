"""The small library that counts changes of files in a child process, and fails or kills at one of them."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.faults.serving import plain_environment

KILL, FULL, BROKEN = 2, 3, 4
NEVER = -1
SOURCE = Path(__file__).with_name("mutations.c")


def why_not():
    """Return why changes of files cannot be counted here, None where they can."""
    if not sys.platform.startswith("linux"):
        return f"changes of files are counted on Linux alone, not on {sys.platform}"
    return None if shutil.which("gcc") else "gcc is not installed; it builds the library that counts changes of files"


def built():
    """Return the library, built once for each state of its source."""
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    target = Path(tempfile.gettempdir(), f"penstock-faults-{os.getuid()}-{digest}.so")
    if not target.exists():
        part = target.with_suffix(f".{os.getpid()}")
        subprocess.run(
            ["gcc", "-O2", "-shared", "-fPIC", "-o", part, SOURCE, "-ldl", "-lpthread"], check=True, capture_output=True
        )
        part.replace(target)
    return target


def environment():
    """Return the environment of a process in which changes can be counted."""
    return {**plain_environment(), "LD_PRELOAD": str(built())}


class Switch:
    """The library in this process, which was started with it."""

    def __init__(self):
        self._library = ctypes.CDLL(None)
        self._library.fault_disarm.restype = ctypes.c_long
        self._library.fault_syncs.restype = ctypes.c_long

    def arm(self, folder, mode, at=NEVER, journal=-1):
        self._library.fault_arm(os.fsencode(folder), mode, ctypes.c_long(at), journal)

    def disarm(self):
        """Return how many changes there were, and how many syncs."""
        return self._library.fault_disarm(), self._library.fault_syncs()
