"""Names of runs: what a folder of any system and a key of any object store can be called."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from penstock._wording import escaped
from penstock.errors import DatasetError
from penstock.storage._location import Location
from penstock.storage.versions._commits import decoded, encoded

__all__ = ["check_run_name", "folder_of_run", "run_names"]

_LONGEST = 100  # characters
_LONGEST_FOLDER = 200  # bytes; a file system allows 255, and files are written under longer names first
_EXPECTED = (
    f"1 to {_LONGEST} printable characters, without '/' and '\\\\', that do not begin or end with a space or a dot"
)


def check_run_name(name: str, known: Iterable[str] = ()) -> None:
    """Refuse a name that cannot be a folder everywhere.

    Parameters
    ----------
    name : str
        The name of a run.
    known : iterable of str
        The runs that there are: some systems do not tell letters of different case apart.

    Raises
    ------
    DatasetError
        If the name is not valid, or differs from another one in case only.

    Examples
    --------
    >>> check_run_name("resnet50, lr 0.1")
    >>> check_run_name("../baseline")
    Traceback (most recent call last):
        ...
    penstock.errors.DatasetError: '../baseline' is not a valid run name. Expected 1 to 100 printable characters, ...
    """
    if not isinstance(name, str) or not _is_valid(name):
        shown = escaped(repr(name) if len(repr(name)) <= 2 * _LONGEST else f"{repr(name)[: 2 * _LONGEST]} …")
        raise DatasetError(f"{shown} is not a valid run name. Expected {_EXPECTED}")
    for other in known:
        if other != name and other.casefold() == name.casefold():
            raise DatasetError(
                f"{name!r} differs from the run {other!r} in the case of letters only. Expected another name",
                hint=f"use {other!r} to replace that run, or add a number",
            )


def _is_valid(name: str) -> bool:
    return (
        0 < len(name) <= _LONGEST
        and name.isprintable()
        and not set(name) & set("/\\")
        and name == name.strip(" .")
        and name == unicodedata.normalize("NFC", name)
        and len(encoded(name)) <= _LONGEST_FOLDER
    )


def folder_of_run(name: str) -> str:
    """Return the folder of a run, below the dataset."""
    return f"runs/{encoded(name)}"


def run_names(location: Location) -> list[str]:
    """Return the names of the runs beside a dataset, in no order that means anything."""
    return [decoded(path.rstrip("/").rpartition("/")[2]) for path in location.names("runs")]
