"""What a format cannot hold, counted, with the first place of each kind."""

from __future__ import annotations

__all__ = ["Issues"]


class Issues:
    """Counts what an export leaves out or writes in another way.

    Examples
    --------
    >>> issues = Issues()
    >>> issues.note("crowds are left out", "a.jpg")
    >>> issues.note("crowds are left out", "b.jpg")
    >>> issues.texts
    ("crowds are left out: 2, the first in 'a.jpg'",)
    """

    def __init__(self) -> None:
        self._found: dict[str, tuple[int, str]] = {}

    def note(self, what: str, where: str) -> None:
        """Count one more, in an image."""
        count, first = self._found.get(what, (0, where))
        self._found[what] = count + 1, first

    def say(self, text: str) -> None:
        """Add a line that is about the whole export."""
        self._found.setdefault(text, (0, ""))

    @property
    def texts(self) -> tuple[str, ...]:
        """One line for each kind, in the order in which they were found."""
        return tuple(
            f"{what}: {count:,}, {'the first ' if count > 1 else ''}in {first!r}" if count else what
            for what, (count, first) in self._found.items()
        )
