"""plotly figures out of plain arrays."""

from penstock.plots._coverage import coverage_by_imbalance, coverage_curve, epochs_to_cover_density, times_seen_ecdf
from penstock.plots._distribution import batch_composition, class_histogram, sampled_histogram
from penstock.plots._schedule import schedule
from penstock.plots._signals import signal_histogram

__all__ = [
    "batch_composition",
    "class_histogram",
    "coverage_by_imbalance",
    "coverage_curve",
    "epochs_to_cover_density",
    "sampled_histogram",
    "schedule",
    "signal_histogram",
    "times_seen_ecdf",
]
