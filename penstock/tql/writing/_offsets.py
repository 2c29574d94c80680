"""Places in a text: code points in Python, UTF-16 units in a browser."""

from __future__ import annotations

from bisect import bisect_right

__all__ = ["Offsets"]

_WIDE = "\uffff"


class Offsets:
    """Converts places in one text both ways.

    Examples
    --------
    >>> places = Offsets("😀 = 1")
    >>> places.to_utf16(2), places.from_utf16(3)
    (3, 2)
    """

    def __init__(self, text: str) -> None:
        self._length = len(text)
        self._wide = (
            [number for number, character in enumerate(text) if character > _WIDE] if not text.isascii() else []
        )
        self._shifted = [number + count + 1 for count, number in enumerate(self._wide)]

    def to_utf16(self, position: int) -> int:
        """Return a place in UTF-16 units."""
        return position + bisect_right(self._wide, position - 1)

    def from_utf16(self, position: int) -> int:
        """Return a place in code points; inside a pair, the place before it."""
        return max(0, min(self._length, position - bisect_right(self._shifted, position)))
