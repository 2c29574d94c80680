"""The public face of data: Dataset, View, Tensor, Sample."""

from penstock.dataset._cleanup import Cleanup
from penstock.dataset._compaction import Compacted
from penstock.dataset._dataset import Dataset
from penstock.dataset._info import Info
from penstock.dataset._open import empty, load
from penstock.dataset.merging._report import MergeReport
from penstock.dataset.samples._sample import Sample
from penstock.dataset.samples._tensor import Tensor, TensorInfo
from penstock.dataset.shown._diff import Diff
from penstock.dataset.shown._history import FieldChange, SampleEdit, SampleHistory
from penstock.dataset.shown._log import Log
from penstock.dataset.shown._report import Problem, Report
from penstock.dataset.signals._signals import Signals
from penstock.dataset.views._saved_views import SavedView, SavedViews
from penstock.dataset.views._view import View
from penstock.dataset.views.splits._leakage import check_leakage
from penstock.dataset.views.splits._parts import Fold, Folds, Split
from penstock.dataset.views.splits._split_report import SplitReport
from penstock.dataset.writing._conflicts import Conflict
from penstock.signals import Run, Runs, RunWriter
from penstock.storage import Cache, Commit

__all__ = [
    "Cache",
    "Cleanup",
    "Commit",
    "Compacted",
    "Conflict",
    "Dataset",
    "Diff",
    "FieldChange",
    "Fold",
    "Folds",
    "Info",
    "Log",
    "MergeReport",
    "Problem",
    "Report",
    "Run",
    "RunWriter",
    "Runs",
    "Sample",
    "SampleEdit",
    "SampleHistory",
    "SavedView",
    "SavedViews",
    "Signals",
    "Split",
    "SplitReport",
    "Tensor",
    "TensorInfo",
    "View",
    "check_leakage",
    "empty",
    "load",
]
