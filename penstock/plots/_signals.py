"""Numbers per sample that training reported."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from penstock.plots._theme import RAW, SAMPLED, checked, figure, graph_objects, shown

__all__ = ["signal_histogram"]


def signal_histogram(
    values: ArrayLike,
    stale: ArrayLike | None = None,
    *,
    name: str = "loss",
    bins: int = 40,
    title: str | None = None,
) -> Any:
    """Draw how many samples have which value of a signal.

    Parameters
    ----------
    values : array_like, shape (num_samples,)
        One number each, as ``ds.signals().values("loss")`` returns them. Samples without one (NaN), and infinite ones,
        are counted beside the axis.
    stale : array_like of bool, shape (num_samples,), optional
        Which samples were edited since; they are shown on top in another color.
    name : str
        The signal, on the axis.
    bins : int
        Bars between the least and the greatest value.
    title : str, optional
        Title of the figure.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    ValueError
        If a shape or the number of bins is not valid.

    Examples
    --------
    >>> fig = signal_histogram([0.5, 0.5, 2.5, float("nan")], bins=2)
    >>> fig.data[0].y.tolist(), [note.text for note in fig.layout.annotations]
    ([2, 1], ['1 sample without a value'])
    """
    numbers = checked("values", values, (None,))
    old = np.zeros(len(numbers), bool) if stale is None else checked("stale", stale, (len(numbers),)).astype(bool)
    if bins < 1:
        raise ValueError(f"bins={bins} is not valid. Expected at least 1")
    finite = np.isfinite(numbers)
    least, greatest = (numbers[finite].min(), numbers[finite].max()) if finite.any() else (0.0, 1.0)
    edges = np.linspace(least, greatest if greatest > least else least + 1.0, bins + 1)
    fig = figure(title=title, x=name, y="samples", barmode="stack", bargap=0.02)
    centers, width = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
    for label, color, chosen in (("as recorded", SAMPLED, ~old), ("edited since", RAW, old)):
        if label == "as recorded" or old.any():
            counts = np.histogram(numbers[finite & chosen], edges)[0]
            bars = graph_objects().Bar(x=centers, y=counts, width=width, name=label, marker={"color": color})
            fig.add_trace(bars)
    _note(fig, int(np.isnan(numbers).sum()), int(np.isinf(numbers).sum()))
    return fig


def _note(fig: Any, missing: int, infinite: int) -> None:
    left_out = ((missing, "without a value"), (infinite, "with an infinite one"))
    parts = [f"{count:,} sample{'s' * (count != 1)} {what}" for count, what in left_out if count]
    if parts:
        place = {"xref": "paper", "yref": "paper", "x": 1, "y": 1, "xanchor": "right", "yanchor": "bottom"}
        fig.add_annotation(text=shown(", ".join(parts), longest=None), showarrow=False, **place)
