"""Which rows, how often; numpy only, usable without a dataset."""

from penstock.sampling.laws._coverage import Coverage, TimesSeen
from penstock.sampling.laws._histogram import Histogram
from penstock.sampling.plan._counting import (
    BatchComposition,
    Subset,
    TimesSeenTable,
    batch_composition,
    imbalanced_subset,
    times_seen_table,
)
from penstock.sampling.plan._imbalance_study import (
    CoverageByDraws,
    EpochsByImbalance,
    EpochsToCover,
    coverage_by_num_draws,
    epochs_by_imbalance,
    epochs_to_cover,
)
from penstock.sampling.plan._plan import SamplingPlan
from penstock.sampling.plan._simulate import Simulation
from penstock.sampling.plan._strata import Strata
from penstock.sampling.plan._targets import Moved, Targets
from penstock.sampling.pool._label_input import class_counts
from penstock.sampling.pool._labels import ClassCounts
from penstock.sampling.random._philox import fresh_seed
from penstock.sampling.samplers._torch import TorchBatchSampler, TorchSampler
from penstock.sampling.schedules._grouped import weights_sha256
from penstock.sampling.schedules._plan import SchedulePlan
from penstock.sampling.spec._mining import HardMining, hard_mining
from penstock.sampling.spec._presets import (
    REFERENCES,
    effective_number,
    inverse_frequency,
    repeat_factor,
    square_root,
    target_proportions,
)
from penstock.sampling.spec._schedule import SamplingSchedule, ScheduleEntry
from penstock.sampling.spec._spec import Clause, SamplingSpec
from penstock.sampling.streams._scheduled import ScheduledStream
from penstock.sampling.streams._stream import IndexStream, SequentialStream, ShuffledStream

__all__ = [
    "REFERENCES",
    "BatchComposition",
    "ClassCounts",
    "Clause",
    "Coverage",
    "CoverageByDraws",
    "EpochsByImbalance",
    "EpochsToCover",
    "HardMining",
    "Histogram",
    "IndexStream",
    "Moved",
    "SamplingPlan",
    "SamplingSchedule",
    "SamplingSpec",
    "ScheduleEntry",
    "SchedulePlan",
    "ScheduledStream",
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
    "hard_mining",
    "imbalanced_subset",
    "inverse_frequency",
    "repeat_factor",
    "square_root",
    "target_proportions",
    "times_seen_table",
    "weights_sha256",
]
