"""The location of the files of standard datasets, under BatchUp's names."""

from __future__ import annotations

import configparser
import os
from pathlib import Path

from penstock.errors import ImporterError

__all__ = ["get_batchup_path", "get_data_dir", "get_data_path"]

_OWN = ("PENSTOCK_HOME", "~/.penstock.cfg")
_BATCHUP = ("BATCHUP_HOME", "~/.batchup.cfg")


def get_batchup_path() -> str:
    """Return the folder that has the data folder in it.

    The first of these that is set: the environment variable ``PENSTOCK_HOME``; ``data_dir`` in section ``[paths]`` of
    ``~/.penstock.cfg``; the same in ``~/.batchup.cfg``; ``BATCHUP_HOME``. Otherwise it is the user's cache folder. In
    these files a relative path starts at the folder of the file, and ``~`` is the home folder. They are read at each
    call, and nothing is created.

    Returns
    -------
    str
        An absolute path.

    Raises
    ------
    ImporterError
        If a configuration file cannot be read, or the path is not a folder.

    Examples
    --------
    >>> import os
    >>> os.path.isabs(get_batchup_path())
    True
    """
    path, where = _chosen()
    try:
        is_file = path.exists() and not path.is_dir()
    except OSError as error:
        reason = error.strerror or error
        raise ImporterError(
            f"the data path {str(path)!r} of {where} cannot be used ({reason}). Expected a folder"
        ) from error
    if is_file or "\0" in str(path):
        raise ImporterError(f"the data path {str(path)!r} of {where} is a file. Expected a folder")
    return str(path)


def get_data_dir() -> str:
    """Return the folder of the standard datasets: ``data`` in `get_batchup_path`.

    Returns
    -------
    str

    Examples
    --------
    >>> get_data_dir() == os.path.join(get_batchup_path(), "data")
    True
    """
    return os.path.join(get_batchup_path(), "data")  # noqa: PTH118  text in, text out, as BatchUp has it


def get_data_path(filename: str | os.PathLike[str]) -> str:
    """Return the path of a file in the data folder; an absolute path is returned as it is.

    Parameters
    ----------
    filename : str or path

    Returns
    -------
    str

    Raises
    ------
    ImporterError
        If `filename` is not text or a path.

    Examples
    --------
    >>> os.path.relpath(get_data_path("mnist"), get_data_dir())
    'mnist'
    """
    try:
        name = os.fspath(filename)
    except TypeError:
        name = None
    if not isinstance(name, str) or "\0" in name:
        raise ImporterError(f"filename={filename!r} is not valid. Expected the name of a file or a path")
    return os.path.join(get_data_dir(), name)  # noqa: PTH118  text in, text out, as BatchUp has it


def _chosen() -> tuple[Path, str]:
    variable, file = _OWN
    found = _from_variable(variable) or _from_file(file) or _from_file(_BATCHUP[1]) or _from_variable(_BATCHUP[0])
    if found:
        return found
    from platformdirs import user_cache_path

    return user_cache_path("penstock"), "the user's cache"


def _from_variable(name: str) -> tuple[Path, str] | None:
    value = os.environ.get(name, "").strip()
    return (_expanded(value).absolute(), f"the environment variable {name}") if value else None


def _from_file(name: str) -> tuple[Path, str] | None:
    file = _expanded(name)
    if file.exists() and not file.is_file():  # to open a pipe would wait for whoever writes to it
        raise ImporterError(f"{str(file)!r} is not a file. Expected a configuration file")
    try:
        text = file.read_text("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ImporterError(f"{str(file)!r} cannot be read ({error}). Expected a configuration file") from error
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
        value = parser.get("paths", "data_dir", fallback="").strip()
    except configparser.Error as error:
        reason = " ".join(str(error).split())
        raise ImporterError(
            f"{str(file)!r} is not a configuration file ({reason}). Expected a section [paths] with data_dir = FOLDER"
        ) from error
    return ((file.parent / _expanded(value)).absolute(), repr(str(file))) if value else None


def _expanded(value: str) -> Path:
    try:
        return Path(value).expanduser()
    except RuntimeError as error:
        raise ImporterError(f"{value!r} names a home folder that does not exist. Expected a path") from error
