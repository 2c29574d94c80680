"""Which rows, how often; numpy only, usable without a dataset."""

from penstock.sampling._article import (
    CoverageByDraws,
    EpochsByImbalance,
    EpochsToCover,
    coverage_by_num_draws,
    epochs_by_imbalance,
    epochs_to_cover,
)
from penstock.sampling._counting import (
    BatchComposition,
    Subset,
    TimesSeenTable,
    batch_composition,
    imbalanced_subset,
    times_seen_table,
)
from penstock.sampling._coverage import Coverage, TimesSeen
from penstock.sampling._given import class_counts
from penstock.sampling._histogram import Histogram
from penstock.sampling._labels import ClassCounts
from penstock.sampling._philox import fresh_seed
from penstock.sampling._plan import SamplingPlan, Strata
from penstock.sampling._presets import (
    REFERENCES,
    effective_number,
    inverse_frequency,
    repeat_factor,
    square_root,
    target_proportions,
)
from penstock.sampling._simulate import Simulation
from penstock.sampling._spec import Clause, SamplingSpec
from penstock.sampling._stream import IndexStream, SequentialStream, ShuffledStream
from penstock.sampling._targets import Moved, Targets
from penstock.sampling._torch import TorchBatchSampler, TorchSampler

__all__ = [
    "REFERENCES",
    "BatchComposition",
    "ClassCounts",
    "Clause",
    "Coverage",
    "CoverageByDraws",
    "EpochsByImbalance",
    "EpochsToCover",
    "Histogram",
    "IndexStream",
    "Moved",
    "SamplingPlan",
    "SamplingSpec",
    "SequentialStream",
    "ShuffledStream",
    "Simulation",
    "Strata",
    "Subset",
    "Targets",
    "TimesSeen",
    "TimesSeenTable",
    "TorchBatchSampler",
    "TorchSampler",
    "batch_composition",
    "class_counts",
    "coverage_by_num_draws",
    "effective_number",
    "epochs_by_imbalance",
    "epochs_to_cover",
    "fresh_seed",
    "imbalanced_subset",
    "inverse_frequency",
    "repeat_factor",
    "square_root",
    "target_proportions",
    "times_seen_table",
]
