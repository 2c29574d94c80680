"""Text files as UTF-8, whatever the locale."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from penstock.errors import ImporterError

__all__ = ["number", "printable", "read_lines", "read_text", "shown"]

_LINE_END = re.compile(r"\r\n|\r|\n")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LONGEST_SHOWN = 80


def read_text(path: Path) -> str:
    """Return a text file's content; a byte order mark is left out.

    Raises
    ------
    ImporterError
        If the file cannot be read or is not UTF-8; the message names it.
    """
    try:
        content = path.read_bytes()
        return content.decode("utf-16" if content.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImporterError(
            f"{path} is not UTF-8 text: {error.reason} at byte {error.start}. Expected UTF-8",
            hint="save the file again as UTF-8",
        ) from None
    except OSError as error:
        raise ImporterError(f"{path} cannot be read: {error.strerror or error}. Expected a text file") from None


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file, which end in LF, CR LF or CR; blank lines are kept."""
    return _LINE_END.split(read_text(path))


def number(text: str) -> float:
    """Return text as a number; underscores between digits are not allowed.

    Raises
    ------
    ValueError
        If it is not a number.

    Examples
    --------
    >>> number(" 1e-1 ")
    0.1
    """
    if "_" in text:
        raise ValueError(f"{shown(text)} is not a number")
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{shown(text)} is not a number") from None


def printable(text: str) -> str:
    r"""Return text that can be printed and stored: escapes stand for bytes of a file name that are not UTF-8.

    Examples
    --------
    >>> printable("caf\udce9.png")
    'caf\\udce9.png'
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def shown(value: object) -> str:
    """Return how a value reads in a message, cut where it is long.

    Examples
    --------
    >>> shown([1, 2])
    '[1, 2]'
    """
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer of more digits than Python prints, lists in lists in lists
        text = f"a {type(value).__name__}"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
