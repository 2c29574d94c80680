"""Bars of classes: raw, sampled, batch by batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike

from penstock.plots._theme import RAW, SAMPLED, checked, color, figure, graph_objects, shown, shown_names

__all__ = ["batch_composition", "class_histogram", "sampled_histogram"]


def class_histogram(
    class_names: Sequence[str], counts: ArrayLike, *, unit: str = "instances", title: str | None = None
) -> Any:
    """Draw the counts of classes as bars.

    Parameters
    ----------
    class_names : sequence of str
        The classes, in the order shown.
    counts : array_like, shape (num_classes,)
        One count each.
    unit : str
        What is counted; written on the axis.
    title : str, optional
        Title of the figure.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> len(class_histogram(["cat", "dog"], [165, 10]).data)
    1
    """
    heights = checked("counts", counts, (len(class_names),))
    fig = figure(title=title, x="class", y=unit, xaxis_type="category")
    bars = graph_objects().Bar(
        x=shown_names(class_names), y=heights, hovertext=_whole(class_names), marker={"color": RAW}, name="raw"
    )
    fig.add_trace(bars)
    return fig


def sampled_histogram(
    class_names: Sequence[str],
    raw: ArrayLike,
    expected: ArrayLike,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    *,
    unit: str = "instances",
    title: str | None = None,
) -> Any:
    """Draw raw counts next to the expected counts of an epoch, with the band as error bars.

    Parameters
    ----------
    class_names : sequence of str
        The classes, in the order shown.
    raw, expected : array_like, shape (num_classes,)
        Counts in the pool, and expected in one epoch.
    low, high : array_like, shape (num_classes,), optional
        The band of `expected`.
    unit : str
        What is counted; written on the axis.
    title : str, optional
        Title of the figure.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> fig = sampled_histogram(["cat", "dog"], [165, 10], [87.5, 87.5], [75, 75], [100, 100])
    >>> [trace.name for trace in fig.data]
    ['raw', 'sampled']
    """
    go, shape, names = graph_objects(), (len(class_names),), shown_names(class_names)
    mean = checked("expected", expected, shape)
    whiskers = None
    if low is not None and high is not None:
        below, above = checked("low", low, shape), checked("high", high, shape)
        whiskers = {"type": "data", "symmetric": False, "array": above - mean, "arrayminus": mean - below}
    fig = figure(title=title, x="class", y=f"{unit} per epoch", barmode="group", xaxis_type="category")
    common = {"x": names, "hovertext": _whole(class_names)}
    fig.add_trace(go.Bar(y=checked("raw", raw, shape), name="raw", marker={"color": RAW}, **common))
    fig.add_trace(go.Bar(y=mean, name="sampled", marker={"color": SAMPLED}, error_y=whiskers, **common))
    return fig


def batch_composition(class_names: Sequence[str], counts: ArrayLike, *, title: str | None = None) -> Any:
    """Draw each batch as a stacked bar of its classes.

    Parameters
    ----------
    class_names : sequence of str
        The classes.
    counts : array_like, shape (num_batches, num_classes)
        Instances of each class in each batch.
    title : str, optional
        Title of the figure.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> len(batch_composition(["cat", "dog"], [[15, 1], [16, 0]]).data)
    2
    """
    go = graph_objects()
    heights = checked("counts", counts, (None, len(class_names)))
    fig = figure(title=title, x="batch", y="instances", barmode="stack", bargap=0.05)
    for number, name in enumerate(shown_names(class_names)):
        fig.add_trace(go.Bar(y=heights[:, number], name=name, marker={"color": color(number)["color"]}))
    return fig


def _whole(class_names: Sequence[str]) -> list[str] | None:
    """Return the full names of those that were shortened, for hovering; None if there are none."""
    whole = [shown(str(name), longest=None) for name in class_names]
    cut = [long if long != shown(str(name)) else "" for long, name in zip(whole, class_names, strict=True)]
    return cut if any(cut) else None
