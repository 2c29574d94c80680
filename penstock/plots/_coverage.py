"""Curves of what is seen: coverage, times seen, epochs until everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from penstock.plots._theme import SAMPLED, checked, color, faded, figure, graph_objects, shown_names

__all__ = ["coverage_by_imbalance", "coverage_curve", "epochs_to_cover_density", "times_seen_ecdf"]


def times_seen_ecdf(class_names: Sequence[str], cdf: ArrayLike, *, title: str | None = None) -> Any:
    """Draw, for each class, the share of its samples seen at most k times.

    Parameters
    ----------
    class_names : sequence of str
        The classes.
    cdf : array_like, shape (num_classes, max_times + 1)
        Distribution functions, from ``k = 0``.
    title : str, optional
        Title of the figure.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> times_seen_ecdf(["cat", "dog"], [[0.6, 0.9, 1.0], [0.0, 0.1, 1.0]]).data[0].line.shape
    'hv'
    """
    go = graph_objects()
    curves = checked("cdf", cdf, (len(class_names), None))
    fig = figure(title=title, x="times seen, at most", y="share of the samples", yaxis_tickformat=".0%")
    for number, name in enumerate(shown_names(class_names)):
        line = {"shape": "hv", **color(number)}
        fig.add_trace(go.Scatter(y=curves[number], name=name, mode="lines", line=line))
    return fig


def coverage_curve(
    shares: Mapping[str, ArrayLike],
    low: Mapping[str, ArrayLike] | None = None,
    high: Mapping[str, ArrayLike] | None = None,
    *,
    title: str | None = None,
) -> Any:
    """Draw the share of the samples seen after 1, 2, ... epochs.

    Parameters
    ----------
    shares : mapping of str to array_like of shape (num_epochs,)
        One curve by name, such as "iid" and "deck".
    low, high : mapping of str to array_like of shape (num_epochs,), optional
        Bands of some of the curves.
    title : str, optional
        Title of the figure.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> fig = coverage_curve({"iid": [0.45, 0.67], "deck": [0.56, 1.0]}, {"iid": [0.4, 0.6]}, {"iid": [0.5, 0.7]})
    >>> [trace.name for trace in fig.data]
    ['iid band', 'iid', 'deck']
    """
    go = graph_objects()
    fig = figure(title=title, x="epoch", y="share of the samples seen", yaxis_tickformat=".0%")
    for number, ((name, values), label) in enumerate(zip(shares.items(), shown_names(list(shares)), strict=True)):
        curve = checked(f"shares[{name!r}]", values, (None,))
        epochs = np.arange(1, len(curve) + 1)
        if low is not None and high is not None and name in low and name in high:
            bottom = checked(f"low[{name!r}]", low[name], (len(curve),))
            top = checked(f"high[{name!r}]", high[name], (len(curve),))
            fig.add_trace(_band(go, epochs, bottom, top, label, color(number)["color"]))
        fig.add_trace(go.Scatter(x=epochs, y=curve, name=label, mode="lines+markers", line=color(number)))
    return fig


def epochs_to_cover_density(
    epochs: ArrayLike,
    probability: ArrayLike,
    quantiles: Mapping[float, float] | None = None,
    *,
    title: str | None = None,
) -> Any:
    """Draw how likely each epoch is the one by whose end everything was seen, with quantiles.

    Parameters
    ----------
    epochs : array_like, shape (num_epochs,)
        The epochs.
    probability : array_like, shape (num_epochs,)
        Probability of each.
    quantiles : mapping of float to float, optional
        Epoch by probability; drawn as lines, since the peak alone is exceeded half of the time.
    title : str, optional
        Title of the figure.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> fig = epochs_to_cover_density([1, 2, 3], [0.2, 0.5, 0.3], {0.95: 3})
    >>> fig.layout.annotations[0].text
    '95 %'
    """
    go = graph_objects()
    places = checked("epochs", epochs, (None,))
    fig = figure(title=title, x="epochs until all samples are seen", y="probability")
    heights = checked("probability", probability, (len(places),))
    fig.add_trace(go.Bar(x=places, y=heights, name="probability", marker={"color": SAMPLED}))
    for quantile, epoch in (quantiles or {}).items():
        if np.isfinite(epoch):
            fig.add_vline(x=epoch, line={"dash": "dot", "color": "#451618"}, annotation_text=f"{100 * quantile:g} %")
    return fig


def coverage_by_imbalance(
    ratios: ArrayLike, epochs: ArrayLike, quantiles: Sequence[float], *, title: str | None = None
) -> Any:
    """Draw the epochs until everything was seen against how unequal the classes are.

    Parameters
    ----------
    ratios : array_like, shape (num_ratios,)
        Minority samples over majority samples.
    epochs : array_like, shape (num_ratios, num_quantiles)
        Epochs by which everything was seen with each probability.
    quantiles : sequence of float
        The probabilities.
    title : str, optional
        Title of the figure.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> len(coverage_by_imbalance([0.06, 1.0], [[11, 16], [7, 9]], (0.5, 0.95)).data)
    2
    """
    go = graph_objects()
    places = checked("ratios", ratios, (None,))
    table = checked("epochs", epochs, (len(places), len(quantiles)))
    fig = figure(title=title, x="minority samples / majority samples", y="epochs until all samples are seen")
    for number, quantile in enumerate(quantiles):
        curve = go.Scatter(x=places, y=table[:, number], name=f"{100 * quantile:g} % sure", line=color(number))
        fig.add_trace(curve)
    return fig


def _band(go: Any, x: Any, bottom: Any, top: Any, name: str, line_color: str) -> Any:
    """Return a filled area between two curves."""
    return go.Scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([top, bottom[::-1]]),
        fill="toself",
        fillcolor=faded(line_color),
        line={"width": 0},
        name=f"{name} band",
        hoverinfo="skip",
        showlegend=False,
    )
