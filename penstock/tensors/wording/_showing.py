"""Values and other people's errors as they stand in a message."""

from __future__ import annotations

import re
import reprlib
from typing import Any

__all__ = ["plain_reason", "shown"]

_LONGEST = 60
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_WORDS = {
    RecursionError: "it is nested too deeply, or contains itself",
    OverflowError: "a number is too large",
    UnicodeError: "it contains characters that UTF-8 cannot store",
}


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 4
        self.maxlist = self.maxtuple = 20
        self.maxstring, self.maxother = _LONGEST, 400


_SHORT = _Short()


def shown(value: Any) -> str:
    """Return a value in short, whatever its own text does."""
    if isinstance(value, (bytes, bytearray)):
        return f"a {type(value).__name__} object of {len(value)} bytes"
    try:
        text = " ".join(_SHORT.repr(value).split())
    except Exception:  # noqa: BLE001  a text that fails is not shown
        text = ""
    if not text or _ADDRESS.search(text):
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def plain_reason(error: Exception) -> str:
    """Return what went wrong on one line, in plain words where the error has none."""
    for kind, words in _WORDS.items():
        if isinstance(error, kind):
            return words
    text = _ADDRESS.sub("", " ".join(str(error).split()))
    return text[:200] or type(error).__name__
