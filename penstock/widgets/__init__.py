"""Jupyter widgets over a dataset and its loader."""

from penstock.widgets._explorer import Explorer, explore
from penstock.widgets._panels import Browser, CoverageView, LabelEditor, QueryEditor, WeightTuner
from penstock.widgets.session._session import Session

__all__ = [
    "Browser",
    "CoverageView",
    "Explorer",
    "LabelEditor",
    "QueryEditor",
    "Session",
    "WeightTuner",
    "explore",
]
