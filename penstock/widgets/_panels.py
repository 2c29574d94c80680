"""The panels of the Explorer, each a widget of its own; those made from one session are linked."""

from __future__ import annotations

from penstock.widgets._widget import SessionWidget

__all__ = ["Browser", "CoverageView", "LabelEditor", "QueryEditor", "WeightTuner"]


class Browser(SessionWidget):
    """A grid of the samples a query gives, and one of them large with its boxes.

    Takes the source and options of every widget: a dataset, view or session; ``query``, ``seed``,
    ``mode``, ``size``, ``unit``, ``labels``, ``height``, ``theme``, ``layout``.

    Examples
    --------
    >>> import penstock
    >>> Browser(penstock.demo(), query="select * limit 20")
    Browser('demo', samples=600, seed=0)
    """

    kind = "browser"


class LabelEditor(SessionWidget):
    """Labels and boxes of samples, changed by hand, taken back, committed with a message."""

    kind = "label_editor"


class QueryEditor(SessionWidget):
    """The query with its colors, completion, faults and the rows each clause leaves."""

    kind = "query_editor"


class WeightTuner(SessionWidget):
    """A slider for each weight clause, and the histogram of raw and sampled classes they move."""

    kind = "weight_tuner"


class CoverageView(SessionWidget):
    """How much of the pool training sees, epoch by epoch, and how often."""

    kind = "coverage_view"
