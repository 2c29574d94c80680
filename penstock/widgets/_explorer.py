"""The Explorer: look, label, weigh, export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.widgets._widget import SessionWidget
from penstock.widgets.session._session_state import Explorable

if TYPE_CHECKING:
    from penstock.dataset import Dataset, View
    from penstock.widgets.session._session import Session

__all__ = ["Explorer", "explore"]


class Explorer(SessionWidget):
    """Everything at once: grid, detail, editor, query, weights, histogram, coverage, export.

    Takes the source and options of every widget: a dataset, view or session; ``query``, ``seed``,
    ``mode``, ``size``, ``unit``, ``labels``, ``height``, ``theme``, ``layout``.

    Examples
    --------
    >>> import penstock
    >>> x = Explorer(penstock.demo(), query="select * sample by max_weight(contains(labels, 'Cross'): 20, True: 1)")
    >>> x.spec.weights
    (20.0, 1.0)
    >>> x.weights = [5, 1]
    >>> x.query
    "select * sample by max_weight(contains(labels, 'Cross'): 5, True: 1)"
    """

    kind = "explorer"


def explore(source: Dataset | View | Explorable | Session, **options: Any) -> Explorer:
    """Open the Explorer on a dataset or a view.

    Parameters
    ----------
    source : Dataset, View, ArrayDataSource or Session
        What is explored. The images and labels of an `ArrayDataSource` are copied to a temporary dataset.
    **options
        ``query``: the first query, TQL. ``seed``: int, seed of the draws. ``mode``: "iid", "deck" or "once".
        ``size``: draws of an epoch. ``unit``: "instances" or "samples", what the bars count. ``labels``: the class
        label tensor that the charts count. ``height``: CSS pixels, 620 by default. ``theme``: "auto", "light" or
        "dark". ``layout``: the ipywidgets layout.

    Returns
    -------
    Explorer
        Shown when it is the last line of a cell; ``x.view``, ``x.selected``, ``x.loader()`` and
        ``x.export_code()`` give what it shows.

    Raises
    ------
    DatasetError
        If `source` is neither a dataset nor a view.
    TypeError
        If an option is not known.

    Examples
    --------
    >>> import penstock
    >>> penstock.explore(penstock.demo(), seed=7)
    Explorer('demo', samples=600, seed=7)
    """
    return Explorer(source, **options)
