"""Weights over the positions of a stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from penstock.plots._theme import color, figure, graph_objects, shown, shown_names

if TYPE_CHECKING:
    from penstock.sampling import SamplingSchedule

__all__ = ["schedule"]

_MOST = 24
_BEYOND = 0.25


def schedule(
    of: SamplingSchedule,
    *,
    now: int | None = None,
    epoch_size: int | None = None,
    clauses: Sequence[str] | None = None,
    title: str | None = None,
) -> Any:
    """Draw the weight of each clause over the positions of the stream, as steps.

    Parameters
    ----------
    of : SamplingSchedule
        What is drawn; an entry that lacks a clause has a gap there.
    now : int, optional
        Position that a run has reached; drawn as a line.
    epoch_size : int, optional
        Draws of an epoch: the axis then counts epochs. Default the size of the schedule, if it has one.
    clauses : sequence of str, optional
        Which clauses, by their source; by default those whose weights change, and of more than 24 the ones that
        change most.
    title : str, optional
        Title of the figure.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> from penstock.sampling import Clause, SamplingSpec, deferred
    >>> rare = SamplingSpec(clauses=(Clause("rare", 9), Clause("True", 1)), size=100)
    >>> fig = schedule(deferred(rare, 5), now=250)
    >>> [(trace.name, trace.x.tolist(), list(trace.y)) for trace in fig.data]
    [('rare', [0.0, 5.0, 6.25], [None, 9.0, 9.0])]
    """
    go = graph_objects()
    each = epoch_size or of.spec.size
    weights = _weights(of)
    chosen = _changing(weights) if clauses is None else [name for name in clauses if name in weights]
    reach = max(of.starts[-1], now or 0)
    places = np.array([*of.starts, reach + max(_BEYOND * reach, each or 1)], float) / (each or 1)
    fig = figure(title=title, x="epoch" if each else "position of the stream", y="weight")
    for number, (name, label) in enumerate(zip(chosen, shown_names(chosen), strict=True)):
        values = [*weights[name], weights[name][-1]]
        line = {"shape": "hv", **color(number)}
        fig.add_trace(go.Scatter(x=places, y=values, name=label, mode="lines", line=line, showlegend=True))
    if now is not None:
        fig.add_vline(x=now / (each or 1), line={"dash": "dot", "color": "#451618"}, annotation_text=shown("now"))
    return fig


def _weights(of: SamplingSchedule) -> dict[str, list[float | None]]:
    """Return the weight of each clause in each entry; None where an entry does not have it."""
    entries = [dict(zip(_names(entry.spec.clauses), entry.spec.weights, strict=True)) for entry in of.entries]
    return {name: [entry.get(name) for entry in entries] for name in of.clauses}


def _names(clauses: Sequence[Any]) -> list[str]:
    return [clause.expression for clause in clauses]


def _changing(weights: dict[str, list[float | None]]) -> list[str]:
    """Return the clauses that change, all where none does; of many those that change most, in their order."""
    names = [name for name, values in weights.items() if len(set(values)) > 1] or list(weights)
    spread = {name: np.ptp([value or 0.0 for value in weights[name]]) for name in names}
    most = set(sorted(names, key=lambda name: -spread[name])[:_MOST])
    return [name for name in names if name in most]
