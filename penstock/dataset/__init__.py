"""What a user holds: Dataset, View, Tensor, Sample."""

from penstock.dataset._conflicts import Conflict
from penstock.dataset._dataset import Dataset
from penstock.dataset._diff import Diff
from penstock.dataset._log import Log
from penstock.dataset._open import empty, load
from penstock.dataset._report import Problem, Report
from penstock.dataset._sample import Sample
from penstock.dataset._saved_views import SavedView, SavedViews
from penstock.dataset._tensor import Tensor, TensorInfo
from penstock.dataset._view import View

__all__ = [
    "Conflict",
    "Dataset",
    "Diff",
    "Log",
    "Problem",
    "Report",
    "Sample",
    "SavedView",
    "SavedViews",
    "Tensor",
    "TensorInfo",
    "View",
    "empty",
    "load",
]
