"""Check the paths of a source before anything is read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penstock.errors import ImporterError, PenstockError

__all__ = ["existing_folder", "path_of", "plain_errors"]


@contextmanager
def plain_errors(what: str) -> Iterator[None]:
    """Raise what a source raises while it is read, an odd object's own errors too, as an ImporterError.

    Parameters
    ----------
    what : str
        The source, for the message.
    """
    try:
        yield
    except (PenstockError, MemoryError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise ImporterError(f"{what} cannot be read: {type(error).__name__} {reason}".rstrip()) from error


def path_of(value: str | os.PathLike[str], what: str) -> Path:
    """Return a path a user gave.

    Parameters
    ----------
    value : str or path
        What was given.
    what : str
        What was expected there, for the message.

    Raises
    ------
    ImporterError
        If it is no path at all.
    """
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str) or not text.strip() or "\x00" in text:
        raise ImporterError(f"{value!r} is of type {type(value).__name__}. Expected the path of {what}")
    return Path(text).expanduser()


def existing_folder(value: str | os.PathLike[str], what: str) -> Path:
    """Return the path of a folder that is there.

    Raises
    ------
    ImporterError
        If there is no such folder.
    """
    folder = path_of(value, what)
    if not os.path.isdir(folder):
        found = "is a file" if os.path.isfile(folder) else "does not exist"
        raise ImporterError(f"{str(folder)!r} {found}. Expected {what}")
    return folder
