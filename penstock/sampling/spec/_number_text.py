"""Numbers as they are written in a query."""

from __future__ import annotations

__all__ = ["number_text"]

_EXACT = 1e16  # from here on Python's own text has an exponent


def number_text(value: float) -> str:
    """Return the shortest text that reads back as the same number; whole numbers without a point.

    Examples
    --------
    >>> number_text(20.0), number_text(0.1), number_text(1e300)
    ('20', '0.1', '1e+300')
    """
    return str(int(value)) if value == int(value) and abs(value) < _EXACT else repr(float(value))
