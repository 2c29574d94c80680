"""Which rows, how often; numpy only, usable without a dataset."""

from penstock.sampling._coverage import Coverage, TimesSeen
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
from penstock.sampling._spec import Clause, SamplingSpec
from penstock.sampling._stream import IndexStream, SequentialStream, ShuffledStream
from penstock.sampling._targets import Moved, Targets
from penstock.sampling._torch import TorchBatchSampler, TorchSampler

__all__ = [
    "REFERENCES",
    "ClassCounts",
    "Clause",
    "Coverage",
    "Histogram",
    "IndexStream",
    "Moved",
    "SamplingPlan",
    "SamplingSpec",
    "SequentialStream",
    "ShuffledStream",
    "Strata",
    "Targets",
    "TimesSeen",
    "TorchBatchSampler",
    "TorchSampler",
    "effective_number",
    "fresh_seed",
    "inverse_frequency",
    "repeat_factor",
    "square_root",
    "target_proportions",
]
