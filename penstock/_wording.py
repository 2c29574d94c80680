"""Text that errors and tables show: safe to print, and the nearest name to a wrong one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

__all__ = ["escaped", "nearest"]

# control characters, direction marks, characters without width, line separators, halves of surrogate pairs
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def escaped(text: str, *, keep: str = "") -> str:
    r"""Return text that is safe to print, with control and invisible characters as escapes.

    Parameters
    ----------
    text : str
        Any text that comes from data: a name, a message, a path.
    keep : str
        Characters left as they are, such as a newline.

    Returns
    -------
    str

    Examples
    --------
    >>> print(escaped("cat" + chr(27) + "[2J"))
    cat\x1b[2J
    """
    if text.isprintable():
        return text

    def escape(found: re.Match[str]) -> str:
        character = found[0]
        return character if character in keep else ascii(character)[1:-1]

    return _INVISIBLE.sub(escape, text)


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate most similar to `name`, or None if none is similar.

    Parameters
    ----------
    name : str
        What the user wrote.
    candidates : iterable of str
        The valid names.

    Returns
    -------
    str or None
        The nearest candidate; letter case is ignored when comparing.

    Examples
    --------
    >>> nearest("Hernai", ["Mass", "Hernia"])
    'Hernia'
    >>> nearest("zebra", ["Mass", "Hernia"]) is None
    True
    """
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    found = difflib.get_close_matches(str(name).casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None
