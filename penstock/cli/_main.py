"""Arguments to a command, errors to one line and an exit status."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import cast

from penstock.cli._arguments import build_parser
from penstock.errors import PenstockError, TQLError

__all__ = ["main"]

_FAILED, _WRONG_QUERY, _INTERRUPTED = 1, 2, 130
_LONGEST = 2000  # characters of an error that are shown


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default: those of the process.

    Returns
    -------
    int
        Exit status: 0 done, 1 failed, 2 wrong arguments or query, 130 interrupted.
    """
    options = build_parser().parse_args(arguments)
    try:
        return _run(options)
    except KeyboardInterrupt:
        return _fail("interrupted", _INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001  a user reads one line, whatever went wrong
        return _failed(error)


def _failed(error: Exception) -> int:
    """Print an error in one line, a wrong query with its caret, and return the exit status."""
    if isinstance(error, TQLError):
        return _fail(str(error), _WRONG_QUERY)
    text = " ".join(str(error).split())[:_LONGEST]
    if not isinstance(error, PenstockError | OSError):
        text = f"this should not happen, please report it: {type(error).__name__}: {text}"
    return _fail(text, _FAILED)


def _run(options: argparse.Namespace) -> int:
    return cast("int", options.command(options))


def _fail(message: str, status: int) -> int:
    line = f"penstock: {message}\n"
    encoding = sys.stderr.encoding or "utf-8"
    sys.stderr.write(line.encode(encoding, "backslashreplace").decode(encoding))
    return status
