"""Bars as conditions of the query: which are selected, and the query with others selected."""

from __future__ import annotations

from penstock.tql import conditions, with_condition, without_condition
from penstock.widgets.columns._bars import Bars

__all__ = ["selected_bars", "with_bars"]


def selected_bars(text: str, bars: Bars) -> tuple[int, int] | None:
    """Return the first and last bar that a condition of the query's WHERE selects; None without one.

    Conditions that no bars stand for, such as those written by hand, are not looked at.
    """
    found = _found(text, bars)
    return None if found is None else found[0]


def with_bars(text: str, bars: Bars, first: int, last: int) -> str | None:
    """Return the query with some bars selected in place of others of the same column; None where TQL cannot.

    Selecting what is selected takes the condition out.
    """
    condition = bars.condition(first, last)
    if condition is None:
        return None
    found = _found(text, bars)
    if found is not None:
        for number in found[1]:
            text = without_condition(text, number)
    return text if found is not None and found[0] == (first, last) else with_condition(text, condition)


def _found(text: str, bars: Bars) -> tuple[tuple[int, int], list[int]] | None:
    """Return the selected bars, and the numbers of their conditions in the query, the last first."""
    parts = [condition.text for condition in conditions(text)]
    if not parts:
        return None
    known = _conditions(bars)
    for number, part in enumerate(parts):
        pair = f"{part} and {parts[number + 1]}" if number + 1 < len(parts) else part
        if pair != part and pair in known:
            return known[pair], [number + 1, number]
        if part in known:
            return known[part], [number]
    return None


def _conditions(bars: Bars) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for first in range(len(bars.bars)):
        for last in range(first, len(bars.bars)):
            condition = bars.condition(first, last)
            if condition is None:
                break
            found.setdefault(" ".join(condition.split()), (first, last))
    return found
