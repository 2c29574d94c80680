"""Numbers that callers pass: epochs, draws, batch sizes, shares."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from penstock.errors import SamplingError

__all__ = ["checked_count", "checked_fraction"]


def checked_count(name: str, value: Any, least: int = 1) -> int:
    """Return a whole number of at least `least`, or say what the value named so is.

    Examples
    --------
    >>> checked_count("num_epochs", 3)
    3
    """
    try:
        number = operator.index(int(value) if isinstance(value, float | np.floating) and value == int(value) else value)
    except (TypeError, ValueError, OverflowError):
        number = least - 1
    if number < least or isinstance(value, bool | np.bool_):
        raise SamplingError(f"{name} is {value!r}. Expected a whole number of at least {least}")
    return number


def checked_fraction(name: str, value: Any, *, whole: bool = False, hint: str | None = None) -> float:
    """Return a number between 0 and 1, or 1 itself where `whole` allows it.

    Examples
    --------
    >>> checked_fraction("level", 0.95)
    0.95
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = 0.0
    if not (0 < number < 1 or (whole and number == 1)) or isinstance(value, str):
        expected = "number in (0, 1]" if whole else "number between 0 and 1"
        raise SamplingError(f"{name} is {value!r}. Expected a {expected}", hint=hint)
    return number
