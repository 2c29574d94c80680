"""Arguments to a command, errors to one line and an exit status."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import cast

from penstock.cli._terminal import complain, drop_output, prepare
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
        Nothing is raised but `SystemExit`, for wrong arguments and ``--help``.
    """
    return _guarded(lambda: _run(arguments))


def _guarded(run: Callable[[], int]) -> int:  # noqa: PLR0911  one return a kind of failure
    """Turn whatever goes wrong into a message and a status."""
    try:
        with warnings.catch_warnings():
            prepare()
            return run()
    except TQLError as error:
        return _fail(str(error), _WRONG_QUERY)
    except PenstockError as error:
        return _fail(" ".join(str(error).split()), _FAILED)
    except KeyboardInterrupt:
        return _fail("interrupted", _INTERRUPTED)
    except BrokenPipeError:
        drop_output()
        return 0
    except OSError as error:
        drop_output()
        where = f": {os.fsdecode(error.filename)!r}" if isinstance(error.filename, str | bytes) else ""
        return _fail(f"{error.strerror or error}{where}", _FAILED)
    except MemoryError:
        return _fail("there is not enough memory for this command", _FAILED)
    except (SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001  a panic of the storage engine is not an Exception
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return _fail(f"internal error, please report it together with the command: {reason[:400]}", _FAILED)


def _run(arguments: Sequence[str] | None) -> int:
    from penstock.cli._arguments import build_parser  # here, so that Ctrl-C while it is read is not a traceback

    options: argparse.Namespace = build_parser().parse_args(arguments)
    status = cast("int", options.command(options))
    if sys.stdout is not None:
        sys.stdout.flush()
    return status


def _fail(message: str, status: int) -> int:
    complain(message)
    return status
