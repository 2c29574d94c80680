"""What the grid's filter and selection say in the words of the query language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from penstock import tql
from penstock.errors import DatasetError
from penstock.widgets.grid._filter import GridFilter, State, matching
from penstock.widgets.queries._query_run import QueryRun
from penstock.widgets.session._display import Display

__all__ = ["MAX_NAMED", "class_condition", "filter_condition", "narrowed_text", "selection_condition"]

MAX_NAMED = 500
"""Samples a query can name one by one: more make a text nobody reads, and a trait of 20 KB."""

_FEW = 3
_WILD = "*?"


def class_condition(tensor: str, name: str) -> str:
    """Return the TQL condition that a sample has a class.

    Examples
    --------
    >>> class_condition("labels", "baker's yeast")
    "contains(labels, 'baker''s yeast')"
    >>> class_condition("labels", "what?")
    "any(labels = 'what?')"
    """
    column, text = tql.quote_name(tensor), tql.quote_text(name)
    wild = any(character in name for character in _WILD)
    return f"any({column} = {text})" if wild else f"contains({column}, {text})"


def narrowed_text(
    display: Display, by: Literal["filter", "selection"], text: str, pool_of: Callable[[str], NDArray[np.int64]]
) -> str:
    """Return a query with what the grid's filter shows, or the selection, written into its WHERE.

    Parameters
    ----------
    display : Display
        With the filter and the selection.
    by : {"filter", "selection"}
        What is written.
    text : str
        The query.
    pool_of : callable
        Returns the rows of the pool of a query.

    Raises
    ------
    DatasetError
        If no condition says it, or the query would then choose other samples.
    """
    condition = filter_condition(display) if by == "filter" else selection_condition(display)
    wanted = display.matching if by == "filter" else positions_of_selected(display)
    narrowed = tql.with_condition(text, condition)
    if not np.array_equal(np.sort(pool_of(narrowed)), np.sort(display.run.pool[wanted])):
        raise DatasetError(
            "the query cannot be narrowed without changing it otherwise", hint="write the condition into its WHERE"
        )
    return narrowed


def filter_condition(display: Display) -> str:
    """Return the condition that a sample of the pool is shown by the filter.

    Raises
    ------
    DatasetError
        If there is no filter, or only a list of too many samples says what it shows.
    """
    wanted, run = display.filter, display.run
    parts = _class_conditions(run, wanted)
    parts += [_state_condition(display, state) for state in wanted.states]
    if not parts:
        raise DatasetError("the grid shows every sample of the query. Expected a filter", hint="click a class first")
    return " and ".join(parts)


def _class_conditions(run: QueryRun, wanted: GridFilter) -> list[str]:
    if run.labels is None or not wanted.classes:
        return []
    named = run.table.tensors[run.labels].class_names
    column = tql.quote_name(run.labels)
    if len(wanted.classes) > _FEW and wanted.how != "all":
        listed = ", ".join(tql.quote_text(named[index]) if named else str(index) for index in wanted.classes)
        return [f"{'not ' if wanted.how == 'not' else ''}any({column} in ({listed}))"]
    each = [
        class_condition(run.labels, named[index]) if named else f"contains({column}, {index})"
        for index in wanted.classes
    ]
    if wanted.how == "all":
        return each
    if wanted.how == "not":
        return [f"not {one}" for one in each]
    return [f"({' or '.join(each)})" if len(each) > 1 else each[0]]


def _state_condition(display: Display, state: State) -> str:
    run = display.run
    if state == "unlabeled" and run.labels is not None:
        return f"shape({tql.quote_name(run.labels)})[0] = 0"
    sets: dict[State, NDArray[np.int64]] = {"selected": display.selection.uids, "unreadable": display.unreadable}
    here = matching(GridFilter(states=(state,)), run, sets)
    return _named(run.table.uids(run.pool[here]), f"{state} samples")


def selection_condition(display: Display) -> str:
    """Return the condition that a sample of the pool is selected.

    Raises
    ------
    DatasetError
        If nothing is selected, a selected sample is not in the pool, or the samples are too many to name and not
        those of a filter.
    """
    uids = display.selection.uids
    if not len(uids):
        raise DatasetError("no sample is selected", hint="Shift-click or Ctrl-click images to select them")
    missing = len(uids) - len(np.unique(display.run.pool[positions_of_selected(display)]))
    if missing:
        raise DatasetError(
            f"{missing:,} of the {len(uids):,} selected samples are not in the result of the query",
            hint="run select * first",
        )
    shown = display.uids[~np.isin(display.uids, display.held)]
    if len(uids) > MAX_NAMED and display.filter and np.array_equal(np.unique(shown), np.unique(uids)):
        return filter_condition(display)
    return _named(uids, "selected samples")


def positions_of_selected(display: Display) -> NDArray[np.int64]:
    """Return the positions of the pool whose samples are selected, ascending."""
    return matching(
        GridFilter(states=("selected",)), display.run, {"selected": display.selection.uids, "unreadable": display.uids}
    )


def _named(uids: NDArray[np.int64], what: str) -> str:
    """Return the condition that a sample is one of some: by uid, which commits do not change."""
    found = np.unique(uids)
    if len(found) > MAX_NAMED:
        raise DatasetError(
            f"{len(found):,} {what} cannot be named in a query. Expected at most {MAX_NAMED}",
            hint="filter by class, or keep them as a view in Python: ds[explorer.selected].save_view('name')",
        )
    if not len(found):
        raise DatasetError(f"the query has no {what}. Expected at least one")
    return f"uid() in ({', '.join(map(str, found.tolist()))})"
