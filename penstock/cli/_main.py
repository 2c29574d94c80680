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
    except TQLError as error:
        return _fail(str(error), _WRONG_QUERY)
    except PenstockError as error:
        return _fail(" ".join(str(error).split()), _FAILED)
    except KeyboardInterrupt:
        return _fail("interrupted", _INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(options: argparse.Namespace) -> int:
    return cast("int", options.command(options))


def _fail(message: str, status: int) -> int:
    sys.stderr.write(f"penstock: {message}\n")
    return status
