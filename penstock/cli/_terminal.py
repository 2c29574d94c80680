"""Output of the command line: data is printed as text, never as terminal commands."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from typing import Any, TextIO

from penstock._wording import escaped

__all__ = ["complain", "drop_output", "prepare", "say"]


def prepare() -> None:
    """Print what a terminal's encoding lacks as escapes, and warnings as lines of our own."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    warnings.showwarning = _show_warning


def say(text: str) -> None:
    """Print lines to standard output; the caller has escaped what is data, newlines in it too."""
    print(escaped(text, keep="\n"), file=sys.stdout)  # noqa: T201  a command line prints; nothing where output is closed


def complain(text: str) -> None:
    """Print a message to standard error."""
    with contextlib.suppress(OSError):
        print(f"penstock: {escaped(text, keep=chr(10))}", file=sys.stderr, flush=True)  # noqa: T201  a command line prints


def drop_output() -> None:
    """Discard the remaining output: its reader is gone, or the disk is full."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(nowhere, sys.stdout.fileno())


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> Any:
    del filename, lineno, file, line
    if not issubclass(category, DeprecationWarning | ResourceWarning):
        complain(f"warning: {message}")
